"""Addressable randomness."""

from uuid import UUID

import numpy as np
import pytest

from dataops_core.generation.seeding import (
    Affine,
    Draws,
    chance,
    coprime,
    default_seed,
    digest64,
    draw,
    key,
    mix,
    pick,
    weighted_table,
)
from dataops_core.lifecycle import Stage

CLIENT = UUID("123e4567-e89b-12d3-a456-426614174000")
MASK = (1 << 64) - 1


def splitmix(value: int) -> int:
    """The finalizer as its author wrote it, in Python's integers."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def test_mix_is_splitmix64_s_finalizer():
    values = np.array([0, 1, 2, 0xDEADBEEF, MASK], dtype=np.uint64)
    assert mix(values).tolist() == [splitmix(value) for value in values.tolist()]
    assert values.tolist() == [0, 1, 2, 0xDEADBEEF, MASK]


def test_a_row_s_draw_is_the_same_alone():
    rows = np.arange(1000)
    together = draw(key("a", "b"), rows)
    assert draw(key("a", "b"), rows[777:778]).tolist() == [together[777]]


def test_columns_draw_apart():
    rows = np.arange(1000)
    first, second = pick(draw(key(1, "title"), rows), 1000), pick(draw(key(1, "author"), rows), 1000)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1


def test_picks_are_spread_evenly_over_the_range():
    counts = np.bincount(pick(draw(key("even"), np.arange(100_000)), 10), minlength=10)
    assert len(counts) == 10
    assert counts.min() > 9_600
    assert counts.max() < 10_400
    assert pick(np.array([MASK], dtype=np.uint64), 0).tolist() == [0]


def test_chance_keeps_to_its_share():
    assert 0.28 < chance(draw(key("chance"), np.arange(10_000)), 300).mean() < 0.32


@pytest.mark.parametrize("size", [1, 2, 3, 20, 97, 500, 1024, 99_991])
def test_affine_is_a_permutation(size):
    image = Affine(size, "seed", size)(np.arange(size))
    assert sorted(image.tolist()) == list(range(size))


def test_affine_does_not_overflow_at_its_largest():
    size = 2**31 - 1
    image = Affine(size, "large")(np.array([0, 1, size - 1]))
    assert image.min() >= 0
    assert len(set(image.tolist())) == 3


def test_affine_needs_a_place():
    with pytest.raises(ValueError, match="1 to"):
        Affine(0, "none")


@pytest.mark.parametrize("size", [1, 2, 30, 210, 30_030])
def test_coprime_shares_no_factor(size):
    assert np.gcd(coprime(size), size) == 1


def test_c40_the_default_seed_follows_from_customer_stage_and_type():
    seeds = {default_seed(CLIENT, stage, kind) for stage in Stage for kind in ("confluence_pages", "github_repos")}
    assert len(seeds) == 6
    assert all(0 <= seed < 2**53 for seed in seeds)
    assert default_seed(CLIENT, Stage.SANDBOX, "confluence_pages") == default_seed(
        CLIENT, Stage.SANDBOX, "confluence_pages"
    )


def test_weights_have_their_share_and_zero_none():
    table = weighted_table([5, 0, 3, 1])
    counts = np.bincount(table, minlength=4)
    assert len(table) == 256
    assert counts[1] == 0
    assert abs(counts[0] - 256 * 5 / 9) <= 1


def test_one_sequence_of_draws_does_not_move_another():
    alone, beside = Draws("path"), Draws("path")
    beside.below("other", 10)
    assert [alone.below("name", 1000) for _ in range(5)] == [beside.below("name", 1000) for _ in range(5)]
    assert sorted(alone.shuffled("order", 50)) == list(range(50))


def test_a_draw_is_the_upper_half_of_its_path_s_digest():
    draws = Draws("path", 7)
    assert [draws.below("name", 1000) for _ in range(12)] == [
        (digest64("path", 7, "name", number) >> 32) * 1000 >> 32 for number in range(12)
    ]


@pytest.mark.parametrize("count", [1, 2, 14, 300])
def test_permutations_drawn_at_once_are_those_drawn_one_by_one(count):
    at_once, one_by_one = Draws("path"), Draws("path")
    assert at_once.shuffles("order", count, 5).tolist() == [one_by_one.shuffled("order", count) for _ in range(5)]
    assert at_once.below("order", 1000) == one_by_one.below("order", 1000)
