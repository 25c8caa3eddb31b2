"""The whole fault table, printed: which process was killed when, what came of it, and after how many seconds.

    .venv/bin/python -m tests.faults.table [--launcher NAME] [--only WORK/PHASE/PROCESS ...]

``--only`` takes patterns (``*/accepted/*``). The exit status is 1 where a cell is not as it must be. The stack is one
for the whole table: that it is still right after the last cell is part of what is shown.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dataops_core.clock import rfc3339, utcnow
from dataops_core.settings import Settings
from tests.faults.cells import PHASES, Cell, Result, cells, run
from tests.faults.installation import PROCESSES, WARM_ONLY, Installation

_WIDTH = 160


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launcher", help="the run launcher of the stack, else the one that it has by itself")
    parser.add_argument("--only", nargs="*", default=["*"], help="cells by their names, or patterns of them")
    parser.add_argument("--keep", action="store_true", help="keep the home of a stack on which a cell failed")
    arguments = parser.parse_args()
    # Ended from outside it prints what it has, and ends its stack; a shell's background job ignores SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    console = Console(width=_WIDTH, highlight=False)
    launcher = arguments.launcher or Settings.model_fields["run_launcher"].default
    there = [process for process in PROCESSES if launcher == "warm" or process not in WARM_ONLY]
    chosen = [cell for cell in cells(tuple(there)) if any(fnmatch(cell.name, pattern) for pattern in arguments.only)]
    if not chosen:
        parser.error("no cell has such a name")
    place = Path(tempfile.mkdtemp(prefix="dol-", dir="/tmp"))
    place.chmod(0o711)
    settings = {"DATAOPS_RUN_LAUNCHER": arguments.launcher} if arguments.launcher else {}
    results: dict[Cell, Result | str] = {}
    began = time.monotonic()
    try:
        _run_all(chosen, results, place, settings, console)
    finally:
        wrong = len(chosen) - sum(isinstance(result, Result) for result in results.values())
        console.print(table(results, launcher, time.monotonic() - began))
        if not (wrong and arguments.keep):
            shutil.rmtree(place, ignore_errors=True)
    return 1 if wrong else 0


def _run_all(
    chosen: list[Cell], results: dict[Cell, Result | str], place: Path, settings: dict[str, str], console: Console
) -> None:
    installation: Installation | None = None
    try:
        for number, cell in enumerate(chosen, 1):
            # What a cell that went wrong has left must not be charged to the next one.
            installation = installation or Installation(place / f"home-{number}", **settings)
            console.print(f"{rfc3339(utcnow())} {number}/{len(chosen)} {cell.name}: ", end="")
            try:
                results[cell] = run(cell, installation)
            except Exception as error:
                results[cell] = str(error)
                console.print(f"[red]{error}[/red]")
                traceback.print_exc()
                broken, installation = installation, None
                _close(broken, console)
            else:
                console.print(_said(results[cell]))
    finally:
        if installation is not None:
            installation.close()


def _close(installation: Installation, console: Console) -> None:
    try:
        installation.close()
    except Exception as error:
        console.print(f"[red]it does not end as it must: {error}[/red]")


def table(results: Mapping[Cell, Result | str], launcher: str, seconds: float) -> Table:
    """Phases by processes."""
    printed = Table(title=f"A process killed in the middle, {launcher} launcher, {rfc3339(utcnow())}", show_lines=True)
    printed.add_column("phase")
    for process in PROCESSES:
        printed.add_column(process)
    for work, phases in PHASES.items():
        for phase in phases:
            row = [results.get(Cell(work, phase, process)) for process in PROCESSES]
            if any(result is not None for result in row):
                printed.add_row(f"{work}: {phase}", *("" if result is None else _said(result) for result in row))
    wrong = sum(not isinstance(result, Result) for result in results.values())
    printed.caption = (
        f"{len(results)} kills, {wrong} with a wrong end, {seconds / 60:.0f} minutes. How the operation ended, and how "
        "many seconds after the kill; after each, nothing was left over and the same request succeeded."
    )
    return printed


def _said(result: Result | str) -> str:
    if isinstance(result, Result):
        return f"{result.outcome} {result.settled_after:.0f} s"
    return f"[red]WRONG[/red] {result}"


if __name__ == "__main__":
    sys.exit(main())
