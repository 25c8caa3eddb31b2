"""An accepted operation gets one run, whoever launches it, and is told how that run ended (C-81, C-86)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from dataops_core.clock import utcnow
from dataops_core.errors import PermanentError, UnavailableError
from dataops_core.lifecycle import CheckType, DatasetStatus, OperationStatus, OperationType
from dataops_core.provisioning import launching
from dataops_core.provisioning.launching import MAX_LAUNCHES, due_launches, launch_operation, run_ended, settle_quiet
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.provisioning.silence import ONE_MORE_BEAT, Silences
from dataops_core.registry import launches, operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Operation
from dataops_core.runs import LaunchRequest, RunState, launch_request
from tests.waiting import wait_for

BeginJourney = Callable[..., Any]


@dataclass
class Dagster:
    """What a launcher sees of Dagster: the runs it has, and whether it answers."""

    problem: Exception | None = None
    loses_answers: bool = False
    runs: dict[str, RunState] = field(default_factory=dict)
    requests: list[LaunchRequest] = field(default_factory=list)

    def launch(self, request: LaunchRequest) -> str:
        if self.problem is not None:
            raise self.problem
        self.requests.append(request)
        run_id = f"run-{len(self.requests)}"
        self.runs[run_id] = RunState(run_id, "STARTED")
        if self.loses_answers:
            raise UnavailableError("Dagster does not answer.")
        return run_id

    def run_of(self, operation_id: UUID, *, attempt: int | None = None) -> RunState | None:
        for number in range(len(self.requests), 0, -1):
            request = self.requests[number - 1]
            if request.operation_id == operation_id and attempt in {None, request.attempt}:
                return self.runs[f"run-{number}"]
        return None

    def run_state(self, run_id: str) -> RunState | None:
        return self.runs.get(run_id)

    def find(self, operation_id: UUID, attempt: int) -> RunState | None:
        return self.run_of(operation_id, attempt=attempt)


def lapse(database: Database, operation_id: UUID, **ago: timedelta) -> None:
    """Makes a time of the operation lie that far in the past."""
    values = {column: utcnow() - age for column, age in ago.items()}
    with database.transaction() as session:
        session.execute(update(Operation).where(Operation.operation_id == operation_id).values(values))


def lapse_lease(database: Database, operation_id: UUID) -> None:
    lapse(database, operation_id, launch_lease_until=timedelta(seconds=1))


def test_an_operation_is_launched_once_and_knows_its_run(database: Database, journey: BeginJourney) -> None:
    begun = journey("confluence_pages", "github_repos")
    dagster = Dagster()

    assert launch_operation(database, dagster, begun.operation_id) == "run-1"
    assert launch_operation(database, dagster, begun.operation_id) is None

    (request,) = dagster.requests
    assert request.job == "provision"
    assert request.dataset_types == ("confluence_pages", "github_repos")
    assert request.asset_checks is None
    assert request.tags["dagster/partition"] == f"sandbox:{begun.client_id}"
    assert begun.operation().run_id == "run-1"
    assert begun.operation().status is OperationStatus.PENDING


def test_of_many_who_would_launch_one_does(database: Database, journey: BeginJourney) -> None:
    begun, dagster = journey(), Dagster()
    with ThreadPoolExecutor(8) as pool:
        launched = list(pool.map(lambda _: launch_operation(database, dagster, begun.operation_id), range(16)))
    assert len(dagster.requests) == 1
    assert [run for run in launched if run] == ["run-1"]


def test_a_launch_whose_answer_was_lost_is_found_and_not_repeated(database: Database, journey: BeginJourney) -> None:
    begun, dagster = journey(), Dagster(loses_answers=True)
    assert launch_operation(database, dagster, begun.operation_id) is None
    assert begun.operation().run_id is None

    lapse_lease(database, begun.operation_id)
    assert due_launches(database, dagster.find, grace=timedelta(0)) == []
    assert begun.operation().run_id == "run-1"
    assert len(dagster.requests) == 1


@dataclass
class Slow(Dagster):
    """A Dagster that makes a run only when it is told to go on, and shows none before."""

    began: Event = field(default_factory=Event)
    go: Event = field(default_factory=Event)

    def launch(self, request: LaunchRequest) -> str:
        self.began.set()
        assert self.go.wait(60)
        return super().launch(request)


def leases(database: Database) -> dict[UUID, Any]:
    """Until when each operation's launch is somebody's."""
    with database.transaction() as session:
        return dict(session.execute(select(Operation.operation_id, Operation.launch_lease_until)).tuples().all())


def test_a_launch_that_outlasts_its_lease_stays_the_only_one(
    database: Database, journey: BeginJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-81: nobody can see a run yet that Dagster is still making, so nobody else may begin one."""
    lease = timedelta(seconds=1)
    monkeypatch.setattr(launches, "LAUNCH_LEASE", lease)
    monkeypatch.setattr(launching, "RENEW_SECONDS", 0.1)
    begun, dagster = journey(), Slow()
    with ThreadPoolExecutor(1) as pool:
        launched = pool.submit(launch_operation, database, dagster, begun.operation_id)
        assert dagster.began.wait(60)
        first = leases(database)[begun.operation_id]

        def outlasted() -> bool:
            assert due_launches(database, dagster.find, grace=timedelta(0)) == []
            return bool(leases(database)[begun.operation_id] > first + 3 * lease)

        wait_for(outlasted, "the launch has taken three leases")
        dagster.go.set()
        assert launched.result() == "run-1"
    assert len(dagster.requests) == 1
    assert begun.operation().run_id == "run-1"
    assert begun.operation().launch_attempts == 1


def test_who_lost_the_launch_to_another_does_not_take_it_back(database: Database, journey: BeginJourney) -> None:
    """C-81."""
    begun = journey()
    with database.transaction() as session:
        assert launches.lease_launch(session, begun.operation_id) == 1
        assert launches.renew_launch(session, begun.operation_id, tries=1)
    lapse_lease(database, begun.operation_id)
    with database.transaction() as session:
        assert launches.lease_launch(session, begun.operation_id) == 2
        assert not launches.renew_launch(session, begun.operation_id, tries=1)
        assert launches.renew_launch(session, begun.operation_id, tries=2)
        launches.record_launch(session, begun.operation_id, "run-1", attempt=1)
        assert not launches.renew_launch(session, begun.operation_id, tries=2)


def test_of_many_that_are_handed_over_at_once_each_has_the_time_of_those_before_it(
    database: Database, journey: BeginJourney
) -> None:
    """C-81: Dagster's daemon launches them one after the other."""
    for _ in range(3):
        journey()
    requests = due_launches(database, Dagster().find, grace=timedelta(0))
    until = leases(database)
    first, second, third = (until[request.operation_id] for request in requests)
    assert second - first >= launching.LAUNCH_TURN
    assert third - second >= launching.LAUNCH_TURN
    assert due_launches(database, Dagster().find, grace=timedelta(0)) == []


def test_while_dagster_is_down_the_operation_waits_for_whoever_is_next(
    database: Database, journey: BeginJourney
) -> None:
    begun = journey()
    down = Dagster(problem=UnavailableError("Dagster does not answer.", details={"sent": False}))
    assert launch_operation(database, down, begun.operation_id) is None
    assert begun.operation().status is OperationStatus.PENDING

    (request,) = due_launches(database, Dagster().find, grace=timedelta(0))
    assert request.operation_id == begun.operation_id


def test_a_run_that_dagster_refuses_ends_the_operation_with_its_sentence(
    database: Database, journey: BeginJourney
) -> None:
    begun = journey()
    assert launch_operation(database, Dagster(problem=PermanentError("No such asset.")), begun.operation_id) is None

    operation = begun.operation()
    assert operation.status is OperationStatus.FAILED
    assert operation.error["message"] == "No such asset."
    assert begun.dataset().status is DatasetStatus.FAILED


def test_a_fresh_operation_is_left_to_the_api_for_a_moment(database: Database, journey: BeginJourney) -> None:
    begun = journey()
    assert due_launches(database, Dagster().find, grace=timedelta(minutes=1)) == []
    lapse(database, begun.operation_id, beat_at=timedelta(minutes=2))
    assert len(due_launches(database, Dagster().find, grace=timedelta(minutes=1))) == 1
    assert due_launches(database, Dagster().find, grace=timedelta(0)) == []


def test_runs_that_die_before_their_first_step_are_launched_again_but_not_for_ever(
    database: Database, journey: BeginJourney
) -> None:
    begun, dagster = journey(), Dagster()
    for _ in range(MAX_LAUNCHES):
        (request,) = due_launches(database, dagster.find, grace=timedelta(0))
        dagster.runs[dagster.launch(request)] = RunState("dead", "FAILURE")
        lapse_lease(database, begun.operation_id)
    assert due_launches(database, dagster.find, grace=timedelta(0)) == []
    assert begun.operation().status is OperationStatus.FAILED
    assert "could not start a run" in begun.operation().error["message"]


def test_a_new_attempt_is_launched_for_what_is_left_and_not_mistaken_for_the_old(
    database: Database, journey: BeginJourney
) -> None:
    begun, dagster = journey("confluence_pages", "github_repos", kind=OperationType.TEARDOWN), Dagster()
    launch_operation(database, dagster, begun.operation_id)
    with database.transaction() as session:
        operation = operations.get(session, begun.operation_id)
        parts = operations.parts_of(session, begun.operation_id)
        for part in parts:
            part.active = False
        left = [part for part in parts if part.dataset_type == "github_repos"]
        operations.next_attempt(session, operation, left, run_id=None)
    lapse(database, begun.operation_id, launch_lease_until=timedelta(0))

    assert launch_operation(database, dagster, begun.operation_id) == "run-2"
    again = dagster.requests[1]
    assert (again.job, again.attempt, again.dataset_types) == ("teardown", 2, ("github_repos",))
    assert again.assets is None


def test_a_validation_asks_for_its_checks_alone(database: Database, journey: BeginJourney) -> None:
    begun = journey(kind=OperationType.VALIDATION)
    with database.transaction() as session:
        operation = operations.get(session, begun.operation_id)
        operation.request = {"checks": ["connector_health"]}
        session.flush()
        view = operations.find_view(session, begun.operation_id)
        assert view is not None
        request = launch_request(view)
    assert request.job == "validate"
    assert request.checks == (CheckType.CONNECTOR_HEALTH,)
    assert request.assets == []
    assert request.asset_checks == [(("confluence_pages", "index"), "connector_health")]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (RunEnding.FAILURE, OperationStatus.FAILED),
        (RunEnding.CANCELED, OperationStatus.CANCELLED),
        (RunEnding.LOST, OperationStatus.FAILED),
    ],
)
def test_an_operation_learns_how_its_run_ended_once(
    database: Database, journey: BeginJourney, ending: RunEnding, status: OperationStatus
) -> None:
    begun, dagster = journey(), Dagster()
    launch_operation(database, dagster, begun.operation_id)
    assert run_ended(database, "run-of-somebody-else", ending) == 0
    assert run_ended(database, "run-1", ending) == 1
    assert begun.operation().status is status
    assert run_ended(database, "run-1", RunEnding.SUCCESS) == 0
    assert begun.operation().status is status


def test_a_run_that_shows_no_life_is_asked_about_and_then_given_up(
    database: Database, journey: BeginJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, dagster, silences = journey(), Dagster(), Silences()
    launch_operation(database, dagster, begun.operation_id)
    begun.claim(begun.run("run-1"))

    def look() -> list[launching.GivenUp]:
        return settle_quiet(
            database,
            lambda ids: {one: dagster.runs[one] for one in ids},
            silences,
            lost_after=timedelta(seconds=30),
        )

    assert look() == []
    lapse(database, begun.operation_id, beat_at=timedelta(seconds=20))
    assert look() == []
    assert begun.operation().status is OperationStatus.IN_PROGRESS
    lapse(database, begun.operation_id, beat_at=timedelta(seconds=31))
    assert look() == []
    later = monotonic() + ONE_MORE_BEAT.total_seconds()
    monkeypatch.setattr("dataops_core.provisioning.silence.monotonic", lambda: later)
    assert look() == [launching.GivenUp(begun.operation_id, "run-1")]
    assert begun.operation().status is OperationStatus.FAILED
    assert begun.operation().error["code"] == "RUN_LOST"
    assert begun.dataset().status is DatasetStatus.FAILED


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RunState("run-1", "FAILURE", failure_reason="STEP_FAILURE"), "RUN_FAILED"),
        (RunState("run-1", "FAILURE", failure_reason="UNEXPECTED_TERMINATION"), "RUN_LOST"),
        (RunState("run-1", "FAILURE"), "RUN_LOST"),
        (None, "RUN_LOST"),
    ],
    ids=["failed", "terminated", "killed", "unknown"],
)
def test_a_quiet_run_that_has_ended_unnoticed_is_settled_at_once(
    database: Database, journey: BeginJourney, state: RunState | None, code: str
) -> None:
    begun, dagster = journey(), Dagster()
    launch_operation(database, dagster, begun.operation_id)
    lapse(database, begun.operation_id, beat_at=timedelta(seconds=20))
    known = {"run-1": state} if state is not None else {}
    assert settle_quiet(database, lambda _: known, Silences(), lost_after=timedelta(seconds=30)) == []
    assert begun.operation().error["code"] == code


def test_a_run_that_did_not_begin_in_time_says_so(database: Database, journey: BeginJourney) -> None:
    begun, dagster = journey(), Dagster()
    launch_operation(database, dagster, begun.operation_id)
    lapse(database, begun.operation_id, beat_at=timedelta(seconds=20))
    known = {"run-1": RunState("run-1", "FAILURE", failure_reason="START_TIMEOUT")}
    settle_quiet(database, lambda _: known, Silences(), lost_after=timedelta(seconds=30))
    error = begun.operation().error
    assert error["code"] == "RUN_FAILED"
    assert "did not begin in the time" in error["message"]
    assert begun.dataset().error_message == error["message"]


def test_a_run_whose_end_somebody_saw_says_how_it_was(database: Database, journey: BeginJourney) -> None:
    """C-86."""
    begun, dagster = journey(), Dagster()
    launch_operation(database, dagster, begun.operation_id)
    lapse(database, begun.operation_id, beat_at=timedelta(seconds=20))
    said = "The run process 4711 ended with signal 9 (SIGKILL)."
    known = {"run-1": RunState("run-1", "FAILURE", lost_because=said)}
    settle_quiet(database, lambda _: known, Silences(), lost_after=timedelta(seconds=30))
    error = begun.operation().error
    assert (error["code"], error["message"]) == ("RUN_LOST", said)
    assert begun.dataset().error_message == said
