"""Keeps children running: starts each when what it needs is there, starts it again when it dies, ends all in order.

Belongs here: when a child is started and ended, whichever it is. Does not belong here: which children there are
(``up.py``), how one is started and recognized (``processes.py``). One thread, one loop: it sleeps until a signal
arrives (a child's death is one) or a moment passes.
"""

import contextlib
import json
import logging
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from dataops_cli.home import Home, ProcessRecord
from dataops_cli.processes import (
    INSTANCE_VARIABLE,
    Child,
    ChildSpec,
    instance_members,
    kill_all,
)
from dataops_cli.terminal import Terminal
from dataops_cli.watchdog import ALL_ENDED
from dataops_core.errors import ConfigurationError
from dataops_core.ids import new_id
from dataops_core.process_marks import ProcessMark

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
#: So many deaths of a child before all were ever up, and the start is given up: more of them would change nothing.
_FIRST_START_DEATHS = 4
#: A child that lived so long was healthy: its next death counts as the first.
_HEALTHY_SECONDS = 60.0

#: All of ending: a little less than the 20 s that ``up`` promises.
_STOP_SECONDS = 18.0
_TICK_WHILE_STARTING = 0.05
_TICK = 1.0

_LOG_CHECK_SECONDS = 60.0
_LONGEST_LOG = 32 * 1024 * 1024

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequestedError(Exception):
    """Somebody asked to stop while something was waited for."""


@dataclass(slots=True)
class Unit:
    """A child as it is supervised.

    ``stage`` orders the end: the highest ends first, those of one stage together. ``gate`` says whether what the first
    start needs is there; ``before`` is called right before each start.
    """

    spec: ChildSpec
    stage: int
    gate: Callable[[], bool] = lambda: True
    before: Callable[[], None] = lambda: None
    child: Child | None = None
    deaths: int = 0
    not_before: float = field(default_factory=time.monotonic)


class Supervisor:
    """Supervises the children of one home. The caller holds the home's lock."""

    def __init__(self, home: Home, terminal: Terminal) -> None:
        self._home = home
        self._terminal = terminal
        self._instance = str(new_id())
        self._units: list[Unit] = []
        self._stop_signal: signal.Signals | None = None
        self._wake, self._waker = socket.socketpair()
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._watchdog_pipe: int | None = None
        self._logs_checked = time.monotonic()
        self._starting = True

    @contextlib.contextmanager
    def running(self) -> Iterator["Supervisor"]:
        """Listens to signals in the block, and ends every child after it, whatever ended it."""
        self._listen()
        try:
            self._write_record()
            self._watch_over()
            yield self
        finally:
            self._end_all()

    def add(self, unit: Unit) -> Unit:
        """Takes a child on; the loop starts it as soon as its gate opens."""
        environment = {**unit.spec.environment, INSTANCE_VARIABLE: self._instance}
        unit.spec = replace(unit.spec, environment=environment)
        self._units.append(unit)
        _rotate(self._log(unit))
        return unit

    def start(self, unit: Unit) -> Child:
        """Takes a child on and starts it now. Raises ConfigurationError where it cannot be started."""
        self.add(unit)
        try:
            return self._start(unit)
        except OSError as error:
            raise ConfigurationError(f"{unit.spec.name} cannot be started: {error}") from None

    def run_once(self, spec: ChildSpec) -> None:
        """Runs a program to its end, while everything else is supervised.

        Raises ConfigurationError with what it said where it fails, StopRequestedError where somebody asks to stop.
        """
        unit = self.add(Unit(spec, stage=0))
        self._units.remove(unit)
        log = self._log(unit)
        child = Child.start(unit.spec, log)
        try:
            self.supervise(lambda: child.returncode() is not None)
        finally:
            child.stop()
        if child.returncode() != 0:
            raise ConfigurationError(_last_words(log) or f"{spec.name} failed, see {log}")

    def first_start_done(self) -> None:
        """Says that all were up: from now on a child is started again however often it dies."""
        self._starting = False

    def supervise(self, done: Callable[[], bool] = lambda: False) -> None:
        """Supervises until ``done``. Raises StopRequestedError where somebody asks to stop before that.

        Raises ConfigurationError with a child's last words where it dies again and again before all were ever up.
        """
        while not done():
            self.check_stop()
            self._tick()
            waiting = any(unit.child is None for unit in self._units)
            self._sleep(_TICK_WHILE_STARTING if waiting else _TICK)

    def supervise_briefly(self, seconds: float) -> None:
        """The same for a moment; for a caller who has its own question to ask again and again."""
        deadline = time.monotonic() + seconds
        self.supervise(lambda: time.monotonic() >= deadline)

    def all_started(self) -> bool:
        """Whether every child runs."""
        return all(unit.child is not None for unit in self._units)

    def check_stop(self) -> None:
        """Raises StopRequestedError where somebody has asked to stop."""
        if self._stop_signal is not None:
            raise StopRequestedError

    def request_stop(self) -> None:
        """Asks to stop, as SIGTERM does."""
        self._stop_signal = signal.SIGTERM

    def _listen(self) -> None:
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in _STOP_SIGNALS:
            # `nohup` hands SIGHUP over as ignored, and means it.
            if not (number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN):
                signal.signal(number, self._on_stop)
        # Without a handler the child's death would not wake the loop.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stop_signal = self._stop_signal or signal.Signals(number)

    def _sleep(self, seconds: float) -> None:
        if select.select([self._wake], [], [], seconds)[0]:
            self._wake.recv(4096)

    def _tick(self) -> None:
        now = time.monotonic()
        for unit in self._units:
            if unit.child is not None and (status := unit.child.returncode()) is not None:
                self._note_death(unit, unit.child, status)
            if unit.child is None and now >= unit.not_before and unit.gate():
                try:
                    self._start(unit)
                except OSError as error:
                    self._delay(unit, f"cannot be started ({error})")
        if self._watchdog is not None and self._watchdog.poll() is not None:
            self._watch_over()
        if now - self._logs_checked >= _LOG_CHECK_SECONDS:
            self._logs_checked = now
            for unit in self._units:
                _bound(self._log(unit))

    def _start(self, unit: Unit) -> Child:
        unit.before()
        unit.child = Child.start(unit.spec, self._log(unit))
        self._write_record()
        return unit.child

    def _note_death(self, unit: Unit, child: Child, status: int) -> None:
        if time.monotonic() - child.started_at >= _HEALTHY_SECONDS:
            unit.deaths = 0
        unit.child = None
        self._delay(unit, f"was killed ({_signal_name(-status)})" if status < 0 else f"ended with status {status}")

    def _delay(self, unit: Unit, what: str) -> None:
        delay = min(_FIRST_DELAY * 2**unit.deaths, _LONGEST_DELAY)
        unit.deaths += 1
        if self._starting and unit.deaths >= _FIRST_START_DEATHS:
            log = self._log(unit)
            words = _last_words(log) or "it said nothing"
            raise ConfigurationError(f"{unit.spec.name} does not start: it {what}, {words} (the whole log: {log})")
        unit.not_before = time.monotonic() + delay
        self._terminal.line(
            f"{unit.spec.name} {what}; starting it again in {delay:g} s (see {self._log(unit)})", level=logging.WARNING
        )

    def _log(self, unit: Unit) -> Path:
        return self._home.logs / f"{unit.spec.name}.log"

    def _write_record(self) -> None:
        supervisor = ProcessMark.of(os.getpid())
        assert supervisor is not None  # noqa: S101  this process lives
        children = {unit.spec.name: unit.child.mark for unit in self._units if unit.child is not None}
        self._home.write_record(ProcessRecord(self._instance, supervisor, children))

    def _watch_over(self) -> None:
        if self._watchdog_pipe is not None:
            os.close(self._watchdog_pipe)
        reader, self._watchdog_pipe = os.pipe()
        try:
            self._watchdog = subprocess.Popen(  # noqa: S603  the command is ours
                [sys.executable, "-m", "dataops_cli.watchdog", str(self._home.path), str(reader)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(reader,),
                cwd=self._home.path,
                start_new_session=True,
            )
        finally:
            os.close(reader)

    def _end_all(self) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        for stage in sorted({unit.stage for unit in self._units}, reverse=True):
            self._end_stage([unit for unit in self._units if unit.stage == stage], deadline)
        kill_all(instance_members([self._instance]))
        self._home.forget_processes()
        if self._watchdog is not None and self._watchdog_pipe is not None:
            with contextlib.suppress(OSError):
                os.write(self._watchdog_pipe, ALL_ENDED)
            os.close(self._watchdog_pipe)
            self._watchdog.wait()

    def _end_stage(self, units: Sequence[Unit], deadline: float) -> None:
        """Asks all children of a stage to end, with what they started, and waits for them side by side."""
        children = [unit.child for unit in units if unit.child is not None]
        for child in children:
            child.ask_to_stop()
        for child in children:
            if not child.stop(deadline=deadline):
                self._terminal.line(f"{child.spec.name} did not end in time and was killed", level=logging.WARNING)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_words(log: Path) -> str | None:
    """The last line of a log, of a line of JSON its message."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.is_file() else []
    if not lines:
        return None
    with contextlib.suppress(ValueError):
        line = json.loads(lines[-1])
        if isinstance(line, dict) and "message" in line:
            return str(line["message"])
    return lines[-1].strip()


def _rotate(log: Path) -> None:
    """Begins a new log; the one before is kept."""
    if log.is_file():
        log.replace(log.with_name(f"{log.name}.1"))


def _bound(log: Path) -> None:
    """Keeps a log that is being written from growing for ever: the child appends, so it goes on at the new end."""
    if log.is_file() and log.stat().st_size > _LONGEST_LOG:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
