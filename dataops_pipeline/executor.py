"""How the steps of a run are executed: some at once, in threads of few processes.

Dagster's own executor in the process does one step after the other. Much of a step is spent waiting, for the connector,
for PostgreSQL, for the disk, and Arrow, NumPy, zstd and SQLite compute without Python's lock: meanwhile another step is
under way, of another dataset type or another check of the same. A run of several types is shared by processes, too,
where the run host executes it (``step_processes.py``). Of steps of one priority (Dagster's tag) what is begun is
finished first, so that a run of many types holds the records of few. Everything else is as in Dagster's own: the same
events, failures and retries, the same end of a run that is stopped; but for hooks, which no step here has. Run config
selects a process per step for datasets so large that one must not take the others down with it (``execution: {config:
{multiprocess: {}}}``).

It rests on private parts of Dagster, as ``storage.py`` does; ``pyproject.toml`` pins the minor version.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from typing import Any

from dagster import (
    DagsterEvent,
    Executor,
    ExecutorDefinition,
    Field,
    InitExecutorContext,
    Selector,
    multi_or_in_process_executor,
)
from dagster._core.definitions.executor_definition import IN_PROC_CONFIG, MULTI_PROC_CONFIG
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable
from dagster._core.execution.compute_logs import create_compute_log_file_key
from dagster._core.execution.context.system import PlanExecutionContext, PlanOrchestrationContext
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.storage.tags import PRIORITY_TAG
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster._utils.interrupts import raise_interrupts_as

from dataops_core.runs import TAG_LOST
from dataops_core.settings import Settings
from dataops_pipeline.step_processes import StepProcess, StepProcessLostError, chains, end_processes, fork_processes
from dataops_pipeline.step_threads import INTERRUPTED_SECONDS, Ended, Said, StepThreads

#: Where a step may be begun again in a moment.
_SHORTEST_WAIT = 0.05


class StepsExecutor(InProcessExecutor):
    """Dagster's executor in the process, with so many steps at once, in so many processes at most."""

    def __init__(self, like: InProcessExecutor, *, at_once: int, processes: int) -> None:
        super().__init__(like.retries, like.step_dependency_config)
        self._at_once = at_once
        self._processes = processes

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """The events of all steps."""
        process = EngineEventData.in_process(os.getpid(), execution_plan.step_keys_to_execute)
        yield DagsterEvent.engine_event(
            plan_context, f"Executing steps in process (pid: {os.getpid()}), {self._at_once} at once", process
        )
        started = time.monotonic()
        yield from ExecuteRunWithPlanIterable(
            execution_plan=execution_plan,
            iterator=self._in_threads,
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=execution_plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
                step_dependency_config=self.step_dependency_config,
            ),
        )
        took = f"{time.monotonic() - started:.2f} s"
        yield DagsterEvent.engine_event(
            plan_context, f"Finished steps in process (pid: {os.getpid()}) in {took}", process
        )

    def _in_threads(self, job_context: PlanExecutionContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        levels = execution_plan.get_steps_to_execute_by_level()
        depth = {step.key: number for number, level in enumerate(levels) for step in level}
        with (
            InstanceConcurrencyContext(job_context.instance, job_context.dagster_run) as concurrency,
            execution_plan.start(
                retry_mode=job_context.retry_mode,
                sort_key_fn=lambda step: (len(levels) + 1) * -_priority(step) - depth.get(step.key, len(levels)),
                max_concurrent=self._at_once,
                instance_concurrency_context=concurrency,
                step_dependency_config=job_context.step_dependency_config,
            ) as active,
            ExitStack() as captured,
        ):
            yield from _capture_output(job_context, list(depth), captured)
            steps = _Steps(job_context, execution_plan, min(self._processes, self._at_once))
            try:
                if steps.shared_by:
                    pids = ", ".join(map(str, steps.shared_by))
                    shared = f"Steps are shared with other processes (pids: {pids})"
                    yield DagsterEvent.engine_event(job_context, shared, EngineEventData())
                yield from _events(job_context, active, steps)
            except (KeyboardInterrupt, DagsterExecutionInterruptedError):
                yield from steps.interrupt()
                raise
            except StepProcessLostError as error:
                yield from steps.interrupt()
                job_context.instance.add_run_tags(job_context.run_id, {TAG_LOST: str(error)})
                job_context.instance.report_engine_event(str(error), job_context.dagster_run)
                # As of a run whose own process is killed: it is no error of the run's that Dagster could tell.
                raise DagsterExecutionInterruptedError(str(error)) from error
            except BaseException:
                for _ in steps.interrupt():
                    pass
                raise
            finally:
                steps.end()
            try:
                captured.close()
            except Exception:
                # What the run was for is done: a log that cannot be kept does not make a failure of it.
                yield _not_captured(job_context, "Exception while cleaning up compute log capture")


def _priority(step: ExecutionStep) -> int:
    return int((step.tags or {}).get(PRIORITY_TAG, 0))


def _capture_output(job_context: PlanExecutionContext, keys: list[str], captured: ExitStack) -> Iterator[DagsterEvent]:
    """What the process writes to its output is a log of the run's, as in Dagster's own executor."""
    manager = job_context.instance.compute_log_manager
    key = create_compute_log_file_key()  # type: ignore[no-untyped-call]
    log_key = manager.build_log_key_for_run(job_context.run_id, key)
    try:
        log_context = captured.enter_context(manager.capture_logs(log_key))
        yield DagsterEvent.capture_logs(job_context, keys, log_key, log_context)
    except Exception:
        yield _not_captured(job_context, "Exception while setting up compute log capture")


def _not_captured(job_context: PlanExecutionContext, what: str) -> DagsterEvent:
    error = EngineEventData(error=serializable_error_info_from_exc_info(sys.exc_info()))
    return DagsterEvent.engine_event(job_context, what, error)


def _events(job_context: PlanExecutionContext, active: ActiveExecution, steps: "_Steps") -> Iterator[DagsterEvent]:
    """Begins steps as others end, and tells what happens in them."""
    again: dict[str, DagsterEvent] = {}
    while not active.is_complete:
        for step in active.get_steps_to_execute():
            steps.begin(step, active.get_known_state())
        yield from active.concurrency_event_iterator(job_context)
        if steps.under_way:
            said = steps.next(active.sleep_interval())  # type: ignore[no-untyped-call]
            if isinstance(said, Ended):
                if said.key in again:
                    active.handle_event(again.pop(said.key))
                active.verify_complete(job_context, said.key)
                if said.error is not None:
                    raise said.error
            elif said is not None:
                yield said
                if said.is_step_up_for_retry:
                    # It may be begun again at once: not before its thread has ended.
                    again[str(said.step_key)] = said
                else:
                    active.handle_event(said)
        else:
            active.sleep_til_ready()
        # Steps whose inputs failed or were left out.
        yield from active.plan_events_iterator(job_context)


class _Steps:
    """The steps under way, in this process and in those that share the run with it."""

    def __init__(self, job_context: PlanExecutionContext, plan: ExecutionPlan, processes: int) -> None:
        self.under_way: set[str] = set()
        self._said: SimpleQueue[Said] = SimpleQueue()
        self._chains = chains(plan)
        wanted = min(processes, len(set(self._chains.values())))
        # Before this process begins a step, which would be a thread.
        self._others = fork_processes(job_context, plan, self._said.put, wanted - 1)
        self._all: list[StepThreads | StepProcess] = [StepThreads(job_context, self._said.put), *self._others]

    @property
    def shared_by(self) -> list[int]:
        """The ids of the other processes."""
        return [other.pid for other in self._others]

    def begin(self, step: ExecutionStep, known: KnownExecutionState | None) -> None:
        """Begins a step. Returns at once. Raises StepProcessLostError."""
        self.under_way.add(step.key)
        # A step that came of another's output is in no plan but this process'.
        self._all[self._chains.get(step.key, 0) % len(self._all)].begin(step, known)

    def next(self, seconds: float) -> Said | None:
        """What a step says next, waited for so long (0: as long as it takes), else None.

        Raises DagsterExecutionInterruptedError where the run is stopped.
        """
        try:
            with raise_interrupts_as(DagsterExecutionInterruptedError):
                said = self._said.get(timeout=max(seconds, _SHORTEST_WAIT) if seconds else None)
        except Empty:
            return None
        if isinstance(said, Ended):
            self.under_way.remove(said.key)
        return said

    def interrupt(self) -> Iterator[DagsterEvent]:
        """Raises the interrupt in every step, as a signal does in Dagster's own executor, and tells how they end."""
        for one in self._all:
            one.interrupt()
        deadline = time.monotonic() + INTERRUPTED_SECONDS
        for one in self._all:
            one.join(max(0.0, deadline - time.monotonic()))
        while not self._said.empty():
            said = self._said.get()
            if isinstance(said, DagsterEvent):
                yield said

    def end(self) -> None:
        """Ends the other processes."""
        end_processes(self._others)


def _made(context: InitExecutorContext) -> Executor:
    """The executor that the run's config asks for."""
    made: Any = multi_or_in_process_executor.executor_creation_fn
    made = made(context)
    if isinstance(made, InProcessExecutor):
        settings = Settings.load()
        return StepsExecutor(made, at_once=settings.steps_at_once, processes=settings.step_processes)
    return made  # type: ignore[no-any-return]


executor = ExecutorDefinition(
    name="in_process_or_multiprocess",
    description="The steps of a run in one process or few, unless its config asks for one per step.",
    config_schema=Field(
        Selector({"in_process": IN_PROC_CONFIG, "multiprocess": MULTI_PROC_CONFIG}),  # type: ignore[no-untyped-call]
        default_value={"in_process": {}},
    ),
    requirements=multi_or_in_process_executor.get_requirements,
    executor_creation_fn=_made,
)
