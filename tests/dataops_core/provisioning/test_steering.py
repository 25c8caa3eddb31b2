"""Cancelling an operation and having it tried again (C-84), and what both leave behind."""

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import text

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, StaleRunError
from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType, Outcome
from dataops_core.provisioning import fencing, settlement, steering
from dataops_core.provisioning.launching import STOP_PATIENCE, launch_operation, stop_unwanted
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.registry import datasets, launches, operations, stops
from dataops_core.runs import LaunchRequest, RunState

S = DatasetStatus


def cancel(place):
    with place.database.transaction() as session:
        return steering.cancel(session, place.operation_id)


def retry(place):
    with place.database.transaction() as session:
        return steering.retry(session, place.operation_id)


def finish(place, claim, outcome=Outcome.READY):
    with place.database.transaction() as session:
        held = fencing.hold(session, claim)
        settlement.finish_dataset(session, held.operation, held.part, outcome)


def unwanted(place):
    with place.database.transaction() as session:
        return [(row.run_id, row.operation_id) for row, _ in stops.runs_to_stop(session)]


def half_done(journey):
    """One of two datasets ready, the other under way."""
    place = journey("confluence_pages", "github_repos")
    done = place.claim(place.run())
    place.claim(place.run(), "github_repos")
    place.move(S.VALIDATING, S.READY)
    finish(place, done)
    return place


def test_a_pending_operation_is_cancelled_without_any_run(journey, database):
    """C-84."""
    place = journey()
    cancel(place)
    operation, dataset = place.operation(), place.dataset()
    assert (operation.status, operation.run_id) == (OperationStatus.CANCELLED, None)
    assert (operation.started_at, operation.current_step) == (None, 0), "it never began"
    assert operation.error == {"code": "CANCELLED", "message": "The operation was cancelled.", "details": {}}
    assert (dataset.status, dataset.error_code) == (S.FAILED, "CANCELLED")
    assert unwanted(place) == []
    with database.transaction() as session:
        assert launches.lease_launch(session, place.operation_id) is None
    with pytest.raises(StaleRunError, match="comes too late"):
        place.claim(place.run())


def test_a_cancelled_run_changes_nothing_more_from_that_moment_and_is_to_be_stopped(journey, database):
    """C-84."""
    place = journey()
    claim = place.claim(place.run())
    cancel(place)
    with database.transaction() as session, pytest.raises(StaleRunError, match="moved on"):
        fencing.hold(session, claim)
    assert place.operation().status is OperationStatus.CANCELLED
    assert unwanted(place) == [("run-1", place.operation_id)]


def test_an_operation_of_which_a_part_is_ready_is_cancelled_and_that_part_stays(journey):
    """C-82, C-84: the result lists all."""
    place = half_done(journey)
    cancel(place)
    assert place.operation().status is OperationStatus.CANCELLED
    assert place.dataset().status is S.READY
    assert place.dataset("github_repos").status is S.FAILED
    assert (place.part().outcome, place.part("github_repos").outcome) == (Outcome.READY, Outcome.CANCELLED)


def test_what_failed_before_is_told_with_a_cancelled_operation(journey, database):
    """C-82, C-84."""
    place = journey("confluence_pages", "github_repos")
    failing = place.claim(place.run())
    with database.transaction() as session:
        held = fencing.hold(session, failing)
        settlement.fail_dataset(session, held.operation, held.part, code="STORAGE_ERROR", message="The disk is full.")
    cancel(place)
    operation = place.operation()
    assert (operation.status, operation.error["code"]) == (OperationStatus.CANCELLED, "CANCELLED")
    assert operation.error["details"] == {
        str(failing.dataset_id): {"code": "STORAGE_ERROR", "message": "The disk is full."}
    }


def test_a_cancelled_validation_leaves_its_dataset_ready(journey, database):
    """C-84."""
    place = journey()
    claim = place.claim(place.run())
    place.move(S.VALIDATING, S.READY)
    finish(place, claim)
    with database.transaction() as session:
        validation = operations.create(
            session,
            operation_type=OperationType.VALIDATION,
            client_id=place.client_id,
            stage=place.environment.stage,
            datasets=[(claim.dataset_id, "confluence_pages")],
        )
    with database.transaction() as session:
        steering.cancel(session, validation.operation_id)
    assert place.operation(validation.operation_id).status is OperationStatus.CANCELLED
    assert place.dataset().status is S.READY


@pytest.mark.parametrize("ending", [RunEnding.FAILURE, RunEnding.CANCELED])
def test_what_has_ended_cannot_be_cancelled(journey, database, ending):
    """C-84."""
    place = journey()
    place.claim(place.run())
    with database.transaction() as session:
        settlement.settle(session, place.operation_id, ending, run_id="run-1")
    with pytest.raises(ConflictError, match="already"):
        cancel(place)


def test_a_teardown_cannot_be_cancelled(journey):
    """C-84."""
    place = journey(kind=OperationType.TEARDOWN)
    with pytest.raises(ConflictError, match="teardown cannot be cancelled"):
        cancel(place)
    assert place.operation().status is OperationStatus.PENDING


def test_a_retry_does_again_what_did_not_end_well_and_nothing_else(journey):
    """C-84: the same operation, its next attempt, pending."""
    place = half_done(journey)
    cancel(place)
    retry(place)
    operation = place.operation()
    assert (operation.status, operation.attempt, operation.current_step) == (OperationStatus.PENDING, 2, 0)
    assert (operation.completed_at, operation.error, operation.started_at, operation.run_id) == (None,) * 4
    assert operation.estimated_completion > utcnow()
    assert place.dataset("github_repos").status is S.PROVISIONING
    assert (place.part().active, place.part().outcome) == (False, Outcome.READY)
    assert place.part("github_repos").active
    with place.database.transaction() as session:
        view = operations.find_view(session, place.operation_id)
    assert view is not None
    assert [part.dataset_type for part, _ in view.parts if part.active] == ["github_repos"]
    place.claim(place.run("run-2"), "github_repos")
    with pytest.raises(StaleRunError, match="carried out by run run-2"):
        place.claim(place.run("run-1"), "github_repos")


def test_the_launch_of_an_attempt_that_was_cancelled_is_not_taken_for_the_next_ones(journey, database):
    """C-84: cancelled and retried while Dagster was being asked for the run."""
    place = journey()

    class Slow:
        def launch(self, _: LaunchRequest) -> str:
            cancel(place)
            retry(place)
            return "run-of-attempt-1"

    launch_operation(database, Slow(), place.operation_id)
    assert (place.operation().attempt, place.operation().run_id) == (2, None)


@pytest.mark.parametrize("status", [OperationStatus.PENDING, OperationStatus.IN_PROGRESS, OperationStatus.COMPLETED])
def test_only_what_failed_or_was_cancelled_can_be_retried(journey, status):
    """C-84."""
    place = journey()
    if status is not OperationStatus.PENDING:
        claim = place.claim(place.run())
        if status is OperationStatus.COMPLETED:
            place.move(S.VALIDATING, S.READY)
            finish(place, claim)
    with pytest.raises(ConflictError, match=f"is {status}"):
        retry(place)
    assert place.operation().attempt == 1


def test_a_retry_finds_its_place_taken(journey, database):
    """C-84: by a dataset that did not replace this one, and by one that did."""
    place = journey()
    cancel(place)
    with database.transaction() as session:
        other = place.dataset_row("confluence_pages")
        session.add(other)
    with pytest.raises(ConflictError, match="is taken since") as taken:
        retry(place)
    assert taken.value.details["existing_dataset_id"] == str(other.dataset_id)
    place.move(S.ARCHIVED)
    with pytest.raises(ConflictError, match="is archived since"):
        retry(place)
    assert (place.operation().status, place.dataset().status) == (OperationStatus.CANCELLED, S.ARCHIVED)


def test_a_retry_finds_that_the_dataset_has_moved_on(journey, database):
    """C-84."""
    place = journey()
    cancel(place)
    with database.transaction() as session:
        datasets.move(session, place.part().dataset_id, S.TEARDOWN)
        operations.create(
            session,
            operation_type=OperationType.TEARDOWN,
            client_id=place.client_id,
            stage=place.environment.stage,
            datasets=[(place.part().dataset_id, "confluence_pages")],
        )
    with pytest.raises(ConflictError, match="has moved on since"):
        retry(place)


def test_what_a_teardown_took_out_is_left_out_of_a_retry(journey, database):
    """C-37, C-84."""
    place = journey("confluence_pages", "github_repos")
    place.claim(place.run())
    with database.transaction() as session:
        operation = operations.get(session, place.operation_id, lock=True)
        settlement.preempt(session, operation, operations.parts_of(session, place.operation_id)[0])
        datasets.move(session, place.part().dataset_id, S.TEARDOWN)
        operations.create(
            session,
            operation_type=OperationType.TEARDOWN,
            client_id=place.client_id,
            stage=place.environment.stage,
            datasets=[(place.part().dataset_id, "confluence_pages")],
        )
    cancel(place)
    retry(place)
    assert (place.part().outcome, place.part().active) == (Outcome.CANCELLED, False)
    assert place.part("github_repos").active
    assert place.dataset().status is S.TEARDOWN


def test_a_retry_and_a_new_dataset_for_the_same_place_at_once_leave_one_of_them(journey, database):
    """C-44, C-84: the index decides, and the loser is told so."""
    place = journey()
    cancel(place)
    barrier, won, lost = threading.Barrier(2), [], []

    def race(name, work):
        barrier.wait()
        try:
            work()
            won.append(name)
        except ConflictError:
            lost.append(name)

    def new_dataset():
        with database.transaction() as session:
            replaced = place.part().dataset_id
            datasets.move(session, replaced, S.ARCHIVED, source=S.FAILED)
            session.add(place.dataset_row("confluence_pages"))

    threads = [
        threading.Thread(target=race, args=("retry", lambda: retry(place))),
        threading.Thread(target=race, args=("new", new_dataset)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 1)
    assert place.dataset().status is (S.PROVISIONING if won == ["retry"] else S.ARCHIVED)


def test_of_ten_retries_at_once_one_makes_the_next_attempt(journey):
    """C-84."""
    place = journey()
    cancel(place)
    barrier, won, lost = threading.Barrier(10), [], []

    def race():
        barrier.wait()
        try:
            won.append(retry(place).attempt)
        except ConflictError:
            lost.append(1)

    threads = [threading.Thread(target=race) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (won, len(lost)) == ([2], 9)


class Runs:
    """Dagster's word on runs, as a test says it."""

    def __init__(self, **states: str) -> None:
        self.states = states
        self.stopped: list[str] = []
        self.given_up: list[str] = []
        self.reachable = True

    def sweep(self, database) -> list[str]:
        return stop_unwanted(database, self.find, self.stop, lambda run_id, _: self.given_up.append(run_id))

    def find(self, run_ids: Sequence[str]) -> dict[str, RunState]:
        return {one: RunState(one, self.states[one]) for one in run_ids if one in self.states}

    def stop(self, run_id: str) -> bool:
        self.stopped.append(run_id)
        if self.reachable:
            self.states[run_id] = "CANCELING"
        return self.reachable


def test_a_run_that_could_not_be_stopped_is_stopped_later_and_then_forgotten(journey, database):
    """C-84: no run goes on for ever."""
    place = journey()
    place.claim(place.run())
    cancel(place)
    runs = Runs(**{"run-1": "STARTED"})
    runs.reachable = False
    assert runs.sweep(database) == ["run-1"]
    assert runs.given_up == []
    runs.reachable = True
    assert runs.sweep(database) == ["run-1"]
    assert runs.sweep(database) == []
    assert runs.stopped == ["run-1"] * 2
    runs.states["run-1"] = "CANCELED"
    assert runs.sweep(database) == []
    assert unwanted(place) == []


def test_a_run_whose_process_cannot_be_found_is_given_up_in_the_end(journey, database):
    """C-84."""
    place = journey()
    place.claim(place.run())
    cancel(place)
    with database.transaction() as session:
        session.execute(
            text("UPDATE run_stops SET asked_at = :then"),
            {"then": utcnow() - STOP_PATIENCE - timedelta(seconds=1)},
        )
    runs = Runs(**{"run-1": "STARTED"})
    runs.reachable = False
    runs.sweep(database)
    assert runs.given_up == ["run-1"]


def test_a_run_that_dagster_does_not_know_is_forgotten(journey, database):
    """C-84."""
    place = journey()
    place.claim(place.run())
    cancel(place)
    assert Runs().sweep(database) == []
    assert unwanted(place) == []
