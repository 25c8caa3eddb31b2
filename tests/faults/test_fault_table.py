"""A sample of the fault table (`make faults` has all of it): a process killed in the middle, and all is right again.

C-42, C-44, C-52, C-53, C-86. Another sample: ``FAULT_SEED=<n>``.
"""

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.cells import PROVISIONING, TEARDOWN, Cell, cells, run
from tests.faults.installation import POSTGRES, WARM_ONLY, Installation

pytestmark = pytest.mark.fault

_SEED = int(os.environ.get("FAULT_SEED", "7"))


def _sample() -> list[Cell]:
    """Two of provisionings and one of teardowns, the same in every process of the suite."""
    draw = random.Random(_SEED)
    of = {work: [cell for cell in cells() if cell.work == work] for work in (PROVISIONING, TEARDOWN)}
    return [*draw.sample(of[PROVISIONING], 2), draw.choice(of[TEARDOWN])]


@pytest.fixture(scope="module")
def installation(short_directory: Path, given_database: Callable[[Path], dict[str, str]]) -> Iterator[Installation]:
    home = short_directory / "faults"
    installation = Installation(home, **given_database(home))
    yield installation
    installation.close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("cell", _sample(), ids=lambda cell: cell.name)
def test_a_process_is_killed_and_the_end_is_right(installation: Installation, cell: Cell):
    if cell.process == POSTGRES and not installation.stack.embedded:
        pytest.skip("the PostgreSQL of this stack is not its own")
    if cell.process in WARM_ONLY and not installation.stack.warm:
        pytest.skip("the runs of this stack have no host")
    run(cell, installation)
