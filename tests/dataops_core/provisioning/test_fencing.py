"""A run changes a dataset only while it carries the dataset's active operation (C-37, C-87)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from dataops_core.clock import utcnow
from dataops_core.errors import StaleRunError
from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType, Outcome
from dataops_core.provisioning import fencing, settlement
from dataops_core.provisioning.fencing import RunIdentity
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.registry import datasets, operations
from dataops_core.registry.database import Database
from tests.waiting import wait_for

S = DatasetStatus


def settle(database: Database, operation_id, ending: RunEnding, run_id: str = "run-1") -> bool:
    with database.transaction() as session:
        return settlement.settle(session, operation_id, ending, run_id=run_id)


def finish(database: Database, claim, outcome: Outcome = Outcome.READY) -> None:
    with database.transaction() as session:
        held = fencing.hold(session, claim)
        settlement.finish_dataset(session, held.operation, held.part, outcome)


def test_the_first_run_carries_a_pending_operation(journey):
    place = journey()
    place.claim(place.run())
    operation = place.operation()
    assert operation.status is OperationStatus.IN_PROGRESS
    assert (operation.run_id, operation.current_step) == ("run-1", 1)
    assert operation.started_at is not None


def test_of_two_runs_launched_by_a_race_one_carries_the_operation_and_the_other_changes_nothing(journey):
    place = journey()
    place.claim(place.run("run-1"))
    before = place.operation()
    with pytest.raises(StaleRunError, match="carried out by run run-1"):
        place.claim(place.run("run-2"))
    after = place.operation()
    assert (after.run_id, after.attempt, after.beat_at) == (before.run_id, before.attempt, before.beat_at)


def test_of_twenty_runs_that_claim_at_once_exactly_one_succeeds(journey):
    place = journey()
    barrier, winners, refused = threading.Barrier(20), [], []

    def race(number: int) -> None:
        barrier.wait()
        try:
            winners.append(place.claim(place.run(f"run-{number}")).run_id)
        except StaleRunError:
            refused.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    assert len(refused) == 19
    assert place.operation().run_id == winners[0]


def test_a_step_that_finds_what_the_one_before_left_waits_for_nobody_and_writes_nothing(journey, database):
    place = journey()
    place.claim(place.run())
    before = place.operation()
    with database.transaction() as session, ThreadPoolExecutor(1) as thread:
        fencing.hold(session, place.claim(place.run()))
        again = thread.submit(place.claim, place.run()).result(timeout=30)
    assert again.found.dataset.dataset_id == again.dataset_id
    assert again.found.locale == "en_US"
    after = place.operation()
    assert (after.beat_at, after.current_step) == (before.beat_at, before.current_step)


def test_a_step_shows_that_it_lives_where_that_was_not_seen_for_a_second(journey, database):
    place = journey()
    place.claim(place.run())
    for ago in (timedelta(seconds=2), -timedelta(seconds=2)):
        with database.transaction() as session:
            seen = operations.get(session, place.operation_id)
            seen.beat_at = moved = utcnow() - ago
        place.claim(place.run())
        assert place.operation().beat_at != moved


def test_a_step_that_others_were_left_out_before_notes_how_far_it_is(journey):
    place = journey()
    place.claim(place.run())
    assert place.claim(place.run(), step=3).found.part.steps_done == 2
    assert (place.part().steps_done, place.operation().current_step) == (2, 3)


def test_who_waited_for_a_claim_sees_what_was_written_meanwhile(journey, database):
    """Of all three rows, though PostgreSQL looked for them before it waited."""
    place = journey()
    claim = place.claim(place.run())

    def held():
        with database.transaction() as session:
            return fencing.hold(session, claim)

    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as session:
            first = fencing.hold(session, claim)
            second = thread.submit(held)
            wait_for(lambda: waiting(database) == 1, "the second waits for the first")
            first.part.records_path, first.dataset.record_count = "written", 7
            fencing.step_done(session, first, 2)
        seen = second.result(timeout=30)
    assert (seen.part.steps_done, seen.part.records_path) == (2, "written")
    assert (seen.dataset.record_count, seen.operation.current_step) == (7, 3)


def test_who_has_lost_its_claim_does_not_wait_for_the_dataset(journey, database):
    place = journey()
    claim = place.claim(place.run())
    assert settle(database, place.operation_id, RunEnding.LOST)

    def held():
        with database.transaction() as session:
            fencing.hold(session, claim)

    with database.transaction() as session, ThreadPoolExecutor(1) as thread:
        datasets.get(session, claim.dataset_id, lock=True)
        with pytest.raises(StaleRunError, match="moved on"):
            thread.submit(held).result(timeout=30)


def waiting(database: Database) -> int:
    """How many transactions wait for a lock."""
    with database.reading() as connection:
        return connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )


def test_a_claim_is_lost_when_the_operation_was_given_up(journey, database):
    place = journey()
    claim = place.claim(place.run())
    assert settle(database, place.operation_id, RunEnding.LOST)
    with database.transaction() as session, pytest.raises(StaleRunError, match="moved on"):
        fencing.hold(session, claim)
    with pytest.raises(StaleRunError, match="failed already"):
        place.claim(place.run())


def test_a_teardown_takes_the_dataset_away_from_its_run(journey, database):
    place = journey("confluence_pages", "github_repos")
    claim = place.claim(place.run())
    other = place.claim(place.run(), "github_repos")
    with database.transaction() as session:
        operation = operations.get(session, place.operation_id, lock=True)
        part = next(p for p in operations.parts_of(session, place.operation_id) if p.dataset_type == "confluence_pages")
        settlement.preempt(session, operation, part)
    place.move(S.TEARDOWN)
    with database.transaction() as session, pytest.raises(StaleRunError, match="no longer part"):
        fencing.hold(session, claim)
    with database.transaction() as session:
        assert fencing.hold(session, other).part.active
    assert place.operation().status is OperationStatus.IN_PROGRESS


def test_a_repeated_run_goes_on_with_an_operation_that_failed(journey, database):
    place = journey("confluence_pages", "github_repos")
    done = place.claim(place.run(), "github_repos")
    place.claim(place.run())
    place.move(S.VALIDATING, S.READY, dataset_type="github_repos")
    finish(database, done)
    assert settle(database, place.operation_id, RunEnding.FAILURE)
    assert place.dataset().status is S.FAILED

    place.claim(place.run("run-2", parent="run-1"))

    operation = place.operation()
    assert (operation.status, operation.attempt, operation.run_id) == (OperationStatus.IN_PROGRESS, 2, "run-2")
    assert operation.completed_at is None
    assert operation.error is None
    assert place.dataset().status is S.PROVISIONING
    assert place.part("github_repos").outcome is Outcome.READY
    with pytest.raises(StaleRunError, match="carried out by run run-2"):
        place.claim(place.run("run-1"))


def test_a_late_run_that_repeats_nothing_does_not_reopen_an_ended_operation(journey, database):
    place = journey()
    place.claim(place.run())
    settle(database, place.operation_id, RunEnding.CANCELED)
    with pytest.raises(StaleRunError, match="comes too late"):
        place.claim(place.run("run-2"))
    assert place.operation().status is OperationStatus.CANCELLED


def test_a_repeated_run_of_a_completed_operation_is_a_new_operation(journey, database):
    place = journey()
    claim = place.claim(place.run())
    place.move(S.VALIDATING, S.READY)
    finish(database, claim)

    again = place.claim(place.run("run-2", parent="run-1"))

    assert again.operation_id != place.operation_id
    repeated = place.operation(again.operation_id)
    assert repeated.rerun_of == place.operation_id
    assert repeated.status is OperationStatus.IN_PROGRESS
    assert place.operation().status is OperationStatus.COMPLETED
    assert place.dataset().status is S.READY
    assert place.claim(place.run("run-2", parent="run-1")).operation_id == again.operation_id


def test_a_repeated_run_changes_nothing_where_the_dataset_was_replaced(journey, database):
    place = journey()
    place.claim(place.run())
    settle(database, place.operation_id, RunEnding.FAILURE)
    place.move(S.ARCHIVED)
    with database.transaction() as session:
        session.add(place.dataset_row("confluence_pages"))
    with pytest.raises(StaleRunError, match="is archived since"):
        place.claim(place.run("run-2", parent="run-1"))
    assert place.operation().status is OperationStatus.FAILED


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (OperationType.PROVISIONING, "has moved on since"),
        # A validation changes nothing of the dataset, but while it looks nobody else may.
        (OperationType.VALIDATION, "is in the hands of operation"),
    ],
)
def test_a_repeated_run_changes_nothing_where_another_operation_came_after(journey, database, kind, sentence):
    """C-87."""
    place = journey()
    claim = place.claim(place.run())
    place.move(S.VALIDATING, S.READY)
    finish(database, claim)
    with database.transaction() as session:
        operations.create(
            session,
            operation_type=kind,
            client_id=place.client_id,
            stage=place.environment.stage,
            datasets=[(claim.dataset_id, "confluence_pages")],
        )
    with pytest.raises(StaleRunError, match=sentence):
        place.claim(place.run("run-2", parent="run-1"))


def test_a_run_started_by_hand_works_on_the_ready_dataset_and_says_so_where_there_is_none(journey, database):
    place = journey("confluence_pages", "github_repos")
    for dataset_type in ("confluence_pages", "github_repos"):
        claim = place.claim(place.run(), dataset_type)
        place.move(S.VALIDATING, S.READY, dataset_type=dataset_type)
        finish(database, claim)
    by_hand = RunIdentity("run-by-hand")
    first = place.claim(by_hand, "confluence_pages")
    second = place.claim(by_hand, "github_repos")
    assert first.operation_id == second.operation_id != place.operation_id
    with pytest.raises(StaleRunError, match="no live jira_issues dataset"):
        place.claim(RunIdentity("another"), "jira_issues")
    with pytest.raises(StaleRunError, match="in the hands of operation"):
        place.claim(RunIdentity("another"), "confluence_pages")


def test_steps_of_one_run_that_come_at_once_make_one_operation(journey, database):
    """C-87: of a run started by hand for two types, and of one that repeats a completed operation."""
    place = journey("confluence_pages", "github_repos")
    for dataset_type in ("confluence_pages", "github_repos"):
        claim = place.claim(place.run(), dataset_type)
        place.move(S.VALIDATING, S.READY, dataset_type=dataset_type)
        finish(database, claim)
    for run in (RunIdentity("by-hand"), place.run("run-2", parent="by-hand")):
        together = threading.Barrier(4)

        def claim_together(dataset_type: str, run: RunIdentity = run, together: threading.Barrier = together):
            together.wait(10)
            return place.claim(run, dataset_type)

        with ThreadPoolExecutor(4) as threads:
            claims = list(threads.map(claim_together, ["confluence_pages", "github_repos"] * 2))
        assert len({claim.operation_id for claim in claims}) == 1
        for claim in claims[:2]:
            finish(database, claim)
        assert place.operation(claims[0].operation_id).status is OperationStatus.COMPLETED


def test_a_run_started_by_hand_that_made_one_asset_leaves_the_dataset_ready(journey, database):
    place = journey()
    claim = place.claim(place.run())
    place.move(S.VALIDATING, S.READY)
    finish(database, claim)
    by_hand = place.claim(RunIdentity("by-hand"))
    assert settle(database, by_hand.operation_id, RunEnding.SUCCESS, "by-hand")
    assert place.operation(by_hand.operation_id).status is OperationStatus.COMPLETED
    assert place.dataset().status is S.READY


def test_a_run_whose_operation_is_gone_says_so(journey):
    place = journey()
    with pytest.raises(StaleRunError, match="There is no operation"):
        place.claim(RunIdentity("run-1", uuid4()))


def test_a_step_of_another_kind_of_operation_is_refused(journey, database):
    place = journey()
    with database.transaction() as session, pytest.raises(StaleRunError, match="has no such step"):
        fencing.claim(
            session,
            place.run(),
            environment=place.environment,
            dataset_type="confluence_pages",
            kinds=(OperationType.TEARDOWN,),
            step=1,
        )


def test_progress_is_the_lowest_step_of_the_datasets_that_have_not_failed_and_never_falls(journey, database):
    place = journey("confluence_pages", "github_repos")
    first = place.claim(place.run())
    second = place.claim(place.run(), "github_repos")
    for number in (1, 2, 3):
        with database.transaction() as session:
            fencing.step_done(session, fencing.hold(session, first), number)
    assert place.operation().current_step == 1
    with database.transaction() as session:
        fencing.step_done(session, fencing.hold(session, second), 1)
    assert place.operation().current_step == 2
    with database.transaction() as session:
        held = fencing.hold(session, second)
        settlement.fail_dataset(session, held.operation, held.part, code="X", message="It broke.")
    assert place.operation().current_step == 4
    with database.transaction() as session:
        fencing.step_done(session, fencing.hold(session, first), 2)
    assert place.operation().current_step == 4
