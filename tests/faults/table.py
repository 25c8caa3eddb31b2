"""The whole fault table, printed: which process was killed when, what came of it, and after how many seconds.

    .venv/bin/python -m tests.faults.table [--launcher NAME] [--jobs N] [--only WORK/PHASE/PROCESS ...]

``--only`` takes patterns (``*/accepted/*``). The exit status is 1 where a cell is not as it must be. A stack goes on
from cell to cell: that it is still right after the last one is part of what is shown.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from threading import Semaphore, Thread

from rich import box
from rich.console import Console
from rich.table import Table

from dataops_core.clock import rfc3339, utcnow
from dataops_core.settings import Settings
from tests.faults.cells import PHASES, Cell, Result, cells, run
from tests.faults.installation import PROCESSES, Installation

_WIDTH = 160


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", help="the run launcher of the stack, else the one that it has by itself")
    parser.add_argument("--only", nargs="*", default=["*"], help="cells by their names, or patterns of them")
    parser.add_argument("--jobs", type=int, default=1, help="stacks at once")
    parser.add_argument("--keep", action="store_true", help="keep the home of a stack on which a cell failed")
    arguments = parser.parse_args()
    # Ended from outside it prints what it has, and ends its stack; a shell's background job ignores SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = Console(width=_WIDTH, highlight=False)
    chosen = [cell for cell in cells() if any(fnmatch(cell.name, pattern) for pattern in arguments.only)]
    if not chosen:
        parser.error("no cell has such a name")
    place = Path(tempfile.mkdtemp(prefix="dol-", dir="/tmp"))
    place.chmod(0o711)
    settings = {"DATAOPS_RUN_LAUNCHER": arguments.launcher} if arguments.launcher else {}
    launcher = arguments.launcher or Settings.model_fields["run_launcher"].default
    work = Work(deque(chosen), settings, console)
    began = time.monotonic()
    for number in range(1, arguments.jobs + 1):
        Thread(target=work.go_on, args=(place / f"stack-{number}",)).start()
    # Not by joining them: a join that is interrupted takes its thread for ended.
    for _ in range(arguments.jobs):
        try:
            work.done.acquire()
        except KeyboardInterrupt:
            work.waiting.clear()
            work.done.acquire()
    wrong = sum(not isinstance(result, Result) for result in work.results.values())
    console.print(table(work.results, launcher, time.monotonic() - began))
    if not (wrong and arguments.keep):
        shutil.rmtree(place, ignore_errors=True)
    return 1 if wrong else 0


@dataclass
class Work:
    """The cells that wait, and what came of the others. ``done`` counts the stacks that have no more to do."""

    waiting: deque[Cell]
    settings: dict[str, str]
    console: Console
    results: dict[Cell, Result | str] = field(default_factory=dict)
    done: Semaphore = field(default_factory=lambda: Semaphore(0))

    def go_on(self, place: Path) -> None:
        """Does one cell after the other, on a stack of its own."""
        installation: Installation | None = None
        number = 0
        try:
            while True:
                try:
                    cell = self.waiting.popleft()
                except IndexError:
                    return
                try:
                    # What a cell that went wrong has left must not be charged to the next one.
                    if installation is None:
                        number += 1
                        installation = Installation(Path(f"{place}-{number}"), **self.settings)
                    if cell.process not in installation.processes:
                        continue
                    self.results[cell] = run(cell, installation)
                except Exception as error:
                    self.results[cell] = str(error)
                    traceback.print_exc()
                    broken, installation = installation, None
                    _close(broken, self.console)
                line = f"{rfc3339(utcnow())} {cell.name}: {_said(self.results[cell])}"
                self.console.print(line.replace("\n", ", "))
        finally:
            _close(installation, self.console)
            self.done.release()


def _close(installation: Installation | None, console: Console) -> None:
    try:
        if installation is not None:
            installation.close()
    except Exception as error:
        console.print(f"[red]a stack does not end as it must: {error}[/red]")


def table(results: Mapping[Cell, Result | str], launcher: str, seconds: float) -> Table:
    """Phases by processes."""
    title = f"A process killed in the middle ({launcher} run launcher, {rfc3339(utcnow())})"
    printed = Table(title=title, box=box.ASCII2, show_lines=True)
    killed = [process for process in PROCESSES if any(cell.process == process for cell in results)]
    for heading in ("", *killed):
        printed.add_column(heading)
    for work, phases in PHASES.items():
        for phase in phases:
            row = [results.get(Cell(work, phase, process)) for process in killed]
            if any(result is not None for result in row):
                printed.add_row(f"{work}\n{phase}", *("-" if result is None else _said(result) for result in row))
    wrong = sum(not isinstance(result, Result) for result in results.values())
    printed.caption = f"{len(results)} kills, {wrong} with a wrong end, {seconds / 60:.0f} minutes."
    return printed


def _said(result: Result | str) -> str:
    if isinstance(result, Result):
        return f"{result.outcome}\n{result.settled_after:.0f} s, up {result.whole_after:.0f} s"
    return f"[red]WRONG[/red] {result}"


if __name__ == "__main__":
    sys.exit(main())
