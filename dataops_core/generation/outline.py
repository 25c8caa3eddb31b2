"""How long a document is and what it consists of: the outline of an archetype as a table to draw from.

An outline is a sequence of sections; a section has headings to choose from and kinds of content by weight. It is
compiled to *slots*: for each place in the document sixteen blocks to choose from, and a rank that says in which order
places fill up. A document of a wanted size fills the places whose expected bytes add up to it, so short and long
documents both begin with their introduction and end with their last section.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dataops_core.generation.seeding import (
    I64,
    STRIDE,
    U64,
    Affine,
    digest64,
    joined,
    mix,
    mix_in_place,
    weighted_table,
)

_CHOICES = 16
#: So many places of an outline are filled at once.
_TURNS = 64
#: A choice takes four bits of what is drawn.
_SHIFTS, _LAST = np.arange(0, 64, 4, dtype=np.uint64), np.uint64(_CHOICES - 1)
#: Bytes that no document is to have.
_TOO_LARGE = 1e12
#: Sizes of documents, sixteen equally frequent ones, in thousandths of the mean; their mean is 1000.
_SPREAD = (380, 470, 550, 620, 690, 760, 830, 900, 970, 1045, 1125, 1215, 1320, 1450, 1640, 2035)
#: The longest document that an outline has room for, relative to the mean.
_LONGEST = 2.4


@dataclass(frozen=True, slots=True)
class Section:
    """A section: headings (one is drawn), and kinds of content with their weights."""

    headings: tuple[str, ...]
    kinds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Parts:
    """What an outline consists of, as blocks: introductions, each section's heads and contents by weight, ends."""

    intros: tuple[int, ...]
    sections: tuple[tuple[tuple[int, ...], Mapping[tuple[int, ...], int]], ...]
    outros: tuple[int, ...]
    #: Contents of which none stands beside another (lists, code, tables), and those that a section has once at most:
    #: two tables of the same figures would contradict each other.
    apart: frozenset[tuple[int, ...]] = frozenset()
    once: frozenset[tuple[int, ...]] = frozenset()

    def arranged(
        self, blocks: Mapping[str, tuple[int, ...]], *, once: Sequence[str], apart: Sequence[str] = ()
    ) -> "Parts":
        """The same with kinds of content, by their names, that stand ``apart``, or ``once`` in a section, and apart."""
        single = frozenset(blocks[kind] for kind in once)
        return replace(self, once=single, apart=single.union(blocks[kind] for kind in apart))

    def contents(self, place: int, depth: int) -> Mapping[tuple[int, ...], int]:
        """What may be at a section's place of this depth, by weight: at every second one text alone, so that it stands
        between lists and tables. At the others those count as often again, and a table has one place of its own.
        """
        kinds = self.sections[place][1]
        turns = {kind: 2 * number for number, kind in enumerate(kind for kind in kinds if kind in self.once)}
        here = {
            kind: weight * (_ONLY_ONCE if kind in turns else _APART if kind in self.apart else 1)
            for kind, weight in kinds.items()
            if (turns[kind] == depth if kind in turns else kind not in self.apart or depth % 2 == 0)
        }
        return here or {kind: weight for kind, weight in kinds.items() if kind not in turns} or kinds

    @property
    def depths(self) -> int:
        """At how many depths a section may have something else than two higher up: an even number, at least two."""
        return 2 + 2 * max(sum(kind in self.once for kind in kinds) for _, kinds in self.sections)


#: How often what has a place at every second depth counts there, and what has a single one.
_APART, _ONLY_ONCE = 3, 8


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A compiled outline: its slots in the order in which they fill, ``choices`` (slots, 16) are their blocks."""

    choices: I64
    #: Expected bytes of each choice.
    choice_bytes: NDArray[np.float64]
    #: Of each place in the document, the slot that fills it.
    rank: I64


@lru_cache(maxsize=16)
def _together(outlines: tuple[Outline, ...]) -> Outline:
    """Outlines as one, with an axis more: those with fewer slots have others, too large for any document, behind."""
    slots = max(len(outline.rank) for outline in outlines)
    choices = np.full((len(outlines), slots, _CHOICES), -1, dtype=np.int64)
    choice_bytes = np.full(choices.shape, _TOO_LARGE)
    rank = np.tile(np.arange(slots), (len(outlines), 1))
    for number, outline in enumerate(outlines):
        own = len(outline.rank)
        choices[number, :own], choice_bytes[number, :own], rank[number, :own] = (
            outline.choices,
            outline.choice_bytes,
            outline.rank,
        )
    return Outline(choices, choice_bytes, rank)


def blocks_of(outlines: Sequence[Outline], chosen: I64, wanted_bytes: NDArray[np.float64], keys: U64) -> I64:
    """The blocks of each document (rows, slots of the longest outline) by the outline that it has, -1 for none.

    Slots fill in the order of their ranks until the chosen blocks come nearest to the wanted size.
    """
    outline, rows = _together(tuple(outlines)), len(chosen)
    slots = outline.rank.shape[1]
    drawn = np.arange(-(-slots // len(_SHIFTS)), dtype=np.uint64)[:, None] * STRIDE + keys
    mix_in_place(drawn, np.empty_like(drawn))
    # Where each choice is among all. Slot by slot: a document may have few of them.
    bits = ((drawn[:, None] >> _SHIFTS[:, None]) & _LAST).reshape(drawn.shape[0] * len(_SHIFTS), rows)[:slots]
    choice = bits.view(np.int64)
    choice += np.arange(0, slots * _CHOICES, _CHOICES)[:, None]
    choice += chosen * (slots * _CHOICES)
    sizes = outline.choice_bytes.ravel().take(choice)
    middles = np.cumsum(sizes, axis=0)
    sizes *= 0.5
    middles -= sizes
    filled = np.count_nonzero(middles <= wanted_bytes, axis=0)
    blocks = outline.choices.ravel().take(choice)
    blocks[np.arange(slots)[:, None] >= np.maximum(filled, 1)] = -1
    place = outline.rank.take(chosen, axis=0)
    place *= rows
    place += np.arange(rows)[:, None]
    in_place: I64 = blocks.ravel().take(place)
    return in_place


def _contents(parts: Parts, named: str) -> Iterator[I64]:
    """What stands in the sections, one of each in turn, without end: the choices (turns, 16) of some turns at once."""
    depths, tables = parts.depths, _Tables()
    kinds = np.array(
        [tables.of(parts.contents(place, depth)) for depth in range(depths) for place in range(len(parts.sections))]
    )
    first, count, blocks = tables.stacked()
    key = np.uint64(digest64(named, "contents"))
    for start in itertools.count(0, _TURNS):
        turns = np.arange(start, start + _TURNS)
        # Deeper down, what may be at two depths takes turns.
        depth, place = np.divmod(turns, len(parts.sections))
        depth = np.where(depth < depths, depth, depths - 2 + (depth - depths) % 2)
        kind = kinds[depth * len(parts.sections) + place]
        drawn = mix(np.arange(start * _CHOICES, (start + _TURNS) * _CHOICES, dtype=np.uint64) * STRIDE + key)
        yield blocks[first[kind] + (drawn.reshape(_TURNS, _CHOICES) % count[kind]).astype(np.int64)]


@lru_cache(maxsize=1024)
def _choices(weights: tuple[int, ...]) -> I64:
    """Sixteen choices by weight; sections weigh their contents alike."""
    return weighted_table(list(weights), _CHOICES)


class _Tables:
    """Contents by weight, each once: where the blocks of each of sixteen choices begin, and how many there are."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[tuple[tuple[int, ...], int], ...], int] = {}
        self._blocks: list[int] = []
        self._first: list[I64] = []
        self._count: list[U64] = []

    def of(self, contents: Mapping[tuple[int, ...], int]) -> int:
        """The number of these contents."""
        number = self._numbers.setdefault(tuple(contents.items()), len(self._numbers))
        if number == len(self._first):
            kind = _choices(tuple(contents.values()))
            counts = np.array([len(pool) for pool in contents])
            self._first.append((len(self._blocks) + np.cumsum(counts) - counts)[kind])
            self._count.append(counts.astype(np.uint64)[kind])
            self._blocks += [block for pool in contents for block in pool]
        return number

    def stacked(self) -> tuple[I64, U64, I64]:
        """Of all contents the beginnings and the counts (contents, 16); and the blocks."""
        return np.stack(self._first), np.stack(self._count), np.array(self._blocks, dtype=np.int64)


def compile_outline(parts: Parts, block_bytes: NDArray[np.float64], mean_bytes: float, *path: object) -> Outline:
    """An outline with room for documents of ``mean_bytes`` on average; ``path`` names the randomness."""
    sections = parts.sections
    head_rows = [_spread(heads, *path, "head", number) for number, (heads, _) in enumerate(sections)]
    room = mean_bytes * _LONGEST - sum(float(block_bytes[row].mean()) for row in head_rows)
    bodies: list[list[I64]] = [[] for _ in sections]
    turn = 0
    for rows in _contents(parts, joined(path)):
        before = np.cumsum(block_bytes[rows].mean(axis=1))
        for row in rows[: 1 + np.searchsorted(before, room)] if room > 0 else ():
            bodies[turn % len(sections)].append(row)
            turn += 1
        room -= before[-1]
        if room <= 0:
            break
    choices: list[I64] = [_spread(parts.intros, *path, "intro")]
    ranks: list[int] = [0]
    for place, head in enumerate(head_rows):
        choices.append(head)
        ranks.append(1 + place)
        for depth, row in enumerate(bodies[place]):
            choices.append(row)
            ranks.append(len(sections) + 2 + depth * len(sections) + place)
    choices.append(_spread(parts.outros, *path, "outro"))
    ranks.append(len(sections) + 1)
    # Ranks as 0, 1, 2 … in the same order.
    rank = np.argsort(np.argsort(np.array(ranks), kind="stable"), kind="stable").astype(np.int64)
    table = np.stack(choices)[np.argsort(rank)]
    return Outline(table, block_bytes[table], rank)


class Sizes:
    """How long each of n documents is: from a third of the mean to twice the mean, and the mean itself met exactly.

    Row i has the quantile that a permutation gives it, so any range of rows knows its sizes without the others.
    """

    def __init__(self, count: int, mean_bytes: float, *path: object) -> None:
        self._permutation = Affine(count, *path)
        spread = np.array(_SPREAD, dtype=np.float64)
        self._sizes = spread * mean_bytes / (spread @ _places_of_quantiles(count) / count)

    def __call__(self, rows: I64) -> NDArray[np.float64]:
        """Wanted bytes of each row."""
        sizes: NDArray[np.float64] = self._sizes[self._quantile(self._permutation(rows))]
        return sizes

    def _quantile(self, places: I64) -> I64:
        return (places * 2 + 1) * len(_SPREAD) // (2 * self._permutation.n)


def _places_of_quantiles(count: int) -> I64:
    """How many of ``count`` places each quantile has."""
    quantiles = np.arange(len(_SPREAD) + 1, dtype=np.int64)
    first = -((len(_SPREAD) - 2 * count * quantiles) // (2 * len(_SPREAD)))
    places: I64 = np.diff(first)
    return places


class Spread:
    """One of sixteen numbers for each of n rows, each as often as any other, whatever range of rows is asked for."""

    def __init__(self, count: int, numbers: Sequence[int], *path: object) -> None:
        self._permutation = Affine(count, *path)
        self._numbers = np.array(numbers, dtype=np.int64)

    def __call__(self, rows: I64) -> I64:
        """The number of each row."""
        places = self._permutation(rows)
        chosen: I64 = self._numbers[(places * 2 + 1) * len(self._numbers) // (2 * self._permutation.n)]
        return chosen


def _spread(blocks: Sequence[int], *path: object) -> I64:
    """Sixteen choices among the blocks, each as often as any other, in an order of the path's own."""
    shift = digest64(*path) % len(blocks)
    return np.array([blocks[(shift + n) % len(blocks)] for n in range(_CHOICES)], dtype=np.int64)
