"""A stack that does nothing: how soon it is ready, what CPU it takes while idle, and how much memory.

    .venv/bin/python -m benchmarks.stack [--starts 3] [--seconds 30]

Prints two tables. `up` → ready is timed from the start of its process to its line that all are up, on a home made by
the first start. CPU is that of all its processes, also of those that end meanwhile, in percent of one core. Targets
(15 s for a second start, 5 % of a core) are reported, never asserted.
"""

import argparse
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.running import processes_of, running, settings_of, temporary_home
from dataops_cli.background import Stack

TARGET_START_SECONDS = 15.0
TARGET_IDLE_PERCENT = 5.0
#: What starting leaves to do (first sensor ticks, caches) is over after that.
SETTLING_SECONDS = 30.0
SUPERVISOR = "supervisor"


@dataclass(frozen=True)
class Usage:
    """Of one child and all that it started: processes, CPU seconds until now, MiB of memory."""

    processes: int
    cpu_seconds: float
    rss: float
    pss: float | None


def usage(stack: Stack) -> dict[str, Usage]:
    """By child of the supervisor; the supervisor itself counts with its watchdog."""
    record = processes_of(stack)
    supervisor = psutil.Process(record.supervisor.pid)
    children = {name: psutil.Process(mark.pid) for name, mark in record.children.items()}
    beside = [one for one in supervisor.children() if one not in children.values()]
    return {
        SUPERVISOR: _of([supervisor, *beside]),
        # By descent: each of PostgreSQL's processes leads a session of its own.
        **{name: _of([child, *child.children(recursive=True)]) for name, child in children.items()},
    }


def _of(members: Sequence[psutil.Process]) -> Usage:
    cpu = rss = pss = 0.0
    readable = True
    for process in members:
        try:
            times = process.cpu_times()
            # With the time of children that ended and were waited for, nothing is lost when a backend or a run ends.
            cpu += sum((times.user, times.system, times.children_user, times.children_system))
            rss += process.memory_info().rss / 2**20
            try:
                pss += process.memory_full_info().pss / 2**20
            except (psutil.AccessDenied, AttributeError):
                readable = False
        except psutil.NoSuchProcess:
            continue
    return Usage(len(members), cpu, rss, pss if readable else None)


def idle(stack: Stack, seconds: float) -> tuple[dict[str, float], dict[str, Usage]]:
    """Percent of a core that each child takes over that time, and what each holds at its end."""
    time.sleep(SETTLING_SECONDS)
    before, started = usage(stack), time.monotonic()
    time.sleep(seconds)
    after, took = usage(stack), time.monotonic() - started
    return {name: (after[name].cpu_seconds - before[name].cpu_seconds) / took * 100 for name in after}, after


def timed_start(home: Path) -> float:
    """Seconds from starting `up` to ready; the stack is stopped again."""
    started = time.monotonic()
    with running(settings_of(home)):
        return time.monotonic() - started


def report_starts(first: float, later: Sequence[float]) -> Table:
    table = Table(title="`dataops up` to ready")
    for heading in ("seconds", "median", "range"):
        table.add_column(heading, justify="left" if heading == "seconds" else "right")
    table.add_row("first start of a home (makes its databases)", f"{first:.1f}", "")
    middle = statistics.median(later)
    table.add_row(f"later starts ({len(later)})", f"{middle:.1f}", f"{min(later):.1f} to {max(later):.1f}")
    verdict = "met" if middle <= TARGET_START_SECONDS else "missed"
    table.caption = f"Target {TARGET_START_SECONDS:.0f} s for the second start: {verdict}."
    return table


def report_idle(percent: Mapping[str, float], held: Mapping[str, Usage], seconds: float) -> Table:
    table = Table(title=f"The idle stack over {seconds:.0f} s")
    for heading in ("", "processes", "CPU, % of a core", "RSS MiB", "PSS MiB"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, each in held.items():
        pss = f"{each.pss:.0f}" if each.pss is not None else "-"
        table.add_row(name, str(each.processes), f"{percent[name]:.2f}", f"{each.rss:.0f}", pss)
    total = sum(percent.values())
    known = [each.pss for each in held.values() if each.pss is not None]
    table.add_section()
    table.add_row(
        "all",
        str(sum(each.processes for each in held.values())),
        f"{total:.2f}",
        f"{sum(each.rss for each in held.values()):.0f}",
        f"{sum(known):.0f}" if len(known) == len(held) else "-",
    )
    verdict = "met" if total < TARGET_IDLE_PERCENT else "missed"
    table.caption = (
        f"CPU {total:.1f} %, target below {TARGET_IDLE_PERCENT:.0f} %: {verdict}. "
        f"PSS counts what processes share once. Load of the machine: {os.getloadavg()[0]:.1f}."
    )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=3, help="starts after the first")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the idle stack is watched")
    arguments = parser.parse_args()
    console = Console(width=110)
    with temporary_home() as home:
        first = timed_start(home)
        later = [timed_start(home) for _ in range(arguments.starts)]
        console.print(report_starts(first, later))
        with running(settings_of(home)) as stack:
            percent, held = idle(stack, arguments.seconds)
        console.print(report_idle(percent, held, arguments.seconds))


if __name__ == "__main__":
    main()
