"""What is removed for its age alone: called by the pipeline's schedule ``clean_up``, every hour.

For each kind of thing that has a last day, one call that removes what is past it, batch by batch, each in a transaction
of its own: safe at any time, also twice at once, and whoever is killed has done what it has done. The registry says
first that an archive is removed, and its files go afterwards: where that fails, the search for orphans finds them.
How long each kind is kept is a setting; 0 keeps it for ever.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.errors import StorageError
from dataops_core.provisioning.services import Services
from dataops_core.registry import idempotency, retention, usage
from dataops_core.registry.database import Database

_log = logging.getLogger(__name__)

#: Rows removed by one transaction: enough to be quick, few enough to hold nobody up.
_BATCH = 1000
#: Archives given up by one transaction: their files go before the next.
_ARCHIVES = 50
#: Runs looked at in one go, and the most that one call removes: each takes several statements of Dagster's.
_RUNS = 200
MOST_RUNS = 2000


class RunHistory(Protocol):
    """Dagster's runs and all that it keeps of them."""

    def ended_before(self, moment: datetime, *, after: str | None, limit: int) -> Sequence[str]:
        """Ids of runs that ended before then, oldest first, those beyond the run ``after``; never one in flight."""
        ...

    def remove(self, run_id: str) -> None:
        """Removes a run with its events and logs. Idempotent; killed in between, it can be asked again."""
        ...

    def forget_checks(self, moment: datetime, *, limit: int) -> int:
        """Removes so many evaluations of checks, made before then, of runs that are gone; how many.

        Never the newest of a check in an environment that there is: by it the UI shows the check's health.
        """
        ...

    def forget_events(self, moment: datetime, *, limit: int) -> int:
        """Removes so many events that belong to no run and were noted before then; how many."""
        ...

    def forget_logs(self, moment: datetime) -> int:
        """Removes logs of ticks, and of runs that somebody deleted, that were written before then; how many."""
        ...


def clean_up(services: Services, runs: RunHistory) -> dict[str, int]:
    """Removes what is too old. Says how many of each kind."""
    settings, database = services.settings, services.database

    def rows(days: int, remove: Callable[..., int]) -> int:
        before = _days_ago(days)
        return _in_batches(database, lambda session: remove(session, before=before, limit=_BATCH)) if before else 0

    now = utcnow()
    return {
        "idempotency_keys": _in_batches(
            database, lambda session: idempotency.remove_expired(session, now=now, limit=_BATCH)
        ),
        "archives": _remove_archives(services, _days_ago(settings.keep_archives_days)),
        "connector_tokens": rows(settings.keep_tokens_days, retention.remove_tokens),
        "evaluations": rows(settings.keep_quality_history_days, retention.remove_evaluations),
        "notifications": rows(settings.keep_notifications_days, retention.remove_notifications),
        "operations": rows(settings.keep_operations_days, retention.remove_operations),
        "journey_events": rows(settings.keep_journeys_days, retention.remove_journey_events),
        "journeys": rows(settings.keep_journeys_days, retention.remove_journeys),
        "usage_days": rows(settings.keep_usage_days, usage.fold),
        "audit_entries": rows(settings.keep_audit_days, retention.prune_audit_log),
        "runs": _remove_runs(database, runs, _days_ago(settings.keep_runs_days)),
        "shown_checks": _forget(runs.forget_checks, _days_ago(settings.keep_runs_days)),
        "events": _forget(runs.forget_events, _days_ago(settings.keep_runs_days)),
        "logs": runs.forget_logs(before) if (before := _days_ago(settings.keep_runs_days)) else 0,
    }


def _days_ago(days: int) -> datetime | None:
    return utcnow() - timedelta(days=days) if days else None


def _in_batches(database: Database, remove: Callable[[Session], int]) -> int:
    removed = 0
    while True:
        with database.transaction() as session:
            batch = remove(session)
        removed += batch
        if batch < _BATCH:
            return removed


def _remove_archives(services: Services, before: datetime | None) -> int:
    removed = 0
    while before is not None:
        with services.database.transaction() as session:
            given_up = retention.give_up_archives(session, before=before, now=utcnow(), limit=_ARCHIVES)
        for dataset_id in given_up:
            try:
                services.storage.remove(services.storage.archive_folder(dataset_id))
            except StorageError as error:
                _log.warning("an archive's files are left for the search for orphans: %s", error.message)
        removed += len(given_up)
        if len(given_up) < _ARCHIVES:
            break
    return removed


def _remove_runs(database: Database, runs: RunHistory, before: datetime | None) -> int:
    if before is None:
        return 0
    aged: list[str] = []
    last: str | None = None
    while len(aged) < MOST_RUNS:
        found = runs.ended_before(before, after=last, limit=_RUNS)
        if not found:
            break
        last = found[-1]
        with database.transaction() as session:
            needed = retention.runs_needed(session, found)
        aged += [run_id for run_id in found if run_id not in needed]
    # A page begins where a run is that must still be there: they go when all were found.
    for run_id in aged:
        runs.remove(run_id)
    return len(aged)


def _forget(some: Callable[..., int], before: datetime | None) -> int:
    forgotten = 0
    while before is not None:
        batch = some(before, limit=_BATCH)
        forgotten += batch
        if batch < _BATCH:
            break
    return forgotten
