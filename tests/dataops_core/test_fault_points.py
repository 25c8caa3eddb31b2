"""The points at which the fault tests hold a process: of no effect for anybody else."""

import os
import re
import threading
from pathlib import Path

import pytest

from dataops_core import fault_points
from tests.faults.cells import PHASES

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(fault_points.VARIABLE, str(tmp_path))
    return tmp_path


def test_nothing_is_held_where_nobody_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(fault_points.VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checking").touch()
    fault_points.reached("checking")
    assert [entry.name for entry in tmp_path.iterdir()] == ["checking"]


def test_a_point_that_is_not_armed_holds_nobody(folder: Path):
    (folder / "pushing").touch()
    fault_points.reached("checking")
    assert [entry.name for entry in folder.iterdir()] == ["pushing"]


def test_the_first_to_come_waits_until_it_is_let_go_and_the_next_one_passes(folder: Path):
    (folder / "checking").touch()
    held = folder / f"checking.{os.getpid()}"
    waiting = threading.Thread(target=fault_points.reached, args=("checking",))
    waiting.start()
    while not held.exists():
        waiting.join(0.01)
        assert waiting.is_alive()
    fault_points.reached("checking")
    assert waiting.is_alive()
    held.unlink()
    waiting.join(10)
    assert not waiting.is_alive()
    assert list(folder.iterdir()) == []


def test_the_fault_table_kills_at_every_point_that_there_is():
    """Each of its phases is a point in the code, and no point is left out."""
    packages = ("dataops_core", "dataops_api", "dataops_pipeline", "dataops_cli")
    files = [path for package in packages for path in (_ROOT / package).rglob("*.py")]
    in_code = [name for path in files for name in re.findall(r'fault_points\.reached\("(\w+)"\)', path.read_text())]
    assert sorted(in_code) == sorted({phase for phases in PHASES.values() for phase in phases})
