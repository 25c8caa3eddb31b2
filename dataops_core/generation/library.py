"""A library of fragments: what texts are gathered from (``fragments.py``), while it is being collected.

Belongs here: pools and blocks by name, and what becomes one fragment when the library is frozen. Does not belong here:
what they say (``sentences.py``, ``dataset_types/``).
"""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dataops_core.generation import arrays
from dataops_core.generation.fragments import Fragments, Program, packed_ranges
from dataops_core.generation.fusing import Pools, Steps, fuse
from dataops_core.generation.seeding import I64, STRIDE, mix

_BRACES = re.compile(r"\{([\w*.]+)\}")

#: The context that every row shares.
COMMON = "common"


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
    _literal_texts: dict[str, str] = field(default_factory=dict)

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

    def divided(self, pool: str, parts: int) -> None:
        """Pools ``<pool>0``, ``<pool>1`` … of a part of another's fragments each: what is drawn of two is not the same.

        Where there are fewer fragments than parts, each has all of them.
        """
        source = self._pools[pool]
        for part in range(parts):
            ranges = [
                (base + count * part // parts, count * (part + 1) // parts - count * part // parts)
                if count >= parts
                else (base, count)
                for base, count in source.ranges
            ]
            self._add(f"{pool}{part}", source.context, ranges)

    def wrapped(self, name: str, pool: str, before: str, after: str) -> str:
        """A pool like another one, with text around each fragment."""
        source = self._pools[pool]
        own = pa.concat_arrays([self._texts.part(base, count) for base, count in source.ranges])
        start, _ = self._append(arrays.joined(before, own, after))
        counts = [count for _, count in source.ranges]
        starts = itertools.accumulate(counts[:-1], initial=start)
        return self._add(name, source.context, list(zip(starts, counts, strict=True)))

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
            self._literals[text] = name = self.pool(f"={len(self._literals)}", [text])
            self._literal_texts[name] = text
        return self._literals[text]

    def block(self, *pools: str) -> int:
        """A block of these pools in order, of which neighbours that are literals become one. Returns its number."""
        joined: list[str] = []
        literal = self._literal_texts
        for name in pools:
            if joined and name in literal and joined[-1] in literal:
                joined[-1] = self.literal(literal[joined[-1]] + literal[name])
            else:
                joined.append(name)
        self._blocks.append(tuple(joined))
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
        # Context by context, so that what a context decides are columns side by side.
        ordered = sorted(self._pools.items(), key=lambda entry: contexts.index(entry[1].context))
        names, pools = {name: number for number, (name, _) in enumerate(ordered)}, [pool for _, pool in ordered]
        sizes = np.array([len(pool.ranges) for pool in pools], dtype=np.int64)
        offsets = np.cumsum(sizes) - sizes
        bases, counts = np.array([part for pool in pools for part in pool.ranges], dtype=np.int64).reshape(-1, 2).T
        packed = packed_ranges(bases, counts)
        decided = {context: [n for n, pool in enumerate(pools) if pool.context == context] for context in contexts}
        arena, steps = self._texts.whole(), self._steps(names)
        first = np.minimum.reduceat(bases, offsets)
        literals = set(self._literals.values())
        spans = Pools(
            first=first,
            count=np.maximum.reduceat(bases + counts, offsets) - first,
            literal=np.array([name in literals for name in names], dtype=np.bool_),
        )
        expected = self._expected_bytes(pools, bases, counts, arrays.places(arena))
        arena, program = _program(arena, spans, steps, len(self._blocks))
        return Fragments(
            arena=arena,
            names=names,
            offsets=offsets,
            bases=bases.copy(),
            ranges_by={
                context: packed[offsets[mine] + np.arange(len(self.contexts.get(context, (1,))))[:, None]]
                for context, mine in decided.items()
                if mine
            },
            program=program,
            block_bytes=_sums(steps.block, expected[steps.pool], len(self._blocks)),
        )

    def _steps(self, names: dict[str, int]) -> Steps:
        """The steps of all blocks."""
        lengths = np.array([len(block) for block in self._blocks], dtype=np.int64)
        block = np.repeat(np.arange(len(lengths)), lengths)
        return Steps(
            block=block,
            pool=np.array([names[name] for pools in self._blocks for name in pools], dtype=np.int64),
            draw=np.arange(len(block)) - (np.cumsum(lengths) - lengths)[block],
        )

    def _expected_bytes(
        self, pools: Sequence[_Pool], bases: I64, counts: I64, ends: NDArray[np.int32]
    ) -> NDArray[np.float64]:
        """Of each pool, whose ranges are among these: the mean of its contexts, as likely as each is."""
        weights = [self.contexts.get(pool.context, (1,)) for pool in pools]
        pool = np.repeat(np.arange(len(pools)), list(map(len, weights)))
        means = (ends[bases + counts] - ends[bases]) / counts
        return _sums(pool, means * np.concatenate(weights), len(pools)) / list(map(sum, weights))


def _program(arena: pa.StringArray, pools: Pools, steps: Steps, blocks: int) -> tuple[pa.StringArray, Program]:
    """The steps as so many blocks have them, and the arena that they draw from."""
    arena, steps, shift = fuse(arena, pools, steps)
    length = np.bincount(steps.block, minlength=blocks)
    return arena, Program(
        start=np.cumsum(length) - length,
        length=length,
        pool=steps.pool,
        shift=shift,
        factor=mix(steps.draw.astype(np.uint64) * STRIDE) | np.uint64(1),
    )


def _sums(of: I64, values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The sum of the values of each of ``count`` things, added one after the other."""
    return np.bincount(of, weights=values, minlength=count).astype(np.float64)
