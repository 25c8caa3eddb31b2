"""What is too old goes, kind by kind, and nothing else: archives, evaluations, tokens, notifications and usage."""

import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from dataops_core.clock import rfc3339, utcnow
from dataops_core.errors import ConflictError
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, TokenKind
from dataops_core.registry import connectors, notifications, quality, usage
from dataops_core.registry.tables import Base, ConnectorToken, Dataset, Notification, QualityResult
from dataops_core.upkeep.retention import clean_up
from tests.dataops_core.upkeep.cleaning import DAY, NoRuns, change, cleaned


def test_every_table_ages_or_is_named_here_as_one_that_may_grow(services):
    """A row each of what there is, was asked for or is configured; all else is removed for its age."""
    aged = {"idempotency_keys", "connector_tokens", "quality_results", "notifications", "operations", "audit_log"}
    aged |= {"journeys", "journey_events", "usage_days"}
    goes_with_its_owner = {"operation_datasets", "journey_event_datasets", "usage_before"}
    one_of_each = {"installation", "customers", "api_clients", "signing_keys", "datasets", "connectors"}
    one_of_each |= {"orphan_search"}
    stays_small = {"dataset_counts", "operation_counts", "run_stops"}
    assert Base.metadata.tables.keys() == aged | goes_with_its_owner | one_of_each | stays_small
    removed = clean_up(services, NoRuns()).keys()
    renamed = {"quality_results": "evaluations", "audit_log": "audit_entries"}
    assert {renamed.get(table, table) for table in aged} == removed - {
        "archives",
        "runs",
        "shown_checks",
        "events",
        "logs",
    }


def archive_of(case) -> Path:
    return Path(case.services.storage.path(case.services.storage.archive_folder(case.dataset().dataset_id)))


def test_an_archive_that_is_too_old_goes_and_a_restore_says_so(archived, services):
    """C-54."""
    dataset_id = archived.dataset().dataset_id
    change(services, Dataset, Dataset.dataset_id == dataset_id, archived_at=utcnow() - 364 * DAY)
    assert cleaned(services) == {}
    assert archive_of(archived).is_dir()
    change(services, Dataset, Dataset.dataset_id == dataset_id, archived_at=utcnow() - 366 * DAY)
    assert cleaned(services, keep_archives_days=0) == {}
    assert cleaned(services, keep_archives_days=365) == {"archives": 1}
    after = archived.dataset()
    assert (after.status, after.archive_path) == (DatasetStatus.ARCHIVED, None)
    assert not archive_of(archived).exists()
    with pytest.raises(ConflictError, match="removed for its age") as refused:
        archived.restore()
    assert refused.value.details["archive_removed_at"] == rfc3339(after.archive_removed_at)
    assert cleaned(services) == {}


def test_an_archive_from_which_a_restore_is_under_way_stays(archived, services):
    """C-54."""
    dataset_id = archived.dataset().dataset_id
    back = archived.restore()
    # As far as the status goes it could be one that came to nothing: the operation alone says that it is under way.
    change(services, Dataset, Dataset.dataset_id == dataset_id, archived_at=utcnow() - 999 * DAY)
    assert cleaned(services) == {}
    change(services, Dataset, Dataset.dataset_id == dataset_id, status=DatasetStatus.ARCHIVED)
    assert cleaned(services) == {}
    change(services, Dataset, Dataset.dataset_id == dataset_id, status=DatasetStatus.PROVISIONING)
    back.run_restore()
    assert archived.dataset().status is DatasetStatus.READY
    assert cleaned(services) == {}


def test_an_archive_whose_files_cannot_go_now_is_given_up_all_the_same(archived, services, monkeypatch):
    """The files are what the search for orphans finds."""
    change(services, Dataset, Dataset.dataset_id == archived.dataset().dataset_id, archived_at=utcnow() - 999 * DAY)
    monkeypatch.setattr(services.storage.filesystem, "rm", lambda *_, **__: (_ for _ in ()).throw(OSError(30, "no")))
    assert cleaned(services) == {"archives": 1}
    assert archived.dataset().archive_path is None
    assert archive_of(archived).is_dir()


def evaluate(services, dataset_id, check, *, age, status=CheckStatus.PASSED):
    with services.database.transaction() as session:
        row = quality.add(
            session,
            quality.CheckResult(
                check, status, None if status is CheckStatus.ERROR else Decimal(100), "10/10 test queries", {}
            ),
            dataset_id=dataset_id,
            operation_id=uuid4(),
            attempt=1,
            executed_at=utcnow() - age,
            duration_ms=1,
        )
        return row.check_id


def test_of_the_history_each_checks_newest_evaluation_and_newest_verdict_stay(journey, services):
    """C-60, C-64: the score is what it was."""
    dataset_id = journey().dataset().dataset_id
    health, queries = CheckType.CONNECTOR_HEALTH, CheckType.SAMPLE_QUERY_SUCCESS
    gone = {
        evaluate(services, dataset_id, health, age=400 * DAY),
        evaluate(services, dataset_id, health, age=300 * DAY),
    }
    verdict = evaluate(services, dataset_id, health, age=200 * DAY)
    gone.add(evaluate(services, dataset_id, health, age=190 * DAY, status=CheckStatus.ERROR))
    unclear = evaluate(services, dataset_id, health, age=180 * DAY, status=CheckStatus.ERROR)
    old_and_alone = evaluate(services, dataset_id, queries, age=500 * DAY)
    gone.add(evaluate(services, dataset_id, CheckType.DATA_COMPLETENESS, age=91 * DAY))
    young = [evaluate(services, dataset_id, CheckType.DATA_COMPLETENESS, age=age * DAY) for age in (1, 89)]
    with services.database.transaction() as session:
        before = quality.current(session, dataset_id)
    assert cleaned(services, keep_quality_history_days=0) == {}
    assert cleaned(services, keep_quality_history_days=90) == {"evaluations": len(gone)}
    with services.database.transaction() as session:
        assert set(session.scalars(select(QualityResult.check_id))) == {verdict, unclear, old_and_alone, *young}
        after = quality.current(session, dataset_id)
    assert (after.overall, after.meets_threshold) == (before.overall, before.meets_threshold)
    assert {check: row.check_id for check, row in after.newest.items()} == {
        check: row.check_id for check, row in before.newest.items()
    }


def test_more_than_a_batch_goes_and_two_at_once_leave_the_newest(journey, services):
    """Twice at once: neither fails, and what must stay stays."""
    dataset_id = journey().dataset().dataset_id
    now = utcnow()
    rows = [
        {
            "check_id": uuid4(),
            "dataset_id": dataset_id,
            "operation_id": uuid4(),
            "attempt": 1,
            "check_type": CheckType.CONNECTOR_HEALTH,
            "status": CheckStatus.PASSED,
            "score": 100,
            "details": "",
            "metrics": {},
            "executed_at": now - 100 * DAY - timedelta(seconds=number),
            "duration_ms": 1,
        }
        for number in range(5001)
    ]
    with services.database.transaction() as session:
        session.execute(QualityResult.__table__.insert(), rows)
    removed, at_once = [], threading.Barrier(2)

    def run() -> None:
        at_once.wait()
        removed.append(clean_up(services, NoRuns())["evaluations"])

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One that meets only rows in the other's hands ends early: together they remove each row once.
    assert sum(removed) + clean_up(services, NoRuns())["evaluations"] == 5000
    with services.database.transaction() as session:
        assert session.scalars(select(QualityResult.check_id)).all() == [rows[0]["check_id"]]


def test_tokens_go_some_time_after_they_ended(journey, services):
    """C-90."""
    now, dataset_id = utcnow(), journey().dataset().dataset_id
    with services.database.transaction() as session:
        connector = connectors.create_connector(session, connector_id=uuid4(), dataset_id=dataset_id, now=now)

        def issue(**ends):
            made = connectors.issue_token(
                session,
                services.keyring,
                connector_id=connector.connector_id,
                kind=TokenKind.SEARCH,
                lifetime=DAY,
                now=now,
            )
            for column, moment in ends.items():
                setattr(session.get_one(ConnectorToken, made.token_id), column, moment)
            return made.token_id

        staying = {
            issue(),
            issue(expires_at=now - 29 * DAY),
            issue(expires_at=now + DAY, revoked_at=now - 29 * DAY),
        }
        issue(expires_at=now - 31 * DAY)
        issue(expires_at=now + 99 * DAY, revoked_at=now - 31 * DAY)
    assert cleaned(services, keep_tokens_days=0) == {}
    assert cleaned(services, keep_tokens_days=30) == {"connector_tokens": 2}
    with services.database.transaction() as session:
        assert set(session.scalars(select(ConnectorToken.token_id))) == staying


def test_notifications_that_have_ended_go_and_those_that_wait_stay(services):
    """C-62."""
    now = utcnow()
    with services.database.transaction() as session:

        def made(days, *ending):
            notification_id = notifications.add(
                session, "an event", {}, dataset_id=uuid4(), client_id=uuid4(), now=now - days * DAY
            )
            for column in ending:
                setattr(session.get_one(Notification, notification_id), column, now)
            return notification_id

        staying = {made(31), made(29, "delivered_at")}
        made(31, "delivered_at")
        made(31, "given_up_at")
    assert cleaned(services, keep_notifications_days=0) == {}
    assert cleaned(services, keep_notifications_days=30) == {"notifications": 2}
    with services.database.transaction() as session:
        assert set(session.scalars(select(Notification.notification_id))) == staying


def test_days_of_usage_that_are_too_old_are_in_the_totals_alone(accept, services):
    """C-55: nothing of a dataset's whole life is lost, and twice at once counts nothing twice."""
    case = accept()
    dataset_id, now = case.dataset().dataset_id, utcnow()
    with services.database.transaction() as session:
        for days in (0, 729, 731, 732, 900):
            for _ in range(2):
                usage.record(session, dataset_id, documents=3, now=now - days * DAY)
    assert cleaned(services, keep_usage_days=0) == {}
    assert cleaned(services, keep_usage_days=899) == {"usage_days": 1}
    counted = []
    threads = [threading.Thread(target=lambda: counted.append(clean_up(services, NoRuns()))) for _ in range(2)]
    object.__setattr__(services, "settings", services.settings.model_copy(update={"keep_usage_days": 730}))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one["usage_days"] for one in counted) == 2
    with services.database.transaction() as session:
        assert [row.day for row in usage.days(session, dataset_id)] == [(now - days * DAY).date() for days in (729, 0)]
        totals = usage.totals(session, dataset_id)
        assert (totals.queries, totals.documents, totals.last_accessed_at) == (10, 30, now)
        assert usage.totals(session, uuid4()) == usage.Totals(0, 0, None)
    case.provision()
    case.tear_down(archive=False).run_teardown()
    with services.database.transaction() as session:
        assert usage.totals(session, dataset_id) == usage.Totals(0, 0, None)
