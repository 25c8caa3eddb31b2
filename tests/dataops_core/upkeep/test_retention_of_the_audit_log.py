"""Entries of the audit log that are too old go by the one way there is."""

import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import InternalError

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.clock import utcnow
from dataops_core.registry import audit, retention
from dataops_core.registry.tables import AuditEntry
from dataops_core.settings import Settings
from dataops_core.upkeep.retention import clean_up
from tests.dataops_core.upkeep.cleaning import DAY, NoRuns, cleaned


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
