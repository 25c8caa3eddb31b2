"""What is too old goes, kind by kind, and nothing else: not what is in use, not what something rests on."""

import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import InternalError

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.clock import rfc3339, utcnow
from dataops_core.errors import ConflictError
from dataops_core.lifecycle import (
    CheckStatus,
    CheckType,
    DatasetStatus,
    EventRole,
    JourneyEventStatus,
    JourneyEventType,
    OperationStatus,
    OperationType,
    Stage,
    TokenKind,
)
from dataops_core.provisioning import steering
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import (
    audit,
    connectors,
    journeys,
    launches,
    notifications,
    operations,
    quality,
    retention,
    stops,
    usage,
)
from dataops_core.registry.tables import (
    AuditEntry,
    Base,
    ConnectorToken,
    Dataset,
    Journey,
    JourneyEvent,
    JourneyEventDataset,
    Notification,
    Operation,
    QualityResult,
)
from dataops_core.settings import Settings
from dataops_core.upkeep.retention import clean_up

DAY = timedelta(days=1)


class NoRuns:
    """A Dagster without runs; tests/dataops_pipeline has those with."""

    def ended_before(self, moment, *, after, limit):  # noqa: ARG002
        return []

    def remove(self, run_id):
        raise AssertionError(run_id)

    def forget_checks(self, moment, *, limit):  # noqa: ARG002
        return 0


def cleaned(services, **keep):
    """What a clean-up with these settings removes."""
    object.__setattr__(services, "settings", services.settings.model_copy(update=keep))
    return {kind: count for kind, count in clean_up(services, NoRuns()).items() if count}


def test_every_table_ages_or_is_named_here_as_one_that_may_grow(services):
    """A row each of what there is, was asked for or is configured; all else is removed for its age."""
    aged = {"idempotency_keys", "connector_tokens", "quality_results", "notifications", "operations", "audit_log"}
    aged |= {"journeys", "journey_events", "usage_days"}
    goes_with_its_owner = {"operation_datasets", "journey_event_datasets", "usage_before"}
    one_of_each = {"installation", "customers", "api_clients", "signing_keys", "datasets", "connectors"}
    stays_small = {"dataset_counts", "operation_counts", "run_stops"}
    assert Base.metadata.tables.keys() == aged | goes_with_its_owner | one_of_each | stays_small
    removed = clean_up(services, NoRuns()).keys()
    renamed = {"quality_results": "evaluations", "audit_log": "audit_entries"}
    assert {renamed.get(table, table) for table in aged} == removed - {"archives", "runs", "shown_checks"}


def change(services, table, condition, **values) -> None:
    with services.database.transaction() as session:
        session.execute(update(table).where(condition).values(values))


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


def age(services, operation_id, days=400) -> None:
    moment = utcnow() - days * DAY
    with services.database.transaction() as session:
        row = operations.get(session, operation_id)
        row.created_at, row.beat_at = moment, moment
        if row.completed_at is not None:
            row.completed_at = moment


def kept(services) -> set:
    with services.database.transaction() as session:
        return set(session.scalars(select(Operation.operation_id)))


def validation(services, dataset) -> Operation:
    with services.database.transaction() as session:
        operation = operations.create(
            session,
            operation_type=OperationType.VALIDATION,
            client_id=dataset.client_id,
            stage=dataset.stage,
            datasets=[(dataset.dataset_id, dataset.dataset_type)],
            run_id=f"run-{uuid4()}"[:36],
        )
        settle(session, operation.operation_id, RunEnding.FAILURE, run_id=operation.run_id)
        return operation


def test_an_operation_goes_when_nothing_rests_on_it(ready, services):
    """C-84, C-87: what made a dataset what it is can still be retried and rerun, however old."""
    first, second = (validation(services, ready.dataset()).operation_id for _ in range(2))
    made = ready.operation.operation_id
    for one in (made, first, second):
        age(services, one)
    assert cleaned(services, keep_operations_days=0) == {}
    assert cleaned(services, keep_operations_days=365) == {"operations": 1}
    # The newest one is the dataset's own link, the provisioning what a rerun goes on with.
    assert kept(services) == {made, second}

    down = ready.tear_down()
    down.run_teardown()
    age(services, down.operation.operation_id)
    change(services, Operation, Operation.operation_id == made, created_at=utcnow() - 401 * DAY)
    assert cleaned(services) == {"operations": 2}
    assert kept(services) == {down.operation.operation_id}
    with services.database.transaction() as session:
        purge = operations.get(session, down.operation.operation_id)
        assert purge.status is OperationStatus.COMPLETED


def test_of_a_dataset_that_is_gone_no_operation_is_kept_for_ever(ready, services):
    down = ready.tear_down(archive=False)
    down.run_teardown()
    assert cleaned(services) == {}
    age(services, ready.operation.operation_id)
    age(services, down.operation.operation_id, days=364)
    assert cleaned(services) == {"operations": 1}
    age(services, down.operation.operation_id)
    assert cleaned(services) == {"operations": 1}
    assert kept(services) == set()


def test_an_open_operation_is_left_alone_however_old_and_so_is_a_failed_one_that_can_be_retried(journey, services):
    """C-84."""
    waiting, failed = journey(), journey()
    with services.database.transaction() as session:
        launches.record_launch(session, failed.operation_id, "run-1", attempt=1)
        settle(session, failed.operation_id, RunEnding.LOST, run_id="run-1")
    for one in (waiting, failed):
        age(services, one.operation_id, days=9999)
    assert cleaned(services, keep_audit_days=0) == {}
    with services.database.transaction() as session:
        steering.retry(session, failed.operation_id)


def test_the_runs_that_something_rests_on_are_told_apart(accept, services):
    """C-87."""
    live, gone = accept(), accept()
    for number, case in enumerate((live, gone)):
        case.provision(f"made-{number}")
    checked = validation(services, live.dataset())
    gone.tear_down().run_teardown("down")
    with services.database.transaction() as session:
        stops.ask_to_stop(session, "to be stopped", uuid4())
    asked = {"made-0", "made-1", "down", "to be stopped", "by hand", checked.run_id}
    with services.database.transaction() as session:
        assert retention.runs_needed(session, asked) == {"made-0", "to be stopped", checked.run_id}
    validation(services, live.dataset())
    with services.database.transaction() as session:
        assert retention.runs_needed(session, asked) == {"made-0", "to be stopped"}


def note(services, *ages) -> None:
    """Entries of the audit log, so old."""
    with services.database.transaction() as session:
        session.execute(
            AuditEntry.__table__.insert(),
            [
                {
                    "occurred_at": utcnow() - one,
                    "actor_kind": "system",
                    "action": "created",
                    "resource_type": "customer",
                    "resource_id": str(number),
                }
                for number, one in enumerate(ages)
            ],
        )


def entries(services):
    with services.database.reading() as connection:
        return list(reversed(audit.entries(connection, {}, after=None, limit=100)))


def test_entries_of_the_audit_log_that_are_too_old_go_by_the_one_way_there_is_and_that_is_noted(services):
    """C-24."""
    note(services, 900 * DAY, 800 * DAY, 729 * DAY, DAY)
    assert cleaned(services, keep_audit_days=0) == {}
    with acting(Acting(ActorKind.RUN, "the run")):
        assert cleaned(services, keep_audit_days=730) == {"audit_entries": 2}
    *left, noted = entries(services)
    assert [one.resource_id for one in left] == ["2", "3"]
    assert (noted.actor_kind, noted.actor_id, noted.action) == ("run", "the run", "deleted")
    assert (noted.resource_type, noted.before["entries"]) == ("audit_log", 2)
    assert cleaned(services) == {}


def test_no_entry_younger_than_thirty_days_goes_whatever_is_asked_for(services):
    """Not even where the product's own clock is wrong by years."""
    note(services, 40 * DAY, 20 * DAY)
    with pytest.raises(InternalError, match="30 days at least"), services.database.transaction() as session:
        retention.prune_audit_log(session, before=utcnow() + 999 * DAY, limit=10)
    assert len(entries(services)) == 2
    with pytest.raises(Exception, match="must be 30 or more, or 0 for ever"):
        Settings.load(keep_audit_days=29)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE resource_id <> 'audit_prune(timestamp with time zone,integer)'",
        "DO $$ BEGIN DELETE FROM audit_log WHERE 'audit_prune(timestamp with time zone,integer)' <> ''; END $$",
        "SELECT set_config('dataops.audit_prune', 'on', true); DELETE FROM audit_log",
        "UPDATE audit_log SET actor_id = 'me'",
        "TRUNCATE audit_log",
    ],
)
def test_any_other_way_is_refused_as_before(services, statement):
    """C-24."""
    note(services, 900 * DAY)
    with pytest.raises(InternalError, match="append-only"), services.database.transaction() as session:
        session.execute(text(statement))
    # Nor in the very transaction that has just pruned.
    with services.database.transaction() as session:
        retention.prune_audit_log(session, before=utcnow() - 999 * DAY, limit=10)
        with pytest.raises(InternalError, match="append-only"), session.begin_nested():
            session.execute(text(statement))
    assert len(entries(services)) == 1


def test_two_clean_ups_at_once_prune_each_entry_once(services):
    note(services, *[800 * DAY] * 3000)
    removed, at_once = [], threading.Barrier(2)

    def run() -> None:
        at_once.wait()
        removed.append(clean_up(services, NoRuns())["audit_entries"])

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(removed) + clean_up(services, NoRuns())["audit_entries"] == 3000
    with services.database.transaction() as session:
        counted = session.execute(
            select(AuditEntry.resource_type, func.count()).group_by(AuditEntry.resource_type)
        ).all()
        told = session.scalars(select(AuditEntry.before).where(AuditEntry.resource_type == "audit_log")).all()
    assert [kind for kind, _ in counted] == ["audit_log"]
    assert sum(one["entries"] for one in told) == 3000


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


def tell(services, journey, kind=JourneyEventType.STAGE_TRANSITION, *, days, status=JourneyEventStatus.COMPLETED):
    """An event that was told of and ended so long ago; its id."""
    moment, event_id = utcnow() - days * DAY, uuid4()
    with services.database.transaction() as session:
        row = journeys.lock_or_make(session, client_id=journey[0], journey_id=journey[1], now=moment)
        if kind is JourneyEventType.JOURNEY_COMPLETED:
            row.ended_at = moment
        open_ = status in {JourneyEventStatus.PENDING, JourneyEventStatus.IN_PROGRESS}
        session.add(
            JourneyEvent(
                client_id=journey[0],
                event_id=event_id,
                journey_id=journey[1],
                event=kind,
                to_stage=Stage.PILOT if kind is JourneyEventType.STAGE_TRANSITION else None,
                occurred_at=moment,
                received_at=moment,
                status=status,
                completed_at=None if open_ else moment,
            )
        )
        session.flush()
        parts = [(uuid4(), None)]
        journeys.add_parts(session, session.get_one(JourneyEvent, (journey[0], event_id)), EventRole.OLD, parts)
    return event_id


def told_of(services) -> tuple[set, set]:
    """The journeys and the events that are left."""
    with services.database.transaction() as session:
        return set(session.scalars(select(Journey.journey_id))), set(session.scalars(select(JourneyEvent.event_id)))


def test_of_a_journey_with_datasets_old_events_go_but_never_the_newest_nor_the_one_that_ended_it(accept, services):
    """C-91, C-93: a late event is known to be late, and a journey to have ended, however long ago that was."""
    case = accept()
    one = (case.request.client_id, case.request.journey_id)
    tell(services, one, days=900)
    tell(services, one, days=800, status=JourneyEventStatus.SUPERSEDED)
    waiting = tell(services, one, days=700, status=JourneyEventStatus.PENDING)
    ended = tell(services, one, JourneyEventType.JOURNEY_COMPLETED, days=600)
    newest = tell(services, one, days=500, status=JourneyEventStatus.FAILED)
    assert cleaned(services, keep_journeys_days=0) == {}
    assert cleaned(services, keep_journeys_days=850) == {"journey_events": 1}
    assert cleaned(services, keep_journeys_days=365) == {"journey_events": 1}
    assert told_of(services) == ({one[1]}, {waiting, ended, newest})
    with services.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(JourneyEventDataset)) == 3


def test_a_journey_without_datasets_goes_with_its_last_event_and_is_as_new_afterwards(services):
    """C-91."""
    old, recent, ended_since, busy = ((uuid4(), uuid4()) for _ in range(4))
    tell(services, old, days=500)
    tell(services, old, JourneyEventType.JOURNEY_COMPLETED, days=400)
    tell(services, recent, days=500)
    tell(services, recent, days=300)
    tell(services, ended_since, JourneyEventType.JOURNEY_COMPLETED, days=400)
    change(services, Journey, Journey.journey_id == ended_since[1], ended_at=utcnow() - DAY)
    tell(services, busy, days=400, status=JourneyEventStatus.IN_PROGRESS)
    assert cleaned(services) == {"journey_events": 2, "journeys": 1}
    assert told_of(services)[0] == {recent[1], ended_since[1], busy[1]}
    assert cleaned(services) == {}
    with services.database.transaction() as session:
        assert journeys.ended_at(session, client_id=old[0], journey_id=old[1]) is None


def test_a_journey_of_which_somebody_tells_at_this_moment_stays(services):
    """C-91."""
    old = (uuid4(), uuid4())
    tell(services, old, days=500)
    with services.database.transaction() as session:
        journeys.lock_or_make(session, client_id=old[0], journey_id=old[1], now=utcnow())
        assert cleaned(services) == {}
    assert cleaned(services) == {"journeys": 1}


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
