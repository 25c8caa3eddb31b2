"""Text columns by gathering fragments: the fast path from drawn numbers to pages.

Every fragment (a clause, a name, a tag) stands once in one Arrow array, the arena, with its own trailing blank or tag.
A *pool* is a range of fragments to choose from; where the range depends on the row (its topic, its project), the pool
has a range per context. A *block* is a sequence of pools: a paragraph, a table. A page is a sequence of blocks.
Composing draws one fragment per pool, gathers all of them back to back with one ``take``, and cuts the same buffer at
the rows' ends: no joining, no Python string.

Belongs here: that machine. Does not belong here: how a library is collected (``library.py``), what pages say
(``prose.py``) or look like (``dataset_types/``).
"""

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataops_core.generation import arrays
from dataops_core.generation.seeding import I64, STRIDE, U64, mix, mix_in_place

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
#: About so many fragments are drawn together: their numbers fit a core's cache. No part of a dataset's identity.
_AT_ONCE = 40_000

#: What says a kind of pool: so many bits, which are these.
_KIND_BITS = 3
_KINDS = (1 << _KIND_BITS) - 1

#: Of so many fragments of a text with edits, one is another.
_EDITED = np.uint64(24)


@dataclass(frozen=True, slots=True)
class Program:
    """What blocks say, step by step: block b has ``length[b]`` steps from ``start[b]`` on."""

    start: I64
    length: I64
    #: Of each step its pool, how far its fragments are from the pool's in the arena, and the odd number that makes its
    #: draw of the block's key: the upper half of their product.
    pool: I64
    shift: I64
    factor: U64


@dataclass(frozen=True, slots=True)
class Ranges:
    """What each of some rows may draw of every pool: what the row's contexts say, but of a pool that is narrowed, by
    its number, a range of each row's own.
    """

    rows: int
    context_ids: dict[str, I64]
    narrowed: dict[int, U64]


@dataclass(frozen=True, slots=True)
class _Table:
    """The ranges as the steps of a program look them up, by kinds: one for each context, and the narrowed pools.

    A step's range is ``flat[offsets[row * kinds + kind] + column]``; ``where`` has of each step the column and, in its
    lowest bits, the kind.
    """

    flat: U64
    kinds: int
    offsets: I64
    where: I64


@dataclass(frozen=True, slots=True)
class Fragments:
    """A frozen library. Shared by all threads; nothing in it changes.

    ``bases`` and ``counts`` hold the ranges of all pools; pool q's range in context c is at ``offsets[q] + c``. Pools
    are numbered context by context.
    """

    arena: pa.Array
    names: dict[str, int]
    offsets: I64
    bases: I64
    #: The range of every pool: one row per value of each context, a column per pool that it decides.
    ranges_by: dict[str, U64]
    program: Program
    #: Expected bytes of each block.
    block_bytes: NDArray[np.float64]

    def ranges(self, rows: int, context_ids: dict[str, I64]) -> Ranges:
        """The range of every pool for every row."""
        return Ranges(rows, context_ids, {})

    def base(self, pool: str) -> int:
        """The first fragment of a pool that all rows share."""
        return int(self.bases[self.offsets[self.names[pool]]])

    def only(self, ranges: Ranges, pool: str, fragments: I64, counts: "int | U64" = 1) -> None:
        """Narrows a pool: row r draws from ``counts[r]`` of the pool's fragments from ``fragments[r]`` on."""
        ranges.narrowed[self.names[pool]] = packed_ranges(fragments, counts)

    def only_where(self, ranges: Ranges, pool: str, rows: NDArray[np.bool_], fragments: I64) -> None:
        """Narrows a pool in some rows: where ``rows`` is true, row r says ``fragments[r]`` and nothing else."""
        if not rows.any():
            return
        number = self.names[pool]
        others = ranges.narrowed[number] if number in ranges.narrowed else self._of_contexts(ranges, number)
        own = np.broadcast_to(others, rows.shape).copy()
        own[rows] = packed_ranges(fragments[rows], 1)
        ranges.narrowed[number] = own

    def _of_contexts(self, ranges: Ranges, number: int) -> U64:
        """The range of a pool for each row, or one for all, as nothing has narrowed it."""
        column, tables = number, iter(self.ranges_by.items())
        context, table = next(tables)
        while column >= table.shape[1]:
            column -= table.shape[1]
            context, table = next(tables)
        found: U64 = table[ranges.context_ids.get(context, slice(1)), column]
        return found

    def _table(self, ranges: Ranges) -> _Table:
        """The ranges of all rows."""
        last, many = len(self.ranges_by), len(ranges.narrowed)
        offsets = np.empty((ranges.rows, last + 1), dtype=np.int64)
        where = np.empty(len(self.names), dtype=np.int64)
        number, start = 0, 0
        for kind, (context, table) in enumerate(self.ranges_by.items()):
            columns = table.shape[1]
            offsets[:, kind] = ranges.context_ids.get(context, 0) * np.int64(columns) + start
            where[number : number + columns] = np.arange(columns) << _KIND_BITS | kind
            number, start = number + columns, start + table.size
        narrowed = np.empty((many, ranges.rows), dtype=np.uint64)
        for number, (pool, values) in enumerate(ranges.narrowed.items()):
            narrowed[number] = values
            where[pool] = number * ranges.rows << _KIND_BITS | last
        offsets[:, last] = np.arange(start, start + ranges.rows)
        flat = np.concatenate([*(table.ravel() for table in self.ranges_by.values()), narrowed.ravel()])
        return _Table(flat, last + 1, offsets.ravel(), where[self.program.pool])

    def compose(self, ranges: Ranges, blocks: I64, keys: U64, edits: U64 | None = None) -> pa.StringArray:
        """One text per row.

        ``blocks`` (rows, slots) names the blocks of each row in order, -1 for none; ``keys`` has one key per row. A row
        with ``edits`` above 0 says what the same blocks, ranges and key say without, but for a few fragments.
        """
        said, table = _Said.of(self.program, blocks, keys), self._table(ranges)
        edited = _Edited.of_rows(said.bounds, np.zeros_like(keys) if edits is None else edits)
        ids = _scratch("ids", int(said.bounds[-1]))
        rows = max(1, len(blocks) * _AT_ONCE // max(1, len(ids)))
        for start in range(0, len(blocks), rows):
            self._draw(table, said, edited, slice(start, min(start + rows, len(blocks))), ids)
        edited.edit(ids)
        return gather(self.arena, ids, said.bounds)

    def _draw(self, table: _Table, said: "_Said", edited: "_Edited", rows: slice, ids: I64) -> None:
        """Draws the fragments of some rows into ``ids``, without allocating anything large."""
        program = self.program
        first, stop = said.bounds[[rows.start, rows.stop]].tolist()
        blocks = slice(*said.edges[[rows.start, rows.stop]].tolist())
        count, lengths = stop - first, said.length[blocks]
        step, other, drawn = _scratch("step", count), _scratch("other", count), _scratch("drawn", count).view(np.uint64)
        np.add(_counting(count), np.repeat(said.jump[blocks] + first, lengths), out=step)
        np.take(program.factor, step, out=drawn, mode="clip")
        np.multiply(drawn, np.repeat(said.key[blocks], lengths), out=drawn)
        mine = edited.between(first, stop)
        at = edited.at[mine] - first
        edited.drawn[mine] = drawn[at]
        drawn >>= _HALF
        # Where the range of each step's pool is.
        np.take(table.where, step, out=other, mode="clip")
        kind = np.bitwise_and(other, _KINDS, out=ids[first:stop])
        np.add(kind, np.repeat(said.row[blocks] * table.kinds, lengths), out=kind)
        other >>= _KIND_BITS
        other += np.take(table.offsets, kind, out=_scratch("offset", count), mode="clip")
        taken = ids[first:stop].view(np.uint64)
        np.take(table.flat, other, out=taken, mode="clip")
        counts = other.view(np.uint64)
        np.bitwise_and(taken, _LOW, out=counts)
        edited.counts[mine] = counts[at]
        drawn *= counts
        drawn >>= _HALF
        taken >>= _HALF
        taken += drawn
        np.take(program.shift, step, out=other, mode="clip")
        ids[first:stop] += other


@dataclass(frozen=True, slots=True)
class _Said:
    """The blocks that some rows say, one after the other, as numbers."""

    #: Of each row, where its blocks begin among all, and its steps; the last ones' ends follow.
    edges: I64
    bounds: I64
    #: Of each block: its row, how many steps it has, how far these are in the program from where they are here, and
    #: the key of its draws.
    row: I64
    length: I64
    jump: I64
    key: U64

    @classmethod
    def of(cls, program: Program, blocks: I64, keys: U64) -> "_Said":
        """What ``blocks`` (rows, slots) say by a program."""
        present = blocks >= 0
        many = np.count_nonzero(present, axis=1)
        block, row, edges = blocks[present], np.repeat(np.arange(len(blocks)), many), _from_nought(np.cumsum(many))
        length = program.length[block]
        steps = _from_nought(np.cumsum(length))
        jump = program.start[block] - steps[:-1]
        # The n-th block of a row is at its key + n * STRIDE.
        key = keys[row] + (np.arange(len(block)) - edges[row]).astype(np.uint64) * STRIDE
        mix_in_place(key, np.empty_like(key))
        return cls(edges, steps[edges], row, length, jump, key)


def _from_nought(ends: I64) -> I64:
    return np.concatenate((np.zeros(1, dtype=np.int64), ends))


def packed_ranges(first: I64, counts: "int | I64 | U64") -> U64:
    """Ranges as one number each: so many fragments from the first one on."""
    packed: U64 = (first.astype(np.uint64) << _HALF) | np.asarray(counts, dtype=np.uint64)
    return packed


@dataclass(frozen=True, slots=True)
class _Edited:
    """The steps of rows with edits, one after the other: what they drew, to be changed when all is drawn."""

    #: Of each step which of these rows it is of, what that one's edits are drawn by, and its place among all steps.
    of: I64
    by: U64
    at: I64
    #: What each drew, and of how many fragments.
    drawn: U64
    counts: U64

    @classmethod
    def of_rows(cls, bounds: I64, edits: U64) -> "_Edited":
        """Those of the rows with ``edits`` above 0; the steps of all rows are between ``bounds``."""
        rows = np.flatnonzero(edits)
        lengths = bounds[rows + 1] - bounds[rows]
        of = np.repeat(np.arange(len(rows)), lengths)
        at = np.arange(len(of)) + (bounds[rows] - np.cumsum(lengths) + lengths)[of]
        return cls(of, edits[rows][of], at, np.empty_like(edits, shape=at.shape), np.empty_like(edits, shape=at.shape))

    def between(self, first: int, stop: int) -> slice:
        """Which of them are among these of all steps."""
        return slice(*np.searchsorted(self.at, [first, stop]).tolist())

    def edit(self, ids: I64) -> None:
        """Lets one of ``_EDITED`` steps say another fragment, and one at least of each row's that can."""
        drawn, free = mix(self.drawn + self.by), self.counts > 1
        edited = free & (drawn % _EDITED == 0)
        # Of a row where none was drawn, the last one that can.
        none = np.ones(int(self.of[-1]) + 1 if len(self.of) else 0, dtype=np.bool_)
        none[self.of[edited]] = False
        left = np.flatnonzero(free & none[self.of])
        edited[left[np.flatnonzero(np.diff(self.of[left], append=-1))]] = True
        many = self.counts[edited]
        chosen = ((self.drawn[edited] >> _HALF) * many) >> _HALF
        others = ((drawn[edited] >> _HALF) * (many - np.uint64(1))) >> _HALF
        ids[self.at[edited]] += ((chosen + np.uint64(1) + others) % many).astype(np.int64) - chosen.astype(np.int64)


class _Scratch(threading.local):
    """A thread's own arrays, used again and again: fresh ones would cost more in page faults than the arithmetic."""

    def __init__(self) -> None:
        self.arrays: dict[str, I64] = {}


_SCRATCH = _Scratch()


def _scratch(name: str, size: int) -> I64:
    kept = _SCRATCH.arrays
    if name not in kept or len(kept[name]) < size:
        kept[name] = np.empty(size * 5 // 4, dtype=np.int64)
    return kept[name][:size]


@lru_cache(maxsize=8)
def _all_counting(size: int) -> I64:
    return np.arange(size, dtype=np.int64)


def _counting(size: int) -> I64:
    """0, 1, 2 … below ``size``."""
    return _all_counting(1 << max(size, 1).bit_length())[:size]


def gather(arena: pa.Array, ids: I64, bounds: NDArray[np.int32] | I64) -> pa.StringArray:
    """Text r is the concatenation of fragments ``ids[bounds[r]:bounds[r + 1]]``."""
    # The ranges of pools lie within the arena by construction.
    taken = pc.take(arena, arrays.integers(ids), boundscheck=False)
    offsets = np.frombuffer(taken.buffers()[1], dtype=np.int32, count=len(taken) + 1)[bounds]
    return pa.StringArray.from_buffers(len(bounds) - 1, pa.py_buffer(offsets), taken.buffers()[2])
