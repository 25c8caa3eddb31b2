"""A ready dataset that falls is told of once, and once as it recovers; a doubt and half a validation are not (C-62)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, Finding
from dataops_core.provisioning import proving
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.provisioning.validating import accept_validation
from dataops_core.quality.model import CheckResult
from dataops_core.registry import connectors, quality
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset, Notification
from dataops_core.watching.standing import FELL, RECOVERED, review
from tests.dataops_core.provisioning.conftest import Case
from tests.dataops_core.watching.conftest import Watch
from tests.dataops_core.watching.test_revalidation import dataset_of

PASSED, FAILED, ERROR = CheckStatus.PASSED, CheckStatus.FAILED, CheckStatus.ERROR
QUERIES = CheckType.SAMPLE_QUERY_SUCCESS


@dataclass
class Judged:
    """A ready dataset without files, and what has been told of it."""

    database: Database
    dataset_id: UUID

    def evaluate(self, status: CheckStatus, *checks: CheckType, score: int | None = None) -> None:
        with self.database.transaction() as session:
            operation_id = session.get_one(Dataset, self.dataset_id).operation_id
            for check in checks or tuple(CheckType):
                points = None if status is ERROR else Decimal(score if score is not None else 100)
                quality.add(
                    session,
                    CheckResult(check, status, points, "9/10 test queries successful"),
                    dataset_id=self.dataset_id,
                    operation_id=operation_id,
                    attempt=1,
                    executed_at=utcnow(),
                    duration_ms=1,
                )
            review(session, self.dataset_id)

    def found(self, *findings: Finding) -> None:
        for finding in findings:
            with self.database.transaction() as session:
                connector = connectors.of_dataset(session, self.dataset_id)
                assert connector is not None
                connectors.observe(
                    session, connector.connector_id, finding, "doc_parity: 3 documents", explicit=False, now=utcnow()
                )
                review(session, self.dataset_id)

    def told(self) -> list[str]:
        return [one.event for one in notifications_of(self.database)]

    def dataset(self) -> Dataset:
        with self.database.transaction() as session:
            return session.get_one(Dataset, self.dataset_id)


def notifications_of(database: Database) -> Sequence[Notification]:
    with database.transaction() as session:
        return session.scalars(select(Notification).order_by(Notification.number)).all()


@pytest.fixture
def judged(database: Database) -> Judged:
    made = Judged(database, dataset_of(database))
    made.evaluate(PASSED)
    return made


def test_a_dataset_that_falls_and_recovers_is_told_of_twice(judged: Judged) -> None:
    """C-35, C-62: nine queries of ten leave 98.5, which is not enough; it stays ready."""
    assert judged.told() == []
    for _ in range(3):
        judged.evaluate(FAILED, QUERIES, score=90)
    assert judged.told() == [FELL]
    dataset = judged.dataset()
    assert dataset.status is DatasetStatus.READY
    assert dataset.below_since is not None
    for _ in range(3):
        judged.evaluate(PASSED, QUERIES)
    assert judged.told() == [FELL, RECOVERED]
    assert judged.dataset().below_since is None


def test_what_is_told_says_whose_it_is_and_why(judged: Judged) -> None:
    """C-62."""
    judged.evaluate(FAILED, QUERIES, score=90)
    (notification,) = notifications_of(judged.database)
    told: dict[str, Any] = json.loads(notification.body)
    dataset = judged.dataset()
    assert (notification.dataset_id, notification.client_id) == (dataset.dataset_id, dataset.client_id)
    assert set(told) == {"type", "timestamp", "data"}
    assert told["type"] == FELL
    data = told["data"]
    assert data["dataset_id"] == str(dataset.dataset_id)
    assert data["client_id"] == str(dataset.client_id)
    assert (data["quality_score"], data["threshold"], data["meets_threshold"]) == (98.5, 95.0, False)
    assert data["failed_checks"] == {"sample_query_success": "9/10 test queries successful"}
    assert data["connector"]["status"] == "healthy"
    assert data["below_since"] == told["timestamp"]
    assert data["_links"]["quality"] == f"/v1/dataops/datasets/{dataset.dataset_id}/quality"


def test_a_check_that_could_not_tell_is_neither_a_fall_nor_a_recovery(judged: Judged) -> None:
    """C-62: a transient error proves nothing."""
    judged.evaluate(ERROR, CheckType.CONNECTOR_HEALTH)
    assert judged.told() == []
    judged.evaluate(FAILED, QUERIES, score=0)
    judged.evaluate(PASSED, QUERIES)
    assert judged.told() == [FELL], "one check still could not tell"
    judged.evaluate(PASSED, CheckType.CONNECTOR_HEALTH)
    assert judged.told() == [FELL, RECOVERED]


def test_an_unhealthy_connector_is_a_fall_whatever_the_score_and_flapping_probes_are_one(judged: Judged) -> None:
    """C-62, C-90."""
    judged.found(Finding.UNCLEAR, Finding.CLEAN, Finding.UNCLEAR, Finding.UNCLEAR, Finding.STRAINED)
    assert judged.told() == [], "degraded is no fall"
    judged.found(Finding.FAILED, Finding.CLEAN, Finding.FAILED, Finding.CLEAN, Finding.UNCLEAR, Finding.FAILED)
    assert judged.told() == [FELL]
    told = json.loads(notifications_of(judged.database)[0].body)["data"]
    assert told["connector"]["status_reason"] == "doc_parity: 3 documents"
    judged.found(Finding.CLEAN)
    assert judged.told() == [FELL]
    judged.found(Finding.CLEAN)
    assert judged.told() == [FELL, RECOVERED]


def test_what_is_rolled_back_was_told_to_nobody(judged: Judged) -> None:
    """The notification is written in the transaction of the change."""

    def fall_and_fail() -> None:
        with judged.database.transaction() as session:
            connector = connectors.of_dataset(session, judged.dataset_id)
            assert connector is not None
            connectors.observe(session, connector.connector_id, Finding.FAILED, "x", explicit=False, now=utcnow())
            review(session, judged.dataset_id)
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        fall_and_fail()
    assert judged.told() == []
    assert judged.dataset().below_since is None


def test_half_a_validation_tells_nothing_and_its_end_does(watch: Watch) -> None:
    """C-62, C-63: what failed is made good by checks one after the other; only all of them count."""
    database = watch.services.database
    path, aside = watch.index(), watch.index().with_suffix(".aside")

    def validate(run_id: str) -> list[list[str]]:
        with database.transaction() as session:
            operation = accept_validation(
                session, watch.case.dataset().dataset_id, checks=list(CheckType), force=True, fresh=timedelta(0)
            )
        case, told = Case(watch.services, watch.case.request, operation), []
        for check in CheckType:
            proving.run_check(case.context(run_id), check)
            told.append([one.event for one in notifications_of(database)])
        return told

    assert validate("run-well") == [[]] * 4
    path.rename(aside)
    assert validate("run-down") == [[], [], [], [FELL]]
    aside.rename(path)
    assert validate("run-up") == [[FELL], [FELL], [FELL], [FELL, RECOVERED]]


def test_a_validation_whose_run_was_lost_tells_of_what_it_had_found(watch: Watch) -> None:
    """C-86: the verdicts that it gave count."""
    database = watch.services.database
    with database.transaction() as session:
        operation = accept_validation(
            session, watch.case.dataset().dataset_id, checks=list(CheckType), force=True, fresh=timedelta(0)
        )
    case = Case(watch.services, watch.case.request, operation)
    watch.index().rename(watch.index().with_suffix(".aside"))
    proving.run_check(case.context("run-lost"), CheckType.CONNECTOR_HEALTH)
    assert notifications_of(database) == []
    with database.transaction() as session:
        assert settle(session, operation.operation_id, RunEnding.LOST, run_id="run-lost")
    assert [one.event for one in notifications_of(database)] == [FELL]


def test_the_watch_tells_in_the_transaction_that_moves_the_status(watch: Watch) -> None:
    """C-90."""
    watch.index().rename(watch.index().with_suffix(".aside"))
    watch.look()
    watch.look()
    assert [one.event for one in notifications_of(watch.services.database)] == [FELL]
    assert watch.case.dataset().below_since is not None


def test_a_dataset_that_is_not_ready_is_not_judged(watch: Watch) -> None:
    """C-53."""
    watch.case.tear_down().run_teardown()
    with watch.services.database.transaction() as session:
        review(session, watch.case.dataset().dataset_id)
    assert notifications_of(watch.services.database) == []
