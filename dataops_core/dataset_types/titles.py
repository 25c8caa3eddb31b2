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
from dataops_core.generation.seeding import I64, U64, coprime
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

    forms: tuple[Forms, ...]
    words: TitleWords
    #: Per topic, where its adjectives and plural nouns begin in the arena.
    adjective_base: I64
    noun_base: I64
    #: Kind of ``{x}`` → its names and where they begin in the arena.
    others: Mapping[str, tuple[tuple[str, ...], int]]

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
        others = _others(company)
        starts = np.cumsum([0, *map(len, others.values())])
        return cls(
            forms=tuple(forms),
            words=TitleWords.of(template),
            adjective_base=_bases(fragments, "adjective", len(template.topics)),
            noun_base=_bases(fragments, "noun_plural", len(template.topics)),
            others={
                kind: (texts, fragments.base("other") + int(start))
                for (kind, texts), start in zip(others.items(), starts, strict=False)
            },
        )

    def draw(self, rows: I64, topics: I64, archetypes: I64, drawn: U64, seed: int) -> tuple[list[str], dict[str, I64]]:
        """A title for each row, and of each of ``POOLS`` the fragment that says its part.

        Of one form and topic, row i has the words at place i of a permutation of all combinations; when these are used
        up, a part's number follows.
        """
        titles: list[str] = []
        fragments: list[tuple[int, int, int]] = []
        numbers = zip(rows.tolist(), topics.tolist(), archetypes.tolist(), drawn.tolist(), strict=True)
        for row, topic, archetype, number in numbers:
            forms = self.forms[archetype]
            kind, form = forms[(number >> 32) * len(forms) >> 32]
            others, other_base = self.others[kind]
            adjectives, nouns = self.words.adjectives[topic], self.words.nouns[topic]
            capacity = len(adjectives) * len(nouns) * len(others)
            part, index = divmod(row, capacity)
            index, adjective = divmod((index * coprime(capacity) + seed) % capacity, len(adjectives))
            other, noun = divmod(index, len(nouns))
            fragments.append((self.adjective_base[topic] + adjective, self.noun_base[topic] + noun, other_base + other))
            title = form.replace("{T}", f"{adjectives[adjective]} {nouns[noun]}").replace("{x}", others[other])
            titles.append(f"{title}, part {part + 1}" if part else title)
        columns = np.array(fragments, dtype=np.int64).reshape(-1, 3).T
        return titles, dict(zip(POOLS, columns, strict=True))


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
