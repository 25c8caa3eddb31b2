"""English enough for a template's words: articles, plurals, base forms; and the words that fill the slots of a form.

Belongs here: pure functions of words, and :class:`Lexicon`. Does not belong here: the forms (``grammar.py``), how
sentences are assembled (``prose.py``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dataops_core.generation.seeding import digest64
from dataops_core.templates.model import IndustryVocabulary, Topic

_AN_CONSONANTS = ("hour", "honest", "honor", "heir")
_A_VOWELS = ("uni", "use", "usa", "usu", "uti", "eu", "one", "once", "ubiq", "ura", "uto", "ewe")
_UN_VOWELS = ("unin", "unim", "unident")  # "unidentified", "uninsured": un- before a vowel, not uni-
#: Initials whose names begin with a vowel, when letters are read one by one: an SLA, an HTTP call.
_VOWEL_INITIALS = frozenset("AEFHILMNORSX")
#: Initials that are read as a word.
_SPOKEN = frozenset(
    {
        "FHIR", "SAML", "SKU", "SCADA", "HIPAA", "LAN", "RAID", "NAS", "MAC", "SIM", "SOX", "LIFO", "FIFO", "RACI",
        "HACCP", "SAP", "SOAP", "REST", "NIST", "SIEM", "SOC", "RAM", "LEAN", "MODBUS", "SQL",
    }
)  # fmt: skip
_PLURALS = {
    "person": "people", "child": "children", "half": "halves", "shelf": "shelves", "leaf": "leaves", "index": "indexes",
    "matrix": "matrices", "criterion": "criteria", "analysis": "analyses", "basis": "bases", "diagnosis": "diagnoses",
    "prognosis": "prognoses", "thesis": "theses", "crisis": "crises", "synopsis": "synopses",
    "hypothesis": "hypotheses",
    "foot": "feet", "man": "men", "woman": "women", "life": "lives", "knife": "knives", "datum": "data",
    "quiz": "quizzes",
    "series": "series", "bus": "buses", "medium": "media", "by": "bys", "stimulus": "stimuli", "corpus": "corpora",
}  # fmt: skip
_ES_VERBS = {
    "caches": "cache", "aches": "ache", "goes": "go", "does": "do", "has": "have", "is": "be", "ties": "tie",
    "lies": "lie",
    "dies": "die", "focuses": "focus", "buses": "bus", "quizzes": "quiz", "biases": "bias", "canvases": "canvas",
    "psyches": "psyche", "axes": "ax", "vetoes": "veto", "echoes": "echo", "undoes": "undo", "redoes": "redo",
    "unties": "untie", "gases": "gas",
}  # fmt: skip
#: What the slots that no template names can say.
_ROLES = (
    "the on-call engineer", "the product owner", "the team lead", "a second reviewer", "the release manager",
    "the duty manager", "the data steward", "the architect", "a senior engineer", "the change board",
    "the support lead", "the program manager",
)  # fmt: skip
_OFTEN = (
    "every week", "every morning", "twice a day", "at the end of each month", "on weekdays", "during the night",
    "once a quarter", "with each release", "on the first Monday of the month", "every ten minutes", "after each shift",
)  # fmt: skip
_PAST = (
    "last week", "last month", "last quarter", "last year", "the week before", "the month before", "the quarter before",
    "last spring", "last autumn",
)  # fmt: skip
_SPANS = (
    "an hour", "two hours", "a day", "two days", "three days", "a week", "two weeks", "three weeks", "a month",
    "six weeks", "ninety days", "ten minutes", "fifteen minutes", "half an hour", "one shift", "one sprint",
)  # fmt: skip
_HEAD = re.compile(r" (?:of|for|per|in|on|to|with|at|from|by|between|under|behind|without|against|across|over) ")


def article(phrase: str) -> str:
    """``a`` or ``an``, as the phrase's sound asks for."""
    word = re.split(r"[ -]", phrase, maxsplit=1)[0]
    if len(word) > 1 and word.isupper() and word not in _SPOKEN:
        return "an" if word[0] in _VOWEL_INITIALS else "a"
    if len(word) == 1:
        return "an" if word.upper() in _VOWEL_INITIALS or word == "8" else "a"
    lowered = word.lower()
    if lowered[0].isdigit():
        return "an" if lowered.startswith("8") or re.match(r"(11|18)(\D|$)", lowered) else "a"
    if lowered.startswith(_AN_CONSONANTS) or lowered.startswith(_UN_VOWELS):
        return "an"
    if lowered.startswith(_A_VOWELS):
        return "a"
    return "an" if lowered[0] in "aeiou" else "a"


def with_article(phrase: str) -> str:
    """The phrase with its indefinite article; a phrase that already has one, or is a plural with "the", stays."""
    return phrase if re.match(r"(?:an?|the) ", phrase) else f"{article(phrase)} {phrase}"


def head(phrase: str) -> str:
    """What a noun phrase is about, without what follows it: ``time`` of "time to first commit"."""
    follows = _HEAD.search(phrase)
    return phrase[: follows.start()] if follows else phrase


def plural(phrase: str) -> str:
    """The noun phrase in the plural: its head's last word changes ("proofs of delivery")."""
    head = _HEAD.search(phrase)
    if head:
        return plural(phrase[: head.start()]) + phrase[head.start() :]
    before, space, word = phrase.rpartition(" ")
    stem, hyphen, last = word.rpartition("-")
    return f"{before}{space}{stem}{hyphen}{_plural_word(last)}"


def _plural_word(word: str) -> str:
    # Words in Chinese, Japanese and Korean letters have no plural.
    if word[-1:] >= "\u2e80":
        return word
    lowered = word.lower()
    if lowered in _PLURALS:
        return word[0] + _PLURALS[lowered][1:]
    if len(word) > 1 and word.isupper():
        return f"{word}s"
    if lowered.endswith("y") and lowered[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    if lowered.endswith("man") and not lowered.endswith(("human", "german")):
        return f"{word[:-3]}men"
    if lowered.endswith(("sis",)):
        return f"{word[:-2]}es"
    if lowered.endswith(("s", "x", "z", "ch", "sh")):
        return f"{word}es"
    return f"{word}s"


def base_form(verb: str) -> str:
    """The base form of a verb in the third person singular; what follows the verb stays ("rolls back")."""
    first, space, rest = verb.partition(" ")
    prefix, hyphen, word = first.rpartition("-")
    return f"{prefix}{hyphen}{_base_word(word)}{space}{rest}"


def _base_word(word: str) -> str:
    if word in _ES_VERBS:
        return _ES_VERBS[word]
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "ches", "shes", "xes", "zzes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def capitalized(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]


def bare(phrase: str) -> str:
    """The phrase without an article of its own, for forms that bring one."""
    return re.sub(r"^(?:an?|the) ", "", phrase)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one topic within its industry, by slot of a form."""

    slots: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, topic: Topic, vocabulary: IndustryVocabulary) -> "Lexicon":
        """The lexicon of a topic."""
        nouns = unique(topic.nouns)
        products = _turned(unique(vocabulary.products), topic.key, "prod")
        adjectives = telling(topic.adjectives, nouns)

        # Of each slot the first words are said most: of what topics share these are other ones in each.
        return cls(
            {
                "n": nouns,
                "ns": tuple(map(plural, nouns)),
                "a_n": tuple(map(with_article, nouns)),
                "j": adjectives,
                "a_j": tuple(map(with_article, adjectives)),
                "v": topic.verbs,
                "vb": tuple(map(base_form, topic.verbs)),
                "m": unique(topic.metrics),
                "p": topic.practices,
                "sys": unique(vocabulary.systems),
                "prod": products,
                "prods": tuple(map(plural, products)),
                "a_prod": tuple(map(with_article, products)),
                "stake": unique(vocabulary.stakeholders),
                "reg": vocabulary.regulations,
                "risk": _turned(vocabulary.risks, topic.key, "risk"),
                "goal": _turned(vocabulary.goals, topic.key, "goal"),
                "role": _turned(_ROLES, topic.key, "role"),
                "often": _OFTEN,
                "past": _PAST,
                "span": _SPANS,
                "num": tuple(str(number) for number in range(2, 91)),
                "pct": tuple(f"{number} percent" for number in range(2, 61)),
            }
        )


def _turned(words: Sequence[str], *path: str) -> tuple[str, ...]:
    """The words, beginning with another one by the path."""
    first = digest64("first word", *path) % len(words)
    return (*words[first:], *words[:first])


def unique(phrases: Sequence[str]) -> tuple[str, ...]:
    """The phrases without articles of their own, each once."""
    return tuple(dict.fromkeys(map(bare, phrases)))


def telling(adjectives: Sequence[str], nouns: Sequence[str]) -> tuple[str, ...]:
    """The adjectives that no noun begins with ("a shared shared mailbox"); all of them where that leaves none."""
    begins = {first for noun in nouns for first in (noun.partition(" ")[0], noun.partition("-")[0])}
    return tuple(word for word in adjectives if word not in begins) or tuple(adjectives)
