"""Processes of ours: how one is described, started, recognized later, and ended with all that it started.

Belongs here: what must be right about any child, whatever it runs. Does not belong here: which children there are
(``up.py``), when one is started again (``supervisor.py``). Rests on the design's rule that ``dataops up`` leaves no
process and never touches one that is not its own.

Each child leads a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone, and carries
:data:`INSTANCE_VARIABLE` in its environment, so that whatever it starts is found again, also after it died.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from dataops_core.process_marks import ProcessMark, send_signal

#: Present in the environment of every child and of all that it starts; its value names one start of ``up``.
INSTANCE_VARIABLE = "DATAOPS_INSTANCE"


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run.

    ``environment`` is complete: nothing is inherited. ``user`` and ``group`` are ids to change to, for a supervisor
    that runs as root. ``stop_signal`` asks the child to end, with ``ask_all`` each process that it started too;
    ``grace`` is how many seconds they have until they are killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    stop_signal: signal.Signals = signal.SIGTERM
    ask_all: bool = False
    grace: float = 5.0
    user: int | None = None
    group: int | None = None


@dataclass(slots=True)
class Child:
    """A started child."""

    spec: ChildSpec
    process: subprocess.Popen[bytes]
    mark: ProcessMark
    started_at: float = field(default_factory=time.monotonic)
    asked_at: float | None = None

    @classmethod
    def start(cls, spec: ChildSpec, log: Path) -> "Child":
        """Starts it, its output going to the end of ``log``. Raises OSError where it cannot be started."""
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  the command is ours
                spec.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(spec.environment),
                cwd=spec.directory,
                start_new_session=True,
                user=spec.user,
                group=spec.group,
                extra_groups=None if spec.user is None else [],
                umask=0o077,
            )
        # It is our child and not yet waited for: even one that ended already keeps its id.
        return cls(spec, process, ProcessMark.of(process.pid) or ProcessMark(process.pid, "ended"))

    def returncode(self) -> int | None:
        """How it ended, or None while it runs."""
        return self.process.poll()

    def ask_to_stop(self) -> None:
        """Asks it to end; where ``ask_all`` is set, what it started as well. Asking again changes nothing."""
        if self.asked_at is not None:
            return
        self.asked_at = time.monotonic()
        if self.spec.ask_all:
            for pid in session_members(self.process.pid):
                send_signal(pid, self.spec.stop_signal)
        elif self.returncode() is None:
            self.process.send_signal(self.spec.stop_signal)

    def stop(self, *, deadline: float | None = None) -> bool:
        """Asks it to end, and kills it when its grace (or ``deadline``, on the monotonic clock) is over.

        What it started in its session ends with it. Returns whether everything ended by itself.
        """
        self.ask_to_stop()
        limit = (self.asked_at or time.monotonic()) + self.spec.grace
        if deadline is not None:
            limit = min(limit, deadline)
        try:
            self.process.wait(max(0.0, limit - time.monotonic()))
            willing = True
        except subprocess.TimeoutExpired:
            willing = False
            self.process.kill()
            self.process.wait()
        started = [mark for pid in session_members(self.process.pid) if (mark := ProcessMark.of(pid)) is not None]
        if not wait_gone(started, timeout=max(0.0, limit - time.monotonic())):
            willing = False
            kill_all(mark.pid for mark in started)
        return willing


def session_members(session: int) -> list[int]:
    """The processes of a session, its leader included."""
    members = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == session:
                members.append(pid)
        except (ProcessLookupError, PermissionError):
            continue
    return members


def instance_members(instances: Iterable[str]) -> list[int]:
    """The processes whose environment names one of these starts of ``up``, save the caller."""
    wanted = set(instances)
    members = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.environ().get(INSTANCE_VARIABLE) in wanted:
                members.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            continue
    return members


def kill_all(pids: Iterable[int], *, timeout: float = 5.0) -> None:
    """Kills these processes and waits until they are gone."""
    marks = [mark for pid in pids if (mark := ProcessMark.of(pid)) is not None]
    for mark in marks:
        mark.signal(signal.SIGKILL)
    wait_gone(marks, timeout=timeout)


def wait_gone(marks: Iterable[ProcessMark], *, timeout: float) -> bool:
    """Waits until none of these processes lives. Returns whether that came true in time."""
    waiting = list(marks)
    deadline = time.monotonic() + timeout
    while waiting := [mark for mark in waiting if mark.lives()]:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True
