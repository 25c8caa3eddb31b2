"""How operations end (C-35, C-81, C-82, C-86)."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType, Outcome
from dataops_core.provisioning import fencing, settlement
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.registry import heartbeats, launches, operations

S = DatasetStatus


@pytest.mark.parametrize(
    ("ending", "status", "code"),
    [
        (RunEnding.FAILURE, OperationStatus.FAILED, "RUN_FAILED"),
        (RunEnding.LOST, OperationStatus.FAILED, "RUN_LOST"),
        (RunEnding.SUCCESS, OperationStatus.FAILED, "RUN_INCOMPLETE"),
        (RunEnding.CANCELED, OperationStatus.CANCELLED, "CANCELLED"),
    ],
)
def test_a_run_that_ends_early_fails_what_it_left_open_with_the_reason(journey, database, ending, status, code):
    place = journey()
    place.claim(place.run())
    with database.transaction() as session:
        assert settlement.settle(session, place.operation_id, ending, run_id="run-1")
    operation, dataset = place.operation(), place.dataset()
    assert operation.status is status
    assert operation.error["code"] == code
    assert operation.completed_at is not None
    assert (dataset.status, dataset.error_code) == (S.FAILED, code)
    assert dataset.error_message


def test_settling_twice_changes_nothing_and_a_strange_run_settles_nothing(journey, database):
    place = journey()
    place.claim(place.run())
    with database.transaction() as session:
        assert not settlement.settle(session, place.operation_id, RunEnding.FAILURE, run_id="run-2")
        assert settlement.settle(session, place.operation_id, RunEnding.FAILURE, run_id="run-1")
    ended = place.operation().completed_at
    with database.transaction() as session:
        assert not settlement.settle(session, place.operation_id, RunEnding.SUCCESS, run_id="run-1")
    assert place.operation().completed_at == ended


def test_some_types_failed_is_a_failed_operation_that_lists_all_and_the_ready_ones_stay(journey, database):
    """C-82."""
    place = journey("confluence_pages", "github_repos")
    good, bad = place.claim(place.run()), place.claim(place.run(), "github_repos")
    place.move(S.VALIDATING, S.READY)
    with database.transaction() as session:
        held = fencing.hold(session, good)
        settlement.finish_dataset(session, held.operation, held.part, Outcome.READY)
    assert place.operation().status is OperationStatus.IN_PROGRESS
    with database.transaction() as session:
        held = fencing.hold(session, bad)
        settlement.fail_dataset(session, held.operation, held.part, code="STORAGE_ERROR", message="The disk is full.")
    operation = place.operation()
    assert operation.status is OperationStatus.FAILED
    assert operation.error["code"] == "STORAGE_ERROR"
    assert list(operation.error["details"]) == [str(bad.dataset_id)]
    assert place.dataset().status is S.READY
    assert place.dataset("github_repos").status is S.FAILED


def test_only_a_run_that_has_been_silent_for_long_is_given_up(journey, database):
    """C-86."""
    place = journey()
    place.claim(place.run())
    heard = place.operation().beat_at
    with database.transaction() as session:
        assert heartbeats.silent_for(session, timedelta(seconds=30)) == []
        session.execute(text("UPDATE operations SET beat_at = beat_at - interval '31 seconds'"))
    with database.transaction() as session:
        (silent,) = heartbeats.silent_for(session, timedelta(seconds=30))
        assert silent.operation_id == place.operation_id
        assert not settlement.settle_silent(session, place.operation_id, last_beat=heard)
        assert settlement.settle_silent(session, place.operation_id, last_beat=silent.beat_at)
    assert place.operation().error["code"] == "RUN_LOST"


def test_a_validation_that_does_not_end_well_leaves_the_dataset_ready(journey, database):
    """C-35, C-84."""
    place = journey()
    claim = place.claim(place.run())
    place.move(S.VALIDATING, S.READY)
    with database.transaction() as session:
        held = fencing.hold(session, claim)
        settlement.finish_dataset(session, held.operation, held.part, Outcome.READY)
        validation = operations.create(
            session,
            operation_type=OperationType.VALIDATION,
            client_id=place.client_id,
            stage=place.environment.stage,
            datasets=[(claim.dataset_id, "confluence_pages")],
            run_id="run-2",
        )
    with database.transaction() as session:
        assert settlement.settle(session, validation.operation_id, RunEnding.LOST, run_id="run-2")
    assert place.dataset().status is S.READY
    assert place.operation(validation.operation_id).status is OperationStatus.FAILED


def test_a_launch_is_leased_to_one_at_a_time_and_noted_once(journey, database):
    place = journey()
    with database.transaction() as session:
        assert launches.lease_launch(session, place.operation_id) == 1
    with database.transaction() as session:
        assert launches.lease_launch(session, place.operation_id) is None
        assert launches.awaiting_launch(session) == []
    with database.transaction() as session:
        session.execute(text("UPDATE operations SET launch_lease_until = now() - interval '1 second'"))
    with database.transaction() as session:
        assert [row.operation_id for row in launches.awaiting_launch(session)] == [place.operation_id]
        assert launches.lease_launch(session, place.operation_id) == 2
        assert launches.record_launch(session, place.operation_id, "run-1", attempt=1)
        assert not launches.record_launch(session, place.operation_id, "run-2", attempt=1)
    with database.transaction() as session:
        assert launches.lease_launch(session, place.operation_id) is None
    assert place.operation().run_id == "run-1"


def test_a_launch_that_dagster_refuses_for_good_fails_the_operation(journey, database):
    place = journey()
    with database.transaction() as session:
        assert settlement.settle_unlaunchable(session, place.operation_id, "There is no such job.")
    assert place.operation().error == {
        "code": "RUN_FAILED",
        "message": "There is no such job.",
        "details": {str(place.part().dataset_id): {"code": "RUN_FAILED", "message": "There is no such job."}},
    }
    assert place.dataset().status is S.FAILED
