"""Processes that share the steps of a run, since of one process only one thread computes in Python at a time.

Steps that need nothing of each other, those of each dataset type, are chains of their own. A chain stays in one
process, with all that its steps keep in memory for one another. A process is forked from the run's before any step
begins: it has the same plan, is told the keys of the steps that it is to execute, and says how they end; everything
else its steps write down themselves. It never outlives the run's process, however that one ends.

Belongs here: the processes and the talk with them. Does not belong here: which step comes next (``executor.py``), how a
step is executed (``step_threads.py``).
"""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Never

from dagster import DagsterEvent, DagsterEventType
from dagster._core.execution.context.system import PlanExecutionContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.plan.step import ExecutionStep

from dataops_pipeline.step_threads import INTERRUPTED_SECONDS, Ended, Said, StepThreads
from dataops_pipeline.warm.processes import how_ended, leave, oom_kills, threads

_log = logging.getLogger(__name__)

#: What a run is led by. Of other events, which Dagster's log has by then, the run's process need not know.
_LEADING = frozenset(
    kind.value
    for kind in (
        DagsterEventType.STEP_OUTPUT,
        DagsterEventType.STEP_SUCCESS,
        DagsterEventType.STEP_FAILURE,
        DagsterEventType.STEP_UP_FOR_RETRY,
    )
)
#: How long processes that have nothing more to do may take to send their last traces.
_END_SECONDS = 10.0


class StepProcessLostError(Exception):
    """A process that executed steps of the run has ended before them."""


class _StepError(Exception):
    """What a step in another process raised besides its events."""


@dataclass(frozen=True, slots=True)
class _Begin:
    key: str
    known: KnownExecutionState | None


@dataclass(frozen=True, slots=True)
class _Interrupt:
    pass


@dataclass(frozen=True, slots=True)
class _End:
    pass


class StepProcess:
    """A process that executes steps, as :class:`StepThreads` does in this one.

    ``others`` are those that were forked before it. Nothing is heard of it before :meth:`listen`.
    """

    def __init__(
        self,
        job_context: PlanExecutionContext,
        plan: ExecutionPlan,
        say: Callable[[Said], None],
        others: Sequence["StepProcess"],
    ) -> None:
        self._pipe, theirs = Pipe()
        self._say = say
        self._under_way: set[str] = set()
        #: As a step there last began or ended.
        self._oom_kills = oom_kills()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            # Else one of them would not hear that this run's process is gone, for as long as this one lives.
            for one in (self, *others):
                one.forget()
            _serve(job_context, plan, theirs)
        theirs.close()
        self._listener = threading.Thread(target=self._listen, name=f"step-process-{self.pid}", daemon=True)

    def forget(self) -> None:
        """Gives up this process' end of the pipe."""
        self._pipe.close()

    def listen(self) -> None:
        """Begins to tell what it says: a thread, so not before the last process is forked."""
        self._listener.start()

    def _listen(self) -> None:
        # The end of a process ends its words, maybe in the middle of one.
        with suppress(Exception):
            while True:
                said: Said = self._pipe.recv()
                if isinstance(said, Ended):
                    self._under_way.discard(said.key)
                    self._oom_kills = oom_kills()
                self._say(said)
        for key in list(self._under_way):
            self._say(Ended(key, self._lost()))

    def _lost(self) -> StepProcessLostError:
        # If it was not it that ended, but what it said that nobody understands.
        os.kill(self.pid, signal.SIGKILL)
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        return StepProcessLostError(how_ended(found, self._oom_kills))

    def begin(self, step: ExecutionStep, known: KnownExecutionState | None) -> None:
        """Begins a step. Returns at once. Raises StepProcessLostError where there is no process any more."""
        self._under_way.add(step.key)
        try:
            self._pipe.send(_Begin(step.key, known))
        except OSError as error:
            raise self._lost() from error
        self._oom_kills = oom_kills()

    def interrupt(self) -> None:
        """Raises the interrupt in every step; the process ends with the last of them."""
        self._tell(_Interrupt())

    def join(self, seconds: float) -> None:
        """Waits so long at most until an interrupted process has ended."""
        self._listener.join(seconds)

    def tell_to_end(self) -> None:
        """Lets it end as soon as it has sent its last traces. Returns at once."""
        self._tell(_End())

    def end(self, seconds: float) -> None:
        """Waits so long at most until it has ended, and ends it by force then."""
        self._listener.join(seconds)
        if self._listener.is_alive():
            os.kill(self.pid, signal.SIGKILL)
            self._listener.join()
        os.waitpid(self.pid, 0)
        self.forget()

    def _tell(self, what: Any) -> None:
        with suppress(OSError):  # it is gone
            self._pipe.send(what)


def fork_processes(
    job_context: PlanExecutionContext, plan: ExecutionPlan, say: Callable[[Said], None], count: int
) -> list[StepProcess]:
    """So many processes; none where they cannot be had: on a machine that has no room, or of a run that is not the run
    host's.

    Such a run leads its session, so that all of it can be ended, and has one thread. With more, a fork would copy locks
    that another thread holds.
    """
    forked: list[StepProcess] = []
    if os.getsid(0) != os.getpid() or threads() > 1:
        return forked
    try:
        for _ in range(count):
            forked.append(StepProcess(job_context, plan, say, forked))
    except OSError:
        _log.warning("no process can be made for the run's steps now", exc_info=True)
    for one in forked:
        one.listen()
    return forked


def end_processes(processes: Sequence[StepProcess]) -> None:
    """Ends them, by force where one does not end by itself."""
    for one in processes:
        one.tell_to_end()
    deadline = time.monotonic() + _END_SECONDS
    for one in processes:
        one.end(max(0.0, deadline - time.monotonic()))


def chains(plan: ExecutionPlan) -> Mapping[str, int]:
    """Of each step the number of its chain, from 0 on: those of different chains need nothing of each other.

    Steps of one dataset type (``<type>__...``) are of one chain even where they need nothing of each other, as the
    checks of a validation.
    """
    chain: dict[str, set[str]] = {}
    of_type: dict[str, str] = {}
    for key, needed in plan.get_executable_step_deps().items():
        like = of_type.setdefault(key.partition("__")[0], key)
        together = {key}.union(*(chain.get(one, {one}) for one in (key, like, *needed)))
        chain.update(dict.fromkeys(together, together))
    numbers: dict[int, int] = {}
    return {key: numbers.setdefault(id(together), len(numbers)) for key, together in chain.items()}


def _serve(job_context: PlanExecutionContext, plan: ExecutionPlan, pipe: Connection) -> Never:
    """The whole life of a process: executes what it is told to, until it is told to end or there is nobody to tell."""
    try:
        # Signals are for the run's process, which passes on what they mean. Not ignored: what a step starts would
        # ignore them, too.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: None)
        _execute(plan, pipe, StepThreads(job_context, _Sayer(pipe)))
    except (EOFError, OSError):
        # The run's process is gone: what its steps do comes to nothing, and must not come to anything.
        os._exit(1)
    except BaseException:
        _log.exception("a process of the run's steps failed")
    finally:
        leave(0)


def _execute(plan: ExecutionPlan, pipe: Connection, steps: StepThreads) -> None:
    while True:
        match pipe.recv():
            case _Begin(key, known):
                steps.begin(plan.get_executable_step_by_key(key), known)
            case _Interrupt():
                steps.interrupt()
                steps.join(INTERRUPTED_SECONDS)
                return
            case _End():
                return


class _Sayer:
    """Says what the run's process has to know, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def __call__(self, said: Said) -> None:
        if isinstance(said, DagsterEvent) and said.event_type_value not in _LEADING:
            return
        if isinstance(said, Ended) and said.error is not None:
            # Not every error can be sent.
            said = Ended(said.key, _StepError("".join(traceback.format_exception(said.error))))
        with self._lock, suppress(OSError):  # the main thread hears that there is nobody any more
            self._pipe.send(said)
