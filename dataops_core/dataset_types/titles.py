"""Titles of documents, no two of a dataset alike, and the fragments with which their text says the same.

Belongs here: forms filled with a topic's words and a name of the company. Does not belong here: the forms, which each
dataset type has in its ``layout.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dataops_core.company.model import Company
from dataops_core.dataset_types.plan import TitleWords
from dataops_core.generation.fragments import Fragments
from dataops_core.generation.library import Library
from dataops_core.generation.seeding import I64, U64, coprime, pick
from dataops_core.generation.sentences import TOPIC
from dataops_core.templates.model import Template

#: The forms of an archetype: the kind of ``{x}`` (service, customer, team, project), and the text with ``{T}`` for an
#: adjective and a plural noun of the topic.
Forms: TypeAlias = Sequence[tuple[str, str]]

#: The pools that say a title's words in the text, to be narrowed for each row.
POOLS = ("title_j", "title_ns", "title_other")


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles of a template and company."""

    #: The forms of all archetypes, and per archetype its first one and how many it has.
    forms: Forms
    first_form: I64
    form_count: U64
    words: TitleWords
    #: Per topic, its adjectives and plural nouns: where they begin in the arena, and how many there are.
    adjective_base: I64
    noun_base: I64
    adjective_count: I64
    noun_count: I64
    #: Kind of ``{x}`` → its names and where they begin in the arena.
    others: Mapping[str, tuple[tuple[str, ...], int]]
    #: Per form, the same: where the names begin, and how many there are.
    other_base: I64
    other_count: I64

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
    def of(cls, fragments: Fragments, template: Template, company: Company, forms: Sequence[Forms]) -> "Titles":
        """The titles, of a library that has their pools. ``forms`` are those of each archetype."""
        texts = _others(company)
        starts = np.cumsum([fragments.base("other"), *map(len, texts.values())]).tolist()
        others = {kind: (names, start) for (kind, names), start in zip(texts.items(), starts, strict=False)}
        words, all_forms = TitleWords.of(template), [form for own in forms for form in own]
        counts = np.array([len(own) for own in forms], dtype=np.int64)
        return cls(
            forms=all_forms,
            first_form=np.cumsum(counts) - counts,
            form_count=counts.astype(np.uint64),
            words=words,
            adjective_base=_bases(fragments, "adjective", len(template.topics)),
            noun_base=_bases(fragments, "noun_plural", len(template.topics)),
            adjective_count=np.array([len(own) for own in words.adjectives], dtype=np.int64),
            noun_count=np.array([len(own) for own in words.nouns], dtype=np.int64),
            others=others,
            other_base=np.array([others[kind][1] for kind, _ in all_forms], dtype=np.int64),
            other_count=np.array([len(others[kind][0]) for kind, _ in all_forms], dtype=np.int64),
        )

    def draw(self, rows: I64, topics: I64, archetypes: I64, drawn: U64, seed: int) -> tuple[list[str], dict[str, I64]]:
        """A title for each row, and of each of ``POOLS`` the fragment that says its part.

        Of one form and topic, row i has the words at place i of a permutation of all combinations; when these are used
        up, a part's number follows.
        """
        form = self.first_form[archetypes] + pick(drawn, self.form_count[archetypes])
        adjectives, nouns = self.adjective_count[topics], self.noun_count[topics]
        capacity = adjectives * nouns * self.other_count[form]
        part, index = np.divmod(rows, capacity)
        distinct, which = np.unique(capacity, return_inverse=True)
        step = np.array([coprime(each) for each in distinct.tolist()], dtype=np.int64)[which]
        index, adjective = np.divmod((index * step + seed % capacity) % capacity, adjectives)
        other, noun = np.divmod(index, nouns)
        titles = []
        chosen = (form, topics, adjective, noun, other)
        for form_, topic, adjective_, noun_, other_ in zip(*(column.tolist() for column in chosen), strict=True):
            kind, text = self.forms[form_]
            said = f"{self.words.adjectives[topic][adjective_]} {self.words.nouns[topic][noun_]}"
            titles.append(text.replace("{T}", said).replace("{x}", self.others[kind][0][other_]))
        for place in np.flatnonzero(part).tolist():
            titles[place] += f", part {part[place] + 1}"
        places = (self.adjective_base[topics] + adjective, self.noun_base[topics] + noun, self.other_base[form] + other)
        return titles, dict(zip(POOLS, places, strict=True))


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
