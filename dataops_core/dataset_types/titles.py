"""Titles of documents, no two of a dataset alike, and the fragments with which their text says the same.

Belongs here: forms filled with a topic's words and a name of the company. Does not belong here: the forms, which each
dataset type has in its ``layout.py``.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.company.model import Company
from dataops_core.dataset_types.plan import TitleWords
from dataops_core.generation import arrays
from dataops_core.generation.fragments import Fragments, gather
from dataops_core.generation.library import Library
from dataops_core.generation.seeding import I64, U64, coprime, pick
from dataops_core.generation.sentences import TOPIC
from dataops_core.generation.words import capitalized
from dataops_core.templates.model import Template

#: The forms of an archetype: the kind of ``{x}`` (service, customer, team, project), and the text with ``{T}`` for an
#: adjective and a plural noun of the topic.
Forms: TypeAlias = Sequence[tuple[str, str]]

#: The pools that say a title's words in the text, to be narrowed for each row.
POOLS = ("title_j", "title_ns", "title_other")
_SLOTS = re.compile(r"(\{[Tx]\})")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What titles are put together from: literals of forms, adjectives with a blank, plural nouns, names."""

    texts: pa.StringArray
    #: Per form the literals before, between and after its two words, and whether the things (``{T}``) come first.
    before: I64
    between: I64
    after: I64
    things_first: NDArray[np.bool_]
    #: Per form, how far the adjectives and the names that it says are from those below: at its begin they have a
    #: capital, if titles are to begin with one.
    adjective_shift: I64
    other_shift: I64
    #: Per topic where its adjectives and nouns begin, and per form its names.
    adjective_base: I64
    noun_base: I64
    other_base: I64

    @classmethod
    def of(cls, forms: Forms, words: TitleWords, others: Mapping[str, tuple[str, ...]], *, capital: bool) -> "_Parts":
        """The parts of these forms, words and names."""
        split = [_SLOTS.split(text) for _, text in forms]
        if capital:
            split = [[capitalized(before), *rest] for before, *rest in split]
        literals = dict.fromkeys(part for each in split for part in each[::2])
        place = {text: number for number, text in enumerate(literals)}
        adjectives = [f"{word} " for own in words.adjectives for word in own]
        nouns, names = [noun for own in words.nouns for noun in own], [name for own in others.values() for name in own]
        texts = [*literals, *adjectives, *nouns, *names, *map(capitalized, adjectives), *map(capitalized, names)]
        first_noun = len(literals) + len(adjectives)
        first_name = first_noun + len(nouns)
        starts = dict(zip(others, _starts(first_name, map(len, others.values())).tolist(), strict=True))
        begins = np.array([capital and not before for before, *_ in split])
        things_first = np.array([slot == "{T}" for _, slot, *_ in split])
        to_capital = len(nouns) + len(names) + len(adjectives)
        return cls(
            texts=arrays.texts(texts),
            before=np.array([place[each[0]] for each in split], dtype=np.int64),
            between=np.array([place[each[2]] for each in split], dtype=np.int64),
            after=np.array([place[each[4]] for each in split], dtype=np.int64),
            things_first=things_first,
            adjective_shift=np.where(begins & things_first, to_capital, 0),
            other_shift=np.where(begins & ~things_first, len(names) + len(adjectives), 0),
            adjective_base=_starts(len(literals), map(len, words.adjectives)),
            noun_base=_starts(first_noun, map(len, words.nouns)),
            other_base=np.array([starts[kind] for kind, _ in forms], dtype=np.int64),
        )

    def joined(self, form: I64, topics: I64, words: tuple[I64, I64, I64], part: I64) -> pa.StringArray:
        """A title of each form, filled with adjective, noun and name: their places among their topic's and kind's."""
        adjective, noun, other = words
        adjective = self.adjective_base[topics] + adjective + self.adjective_shift[form]
        noun = self.noun_base[topics] + noun
        other = self.other_base[form] + other + self.other_shift[form]
        between, things_first = self.between[form], self.things_first[form]
        chosen, texts = np.empty((len(form), 7 if part.any() else 6), dtype=np.int64), self.texts
        chosen[:, 0] = self.before[form]
        chosen[:, 1] = np.where(things_first, adjective, other)
        chosen[:, 2] = np.where(things_first, noun, between)
        chosen[:, 3] = np.where(things_first, between, adjective)
        chosen[:, 4] = np.where(things_first, other, noun)
        chosen[:, 5] = self.after[form]
        if part.any():
            # The first part of what has several says so nowhere.
            parts, which = np.unique(part, return_inverse=True)
            ends = ["" if number == 0 else f", part {number + 1}" for number in parts.tolist()]
            chosen[:, 6] = len(texts) + which
            texts = pa.concat_arrays([texts, arrays.texts(ends)])
        return gather(texts, chosen.ravel(), np.arange(0, chosen.size + 1, chosen.shape[1]))


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles of a template and company."""

    #: Per archetype its first form and how many it has.
    first_form: I64
    form_count: U64
    parts: _Parts
    #: Per topic, its adjectives and plural nouns: where they begin in the arena, and how many there are.
    adjective_base: I64
    noun_base: I64
    adjective_count: I64
    noun_count: I64
    #: Kind of ``{x}`` → where its names begin in the arena; and per form, the same, and how many there are.
    others: Mapping[str, int]
    other_base: I64
    other_count: I64
    #: Per topic and form, how many titles there are, and the step by which rows take them.
    capacity: I64
    step: I64

    @staticmethod
    def add_pools(library: Library, template: Template, company: Company, escape: Callable[[str], str]) -> None:
        """Adds the pools ``title_j``, ``title_ns`` and ``title_other``, escaped for the document's markup."""
        words = TitleWords.of(template)
        library.pool_by(TOPIC, "adjective", [[escape(word) for word in part] for part in words.adjectives])
        library.pool_by(TOPIC, "noun_plural", [[escape(word) for word in part] for part in words.nouns])
        library.pool("other", [escape(text) for texts in _others(company).values() for text in texts])
        for name, pool in zip(POOLS, ("adjective*", "noun_plural*", "other"), strict=True):
            library.alias(name, pool)

    @classmethod
    def of(
        cls,
        fragments: Fragments,
        template: Template,
        company: Company,
        forms: Sequence[Forms],
        *,
        capital: bool = False,
        services: int | None = None,
    ) -> "Titles":
        """The titles, of a library that has their pools. ``forms`` are those of each archetype; of the company's
        services they name the first so many, or any.
        """
        names = _others(company)
        others = dict(zip(names, _starts(fragments.base("other"), map(len, names.values())).tolist(), strict=True))
        words, all_forms = TitleWords.of(template), [form for own in forms for form in own]
        adjective_count, noun_count = (
            np.array(list(map(len, each)), dtype=np.int64) for each in (words.adjectives, words.nouns)
        )
        counts = {kind: len(each) for kind, each in names.items()}
        counts["service"] = services or counts["service"]
        other_count = np.array([counts[kind] for kind, _ in all_forms], dtype=np.int64)
        capacity = (adjective_count * noun_count)[:, None] * other_count
        return cls(
            first_form=_starts(0, map(len, forms)),
            form_count=np.array(list(map(len, forms)), dtype=np.uint64),
            parts=_Parts.of(all_forms, words, names, capital=capital),
            adjective_base=_bases(fragments, "adjective", len(template.topics)),
            noun_base=_bases(fragments, "noun_plural", len(template.topics)),
            adjective_count=adjective_count,
            noun_count=noun_count,
            others=others,
            other_base=np.array([others[kind] for kind, _ in all_forms], dtype=np.int64),
            other_count=other_count,
            capacity=capacity,
            step=np.array([list(map(coprime, each)) for each in capacity.tolist()], dtype=np.int64),
        )

    def draw(
        self, rows: I64, topics: I64, archetypes: I64, drawn: U64, seed: int
    ) -> tuple[pa.StringArray, dict[str, I64]]:
        """A title for each row, and of each of ``POOLS`` the fragment that says its part.

        Of one form and topic, row i has the words at place i of a permutation of all combinations; when these are used
        up, a part's number follows.
        """
        form, part, (adjective, noun, other) = self._words(rows, topics, archetypes, drawn, seed)
        titles = self.parts.joined(form, topics, (adjective, noun, other), part)
        places = (self.adjective_base[topics] + adjective, self.noun_base[topics] + noun, self.other_base[form] + other)
        return titles, dict(zip(POOLS, places, strict=True))

    def services(self, rows: I64, topics: I64, archetypes: I64, drawn: U64, seed: int) -> I64:
        """The company's service that the title of each row names, -1 for none."""
        form, _, (_, _, other) = self._words(rows, topics, archetypes, drawn, seed)
        found: I64 = np.where(self.other_base[form] == self.others["service"], other, -1)
        return found

    def _words(
        self, rows: I64, topics: I64, archetypes: I64, drawn: U64, seed: int
    ) -> tuple[I64, I64, tuple[I64, I64, I64]]:
        """Of each title its form, its part, and the places of adjective, noun and name among those to choose from."""
        form = self.first_form[archetypes] + pick(drawn, self.form_count[archetypes])
        capacity = self.capacity[topics, form]
        part, index = np.divmod(rows, capacity)
        index, adjective = np.divmod(
            (index * self.step[topics, form] + seed % capacity) % capacity, self.adjective_count[topics]
        )
        other, noun = np.divmod(index, self.noun_count[topics])
        return form, part, (adjective, noun, other)


def _starts(first: int, lengths: Iterable[int]) -> I64:
    """Where each of some neighbours begins."""
    many = np.array(list(lengths), dtype=np.int64)
    starts: I64 = first + np.cumsum(many) - many
    return starts


def _others(company: Company) -> dict[str, tuple[str, ...]]:
    return {
        "service": tuple(service.name for service in company.services),
        "customer": company.customers,
        "team": tuple(team.name for team in company.teams),
        "project": tuple(project.name for project in company.projects),
    }


def _bases(fragments: Fragments, pool: str, contexts: int) -> I64:
    first = fragments.offsets[fragments.names[pool]]
    return fragments.bases[first : first + contexts]
