"""What happens in a process that the run host has forked: a run is executed, or Dagster is told of some.

Belongs here: the forked child from its first moment to its last. Does not belong here: when one is forked
(``host.py``). A run is executed by the same code as by ``dagster api execute_run``. The child begins where the host
stands, with its loaded code: it gives up what belongs to the host alone before anything else, and only then connects.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._cli.api import _execute_run_command_body
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import deserialize_value
from dagster._utils.interrupts import capture_interrupts

from dataops_core.process_marks import ProcessMark
from dataops_pipeline.warm import processes
from dataops_pipeline.warm.records import RunRecord, RunRecords

_log = logging.getLogger(__name__)

#: How a child ends: all is as it should be, or Dagster does not know it yet.
DONE, UNDONE = 0, 1

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def fork(work: Callable[[], int], leave: Callable[[], None]) -> int:
    """Forks a process that does ``work`` and ends with what it returns; its id.

    ``leave`` closes, in the child, what belongs to the parent. Signals that come meanwhile wait until the child can
    take them as a run does.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    pid = os.fork()
    if pid != 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    status = UNDONE
    try:
        # A session of its own: what a run starts is ended with it, and no signal for the host reaches it.
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        leave()
        # A process that the run starts (one per step, where its config says so) would load the host's main module.
        sys.modules["__main__"] = ModuleType("__main__")
        with capture_interrupts():
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            status = work()
    except BaseException:
        _log.exception("a forked process failed")
    finally:
        processes.leave(status)


def execute(record: RunRecord, records: RunRecords) -> int:
    """Executes a run. Returns whether Dagster knows how it ended."""
    mark = ProcessMark.of(os.getpid())
    assert mark is not None  # noqa: S101  this process lives
    records.write(record.running(mark))
    with _instance(record.instance) as instance:
        _execute_run_command_body(record.run_id, instance, lambda _event: None, set_exit_code_on_failure=False)
        run = instance.get_run_by_id(record.run_id)
        return DONE if run is None or run.is_finished else UNDONE


def report_ended(record: RunRecord) -> int:
    """Tells Dagster that a run has no process any more, where it does not know the run's end yet."""
    from dataops_core.runs import TAG_LOST  # noqa: PLC0415  the host has loaded it by then

    message = record.message or "The run's process ended."
    with _instance(record.instance) as instance:
        run = instance.get_run_by_id(record.run_id)
        if run is None or run.is_finished:
            return DONE
        if run.status is DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message)
        else:
            instance.add_run_tags(run.run_id, {TAG_LOST: message})
            instance.report_engine_event(message, run)
            instance.report_run_failed(run, message)
    return DONE


def report_waiting(waiting: Sequence[RunRecord], *, most: int) -> int:
    """Tells Dagster that runs still wait for their turn: its time limit for starting counts from now on."""
    for before, record in enumerate(waiting):
        with _instance(record.instance) as instance:
            run = instance.get_run_by_id(record.run_id)
            if run is not None and run.status is DagsterRunStatus.STARTING:
                _still_starting(instance, run, f"Waits for its turn: {most} runs are in progress, {before} before it.")
    return DONE


def _still_starting(instance: DagsterInstance, run: DagsterRun, message: str) -> None:
    event = DagsterEvent(DagsterEventType.RUN_STARTING.value, job_name=run.job_name, message=message)
    instance.report_dagster_event(event, run_id=run.run_id)


def _instance(serialized: str) -> DagsterInstance:
    return DagsterInstance.from_ref(deserialize_value(serialized, InstanceRef))
