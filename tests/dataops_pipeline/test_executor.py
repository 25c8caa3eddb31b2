"""Steps in threads of the run's process: how many at once, in which order, and how they fail and are stopped."""

import os
import signal
import threading
from collections.abc import Callable

import pytest
from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    In,
    JobDefinition,
    Nothing,
    graph,
    op,
)
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from dataops_core.lifecycle import OperationStatus
from dataops_core.provisioning import fencing
from dataops_core.provisioning.services import Services
from dataops_pipeline.executor import executor
from tests.dataops_pipeline.test_runs import Pipeline

#: What is waited for in threads comes within this time, or the test fails.
PATIENCE = 30.0


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    return lambda steps: monkeypatch.setenv("DATAOPS_STEPS_AT_ONCE", str(steps))


def chains(**chains: list[Callable[[], object]]) -> JobDefinition:
    """A job of chains of steps: ``a_1`` before ``a_2``, beside ``b_1``, each doing its work."""

    @graph
    def together() -> None:
        for name, works in chains.items():
            before = None
            for number, work in enumerate(works, start=1):
                step = _step(f"{name}_{number}", work, first=before is None)
                before = step() if before is None else step(after=before)

    return together.to_job(executor_def=executor)


def _step(name: str, work: Callable[[], object], *, first: bool) -> Callable[..., object]:
    @op(name=name, ins={} if first else {"after": In(Nothing)})
    def step() -> None:
        work()

    return step


def ended(instance: DagsterInstance, job: JobDefinition) -> DagsterRun:
    run = instance.create_run_for_job(job)
    execute_run(InMemoryJob(job), run, instance)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def steps_with(instance: DagsterInstance, run: DagsterRun, kind: DagsterEventType) -> list[str | None]:
    return [
        record.event_log_entry.step_key for record in instance.get_records_for_run(run.run_id, of_type=kind).records
    ]


def test_steps_that_need_nothing_of_each_other_are_under_way_at_once(
    instance: DagsterInstance, at_once: Callable[[int], None]
) -> None:
    at_once(2)
    together = threading.Barrier(2, timeout=PATIENCE)
    assert ended(instance, chains(a=[together.wait], b=[together.wait])).is_success


def test_there_are_no_more_at_once_than_there_may_be_and_what_is_begun_is_finished_first(
    instance: DagsterInstance, at_once: Callable[[int], None]
) -> None:
    at_once(1)
    done: list[str] = []
    run = ended(instance, chains(**{name: [lambda name=name: done.append(name)] * 3 for name in "abc"}))  # type: ignore[misc]
    assert run.is_success
    assert done == list("aaabbbccc")


def test_a_step_that_fails_holds_up_what_needs_it_and_nothing_else(
    instance: DagsterInstance, at_once: Callable[[int], None]
) -> None:
    at_once(2)
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        raise ValueError("on purpose")

    done: list[str] = []
    job = chains(a=[fail, lambda: done.append("never")], b=[lambda: failed.wait(PATIENCE), lambda: done.append("b")])
    run = ended(instance, job)
    assert run.status is DagsterRunStatus.FAILURE
    assert done == ["b"]
    assert steps_with(instance, run, DagsterEventType.STEP_FAILURE) == ["a_1"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_run_that_is_stopped_interrupts_every_step(
    instance: DagsterInstance, at_once: Callable[[int], None], number: signal.Signals
) -> None:
    """C-84: each step's ``finally`` runs, nothing more is begun, and the run's events say so."""
    at_once(2)
    both, never = threading.Barrier(3, timeout=PATIENCE), threading.Event()
    left: list[str] = []

    def work(name: str) -> None:
        try:
            both.wait()
            while not never.wait(0.01):
                pass
        finally:
            left.append(name)

    def stop() -> None:
        both.wait()
        os.kill(os.getpid(), number)

    stopper = threading.Thread(target=stop)
    stopper.start()
    later = [lambda: left.append("later")]
    run = ended(instance, chains(a=[lambda: work("a"), *later], b=[lambda: work("b"), *later]))
    stopper.join()
    assert sorted(left) == ["a", "b"]
    assert run.status is DagsterRunStatus.FAILURE  # nobody had asked Dagster to stop it
    assert sorted(map(str, steps_with(instance, run, DagsterEventType.STEP_FAILURE))) == ["a_1", "b_1"]


def test_the_four_checks_of_a_dataset_are_under_way_at_once(
    instance: DagsterInstance,
    services: Services,
    at_once: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """C-62: whatever their order, the last of them tells whether the gate is open."""
    at_once(4)
    together, claim = threading.Barrier(4, timeout=PATIENCE), fencing.claim

    def claim_together(*arguments: object, step: int | None, **options: object) -> fencing.Claim:
        if step is None:
            together.wait()
        return claim(*arguments, step=step, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(fencing, "claim", claim_together)
    pipeline = Pipeline(instance, services)
    operation, _ = pipeline.ready()
    assert pipeline.operation(operation.operation_id).status is OperationStatus.COMPLETED
