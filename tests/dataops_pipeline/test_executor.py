"""Steps in threads of the run's process: how many at once, in which order, and how they fail and are stopped."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    In,
    JobDefinition,
    Nothing,
    RetryRequested,
    graph,
    op,
)
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.storage.compute_log_manager import CapturedLogContext
from pydantic import SecretStr
from sqlalchemy.pool import QueuePool

from dataops_core.lifecycle import OperationStatus
from dataops_core.provisioning import fencing
from dataops_core.provisioning.services import Services
from dataops_core.settings import Settings
from dataops_pipeline.executor import executor
from dataops_pipeline.resources import DataOps
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


def test_of_all_types_templates_and_connectors_come_before_records_which_come_type_by_type(
    instance: DagsterInstance, services: Services, at_once: Callable[[int], None]
) -> None:
    """C-83: progress is that of the type that is least far."""
    at_once(1)
    types = ("confluence_pages", "github_repos")
    _, run = Pipeline(instance, services, dataset_types=types).ready()
    begun = [str(step) for step in steps_with(instance, run, DagsterEventType.STEP_START)]
    assert set(begun[:4]) == {f"{each}__{name}" for each in types for name in ("template", "connector")}
    of_types = [step.partition("__")[0] for step in begun[4:]]
    assert of_types == sorted(of_types)
    assert len(of_types) == 14


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


@pytest.mark.parametrize("seconds", [0, 0.1], ids=["at-once", "later"])
def test_a_step_that_asks_for_it_is_begun_again_while_another_is_under_way(
    instance: DagsterInstance, at_once: Callable[[int], None], seconds: float
) -> None:
    at_once(2)
    tried, done = [], threading.Event()

    def try_thrice() -> None:
        tried.append(threading.current_thread())
        if len(tried) < 3:
            raise RetryRequested(max_retries=5, seconds_to_wait=seconds or None)
        done.set()

    def wait() -> None:
        assert done.wait(PATIENCE)

    run = ended(instance, chains(a=[try_thrice, lambda: None], b=[wait]))
    assert run.is_success
    assert len(set(tried)) == 3
    assert steps_with(instance, run, DagsterEventType.STEP_UP_FOR_RETRY) == ["a_1", "a_1"]
    assert len(steps_with(instance, run, DagsterEventType.STEP_SUCCESS)) == 3


def test_output_that_cannot_be_kept_fails_no_run(
    instance: DagsterInstance, at_once: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(1)

    @contextmanager
    def capture(log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        yield CapturedLogContext(log_key)
        raise OSError("the disk is full")

    monkeypatch.setattr(instance.compute_log_manager, "capture_logs", capture)
    run = ended(instance, chains(a=[lambda: None]))
    assert run.is_success
    told = [
        record.event_log_entry.message
        for record in instance.get_records_for_run(run.run_id, of_type=DagsterEventType.ENGINE_EVENT).records
    ]
    assert any("compute log capture" in message for message in told)


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


def test_steps_that_begin_at_once_share_what_they_work_with(services: Services) -> None:
    together, made = threading.Barrier(4, timeout=PATIENCE), []

    def make() -> Services:
        made.append(services)
        return replace(services)

    dataops = DataOps(make)

    def ask(_: int) -> Services:
        together.wait()
        return dataops.services

    with ThreadPoolExecutor(4) as threads:
        assert len(set(map(id, threads.map(ask, range(4))))) == 1
    assert len(made) == 1


def test_each_step_at_once_may_have_a_transaction_and_a_beat(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        secret_key=SecretStr("a secret that is long enough"),
        database_url=SecretStr("postgresql://nowhere/x"),
        steps_at_once=8,
    )
    pool = Services.from_settings(settings).database.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.size() + pool._max_overflow == 16
