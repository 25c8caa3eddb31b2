"""What is written down of each run that has a process, waits for one, or lost it: one small file per run.

The run host and its runs write them; launchers (in the webserver, the daemon, sensors) and the next run host read them.
They outlive every process: a host that is started again finds the runs that it did not fork, and those whose process
is gone. A run that has ended as it should leaves none. Does not belong here: who acts on it (``host.py``,
``launcher.py``).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

from dataops_core.process_marks import ProcessMark


class Phase(StrEnum):
    """Where a run is."""

    #: In the line: it is accepted, and its process starts when others have ended.
    WAITING = "waiting"
    RUNNING = "running"
    #: Its process ended before Dagster knew how the run ended; that is still to be reported.
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. ``instance`` is Dagster's instance, serialized; ``mark`` its process; ``message`` why it ended."""

    run_id: str
    phase: Phase
    #: The order in which runs were accepted.
    number: int
    instance: str
    mark: ProcessMark | None = None
    message: str | None = None

    def running(self, mark: ProcessMark) -> Self:
        """The same with a process."""
        return replace(self, phase=Phase.RUNNING, mark=mark)

    def ended(self, message: str) -> Self:
        """The same without one any more."""
        return replace(self, phase=Phase.ENDED, message=message)


class RunRecords:
    """The files of one directory, which only their owner may enter."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def make(self) -> None:
        """Makes the directory."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, record: RunRecord) -> None:
        """Writes a run down, whole or not at all. Raises OSError."""
        mark = [record.mark.pid, record.mark.started] if record.mark is not None else None
        stored = {
            "run_id": record.run_id,
            "phase": record.phase.value,
            "number": record.number,
            "instance": record.instance,
            "mark": mark,
            "message": record.message,
        }
        path = self._path(record.run_id)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(stored), encoding="utf-8")
        partial.replace(path)

    def read(self, run_id: str) -> RunRecord | None:
        """The run as it is written down, or None where it is not."""
        return _read(self._path(run_id))

    def remove(self, run_id: str) -> None:
        """Forgets a run."""
        self._path(run_id).unlink(missing_ok=True)

    def all(self) -> Iterator[RunRecord]:
        """All runs, in the order in which they were accepted."""
        found = [record for path in self._directory.glob("*.json") if (record := _read(path)) is not None]
        yield from sorted(found, key=lambda record: record.number)

    def _path(self, run_id: str) -> Path:
        return self._directory / f"{run_id}.json"


def _read(path: Path) -> RunRecord | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        mark = ProcessMark(*stored["mark"]) if stored["mark"] is not None else None
        return RunRecord(
            run_id=stored["run_id"],
            phase=Phase(stored["phase"]),
            number=stored["number"],
            instance=stored["instance"],
            mark=mark,
            message=stored["message"],
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        # Of another release, or damaged: nothing can be known by it. Dagster's own time limits end such a run.
        return None
