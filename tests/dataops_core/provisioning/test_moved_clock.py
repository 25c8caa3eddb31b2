"""The product's clock set forward or back in the middle of the work: nothing is lost, nobody alive is given up.

C-42, C-53, C-54, C-62, C-86. All of the product takes its time from ``dataops_core.clock``; what is moved is that.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dataops_core import clock
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, OperationStatus
from dataops_core.provisioning.launching import due_launches, settle_quiet, take_launch
from dataops_core.provisioning.silence import ONE_MORE_BEAT, Silences
from dataops_core.provisioning.validating import accept_validation
from dataops_core.quality.model import CheckResult
from dataops_core.registry import connectors, heartbeats, quality
from dataops_core.registry.database import Database
from dataops_core.runs import RunState

HOUR = timedelta(hours=1)
LOST_AFTER = timedelta(seconds=30)


class Clocks:
    """The product's clock, and the one that nobody can move; both stand still but for what a test does."""

    def __init__(self) -> None:
        self.wall = datetime.now(UTC)
        self.steady = 1000.0

    def pass_by(self, time: timedelta) -> None:
        self.wall += time
        self.steady += time.total_seconds()


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return clocks.wall.astimezone(tz)

    monkeypatch.setattr(clock, "datetime", Moved)
    monkeypatch.setattr("dataops_core.provisioning.silence.monotonic", lambda: clocks.steady)
    return clocks


@pytest.fixture
def look(database: Database) -> Callable[..., list[Any]]:
    """One process that looks for silent runs, of which Dagster says that they go on."""
    silences = Silences()
    goes_on = RunState("run-1", "STARTED")
    return lambda state=goes_on: settle_quiet(
        database, lambda ids: dict.fromkeys(ids, state), silences, lost_after=LOST_AFTER
    )


def beat(database: Database, place: Any) -> None:
    with database.transaction() as session:
        assert heartbeats.beat(session, place.operation_id, run_id="run-1", attempt=1)


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_run_that_lives_is_not_given_up_for_a_clock_that_was_set(database, journey, clocks, look, by):
    """C-86: it beats on, and no process that looks takes the moved clock for its silence."""
    place = journey()
    place.claim(place.run())
    clocks.wall += by
    for _ in range(12):
        assert look() == []
        clocks.pass_by(timedelta(seconds=5))
        beat(database, place)
    assert place.operation().status is OperationStatus.IN_PROGRESS


def test_a_dead_run_is_given_up_one_beat_after_the_clock_was_set_forward(journey, clocks, look):
    """C-86."""
    place = journey()
    place.claim(place.run())
    clocks.wall += HOUR
    assert look() == []
    clocks.pass_by(ONE_MORE_BEAT)
    assert [lost.operation_id for lost in look()] == [place.operation_id]
    assert place.operation().error["code"] == "RUN_LOST"


def test_a_dead_run_is_given_up_in_time_though_the_clock_was_set_back(journey, clocks, look):
    """C-86: not an hour later."""
    place = journey()
    place.claim(place.run())
    clocks.wall -= HOUR
    assert look() == []
    clocks.pass_by(LOST_AFTER - timedelta(seconds=1))
    assert look() == []
    clocks.pass_by(timedelta(seconds=1))
    assert [lost.operation_id for lost in look()] == [place.operation_id]


def test_a_run_that_ended_before_the_clock_was_set_back_is_settled_at_once(journey, clocks, look):
    """C-86."""
    place = journey()
    place.claim(place.run())
    clocks.wall -= HOUR
    look(RunState("run-1", "FAILURE"))
    assert place.operation().status is OperationStatus.FAILED


def test_what_was_accepted_or_leased_before_the_clock_was_set_back_is_launched_all_the_same(database, journey, clocks):
    """C-42: neither the age of an operation nor a lease of somebody who died waits for the clock to come round."""
    leased, waiting = journey(), journey()
    assert take_launch(database, leased.operation_id, lambda *_: None) is not None
    clocks.wall -= HOUR
    due = due_launches(database, lambda *_: None, grace=timedelta(seconds=2))
    assert {request.operation_id for request in due} == {leased.operation_id, waiting.operation_id}
    assert due_launches(database, lambda *_: None, grace=timedelta(seconds=2)) == []


def test_a_dataset_lives_through_a_clock_that_jumps_about(accept, clocks):
    """C-35, C-53, C-54: made, torn down, restored and torn down again, and the connector is the new one each time."""
    case = accept()
    case.provision()
    clocks.wall -= 24 * HOUR
    teardown = case.tear_down()
    teardown.run_teardown()
    assert (teardown.now().status, case.dataset().status) == (OperationStatus.COMPLETED, DatasetStatus.ARCHIVED)
    restored = case.restore()
    clocks.wall -= HOUR
    restored.run_restore()
    assert (restored.now().status, case.dataset().status) == (OperationStatus.COMPLETED, DatasetStatus.READY)
    with case.services.database.transaction() as session:
        connector = connectors.of_dataset(session, case.dataset().dataset_id)
        assert connector is not None
        assert connector.generation == case.dataset().upload_id
    clocks.wall += 48 * HOUR
    again = case.tear_down()
    again.run_teardown("run-down-2")
    assert case.dataset().status is DatasetStatus.ARCHIVED


def test_the_newest_evaluation_is_the_last_one_made_whatever_the_clock_says(accept, database, clocks):
    """C-60, C-63: a check that fails after the clock was set back is seen, and what was asked before is not fresh."""
    case = accept()
    case.provision()
    dataset_id = case.dataset().dataset_id
    clocks.wall -= HOUR
    with database.transaction() as session:
        made = accept_validation(session, dataset_id, checks=tuple(CheckType), force=False, fresh=timedelta(minutes=5))
        assert made.status is OperationStatus.PENDING
        for check in CheckType:
            worse = CheckResult(check, CheckStatus.FAILED, Decimal("50.00"), "Half of it")
            quality.add(
                session,
                worse,
                dataset_id=dataset_id,
                operation_id=made.operation_id,
                attempt=1,
                executed_at=clocks.wall,
                duration_ms=1,
            )
        now = quality.current(session, dataset_id)
        assert (now.overall, now.meets_threshold) == (Decimal("50.0"), False)
