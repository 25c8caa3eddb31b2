"""What the registry makes of runs that Dagster's UI started, repeated, cancelled, deleted (C-81, C-84, C-86, C-87)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from time import monotonic

import pytest
from sqlalchemy import update

from dataops_core.clock import utcnow
from dataops_core.errors import StaleRunError
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, OperationStatus, OperationType, Outcome
from dataops_core.provisioning import fencing, settlement
from dataops_core.provisioning.launching import (
    STOP_PATIENCE,
    due_launches,
    run_ended,
    settle_quiet,
    stop_unwanted,
    take_launch,
)
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.provisioning.silence import Silences
from dataops_core.provisioning.step import failing
from dataops_core.quality.model import CheckResult
from dataops_core.registry import datasets, launches, operations, quality, stops
from dataops_core.registry.tables import Operation, RunStop
from dataops_core.runs import RunState

TYPE, OTHER = "confluence_pages", "github_repos"
SCHEMA, HEALTH = CheckType.SCHEMA_VALIDATION, CheckType.CONNECTOR_HEALTH
LOST_AFTER = timedelta(seconds=30)


def quiet(database, *, launched_as=None, age=timedelta(seconds=20)) -> None:
    """Nothing was heard of any operation for so long; their run is this one."""
    values = {"beat_at": utcnow() - age} | ({"run_id": launched_as} if launched_as is not None else {})
    with database.transaction() as session:
        session.execute(update(Operation).values(values))


def asked_about(database, **states: str) -> list[str]:
    """Dagster says this of runs; those that were given up."""
    known = {run_id: RunState(run_id, status) for run_id, status in states.items()}
    silences, later = Silences(), monotonic() + LOST_AFTER.total_seconds()
    first = settle_quiet(database, lambda _: known, silences, lost_after=LOST_AFTER)
    with pytest.MonkeyPatch.context() as patch:  # whoever looks has looked for long
        patch.setattr("dataops_core.provisioning.silence.monotonic", lambda: later)
        return [
            lost.run_id for lost in first + settle_quiet(database, lambda _: known, silences, lost_after=LOST_AFTER)
        ]


def unwanted(database) -> list[str]:
    with database.transaction() as session:
        return [row.run_id for row, _ in stops.runs_to_stop(session)]


def finish(database, place) -> None:
    """The provisioning has ended well, carried by run-1."""
    claim = place.claim(place.run())
    place.move(DatasetStatus.VALIDATING, DatasetStatus.READY)
    with database.transaction() as session:
        held = fencing.hold(session, claim)
        settlement.finish_dataset(session, held.operation, held.part, Outcome.READY)


def say(database, claim, check: CheckType, status: CheckStatus) -> None:
    """A check of this claim has given its verdict."""
    result = CheckResult(check, status, Decimal(0) if status is CheckStatus.FAILED else None, "as it is", {})
    with database.transaction() as session:
        quality.add(
            session,
            result,
            dataset_id=claim.dataset_id,
            operation_id=claim.operation_id,
            attempt=claim.attempt,
            executed_at=utcnow(),
            duration_ms=1,
        )


def test_a_run_that_was_killed_before_its_first_step_is_given_up(journey, database):
    """C-81, C-86: it counts as begun when Dagster says so, and must beat from then on."""
    place = journey()
    quiet(database, launched_as="run-1")
    assert asked_about(database, **{"run-1": "STARTED"}) == []
    begun = place.operation()
    assert (begun.status, begun.current_step) == (OperationStatus.IN_PROGRESS, 1)
    assert begun.started_at is not None
    quiet(database, age=LOST_AFTER)
    assert asked_about(database, **{"run-1": "STARTED"}) == ["run-1"]
    assert place.operation().error["code"] == "RUN_LOST"


def test_a_run_that_waits_for_its_turn_is_not_asked_about_all_the_time(journey, database):
    """C-86: however long it waits, it is not lost, and others are asked about before it."""
    place = journey()
    quiet(database, launched_as="run-1", age=timedelta(hours=1))
    assert asked_about(database, **{"run-1": "STARTING"}) == []
    waiting = place.operation()
    assert waiting.status is OperationStatus.PENDING
    assert utcnow() - waiting.beat_at < timedelta(seconds=15)


def test_an_operation_whose_run_was_deleted_says_so(journey, database):
    """C-86."""
    place = journey()
    quiet(database, launched_as="run-1")
    asked_about(database)
    operation = place.operation()
    assert operation.status is OperationStatus.FAILED
    assert operation.error["code"] == "RUN_LOST"
    assert "deleted" in operation.error["message"]


def test_a_run_that_was_given_up_is_asked_to_stop_and_ended_in_dagster(journey, database):
    """C-86: also where it was the API that gave it up; a process that is found has time to end."""
    place = journey()
    place.claim(place.run())
    quiet(database, age=LOST_AFTER)
    with database.transaction() as session:
        last_beat = operations.get(session, place.operation_id).beat_at
        assert settlement.settle_silent(session, place.operation_id, last_beat=last_beat)
    assert unwanted(database) == ["run-1"]
    answers, given_up = iter([None, True, False, False]), []

    def sweep(status: str) -> None:
        with database.transaction() as session:
            session.execute(update(RunStop).values(asked_at=RunStop.asked_at - STOP_PATIENCE))
        stop_unwanted(
            database,
            lambda ids: {one: RunState(one, status) for one in ids},
            lambda _: next(answers),
            lambda run_id, lost: given_up.append((run_id, lost)),
        )

    sweep("STARTED")  # nobody can be asked now
    sweep("STARTED")  # the process is there
    assert given_up == []
    with database.transaction() as session:
        ((asked, status),) = stops.runs_to_stop(session)
        assert utcnow() - asked.asked_at < STOP_PATIENCE
        assert status is OperationStatus.FAILED
    sweep("STARTED")  # it is gone
    assert given_up == [("run-1", True)]


def test_a_teardown_of_an_operations_last_dataset_has_its_run_stopped(journey, database):
    """C-37: not before."""
    place = journey(TYPE, OTHER)
    place.claim(place.run())
    for dataset_type, stopped in ((TYPE, []), (OTHER, ["run-1"])):
        with database.transaction() as session:
            operation = operations.get(session, place.operation_id, lock=True)
            part = next(
                part for part in operations.parts_of(session, place.operation_id) if part.dataset_type == dataset_type
            )
            settlement.preempt(session, operation, part)
        assert unwanted(database) == stopped
    assert place.operation().status is OperationStatus.CANCELLED


def test_a_run_that_was_cancelled_before_it_claimed_its_operation_is_not_launched_again(journey, database):
    """C-81: whichever sensor comes first."""
    told = journey()
    with database.transaction() as session:
        launches.lease_launch(session, told.operation_id)
    run_ended(database, "run-9", RunEnding.FAILURE, launched_for=(told.operation_id, 1))
    assert told.operation().status is OperationStatus.PENDING
    run_ended(database, "run-9", RunEnding.CANCELED, launched_for=(told.operation_id, 2))
    assert told.operation().status is OperationStatus.PENDING
    run_ended(database, "run-9", RunEnding.CANCELED, launched_for=(told.operation_id, 1))
    assert (told.operation().status, told.operation().run_id) == (OperationStatus.CANCELLED, "run-9")

    found = journey()
    assert take_launch(database, found.operation_id, lambda *_: None) is not None
    with database.transaction() as session:
        session.execute(update(Operation).values(launch_lease_until=utcnow() - timedelta(seconds=1)))
    assert due_launches(database, lambda *_: RunState("run-8", "CANCELED"), grace=timedelta(0)) == []
    assert (found.operation().status, found.operation().run_id) == (OperationStatus.CANCELLED, "run-8")


def test_checks_that_are_run_alone_by_hand_are_a_validation_of_these_checks(journey, database):
    """C-63, C-87: each type of its own."""
    place = journey(TYPE, OTHER)
    with database.transaction() as session:
        for part in operations.parts_of(session, place.operation_id):
            for status in (DatasetStatus.VALIDATING, DatasetStatus.READY):
                datasets.move(session, part.dataset_id, status)
            operation = operations.get(session, place.operation_id, lock=True)
            settlement.finish_dataset(session, operation, part, Outcome.READY)
    run = fencing.RunIdentity("by-hand", checks={TYPE: (SCHEMA,), OTHER: (SCHEMA, HEALTH)})
    first = place.claim(run, TYPE, step=None)
    assert place.claim(run, OTHER, step=None).operation_id == first.operation_id
    operation = place.operation(first.operation_id)
    assert (operation.operation_type, operation.total_steps) == (OperationType.VALIDATION, 2)
    assert operations.checks_of(operation, TYPE) == (SCHEMA,)
    assert operations.checks_of(operation, OTHER) == (SCHEMA, HEALTH) == operations.checks_of(operation)


def test_a_repeated_run_goes_on_from_what_the_run_before_it_carried(journey, database):
    """C-87: its tags name the first operation of them all, or none."""
    place = journey()
    finish(database, place)
    repeated = place.claim(place.run("run-2", parent="run-1"))
    with database.transaction() as session:
        settlement.settle(session, repeated.operation_id, RunEnding.FAILURE, run_id="run-2")
    again = place.claim(place.run("run-3", parent="run-2"))
    assert (again.operation_id, again.attempt) == (repeated.operation_id, 2)
    with database.transaction() as session:
        settlement.settle(session, repeated.operation_id, RunEnding.SUCCESS, run_id="run-3")
    newest = place.claim(place.run("run-4", parent="run-3"))
    assert place.operation(newest.operation_id).rerun_of == repeated.operation_id
    with database.transaction() as session:
        settlement.settle(session, newest.operation_id, RunEnding.CANCELED, run_id="run-4")
    by_hand = replace(place.run("run-5", parent="run-4"), operation_id=None)
    assert place.claim(by_hand).operation_id == newest.operation_id
    with pytest.raises(StaleRunError, match="has moved on since"):
        place.claim(place.run("run-6", parent="run-1"))


def test_a_rerun_of_the_checks_that_had_failed_and_fail_again_tells_their_reason(journey, database):
    """C-62, C-87: not that of the run, which stopped before it published anything."""
    place = journey()
    claim = place.claim(place.run())
    place.move(DatasetStatus.VALIDATING)
    say(database, claim, HEALTH, CheckStatus.FAILED)
    run_ended(database, "run-1", RunEnding.FAILURE)
    assert place.operation().error["code"] == "QUALITY_CHECK_FAILED"
    assert "connector_health: as it is" in place.dataset().error_message

    place.claim(place.run("run-2", parent="run-1"))
    run_ended(database, "run-2", RunEnding.FAILURE)
    assert place.operation().error["code"] == "RUN_FAILED"


def test_an_interrupt_that_shows_as_an_error_of_a_librarys_cancels_the_operation(journey, database):
    """C-81: somebody stopped the run, and nothing is wrong with the step."""
    place = journey()
    claim = place.claim(place.run())
    with pytest.raises(ZeroDivisionError), failing(database, claim, lambda: True):
        1 / 0  # noqa: B018
    operation = place.operation()
    assert (operation.status, operation.error["code"]) == (OperationStatus.CANCELLED, "CANCELLED")


def test_a_validation_whose_rerun_got_the_missing_verdict_is_completed_whatever_dagster_calls_it(journey, database):
    """C-63."""
    place = journey(kind=OperationType.VALIDATION)
    place.move(DatasetStatus.VALIDATING, DatasetStatus.READY)
    with database.transaction() as session:
        session.execute(update(Operation).values(request={"checks": [SCHEMA.value, HEALTH.value]}))
    claim = place.claim(place.run(), step=None)
    say(database, claim, SCHEMA, CheckStatus.FAILED)
    say(database, claim, HEALTH, CheckStatus.ERROR)
    run_ended(database, "run-1", RunEnding.FAILURE)
    assert place.operation().status is OperationStatus.FAILED
    claim = place.claim(place.run("run-2", parent="run-1"), step=None)
    say(database, claim, HEALTH, CheckStatus.FAILED)
    run_ended(database, "run-2", RunEnding.FAILURE)
    assert (place.operation().status, place.operation().error) == (OperationStatus.COMPLETED, None)
