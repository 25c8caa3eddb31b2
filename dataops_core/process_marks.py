"""A process as it is written down, so that it is known again later and no other is taken for it.

Belongs here: telling whether a process of a file still lives. Does not belong here: starting and ending children
(``dataops_cli/processes.py``) and runs (``dataops_pipeline/warm``).
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process as it is written down: its id, and when it started, since ids are used again."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "ProcessMark | None":
        """The mark of a living process, or None where there is none."""
        started = _started(pid)
        return cls(pid, started) if started is not None else None

    def lives(self) -> bool:
        """Whether that very process still runs (a zombie does not)."""
        return _started(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal, if it still is the process that was written down."""
        if self.lives():
            send_signal(self.pid, number)


def boot_id() -> str | None:
    """Which start of the machine this is; None where the kernel does not say (it does on Linux)."""
    return _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.is_file() else None


def _started(pid: int) -> str | None:
    """When a process started, in a form that no change of the clock alters; None where it does not run."""
    if (boot := boot_id()) is not None:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        if fields[0] in {"Z", "X"}:
            return None
        return f"{boot}:{fields[19]}"
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return None


def send_signal(pid: int, number: signal.Signals) -> None:
    """Sends a signal; a process that is gone needs none."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
