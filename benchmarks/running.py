"""A stack of a benchmark's own: ``dataops up`` on free ports and a short temporary home, gone at the end.

Belongs here: what several benchmarks need of it, and waiting until nothing but the stack itself runs on it. Does not
belong here: what is measured.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from dataops_cli.addresses import free_port
from dataops_cli.background import Stack, start_background, stop
from dataops_cli.home import Home, ProcessRecord
from dataops_cli.processes import instance_members
from dataops_core.settings import Settings
from dataops_pipeline.warm.records import RunRecords

_POLL_SECONDS = 0.1
_QUIET_SECONDS = 120.0


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home with a short path, for Unix sockets, that PostgreSQL's user can reach too."""
    with tempfile.TemporaryDirectory(prefix="dol-", dir="/tmp") as place:
        Path(place).chmod(0o711)
        yield Path(place) / "home"


def settings_of(home: Path, **changes: Any) -> Settings:
    """Every setting as shipped, whatever the environment says, but for home, ports and ``changes``."""
    shipped = {name: field.default for name, field in Settings.model_fields.items()}
    places = {"home": home, "api_port": free_port(), "dagster_port": free_port()}
    return Settings.load(**shipped | places | changes)


@contextmanager
def running(settings: Settings) -> Iterator[Stack]:
    """The stack, ready. With the block it ends, and every process of it."""
    stack = start_background(settings, with_parent=True)
    instance = processes_of(stack).instance
    try:
        yield stack
    finally:
        stop(Home(settings.home))
    assert instance_members([instance]) == [], "processes are left"


def processes_of(stack: Stack) -> ProcessRecord:
    """The supervisor and its children, as the home's record has them now."""
    record = Home(stack.home).read_record()
    assert record is not None, "the stack does not run"
    return record


def resolved_settings(settings: Settings) -> Settings:
    """The settings with the addresses that only the running stack knows."""
    known = json.loads(Home(settings.home).runtime_file.read_text(encoding="utf-8"))
    return Settings.load(
        **settings.model_dump() | {name: known[name] for name in known if name in Settings.model_fields}
    )


def wait_for_runs_to_end(stack: Stack) -> None:
    """Returns when no process of a run lives any more: a run's ends a moment after its last event."""
    instance, warm = processes_of(stack).instance, RunRecords(Home(stack.home).runs)
    deadline = time.monotonic() + _QUIET_SECONDS
    while any(warm.all()) or any(_is_run(pid) for pid in instance_members([instance])):
        if time.monotonic() >= deadline:
            raise RuntimeError("a run does not end")
        time.sleep(_POLL_SECONDS)


def cpu_seconds(stack: Stack) -> float:
    """CPU seconds that the stack's processes have taken so far, with those that have ended and were waited for."""
    total = 0.0
    for pid in instance_members([processes_of(stack).instance]):
        with suppress(psutil.NoSuchProcess):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _is_run(pid: int) -> bool:
    try:
        return "--multiprocessing-fork" in psutil.Process(pid).cmdline()
    except psutil.NoSuchProcess:
        return False
