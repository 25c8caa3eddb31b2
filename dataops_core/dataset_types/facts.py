"""What records state that contradict each other on purpose: one fact, two values.

A fact is a measure of a kind of thing in a service; no two of a dataset are the same, so that each has the two values
that it was given and no third. Belongs here: facts by number, and the blocks that say them. Does not belong here: which
records do (``defects.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dataops_core.company.model import Company
from dataops_core.dataset_types.defects import Marks
from dataops_core.dataset_types.plan import TitleWords
from dataops_core.generation.fragments import Fragments, Ranges
from dataops_core.generation.library import Library
from dataops_core.generation.seeding import I64, coprime, digest64, draw, key, mix, pick
from dataops_core.templates.model import Template

#: Measures, and the values that one may have.
_MEASURES: dict[str, tuple[str, ...]] = {
    "retention period": ("30 days", "45 days", "60 days", "90 days", "180 days", "400 days"),
    "review interval": ("every week", "every two weeks", "every month", "every quarter", "twice a year"),
    "response target": ("15 minutes", "30 minutes", "one hour", "four hours", "one business day"),
    "approval limit": ("500 dollars", "1,000 dollars", "2,500 dollars", "5,000 dollars", "10,000 dollars"),
    "error budget": ("0.1 percent", "0.25 percent", "0.5 percent", "one percent", "two percent"),
    "batch size": ("50 entries", "100 entries", "250 entries", "500 entries", "1,000 entries"),
    "request timeout": ("two seconds", "five seconds", "ten seconds", "30 seconds", "one minute"),
    "grace period": ("three days", "seven days", "ten days", "14 days", "21 days"),
    "backup interval": ("every hour", "every four hours", "every night", "every weekend"),
    "escalation deadline": ("20 minutes", "40 minutes", "90 minutes", "three hours", "eight hours"),
    "retry limit": ("two attempts", "three attempts", "five attempts", "eight attempts"),
    "notice period": ("two weeks", "four weeks", "six weeks", "three months", "six months"),
}
#: The first way of saying a fact, and the second: they have no run of words in common.
_FORMS = (
    "The {fact_measure} for {fact_things} in {fact_service} is {fact_value}. ",
    "In {fact_service}, the {fact_measure} of {fact_things} was set to {fact_value}. ",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a template and company, by number from 0 to below ``count``."""

    #: The blocks that say a fact in the first and in the second way.
    blocks: I64
    things: tuple[str, ...]
    services: tuple[str, ...]
    _key: np.uint64

    @classmethod
    def add(
        cls,
        library: Library,
        template: Template,
        company: Company,
        escape: Callable[[str], str],
        around: tuple[str, str] = ("", "\n\n"),
    ) -> "Facts":
        """Adds the pools and blocks to a library that has those of ``sentences.add_pools``.

        ``around`` is the markup before and after what is said.
        """
        things = tuple(noun for nouns in TitleWords.of(template).nouns for noun in nouns)
        library.pool("fact_measure", list(_MEASURES))
        library.pool("fact_things", list(map(escape, things)))
        library.alias("fact_service", "service*")
        library.pool("fact_value", [value for values in _MEASURES.values() for value in values])
        before, after = around
        opening, end = library.literal(before) if before else None, library.literal(after) if after else None
        blocks = [
            library.block(*(pool for pool in (opening, *library.parse(form), end) if pool is not None))
            for form in _FORMS
        ]
        return cls(
            np.array(blocks, dtype=np.int64),
            things,
            tuple(service.name for service in company.services),
            key("facts", company.client_id, template.template_id),
        )

    @property
    def count(self) -> int:
        """How many facts there are."""
        return len(_MEASURES) * len(self.services) * len(self.things)

    def placed(self, blocks: I64, marks: Marks) -> I64:
        """The blocks of documents, with what each states as a fact after its introduction."""
        if not (marks.fact >= 0).any():
            return blocks
        stated = np.where(marks.fact >= 0, self.blocks[marks.side], -1)
        return np.hstack([blocks[:, :1], stated[:, None], blocks[:, 1:]])

    def narrow(self, fragments: Fragments, ranges: Ranges, marks: Marks) -> None:
        """Lets each row that states a fact state its own."""
        stating = marks.fact >= 0
        if not stating.any():
            return
        chosen = self._parts(np.maximum(marks.fact, 0))
        measure, things, service, first, second = chosen
        for pool, part in (
            ("fact_measure", measure),
            ("fact_things", things),
            ("fact_service", service),
            ("fact_value", np.where(marks.side == 0, first, second)),
        ):
            fragments.only_where(ranges, pool, stating, fragments.base(pool) + part)

    def said(self, number: int) -> tuple[str, str, str]:
        """What a fact is about, and its first and second value."""
        measure, things, service, first, second = (int(part[0]) for part in self._parts(np.array([number])))
        values = [value for each in _MEASURES.values() for value in each]
        about = f"{list(_MEASURES)[measure]} of {self.things[things]} in {self.services[service]}"
        return about, values[first], values[second]

    def _parts(self, numbers: I64) -> tuple[I64, I64, I64, I64, I64]:
        """Measure, things, service and both values of each fact, as places in their pools."""
        index = (numbers * coprime(self.count) + digest64(self._key) % self.count) % self.count
        index, measure = np.divmod(index, len(_MEASURES))
        things, service = np.divmod(index, len(self.services))
        sizes = np.array([len(values) for values in _MEASURES.values()], dtype=np.int64)
        begins, many = (np.cumsum(sizes) - sizes)[measure], sizes[measure]
        drawn = draw(self._key, numbers)
        first = pick(drawn, many.astype(np.uint64))
        second = (first + 1 + pick(mix(drawn), (many - 1).astype(np.uint64))) % many
        return measure, things, service, begins + first, begins + second
