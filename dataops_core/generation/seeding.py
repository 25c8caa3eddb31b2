"""Addressable randomness: every drawn value is a pure function of (key, address), never of what was drawn before.

Belongs here: keys, the 64-bit mix, draws, and closed-form permutations. Integer operations alone, so that a value is
the same on every NumPy, in any order, on any number of threads; row i alone equals row i of the whole.
"""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import gcd
from typing import TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dataops_core.lifecycle import Stage

U64: TypeAlias = NDArray[np.uint64]
I64: TypeAlias = NDArray[np.int64]

#: So many seeds of datasets there are: whole numbers that every JSON reader keeps whole, JavaScript's too.
SEEDS = 2**53

#: The golden-ratio increment of SplitMix64: consecutive addresses land far apart.
STRIDE = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_MASK = (1 << 64) - 1
_JOINT = "\x1f"


def digest64(*path: object) -> int:
    """64 bits that follow from the path alone."""
    return int.from_bytes(hashlib.blake2b(joined(path).encode(), digest_size=8).digest(), "little")


def joined(path: Sequence[object]) -> str:
    """The path as one part of a longer one: what follows from the two is the same."""
    return _JOINT.join(map(str, path))


def default_seed(client_id: UUID, stage: Stage, dataset_type: str) -> int:
    """The seed of a dataset whose request names none (C-40): from customer, stage and type.

    0 ≤ seed < ``SEEDS``.
    """
    return digest64("seed", client_id, Stage(stage).value, dataset_type) % SEEDS


@lru_cache(maxsize=4096)
def key(*path: object) -> np.uint64:
    """The key of one column or decision. Addressed by name, so adding one moves no other."""
    return np.uint64(digest64(*path))


def mix(values: U64) -> U64:
    """SplitMix64's finalizer: every input bit reaches every output bit. A fresh array; the input stays as it is."""
    mixed = values.copy()
    mix_in_place(mixed, np.empty_like(mixed))
    return mixed


def mix_in_place(values: U64, scratch: U64) -> None:
    """The same without a fresh array. ``scratch`` has the size of ``values`` and is overwritten."""
    for shift, factor in ((30, _M1), (27, _M2), (31, None)):
        np.right_shift(values, np.uint64(shift), out=scratch)
        np.bitwise_xor(values, scratch, out=values)
        if factor is not None:
            np.multiply(values, factor, out=values)


def draw(column: np.uint64, rows: I64) -> U64:
    """One 64-bit value per row."""
    return mix(rows.astype(np.uint64) * STRIDE + column)


def pick(drawn: U64, count: "int | U64") -> I64:
    """Each value as an index in [0, count). ``count`` is below 2**32, one for all or one each; 0 gives 0."""
    return (((drawn >> np.uint64(32)) * np.asarray(count, dtype=np.uint64)) >> np.uint64(32)).astype(np.int64)


def chance(drawn: U64, per_thousand: int) -> NDArray[np.bool_]:
    """True for that many of a thousand values, on average."""
    return pick(drawn, 1000) < per_thousand


def weighted_table(weights: "list[int]", size: int = 256) -> I64:
    """Index i as often as its weight asks for, over ``size`` entries: ``table[pick(h, size)]`` draws by weight.

    Rounded by largest remainder. Where there is room, an index with a weight above 0 has one entry at least.
    """
    total = sum(weights)
    shares = [weight * size / total for weight in weights]
    counts = [max(int(share), 1 if weight else 0) for share, weight in zip(shares, weights, strict=True)]
    order = sorted(range(len(weights)), key=lambda i: (counts[i] - shares[i], i))
    step = 0
    while sum(counts) < size:
        index = order[step % len(order)]
        counts[index] += 1 if weights[index] else 0
        step += 1
    while sum(counts) > size:
        counts[counts.index(max(counts))] -= 1
    return np.repeat(np.arange(len(weights), dtype=np.int64), counts)


class Draws:
    """Scalar draws from a key, for what is built once: the n-th draw of a name is the same whatever else is drawn."""

    def __init__(self, *path: object) -> None:
        self._path = joined(path)
        self._sequences: dict[str, Iterator[bytes]] = {}

    def below(self, name: str, count: int) -> int:
        """The next index in [0, count) of the sequence ``name``."""
        return int.from_bytes(next(self._sequence(name))[4:], "little") * count >> 32

    def between(self, name: str, low: int, high: int) -> int:
        """The next integer in [low, high] of the sequence ``name``."""
        return low + self.below(name, high - low + 1)

    def shuffled(self, name: str, count: int) -> list[int]:
        """A permutation of range(count)."""
        order = list(range(count))
        for i, j in zip(range(count - 1, 0, -1), self._exchanged(name, count, 1)[0].tolist(), strict=True):
            order[i], order[j] = order[j], order[i]
        return order

    def shuffles(self, name: str, count: int, times: int) -> I64:
        """So many permutations, one a row, as ``shuffled`` would draw them one after the other."""
        orders, rows = np.tile(np.arange(count), (times, 1)), np.arange(times)
        for i, j in zip(range(count - 1, 0, -1), self._exchanged(name, count, times).T, strict=True):
            orders[rows, j], orders[:, i] = orders[:, i].copy(), orders[rows, j]
        return orders

    def _exchanged(self, name: str, count: int, times: int) -> I64:
        """With which place, of those up to it, each is exchanged in each permutation (rows), from the last on."""
        steps = max(count - 1, 0)
        digests = b"".join(itertools.islice(self._sequence(name), times * steps))
        drawn = np.frombuffer(digests, dtype=np.uint64).reshape(times, steps)
        return pick(drawn, np.arange(count, 1, -1, dtype=np.uint64))

    def _sequence(self, name: str) -> Iterator[bytes]:
        """The digests of a sequence, of which the place is read once."""
        found = self._sequences.get(name)
        if found is None:
            found = self._sequences[name] = _digests(f"{self._path}{_JOINT}{name}{_JOINT}")
        return found


def _digests(place: str) -> Iterator[bytes]:
    begun = hashlib.blake2b(place.encode(), digest_size=8)
    for number in itertools.count():
        digest = begun.copy()
        digest.update(b"%d" % number)
        yield digest.digest()


@lru_cache(maxsize=4096)
def coprime(n: int, near: int | None = None) -> int:
    """The first number from ``near`` (n's golden section unless given) that has no factor in common with n.

    Multiplying by it modulo n permutes range(n), and neighbours land far apart.
    """
    number = max(1, n * 618 // 1000 if near is None else near)
    while gcd(number, n) != 1:
        number += 1
    return number


class Affine:
    """The permutation i → (a·i + b) mod n of range(n), in closed form.

    It makes quotas exact: the rows whose image is below q are exactly q rows, and each row knows it alone.
    """

    def __init__(self, n: int, *path: object) -> None:
        if not 1 <= n < 2**31:
            raise ValueError(f"a permutation needs 1 to 2**31 - 1 places, not {n}")
        self.n = n
        multiplier = coprime(n, n * 618 // 1000 + digest64(*path, "a") % max(1, n // 8))
        self._a = np.int64(multiplier % n if n > 1 else 0)
        self._b = np.int64(digest64(*path, "b") % n)

    def __call__(self, rows: I64) -> I64:
        """Where each row lands. Rows beyond n wrap around."""
        return (rows % self.n * self._a + self._b) % self.n

    def first(self, count: int) -> I64:
        """The rows that land on the first ``count`` places, in their order: at most all there are."""
        inverse = pow(int(self._a), -1, self.n) if self.n > 1 else 0
        places = np.arange(min(count, self.n), dtype=np.int64)
        rows: I64 = (places - self._b) % self.n * np.int64(inverse) % self.n
        return rows
