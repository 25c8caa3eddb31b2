"""The steps of a run that are under way in this process, each in a thread of its own.

Belongs here: beginning them, what they say, how they are interrupted. Does not belong here: which step comes next
(``executor.py``), other processes (``step_processes.py``).
"""

import ctypes
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass

from dagster import DagsterEvent
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.context.system import PlanExecutionContext
from dagster._core.execution.plan.execute_plan import dagster_event_sequence_for_step
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.plan.step import ExecutionStep

#: How long steps that were interrupted may take to end. Where one does not, what it does comes to nothing: its
#: operation was settled by whoever stopped the run, and the process ends.
INTERRUPTED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A step is under way no more; ``error`` is what no event says."""

    key: str
    error: BaseException | None


#: What a step says: Dagster's events, and at last that it has ended.
Said = DagsterEvent | Ended


class StepThreads:
    """Executes steps in threads of this process. ``say`` is told what they say, from their threads."""

    def __init__(self, job_context: PlanExecutionContext, say: Callable[[Said], None]) -> None:
        self._job_context = job_context
        self._say = say
        self._under_way: dict[str, threading.Thread] = {}

    def begin(self, step: ExecutionStep, known: KnownExecutionState | None) -> None:
        """Begins a step. Returns at once."""
        # A daemon: a process that was told to end does not wait for a step that does not hear it.
        thread = threading.Thread(
            target=copy_context().run, args=(self._execute, step, known), name=step.key, daemon=True
        )
        self._under_way[step.key] = thread
        thread.start()

    def _execute(self, step: ExecutionStep, known: KnownExecutionState | None) -> None:
        error: BaseException | None = None
        try:
            for event in dagster_event_sequence_for_step(self._job_context.for_step(step, known)):
                self._say(event)
        except BaseException as raised:
            error = raised
        del self._under_way[step.key]
        self._say(Ended(step.key, error))

    def interrupt(self) -> None:
        """Raises the interrupt in every step, as a signal does in Dagster's own executor."""
        for thread in list(self._under_way.values()):
            if thread.ident is not None:
                _raise_in(thread.ident, DagsterExecutionInterruptedError)

    def join(self, seconds: float) -> None:
        """Waits so long at most until every step has ended."""
        deadline = time.monotonic() + seconds
        for thread in list(self._under_way.values()):
            thread.join(max(0.0, deadline - time.monotonic()))


def _raise_in(thread_id: int, error: type[BaseException]) -> None:
    """Raises an error in a thread at its next step of Python; what it waits for outside of Python comes first."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error))
