"""What a valid template could do better: words that the generator cannot use as they are, and too few of them. Pure.

Belongs here: what can be seen in the file alone. Does not belong here: what makes a file invalid (``loader.py``), what
is seen in the records (``previewing.py``). Source: ``docs/templates.md``, the forms of words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dataops_core.generation.words import telling, unique
from dataops_core.templates.model import Template, Topic

#: Words of each list in the shipped templates, or more.
_PLENTY: Mapping[str, int] = {"nouns": 14, "verbs": 10, "adjectives": 10, "metrics": 6, "practices": 6}


@dataclass(frozen=True, slots=True)
class Advice:
    """What could be better, at a dotted path in which a topic has its key."""

    field: str
    text: str


def advice(template: Template) -> tuple[Advice, ...]:
    """What could be better, in the order of the fields."""
    return tuple(_all(template))


def _all(template: Template) -> Iterator[Advice]:
    repeated = _repeated(template.labels)
    if repeated:
        yield Advice("labels", f"{repeated} is there twice: once is enough")
    known: dict[str, str] = {}
    for topic in template.topics:
        yield from _of_topic(topic)
        shared = [noun for noun in unique(topic.nouns) if noun in known]
        if shared:
            text = f"in no title here, since topic {known[shared[0]]} has them: {_listed(shared)}"
            yield Advice(f"topics.{topic.key}.nouns", text)
        known |= {noun: topic.key for noun in unique(topic.nouns) if noun not in known}


def _of_topic(topic: Topic) -> Iterator[Advice]:
    for name, plenty in _PLENTY.items():
        words: Sequence[str] = getattr(topic, name)
        field = f"topics.{topic.key}.{name}"
        if repeated := _repeated(words):
            yield Advice(field, f"{repeated} is there twice: once is enough")
        if len(words) < plenty:
            yield Advice(field, f"{len(words)} words: with {plenty} or more, documents are easier to tell apart")
    left_out = [word for word in topic.adjectives if word not in telling(topic.adjectives, unique(topic.nouns))]
    if left_out:
        yield Advice(f"topics.{topic.key}.adjectives", f"not used, since a noun here begins so: {_listed(left_out)}")
    if odd := [verb for verb in topic.verbs if not verb.partition(" ")[0].endswith("s")]:
        yield Advice(f"topics.{topic.key}.verbs", f"{_listed(odd)}: third person singular ends in -s")
    if odd := [practice for practice in topic.practices if not practice.partition(" ")[0].endswith("ing")]:
        yield Advice(f"topics.{topic.key}.practices", f"{_listed(odd)}: a practice begins with a verb in -ing")


def _repeated(words: Sequence[str]) -> str | None:
    return next((f"'{word}'" for place, word in enumerate(words) if word in words[:place]), None)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
