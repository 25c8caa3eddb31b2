"""A sample of the fault table (`make faults` has all of it): a process killed in the middle, and all is right again.

C-42, C-44, C-52, C-53, C-86. Another sample: ``FAULT_SEED=<n>``.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.cells import PHASES, Cell, cells, run
from tests.faults.installation import Installation

pytestmark = [pytest.mark.fault, pytest.mark.long]

_SEED = int(os.environ.get("FAULT_SEED", "27"))


def _sample() -> list[Cell]:
    """One of each kind of work, the same in every process of the suite."""
    draw = random.Random(_SEED)
    return [draw.choice([cell for cell in cells() if cell.work == work]) for work in PHASES]


@pytest.fixture(scope="module")
def installation(short_directory: Path, given_database: Callable[[Path], dict[str, str]]) -> Iterator[Installation]:
    home = short_directory / "faults"
    installation = Installation(home, **given_database(home))
    yield installation
    installation.close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("cell", _sample(), ids=lambda cell: cell.name)
def test_a_process_is_killed_and_the_end_is_right(installation: Installation, cell: Cell):
    if cell.process not in installation.processes:
        pytest.skip(f"this stack has no {cell.process} of its own")
    run(cell, installation)
