"""Ready datasets are validated again by the clock, by ordinary operations: whose turn it is, and how many (C-63)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from dataops_core.clock import utcnow
from dataops_core.lifecycle import (
    CheckStatus,
    CheckType,
    ConnectorStatus,
    DatasetStatus,
    Finding,
    OperationStatus,
    OperationType,
)
from dataops_core.provisioning import proving
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.provisioning.validating import accept_validation
from dataops_core.quality.model import CheckResult
from dataops_core.registry import connectors, launches, operations, quality
from dataops_core.registry.database import Database
from dataops_core.registry.due import moment_of
from dataops_core.registry.tables import AuditEntry, Dataset, Operation
from dataops_core.settings import Settings
from dataops_core.watching.revalidation import RETRY_AFTER, revalidate_due
from tests.dataops_core.provisioning.conftest import Case, Journey
from tests.dataops_core.watching.conftest import Watch

CONNECTOR = CheckType.CONNECTOR_HEALTH
DAY = timedelta(days=1)


@dataclass
class Ready:
    """A ready dataset, its checks evaluated long ago, without files."""

    database: Database
    dataset_id: UUID
    settings: Settings

    def due(self, **options: datetime) -> list[UUID]:
        return revalidate_due(self.database, self.settings, **options)

    def moment(self) -> datetime:
        """The dataset's newest moment."""
        with self.database.transaction() as session:
            found = session.scalar(
                select(moment_of(utcnow(), DAY)).select_from(Dataset).where(Dataset.dataset_id == self.dataset_id)
            )
            assert found is not None
            return found

    def evaluate(self, at: datetime, status: CheckStatus = CheckStatus.PASSED, *checks: CheckType) -> None:
        with self.database.transaction() as session:
            operation_id = session.get_one(Dataset, self.dataset_id).operation_id
            for check in checks or tuple(CheckType):
                quality.add(
                    session,
                    CheckResult(check, status, None if status is CheckStatus.ERROR else Decimal(100), "Said so"),
                    dataset_id=self.dataset_id,
                    operation_id=operation_id,
                    attempt=1,
                    executed_at=at,
                    duration_ms=1,
                )

    def found(self, *findings: Finding, at: datetime | None = None) -> None:
        """What the watch has found of the connector."""
        with self.database.transaction() as session:
            connector = connectors.of_dataset(session, self.dataset_id)
            assert connector is not None
            for finding in findings:
                connectors.observe(
                    session, connector.connector_id, finding, "doc_parity: 3", explicit=False, now=at or utcnow()
                )

    def operation(self, operation_id: UUID) -> Operation:
        with self.database.transaction() as session:
            return operations.get(session, operation_id)

    def end(self, operation_id: UUID) -> None:
        """The operation's run is lost."""
        with self.database.transaction() as session:
            launches.record_launch(session, operation_id, str(operation_id), attempt=1)
        with self.database.transaction() as session:
            assert settle(session, operation_id, RunEnding.LOST, run_id=str(operation_id))


def dataset_of(database: Database) -> UUID:
    journey = Journey(database).begin("confluence_pages")
    journey.move(DatasetStatus.VALIDATING, DatasetStatus.READY)
    dataset_id = journey.dataset().dataset_id
    with database.transaction() as session:
        assert launches.lease_launch(session, journey.operation_id) == 1
        launches.record_launch(session, journey.operation_id, str(dataset_id), attempt=1)
        connector = connectors.create_connector(
            session, connector_id=dataset_id, dataset_id=dataset_id, now=utcnow() - DAY
        )
        connectors.observe(session, connector.connector_id, Finding.CLEAN, None, explicit=True, now=utcnow() - DAY)
    with database.transaction() as session:
        assert settle(session, journey.operation_id, RunEnding.SUCCESS, run_id=str(dataset_id))
    return dataset_id


@pytest.fixture
def ready(database: Database, tmp_path: Path) -> Ready:
    made = Ready(database, dataset_of(database), Settings(home=tmp_path))
    made.evaluate(utcnow() - 3 * DAY)
    return made


def test_a_dataset_is_validated_once_at_its_moment_by_an_operation_of_the_systems(ready: Ready) -> None:
    """C-63, C-35: all four checks; the audit log says that nobody asked for it."""
    (operation_id,) = ready.due()

    operation = ready.operation(operation_id)
    assert (operation.operation_type, operation.status) == (OperationType.VALIDATION, OperationStatus.PENDING)
    assert operations.checks_of(operation) == tuple(CheckType)
    assert (operations.is_scheduled(operation), operation.api_client_id, operation.request_id) == (True, None, None)
    with ready.database.transaction() as session:
        made = session.scalars(select(AuditEntry).where(AuditEntry.resource_id == str(operation_id))).one()
        assert (made.actor_kind, made.actor_id, made.action) == ("system", None, "created")
        assert session.get_one(Dataset, ready.dataset_id).status is DatasetStatus.READY
    assert ready.due() == []


@pytest.mark.parametrize(("seconds", "count"), [(-1, 0), (1, 1)])
def test_its_turn_comes_at_its_moment_and_not_before(ready: Ready, seconds: int, count: int) -> None:
    """C-63."""
    ready.evaluate(utcnow())
    assert ready.due() == []
    assert len(ready.due(now=ready.moment() + DAY + timedelta(seconds=seconds))) == count


def test_a_check_that_could_not_tell_since_then_counts_for_nothing(ready: Ready) -> None:
    """C-62."""
    ready.evaluate(utcnow())
    later = ready.moment() + DAY + timedelta(hours=1)
    ready.evaluate(later)
    assert ready.due(now=later) == []
    ready.evaluate(later - timedelta(minutes=1), CheckStatus.ERROR, CheckType.SAMPLE_QUERY_SUCCESS)
    assert ready.due(now=later) == []
    with ready.database.transaction() as session:
        session.execute(
            update(quality.QualityResult)
            .where(
                quality.QualityResult.executed_at == later,
                quality.QualityResult.check_type == CheckType.SAMPLE_QUERY_SUCCESS,
            )
            .values(status=CheckStatus.ERROR, score=None)
        )
    assert len(ready.due(now=later)) == 1


def test_one_that_was_in_vain_is_tried_again_after_an_hour_and_not_at_every_tick(ready: Ready) -> None:
    """C-86: its run was lost."""
    (first,) = ready.due()
    ready.end(first)
    assert ready.operation(first).status is OperationStatus.FAILED
    assert ready.due() == []
    assert ready.due(now=utcnow() + RETRY_AFTER - timedelta(minutes=1)) == []
    assert len(ready.due(now=utcnow() + RETRY_AFTER + timedelta(minutes=1))) == 1


def test_a_dataset_in_an_operations_hands_is_left_alone(ready: Ready) -> None:
    """C-37."""
    with ready.database.transaction() as session:
        accept_validation(session, ready.dataset_id, checks=[CONNECTOR], force=True, fresh=timedelta(0))
    assert ready.due() == []


def test_no_more_are_under_way_at_once_than_may_be(ready: Ready) -> None:
    """C-63: also where all are due, as after a week in which nothing ran."""
    for _ in range(5):
        dataset_of(ready.database)
    first = ready.due()
    assert len(first) == 4
    assert ready.due() == []
    ready.end(first[0])
    assert len(ready.due()) == 1
    assert ready.due() == []


def test_two_at_once_begin_nothing_twice(ready: Ready) -> None:
    """A second daemon on the same database (C-37)."""
    for _ in range(3):
        dataset_of(ready.database)
    with ThreadPoolExecutor(4) as pool:
        begun = [one for future in [pool.submit(ready.due) for _ in range(8)] for one in future.result()]
    with ready.database.transaction() as session:
        made = session.scalars(select(Operation).where(Operation.operation_type == OperationType.VALIDATION)).all()
    assert sorted(begun) == sorted(one.operation_id for one in made)
    assert len(made) <= 4


def test_it_can_be_switched_off(ready: Ready) -> None:
    ready.settings = ready.settings.model_copy(update={"revalidation_hours": 0.0})
    assert ready.due(now=utcnow() + 30 * DAY) == []


@pytest.mark.parametrize("hours", [0.0, 8760.0])
def test_a_connector_that_was_found_otherwise_than_its_check_says_is_checked_once(ready: Ready, hours: float) -> None:
    """C-63, C-90: the score follows the connector, down and up, also where nothing else is validated by the clock."""
    ready.settings = ready.settings.model_copy(update={"revalidation_hours": hours})
    ready.evaluate(utcnow() - timedelta(seconds=5))
    assert ready.due() == []
    ready.found(Finding.FAILED)
    (down,) = ready.due()
    assert operations.checks_of(ready.operation(down)) == (CONNECTOR,)
    ready.evaluate(utcnow(), CheckStatus.FAILED, CONNECTOR)
    ready.end(down)
    soon = utcnow() + timedelta(minutes=6)
    assert ready.due(now=soon) == []
    ready.found(Finding.CLEAN)
    assert ready.due(now=soon) == []
    ready.found(Finding.CLEAN)
    (up,) = ready.due(now=soon)
    assert operations.checks_of(ready.operation(up)) == (CONNECTOR,)
    ready.evaluate(utcnow(), CheckStatus.PASSED, CONNECTOR)
    ready.end(up)
    assert ready.due(now=soon + timedelta(minutes=6)) == []


def test_a_connector_of_which_nothing_could_be_told_is_not_checked_for_that(ready: Ready) -> None:
    """C-62: a check could tell no more; hundreds of runs would tell nothing while the service is away."""
    ready.evaluate(utcnow() - timedelta(seconds=5))
    ready.found(Finding.UNCLEAR, Finding.UNCLEAR, Finding.UNCLEAR)
    with ready.database.transaction() as session:
        connector = connectors.of_dataset(session, ready.dataset_id)
        assert connector is not None
        assert connector.status is ConnectorStatus.UNHEALTHY
    assert ready.due() == []


def test_a_check_that_the_clock_asked_for_is_one_look_among_others(watch: Watch) -> None:
    """C-90: it makes nothing well that was unhealthy a moment ago, where a person's own check would."""
    path, aside = watch.index(), watch.index().with_suffix(".aside")
    path.rename(aside)
    assert [change.after for change in watch.look().changes] == [ConnectorStatus.UNHEALTHY]
    aside.rename(path)
    settings = watch.services.settings.model_copy(update={"revalidation_hours": 0.0})
    (operation_id,) = revalidate_due(watch.services.database, settings, now=utcnow() + timedelta(minutes=6))
    with watch.services.database.transaction() as session:
        operation = operations.get(session, operation_id)
    case = Case(watch.services, watch.case.request, operation)

    result = proving.run_check(case.context("run-again"), CONNECTOR)

    assert result.status is CheckStatus.PASSED
    assert case.now().status is OperationStatus.COMPLETED
    assert watch.connector().status is ConnectorStatus.UNHEALTHY
    assert [change.after for change in watch.look().changes] == [ConnectorStatus.HEALTHY]
    assert revalidate_due(watch.services.database, settings, now=utcnow() + timedelta(hours=1)) == []
