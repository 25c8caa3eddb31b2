"""Which records of a dataset are defective on purpose, and how: in closed form, by the quotas of its template.

Two records, of one project wherever it has two, make a near duplicate, a stale version or a conflict of facts; a
misfiled record is one by itself. Belongs here: the choice, and what a range of rows must know of it. Does not belong
here: what defective records say (``facts.py`` and the builders), records that lack a field (``plan.incomplete_quota``).

The choice follows from the specification alone. Records that others point at, or that tell of the company's incidents,
are never chosen: each type says which may be.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.dataset_types.base import GenerationSpec, Planted
from dataops_core.generation import arrays
from dataops_core.generation.seeding import I64, U64, Affine, draw, key, mix, pick

_NumbersT = TypeVar("_NumbersT")


class Defect(StrEnum):
    """What can be wrong with a record on purpose: words of a template's ``defects`` and of a dataset's list."""

    INCOMPLETE = "incomplete"
    NEAR_DUPLICATE = "near_duplicate"
    STALE_VERSION = "stale_version"
    CONFLICTING_FACT = "conflicting_fact"
    MISFILED = "misfiled"


#: The field of a template's ``defects`` that says how many records have a defect.
SHARES = {
    Defect.NEAR_DUPLICATE: "near_duplicates",
    Defect.STALE_VERSION: "stale_versions",
    Defect.CONFLICTING_FACT: "conflicting_facts",
    Defect.MISFILED: "misfiled",
}
#: Of so many records at most the defective ones are chosen together, which takes some 100 bytes of memory for each: in
#: more, each stretch of the records has its own.
STRETCH = 2_000_000
#: Stretches whose choice is kept: blocks of records are built side by side, and may be of two.
_KEPT = 2
#: Defects of two records, in the order in which they are planted.
_PAIRED = (Defect.NEAR_DUPLICATE, Defect.STALE_VERSION, Defect.CONFLICTING_FACT)


def quota(spec: GenerationSpec, defect: Defect, rows: int) -> int:
    """How many of a specification's first records are to have a defect: its template's share, rounded down."""
    share: float = getattr(spec.template.defects, SHARES[defect])
    # In millionths, since the float of a share such as 0.035 may lie just below it.
    return round(share * 1_000_000) * rows // 1_000_000


@dataclass(frozen=True, slots=True)
class Candidates:
    """Rows that might be defective: what the choice has to know of each."""

    project: I64
    #: The time as of which a record's text speaks: a copy is later than its source, a stale version earlier.
    moment: I64
    #: Which may be one of two, and which may be in the wrong place.
    paired: NDArray[np.bool_]
    movable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Marks:
    """What is wrong with each of some rows, as numbers.

    A builder makes the numbers of ``with_sources`` rows; those of the row whose text a row repeats are at ``places``.
    """

    with_sources: I64
    places: I64
    near: NDArray[np.bool_]
    stale: NDArray[np.bool_]
    #: Of each of ``with_sources``: whether it is stale, the version that a stale one was replaced by, or misfiled: then
    #: the project that it belongs to, else -1.
    stale_ones: NDArray[np.bool_]
    newer: NDArray[np.bool_]
    right: I64
    #: Number of the fact that a row states, -1 for none; and which of its two values.
    fact: I64
    side: I64
    #: What small edits of a copy are drawn by, 0 for a row that is none; None where no row is a copy.
    edits: U64 | None

    def split(self, numbers: _NumbersT) -> tuple[_NumbersT, _NumbersT]:
        """The numbers of the rows themselves, and those that the text of each follows. Both may be the same."""
        count = len(self.places)
        if len(self.with_sources) == count:
            return numbers, numbers
        return taken(numbers, slice(count)), taken(numbers, self.places)

    def moment(self, own: I64, told: I64) -> I64:
        """As of when each text speaks: a near duplicate as of its source's time, anything else of its own."""
        return np.where(self.near, told, own)

    def titled(self, titles: pa.StringArray, copy: str, old: str) -> pa.StringArray:
        """The titles of what is told, with those of copies in these forms: ``{}`` is the title of the source."""
        others = []
        for form, chosen in ((copy, self.near), (old, self.stale)):
            sources = titles.take(arrays.integers(np.flatnonzero(chosen))).to_pylist()
            others.append((chosen, [form.format(source) for source in sources]))
        return arrays.replaced(titles, *others)


def taken(numbers: _NumbersT, places: "I64 | slice") -> _NumbersT:
    """The numbers (a dataclass of arrays) at these places."""
    chosen: Any = numbers
    columns = {column.name: getattr(numbers, column.name) for column in fields(chosen)}
    made: _NumbersT = replace(
        chosen, **{name: column[places] for name, column in columns.items() if isinstance(column, np.ndarray)}
    )
    return made


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The defective rows of a stretch: pairs with their kind and number, and misfiled rows with both projects."""

    carrier: I64
    related: I64
    kind: I64
    number: I64
    moved: I64
    home: I64
    right: I64
    #: All of these rows in order, and where each is among carriers, related and moved ones, one after the other.
    touched: I64
    order: I64


class Defects:
    """The defective rows of a specification. ``look`` tells of any rows what the choice has to know.

    Where too few rows may be chosen, as in a dataset that is hardly larger than the company, fewer are defective. Two
    records that have to do with each other are of one stretch.
    """

    def __init__(self, spec: GenerationSpec, look: Callable[[I64], Candidates], *, facts: int) -> None:
        self._spec = spec
        self._look = look
        self._facts = facts
        self._path = (spec.template.dataset_type, spec.seed, "defects")
        self._projects = len(spec.company.projects)
        self._key = key(*self._path, "edits")
        stretches = -(-spec.record_count // STRETCH)
        #: The first row of each stretch, and the end.
        self._bounds = [number * spec.record_count // stretches for number in range(stretches + 1)]
        self._chosen = lru_cache(maxsize=_KEPT)(self._choose_of)
        # Of all, or the first ones, before there are several threads that need it.
        self._chosen(0)

    def _choose_of(self, stretch: int) -> _Chosen:
        """The defective rows of a stretch: as many as the rows up to its end are to have, and no stretch before has."""
        begin, end = self._bounds[stretch : stretch + 2]
        path = self._path if len(self._bounds) == 2 else (*self._path, stretch)
        before, until = (self._wanted(rows) for rows in (begin, end))
        *wanted, misfiled = (stop - start for start, stop in zip(before, until, strict=True))
        first, second, moved = self._choose(Affine(end - begin, *path), begin, sum(wanted), misfiled)
        kind = np.repeat(np.arange(len(_PAIRED)), wanted)[: len(first)]
        numbers = np.concatenate([start + np.arange(count) for start, count in zip(before, wanted, strict=False)])
        # ``first`` is the earlier one of two: the source of a copy, but the stale one of two versions.
        stale = kind == _PAIRED.index(Defect.STALE_VERSION)
        carrier, related = np.where(stale, first, second), np.where(stale, second, first)
        home = self._look(moved).project
        others = pick(draw(key(*path, "right"), moved), max(self._projects - 1, 1))
        touched = np.concatenate([carrier, related, moved])
        order = np.argsort(touched)
        return _Chosen(
            carrier=carrier,
            related=related,
            kind=kind,
            number=numbers[: len(first)],
            moved=moved,
            home=home,
            right=(home + 1 + others) % self._projects,
            touched=touched[order],
            order=order,
        )

    def _wanted(self, rows: int) -> list[int]:
        """Pairs of each kind that the first rows are to have (of conflicts one a fact), and misfiled rows."""
        pairs = [quota(self._spec, defect, rows) for defect in _PAIRED]
        pairs[-1] = min(pairs[-1], self._facts)
        return [*pairs, quota(self._spec, Defect.MISFILED, rows)]

    def _choose(self, order: Affine, begin: int, pairs: int, misfiled: int) -> tuple[I64, I64, I64]:
        """Earlier and later rows of pairs, and misfiled rows: the first that suit, in the order of a permutation.

        The permutation is of the rows from ``begin`` on.
        """
        none = np.zeros(0, dtype=np.int64)
        if not pairs + misfiled:
            return none, none, none
        size = 4 * (2 * pairs + misfiled) + 4 * self._projects
        while True:
            rows = begin + order.first(size)
            seen = self._look(rows)
            moved = np.flatnonzero(seen.movable)[:misfiled]
            free = seen.paired.copy()
            free[moved] = False
            left = np.flatnonzero(free)
            # Rows of one project one after another, each in the permutation's order: two and two of them are a pair.
            left = left[np.argsort(seen.project[left], kind="stable")]
            project = seen.project[left]
            begins = np.searchsorted(project, project)
            place = np.arange(len(left)) - begins
            ends = np.searchsorted(project, project, side="right")
            heads = np.flatnonzero((place % 2 == 0) & (np.arange(len(left)) + 1 < ends))
            heads = heads[np.argsort(left[heads])][:pairs]
            if (len(heads) == pairs and len(moved) == misfiled) or len(rows) == order.n:
                break
            size *= 4
        one, other = left[heads], left[heads + 1]
        # Where no project has two left, two of different ones have to do.
        alone = np.setdiff1d(left, np.concatenate([one, other]))
        more = min(pairs - len(heads), len(alone) // 2)
        one, other = np.concatenate([one, alone[: 2 * more : 2]]), np.concatenate([other, alone[1 : 2 * more : 2]])
        swap = seen.moment[one] > seen.moment[other]
        return rows[np.where(swap, other, one)], rows[np.where(swap, one, other)], rows[moved]

    def of(self, rows: I64) -> Marks:
        """What is wrong with these rows, which follow one another."""
        count = len(rows)
        near, stale, newer = (np.zeros(count, dtype=np.bool_) for _ in range(3))
        fact, side, right = np.full(count, -1), np.zeros(count, dtype=np.int64), np.full(count, -1)
        told = rows.copy()
        for chosen, members in self._members(int(rows[0]), int(rows[-1]) + 1):
            pairs = len(chosen.carrier)
            moved = members[members >= 2 * pairs] - 2 * pairs
            right[chosen.moved[moved] - rows[0]] = chosen.right[moved]
            paired = members[members < 2 * pairs]
            carries, pair = paired < pairs, paired % max(1, pairs)
            kind, place = chosen.kind[pair], np.where(carries, chosen.carrier[pair], chosen.related[pair]) - rows[0]
            states = kind == _PAIRED.index(Defect.CONFLICTING_FACT)
            fact[place[states]], side[place[states]] = chosen.number[pair[states]], carries[states]
            copies = carries & ~states
            told[place[copies]] = chosen.related[pair[copies]]
            near[place[carries & (kind == _PAIRED.index(Defect.NEAR_DUPLICATE))]] = True
            stale[place[carries & (kind == _PAIRED.index(Defect.STALE_VERSION))]] = True
            newer[place[~carries & (kind == _PAIRED.index(Defect.STALE_VERSION))]] = True
        copies = np.flatnonzero(told != rows)
        places = np.arange(count)
        places[copies] = count + np.arange(len(copies))
        edits = None
        if len(copies):
            edits = np.zeros(count, dtype=np.uint64)
            edits[copies] = mix(draw(self._key, rows[copies])) | np.uint64(1)
        # The numbers of sources stand behind those of the rows: all that is wrong with a source is that it has a copy.
        behind = len(copies)
        pad = np.zeros(behind, dtype=np.bool_)
        return Marks(
            with_sources=np.concatenate([rows, told[copies]]),
            places=places,
            near=near,
            stale=stale,
            stale_ones=np.concatenate([stale, pad]),
            newer=np.concatenate([newer, pad]),
            fact=fact,
            side=side,
            right=np.concatenate([right, np.full(behind, -1)]),
            edits=edits,
        )

    def _members(self, begin: int, end: int) -> Iterator[tuple[_Chosen, I64]]:
        """What was chosen of these rows: of each stretch that they are of, places in its ``order``'s numbering."""
        first, last = (bisect_right(self._bounds, row) - 1 for row in (begin, end - 1))
        for stretch in range(first, last + 1):
            chosen = self._chosen(stretch)
            start, stop = np.searchsorted(chosen.touched, [begin, end])
            yield chosen, chosen.order[start:stop]

    def planted(
        self, place: Callable[[int, int], str], fact: Callable[[int], tuple[str, str, str]] | None
    ) -> Iterator[Planted]:
        """All of them, but for incomplete ones. ``place`` names where rows of a project are, as the row has it, and
        ``fact`` says of a number what it is about and its two values.
        """
        for stretch in range(len(self._bounds) - 1):
            chosen = self._chosen(stretch)
            columns = (chosen.kind, chosen.carrier, chosen.related, chosen.number)
            for kind, carrier, related, number in zip(*(column.tolist() for column in columns), strict=True):
                defect, detail = _PAIRED[kind], {}
                if defect is Defect.CONFLICTING_FACT and fact is not None:
                    about, other, value = fact(number)
                    detail = {"fact": about, "value": value, "related_value": other}
                yield Planted(carrier, defect.value, related, detail)
            moved = (column.tolist() for column in (chosen.moved, chosen.home, chosen.right))
            for row, home, right in zip(*moved, strict=True):
                yield Planted(
                    row, Defect.MISFILED.value, None, {"place": place(row, home), "right_place": place(row, right)}
                )


def incomplete(permutation: Affine, count: int, lacking: Sequence[str]) -> Iterator[Planted]:
    """The records that lack a field: the first ``count`` of the permutation, each the field of its place in turn."""
    for place, row in enumerate(permutation.first(count).tolist()):
        yield Planted(row, Defect.INCOMPLETE.value, None, {"field": lacking[place % len(lacking)]})
