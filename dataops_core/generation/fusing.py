"""Fewer fragments for the same text: a literal and the pool beside it become one, where that pays.

What gathering a fragment costs is its place in memory rather than its length, and a third of all are tags and words
between others. So the fragments of a short pool stand in the arena a second time, with the literals around them, and
the blocks' steps draw from these. No draw moves: of a literal there is nothing to draw. Does not belong here: composing
(``fragments.py``), collecting (``library.py``).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.generation.fragments import gather
from dataops_core.generation.seeding import I64

#: Fragments stand a second time where that takes at most so many bytes for each place of a block that says them: more
#: would take longer to make than a few hundred documents save.
_WORTH = 4096


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of blocks, one after the other: of each its block, its pool and which of the block's draws it is."""

    block: I64
    pool: I64
    draw: I64


@dataclass(frozen=True, slots=True)
class Pools:
    """Pools as numbers: the first fragment of each in any context, how many there are, and whether it is a literal."""

    first: I64
    count: I64
    literal: NDArray[np.bool_]


def fuse(arena: pa.StringArray, pools: Pools, steps: Steps) -> tuple[pa.StringArray, Steps, I64]:
    """The arena with the fused fragments behind all others, the steps that are left, and how far the fragments of each
    are from its pool's.
    """
    before, after = _beside(pools, steps)
    # What is fused: a pool's fragments between two literals, as one number; and how often.
    spans, span = np.unique(np.stack((pools.first, pools.count)), axis=1, return_inverse=True)
    most = len(pools.first) + 1
    what = (span.ravel()[steps.pool] * most + before + 1) * most + after + 1
    kinds, example, kind, times = np.unique(what, return_index=True, return_inverse=True, return_counts=True)
    first, count = spans[:, span.ravel()[steps.pool[example]]]
    between = [np.where(pool[example] >= 0, pools.first[pool[example]], -1) for pool in (before, after)]
    pays = (before[example] >= 0) | (after[example] >= 0)
    pays &= _bytes(arena, first, count, between) <= times * _WORTH
    fused = _fragments(arena, first[pays], count[pays], [literal[pays] for literal in between])
    shifts = np.zeros(len(kinds), dtype=np.int64)
    shifts[pays] = len(arena) + np.cumsum(count[pays]) - count[pays] - first[pays]
    # A literal that stands with its neighbour is no step any more.
    done, left = pays[kind], np.ones(len(steps.pool), dtype=np.bool_)
    left[np.flatnonzero(done & (before >= 0)) - 1] = False
    left[np.flatnonzero(done & (after >= 0)) + 1] = False
    kept = Steps(steps.block[left], steps.pool[left], steps.draw[left])
    return pa.concat_arrays([arena, fused]), kept, shifts[kind][left]


def _beside(pools: Pools, steps: Steps) -> tuple[I64, I64]:
    """The literal before each step's pool and the one after, -1 for none: of two pools the one with fewer fragments
    gets the literal between them.
    """
    literal, many = pools.literal[steps.pool], pools.count[steps.pool]
    same = steps.block[1:] == steps.block[:-1]
    none = np.zeros(min(1, len(literal)), dtype=np.bool_)
    left, right = np.concatenate((none, same & ~literal[:-1])), np.concatenate((same & ~literal[1:], none))
    fewer = np.concatenate((none, many[:-1])) <= np.concatenate((many[1:], none))
    to_left = literal & left & (~right | fewer)
    to_right = literal & right & ~to_left
    before, after = np.full_like(steps.pool, -1), np.full_like(steps.pool, -1)
    before[np.flatnonzero(to_right) + 1] = steps.pool[to_right]
    after[np.flatnonzero(to_left) - 1] = steps.pool[to_left]
    return before, after


def _bytes(arena: pa.StringArray, first: I64, count: I64, between: list[I64]) -> I64:
    """What fused fragments take, with their places."""
    ends = np.frombuffer(arena.buffers()[1], dtype=np.int32, count=len(arena) + 1)
    each = 4 + sum(np.where(literal >= 0, ends[literal + 1] - ends[literal], 0) for literal in between)
    total: I64 = ends[first + count] - ends[first] + count * each
    return total


def _fragments(arena: pa.StringArray, first: I64, count: I64, between: list[I64]) -> pa.StringArray:
    """The fragments of each span with the literals around them."""
    before, after = between
    own = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
    parts = np.stack((np.repeat(before, count), own, np.repeat(after, count)), axis=1)
    there = parts >= 0
    return gather(arena, parts[there], np.concatenate(([0], np.cumsum(np.count_nonzero(there, axis=1)))))
