"""What stands more than once is found whatever the order, and in parts as all at once."""

from contextlib import closing

import numpy as np
import pandas as pd
import pytest

from dataops_core.quality.repeats import Repeats


@pytest.mark.parametrize("at_once", [7, 1000, 1 << 21])
def test_repeated_numbers_are_found_as_pandas_finds_them(at_once: int) -> None:
    drawn = np.random.default_rng(1).integers(0, 2**64, size=3000, dtype=np.uint64)
    numbers = np.concatenate([drawn, drawn[::9], np.array([0, 0, 2**64 - 1, 2**64 - 1], dtype=np.uint64)])
    with closing(Repeats(at_once=at_once)) as repeats:
        for part in np.array_split(numbers, 11):
            repeats.add(part)
        assert repeats.rows().tolist() == pd.Series(numbers).duplicated(keep=False).tolist()


def test_of_nothing_nothing_is_repeated() -> None:
    with closing(Repeats()) as repeats:
        assert repeats.rows().tolist() == []
