"""Text columns by gathering fragments: the fast path from drawn numbers to pages.

Every fragment (a clause, a name, a tag) stands once in one Arrow array, the arena, with its own trailing blank or tag.
A *pool* is a range of fragments to choose from; where the range depends on the row (its topic, its project), the pool
has a range per context. A *block* is a sequence of pools: a paragraph, a table. A page is a sequence of blocks.
Composing draws one fragment per pool, gathers all of them back to back with one ``take``, and cuts the same buffer at
the rows' ends: no joining, no Python string.

Belongs here: that machine. Does not belong here: what pages say (``prose.py``) or look like (``dataset_types/``).
"""

import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dataops_core.generation import arrays
from dataops_core.generation.seeding import I64, STRIDE, U64, mix, mix_in_place

_BRACES = re.compile(r"\{([\w*.]+)\}")

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
#: Rows whose fragments are drawn together: their numbers fit a core's cache. No part of a dataset's identity.
_ROWS_AT_ONCE = 32

#: Of so many fragments of a text with edits, one is another.
_EDITED = np.uint64(24)

#: The context that every row shares.
COMMON = "common"


@dataclass(frozen=True, slots=True)
class Fragments:
    """A frozen library. Shared by all threads; nothing in it changes.

    ``bases`` and ``counts`` hold the ranges of all pools; pool q's range in context c is at ``offsets[q] + c``.
    """

    arena: pa.Array
    names: dict[str, int]
    contexts: tuple[str, ...]
    pool_context: I64
    offsets: I64
    bases: I64
    counts: U64
    program: I64
    block_start: I64
    block_length: I64
    #: Expected bytes of each block.
    block_bytes: NDArray[np.float64]

    def ranges(self, rows: int, context_ids: dict[str, I64]) -> U64:
        """The range of every pool for every row, (rows, pools): first fragment and count, 32 bits each."""
        chosen = np.zeros((rows, len(self.contexts)), dtype=np.int64)
        for name, ids in context_ids.items():
            chosen[:, self.contexts.index(name)] = ids
        places = chosen[:, self.pool_context] + self.offsets
        packed: U64 = (self.bases[places].astype(np.uint64) << np.uint64(32)) | self.counts[places]
        return packed

    def base(self, pool: str) -> int:
        """The first fragment of a pool that all rows share."""
        return int(self.bases[self.offsets[self.names[pool]]])

    def only(self, ranges: U64, pool: str, fragments: I64, counts: "int | U64" = 1) -> None:
        """Narrows a pool: row r draws from ``counts[r]`` fragments from ``fragments[r]`` on."""
        ranges[:, self.names[pool]] = (fragments.astype(np.uint64) << np.uint64(32)) | np.asarray(
            counts, dtype=np.uint64
        )

    def only_where(self, ranges: U64, pool: str, rows: NDArray[np.bool_], fragments: I64) -> None:
        """Narrows a pool in some rows: where ``rows`` is true, row r says ``fragments[r]`` and nothing else."""
        place = self.names[pool]
        ranges[:, place] = np.where(
            rows, (fragments.astype(np.uint64) << np.uint64(32)) | np.uint64(1), ranges[:, place]
        )

    def compose(self, ranges: U64, blocks: I64, keys: U64, edits: U64 | None = None) -> pa.StringArray:
        """One text per row.

        ``blocks`` (rows, slots) names the blocks of each row in order, -1 for none; ``keys`` has one key per row. A row
        with ``edits`` above 0 says what the same blocks, ranges and key say without, but for a few fragments.
        """
        edits = np.zeros_like(keys) if edits is None else edits
        lengths = np.where(blocks >= 0, self.block_length[blocks], 0).sum(axis=1)
        bounds = np.concatenate(([0], np.cumsum(lengths)))
        ids = np.empty(int(bounds[-1]), dtype=np.uint64)
        for start in range(0, len(blocks), _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            stop = min(start + _ROWS_AT_ONCE, len(blocks))
            self._draw(ranges[some], blocks[some], (keys[some], edits[some]), bounds[start : stop + 1], ids)
        return gather(self.arena, ids.view(np.int64), bounds)

    def _draw(self, ranges: U64, blocks: I64, by: tuple[U64, U64], bounds: I64, ids: U64) -> None:
        """Draws the fragments of some rows into ``ids[bounds[0]:bounds[-1]]``, without allocating anything large."""
        keys, edits = by
        first, total = int(bounds[0]), int(bounds[-1] - bounds[0])
        place, drawn, other = _scratch(total)
        block = blocks[blocks >= 0]
        starts, lengths = self.block_start[block], self.block_length[block]
        # Steps through the program: one on within a block, a jump from its end to the start of the next.
        place.fill(1)
        place[np.cumsum(lengths) - lengths] = np.diff(starts, prepend=1) - np.concatenate(([0], lengths[:-1])) + 1
        np.cumsum(place, out=place)
        np.take(self.program, place, out=other.view(np.int64), mode="clip")
        pool, strides = other.view(np.int64), _strides(int(np.diff(bounds).max(initial=0)))
        edges = (bounds - first).tolist()
        for row, (start, stop) in enumerate(pairwise(edges)):
            np.add(pool[start:stop], row * ranges.shape[1], out=place[start:stop])
            # The n-th fragment of a row draws at its key + n * STRIDE.
            np.add(strides[: stop - start], keys[row], out=drawn[start:stop])
        mix_in_place(drawn, other)
        drawn >>= _HALF
        np.take(ranges.ravel(), place, out=other, mode="clip")
        chosen = place.view(np.uint64)
        np.bitwise_and(other, _LOW, out=chosen)
        drawn *= chosen
        drawn >>= _HALF
        other >>= _HALF
        for row in np.flatnonzero(edits).tolist():
            part = slice(edges[row], edges[row + 1])
            _edit(drawn[part], chosen[part], edits[row])
        np.add(drawn, other, out=ids[first : first + total])


def _edit(chosen: U64, counts: U64, edit: np.uint64) -> None:
    """Has some of a row's fragments say something else: one in ``_EDITED``, and one at least of those that can."""
    drawn = mix(np.arange(len(chosen), dtype=np.uint64) * STRIDE + edit)
    edited = (drawn % _EDITED == 0) & (counts > 1)
    # Where none was drawn, the last one that can.
    if not edited.any():
        edited[np.flatnonzero(counts > 1)[-1:]] = True
    many = counts[edited]
    others = ((drawn[edited] >> _HALF) * (many - np.uint64(1))) >> _HALF
    chosen[edited] = (chosen[edited] + np.uint64(1) + others) % many


class _Scratch(threading.local):
    """A thread's own arrays, used again and again: fresh ones would cost more in page faults than the arithmetic."""

    size = 0
    arrays: tuple[I64, U64, U64]


_SCRATCH = _Scratch()


def _scratch(size: int) -> tuple[I64, U64, U64]:
    if _SCRATCH.size < size:
        _SCRATCH.size = size * 5 // 4
        _SCRATCH.arrays = (
            np.empty(_SCRATCH.size, dtype=np.int64),
            np.empty(_SCRATCH.size, dtype=np.uint64),
            np.empty(_SCRATCH.size, dtype=np.uint64),
        )
    signed, unsigned, other = _SCRATCH.arrays
    return signed[:size], unsigned[:size], other[:size]


@lru_cache(maxsize=8)
def _all_strides(size: int) -> U64:
    return np.arange(size, dtype=np.uint64) * STRIDE


def _strides(size: int) -> U64:
    """At least ``size`` multiples of the stride, from 0 on."""
    return _all_strides(1 << max(size, 1).bit_length())


def gather(arena: pa.Array, ids: I64, bounds: I64) -> pa.StringArray:
    """Text r is the concatenation of fragments ``ids[bounds[r]:bounds[r + 1]]``."""
    # The ranges of pools lie within the arena by construction.
    taken = pc.take(arena, arrays.integers(ids), boundscheck=False)
    offsets = np.frombuffer(taken.buffers()[1], dtype=np.int32, count=len(taken) + 1)[bounds]
    return pa.StringArray.from_buffers(len(bounds) - 1, pa.py_buffer(offsets), taken.buffers()[2])


@dataclass(slots=True)
class _Pool:
    context: str
    ranges: list[tuple[int, int]]


#: Fragments: plain texts, or an array of them.
Texts: TypeAlias = Sequence[str] | pa.StringArray


class _Texts:
    """Texts one after another: plain ones are gathered until an array follows."""

    def __init__(self) -> None:
        self._parts: list[pa.StringArray] = []
        self._starts: list[int] = []
        self._plain: list[str] = []
        self._length = 0

    def append(self, texts: Texts) -> int:
        """Appends them; the place of the first."""
        start = self._length
        if isinstance(texts, pa.Array):
            self._close()
            self._starts.append(start)
            self._parts.append(texts)
        else:
            self._plain += texts
        self._length += len(texts)
        return start

    def part(self, start: int, count: int) -> pa.StringArray:
        """So many texts from a place on."""
        self._close()
        first = bisect_right(self._starts, start) - 1
        stop = bisect_left(self._starts, start + count)
        offset = start - self._starts[first]
        found = self._parts[first] if stop == first + 1 else pa.concat_arrays(self._parts[first:stop])
        return found[offset : offset + count]

    def whole(self) -> pa.StringArray:
        """All of them."""
        self._close()
        return pa.concat_arrays(self._parts)

    def _close(self) -> None:
        if self._plain:
            self._starts.append(self._length - len(self._plain))
            self._parts.append(arrays.texts(self._plain))
            self._plain = []


@dataclass(slots=True)
class Library:
    """Collects fragments, pools and blocks; :meth:`freeze` makes them fast."""

    #: Context → how likely each of its values is: what expected sizes are weighed by.
    contexts: dict[str, Sequence[float]]
    _texts: _Texts = field(default_factory=_Texts)
    _pools: dict[str, _Pool] = field(default_factory=dict)
    _blocks: list[tuple[str, ...]] = field(default_factory=list)
    _literals: dict[str, str] = field(default_factory=dict)

    def pool(self, name: str, texts: Texts) -> str:
        """A pool that all rows share."""
        return self._add(name, COMMON, [self._append(texts)])

    def pool_by(self, context: str, name: str, texts: Sequence[Texts]) -> str:
        """A pool with a range per context; ``<name>*`` is the pool of all of them together."""
        ranges = [self._append(part) for part in texts]
        first = ranges[0][0]
        self._add(f"{name}*", COMMON, [(first, sum(count for _, count in ranges))])
        return self._add(name, context, ranges)

    def view_by(self, context: str, name: str, pool: str, ranges: Sequence[tuple[int, int]]) -> str:
        """A pool that shows parts of a common one: (offset, count) per context."""
        base, _ = self._pools[pool].ranges[0]
        return self._add(name, context, [(base + offset, count) for offset, count in ranges])

    def wrapped(self, name: str, pool: str, before: str, after: str) -> str:
        """A pool like another one, with text around each fragment."""
        source = self._pools[pool]
        ranges = [
            self._append(arrays.joined(before, self._texts.part(base, count), after)) for base, count in source.ranges
        ]
        return self._add(name, source.context, ranges)

    def alias(self, name: str, pool: str) -> str:
        """Another pool of the same fragments, for :meth:`Fragments.only` to narrow row by row."""
        return self._add(name, COMMON, [self._pools[pool].ranges[0]])

    def parse(self, text: str) -> tuple[str, ...]:
        """``"See {ticket}. "`` as pools: names in braces are pools, the text around them is literal."""
        parts = _BRACES.split(text)
        for name in parts[1::2]:
            if name not in self._pools:
                raise ValueError(f"there is no pool {name!r}, named in {text!r}")
        return tuple(
            part if number % 2 else self.literal(part) for number, part in enumerate(parts) if part or number % 2
        )

    def literal(self, text: str) -> str:
        """The pool of this one text."""
        if text not in self._literals:
            self._literals[text] = self.pool(f"={len(self._literals)}", [text])
        return self._literals[text]

    def block(self, *pools: str) -> int:
        """A block of these pools in order. Returns its number."""
        self._blocks.append(pools)
        return len(self._blocks) - 1

    def _append(self, texts: Texts) -> tuple[int, int]:
        if not len(texts):
            raise ValueError("a pool needs one fragment at least")
        return self._texts.append(texts), len(texts)

    def _add(self, name: str, context: str, ranges: list[tuple[int, int]]) -> str:
        if name in self._pools:
            raise ValueError(f"there is a pool {name!r} already")
        self._pools[name] = _Pool(context, ranges)
        return name

    def freeze(self) -> Fragments:
        """The library as arrays."""
        contexts = (COMMON, *self.contexts)
        names = {name: number for number, name in enumerate(self._pools)}
        pools = list(self._pools.values())
        sizes = np.array([len(pool.ranges) for pool in pools], dtype=np.int64)
        flat = [part for pool in pools for part in pool.ranges]
        arena = self._texts.whole()
        ends = np.frombuffer(arena.buffers()[1], dtype=np.int32).astype(np.int64)
        expected = np.array([self._expected_bytes(pool, ends) for pool in pools])
        program = [names[name] for block in self._blocks for name in block]
        block_length = np.array([len(block) for block in self._blocks], dtype=np.int64)
        return Fragments(
            arena=arena,
            names=names,
            contexts=contexts,
            pool_context=np.array([contexts.index(pool.context) for pool in pools], dtype=np.int64),
            offsets=np.cumsum(sizes) - sizes,
            bases=np.array([base for base, _ in flat], dtype=np.int64),
            counts=np.array([count for _, count in flat], dtype=np.uint64),
            program=np.array(program, dtype=np.int64),
            block_start=np.cumsum(block_length) - block_length,
            block_length=block_length,
            block_bytes=np.array([sum(expected[names[name]] for name in block) for block in self._blocks]),
        )

    def _expected_bytes(self, pool: _Pool, ends: I64) -> float:
        means = [float(ends[base + count] - ends[base]) / count for base, count in pool.ranges]
        if pool.context == COMMON:
            return means[0]
        weights = self.contexts[pool.context]
        return sum(mean * weight for mean, weight in zip(means, weights, strict=True)) / sum(weights)
