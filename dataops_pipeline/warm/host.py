"""The run host: a process that has all code loaded and forks a process of its own for each run that it is asked for.

Belongs here: the line of waiting runs, the processes that were forked, and the end of each. Does not belong here: what
a forked process does (``forked.py``), what is loaded (``preload.py``), who asks (``launcher.py``). One thread and one
loop, and no connection to anything but the socket: a fork copies neither a lock that somebody holds nor a connection
that two would use. Whatever talks to Dagster is forked, too.

A run's process needs no host to go on. A host that is started again adopts those that live, tells Dagster of those that
do not, and starts those that waited.
"""

import fcntl
import json
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from dataops_core.errors import ConfigurationError
from dataops_core.process_marks import ProcessMark
from dataops_pipeline.warm import forked
from dataops_pipeline.warm.messages import LONGEST, encode
from dataops_pipeline.warm.processes import (
    check_single,
    how_ended,
    kill_session,
    memory_of,
    next_dead,
    oom_kills,
    threads,
)
from dataops_pipeline.warm.records import Phase, RunRecord, RunRecords

_log = logging.getLogger(__name__)

#: Between two looks at what nobody tells of: adopted runs, memory, time limits.
_TICK = 1.0
#: Who connects is us, and speaks at once.
_PATIENCE = 2.0
#: All of the runs' ending when the host ends; a little less than the supervisor's patience.
_END_SECONDS = 4.0
#: Dagster gives a run a minute to start; one that waits for its turn is spoken for well before.
_RENEW_SECONDS = 20.0
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 30.0


@dataclass(slots=True)
class _Run:
    """A run with a process. ``ours``: forked by this host, so the kernel tells how it ends."""

    record: RunRecord
    mark: ProcessMark
    ours: bool
    stop_asked: float | None = None
    killed_because: str | None = None


@dataclass(slots=True)
class _Report:
    """An end that Dagster is to be told of."""

    record: RunRecord
    due: float = 0.0
    delay: float = _FIRST_RETRY


@dataclass(slots=True)
class RunHost:
    """Serves one socket. ``most`` runs are in progress at once; the others wait in line.

    ``memory_limit`` in MiB bounds what a run and all that it starts have resident; ``kill_after`` is how many seconds a
    run has to end after it was asked to.
    """

    path: Path
    records: RunRecords
    most: int
    memory_limit: int | None = None
    kill_after: float = 10.0
    _runs: dict[str, _Run] = field(default_factory=dict)
    _waiting: dict[str, RunRecord] = field(default_factory=dict)
    _reports: dict[str, _Report] = field(default_factory=dict)
    _reporters: dict[int, list[str]] = field(default_factory=dict)
    _open: list[Any] = field(default_factory=list)
    _renewed: float = field(default_factory=time.monotonic)
    _oom_kills: int = field(default_factory=oom_kills)
    _ending: bool = False

    def serve(self) -> None:
        """Serves until SIGTERM or SIGINT. Raises ConfigurationError where another host serves the same runs."""
        self.records.make()
        with self._alone(), self._woken() as wake, self._listening() as listener:
            self._take_over()
            while not self._ending:
                self._advance()
                ready = select.select([listener, wake], [], [], self._pause())[0]
                if wake in ready:
                    wake.recv(4096)
                if listener in ready:
                    self._answer(listener)
        self._end()

    # What a fork must not keep.

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Holds the directory of the records. A lock of this kind is not handed on to forked processes."""
        with self._kept(Path(f"{self.path}.lock").open("wb")) as lock:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ConfigurationError(f"Another run host serves {self.path}.") from None
            yield

    @contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        self.path.unlink(missing_ok=True)
        with self._kept(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(str(self.path))
            listener.listen(128)
            try:
                yield listener
            finally:
                self.path.unlink(missing_ok=True)

    @contextmanager
    def _woken(self) -> Iterator[socket.socket]:
        """The end of a socket that becomes readable with every signal."""
        wake, waker = socket.socketpair()
        with self._kept(wake), self._kept(waker):
            wake.setblocking(False)
            waker.setblocking(False)
            signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._ask_to_end)
            # Without a handler a child's death would not wake the loop.
            signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
            try:
                yield wake
            finally:
                signal.set_wakeup_fd(-1)

    @contextmanager
    def _kept(self, thing: Any) -> Iterator[Any]:
        """Something open of the host's own, which forked processes close."""
        with closing(thing):
            self._open.append(thing)
            try:
                yield thing
            finally:
                self._open.remove(thing)

    def _ask_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _fork(self, work: Callable[[], int]) -> int:
        check_single()
        return forked.fork(work, self._close_all)

    def _close_all(self) -> None:
        for thing in self._open:
            thing.close()

    # What launchers ask for.

    def _answer(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with self._kept(connection):
            connection.settimeout(_PATIENCE)
            try:
                question = _read_line(connection)
                if question is not None:
                    connection.sendall(encode(self._do(question)))
            except (OSError, ValueError, TypeError, KeyError):
                _log.warning("a question to the run host was not one, or its asker is gone", exc_info=True)

    def _do(self, question: Mapping[str, Any]) -> dict[str, Any]:
        match question.get("do"):
            case "launch":
                return self._launch(str(question["run_id"]), str(question["instance"]))
            case "terminate":
                return self._terminate(str(question["run_id"]))
            case "status":
                return {
                    "pid": os.getpid(),
                    "threads": threads(),
                    "runs": {run_id: run.mark.pid for run_id, run in self._runs.items()},
                    "waiting": list(self._waiting),
                    "unreported": list(self._reports),
                }
        return {"error": "The run host does not know what this asks for."}

    def _launch(self, run_id: str, instance: str) -> dict[str, Any]:
        if run_id in self._runs or run_id in self._waiting or run_id in self._reports:
            return {"error": "The run has been launched already."}
        record = RunRecord(run_id, Phase.WAITING, time.time_ns(), instance)
        try:
            self.records.write(record)
        except OSError as error:
            return {"error": f"The run cannot be written down: {error.strerror}."}
        self._waiting[run_id] = record
        self._start_waiting()
        if run_id in self._waiting:
            return {"phase": Phase.WAITING, "before": len(self._waiting) - 1, "most": self.most}
        return {"phase": Phase.RUNNING, "pid": self._runs[run_id].mark.pid}

    def _terminate(self, run_id: str) -> dict[str, Any]:
        if self._waiting.pop(run_id, None) is not None:
            self.records.remove(run_id)
            return {"stopped": "withdrawn"}
        run = self._runs.get(run_id)
        if run is None:
            return {"stopped": "unknown"}
        if run.stop_asked is None:
            run.stop_asked = time.monotonic()
            run.mark.signal(signal.SIGTERM)
        return {"stopped": "asked"}

    # What goes on by itself.

    def _take_over(self) -> None:
        """Goes on with what an earlier host has left."""
        for record in self.records.all():
            if record.phase is Phase.WAITING:
                self._waiting[record.run_id] = record
            elif record.phase is Phase.RUNNING and record.mark is not None and record.mark.lives():
                self._runs[record.run_id] = _Run(record, record.mark, ours=False)
            elif record.phase is Phase.RUNNING:
                self._to_report(record, _gone(record))
            else:
                self._reports[record.run_id] = _Report(record)

    def _advance(self) -> None:
        self._reap()
        for run in [run for run in self._runs.values() if not run.ours and not run.mark.lives()]:
            self._ended(run, run.killed_because or _gone(run.record))
        self._oom_kills = oom_kills()
        self._keep_limits()
        self._start_waiting()
        self._renew_waiting()
        self._report()

    def _pause(self) -> float | None:
        """How long nothing need be done unless somebody calls."""
        return _TICK if self._runs or self._waiting or self._reports or self._reporters else None

    def _start_waiting(self) -> None:
        while self._waiting and len(self._runs) < self.most:
            run_id, record = next(iter(self._waiting.items()))
            records = self.records
            try:
                pid = self._fork(lambda: forked.execute(record, records))  # noqa: B023  forked at once
            except OSError:
                _log.warning("no process can be made for run %s now", run_id, exc_info=True)
                return
            del self._waiting[run_id]
            # Our own child keeps its id until it is waited for, so the mark is found even where it died at once.
            self._runs[run_id] = _Run(record, ProcessMark.of(pid) or ProcessMark(pid, ""), ours=True)

    def _reap(self) -> None:
        """Waits for every child that has ended; what such a run has started ends with it."""
        by_pid = {run.mark.pid: run for run in self._runs.values() if run.ours}
        while (found := next_dead()) is not None:
            run = by_pid.get(found.si_pid)
            clean = found.si_code == os.CLD_EXITED and found.si_status == forked.DONE
            if run is not None and not clean:
                # Before it is waited for: as long as it is there, nobody else has its number.
                kill_session(found.si_pid)
            os.waitpid(found.si_pid, 0)
            if run is not None:
                self._ended(run, None if clean else run.killed_because or how_ended(found, self._oom_kills))
            else:
                self._reported(self._reporters.pop(found.si_pid, []), done=clean)

    def _ended(self, run: _Run, message: str | None) -> None:
        del self._runs[run.record.run_id]
        if message is None:
            self.records.remove(run.record.run_id)
        else:
            self._to_report(run.record, message)

    def _to_report(self, record: RunRecord, message: str) -> None:
        _log.warning("run %s: %s", record.run_id, message, extra={"run_id": record.run_id})
        ended = record.ended(message)
        with suppress(OSError):  # it is tried again by the next host, which finds the process gone
            self.records.write(ended)
        self._reports[record.run_id] = _Report(ended)

    def _report(self) -> None:
        """Tells Dagster of ends that it cannot know; again and again where it does not answer."""
        now = time.monotonic()
        busy = {run_id for run_ids in self._reporters.values() for run_id in run_ids}
        for run_id, report in self._reports.items():
            if run_id not in busy and now >= report.due:
                pid = self._fork(lambda: forked.report_ended(report.record))  # noqa: B023  forked at once
                self._reporters[pid] = [run_id]

    def _reported(self, run_ids: list[str], *, done: bool) -> None:
        for run_id in run_ids:
            if done:
                del self._reports[run_id]
                self.records.remove(run_id)
            else:
                report = self._reports[run_id]
                report.due = time.monotonic() + report.delay
                report.delay = min(report.delay * 2, _LONGEST_RETRY)

    def _renew_waiting(self) -> None:
        now = time.monotonic()
        if not self._waiting:
            self._renewed = now
        if now - self._renewed < _RENEW_SECONDS:
            return
        self._renewed = now
        waiting = list(self._waiting.values())
        self._reporters[self._fork(lambda: forked.report_waiting(waiting, most=self.most))] = []

    def _keep_limits(self) -> None:
        now = time.monotonic()
        for run in self._runs.values():
            if run.killed_because is not None:
                continue
            if run.stop_asked is not None and now - run.stop_asked >= self.kill_after:
                seconds = f"{self.kill_after:g}"
                self._kill(run, f"The run did not end within {seconds} s after it was asked to: it was killed.")
            elif self.memory_limit is not None and (used := memory_of(run.mark.pid)) > self.memory_limit:
                self._kill(
                    run,
                    f"The run had {used} MiB of memory and may have {self.memory_limit} "
                    "(DATAOPS_RUN_MEMORY_LIMIT_MIB): it was killed.",
                )

    def _kill(self, run: _Run, because: str) -> None:
        run.killed_because = because
        if run.mark.lives():
            kill_session(run.mark.pid)

    def _end(self) -> None:
        """Asks every run to end, and kills those that do not. Runs that wait are started by the next host."""
        for run in self._runs.values():
            run.mark.signal(signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        while self._runs and time.monotonic() < deadline:
            time.sleep(0.02)
            self._reap()
            for run in [run for run in self._runs.values() if not run.ours and not run.mark.lives()]:
                self._ended(run, _gone(run.record))
        for run in self._runs.values():
            self._kill(run, "The run did not end in time when everything was ended: it was killed.")
            with suppress(OSError):
                self.records.write(run.record.ended(str(run.killed_because)))


def _read_line(connection: socket.socket) -> dict[str, Any] | None:
    """The question; None of somebody who only looks whether the host is there."""
    received = b""
    while not received.endswith(b"\n"):
        part = connection.recv(65536)
        if not part and not received:
            return None
        if not part or len(received) > LONGEST:
            raise ValueError("no line")
        received += part
    question = json.loads(received)
    if not isinstance(question, dict):
        raise TypeError("no object")
    return question


def _gone(record: RunRecord) -> str:
    pid = record.mark.pid if record.mark is not None else "of the run"
    return f"The run process {pid} is gone. It ended while no run host was there to see how."
