"""Validating ready datasets again by the clock, through ordinary operations (C-63).

Belongs here: how many may begin now, and beginning them. Whose turn it is says ``registry/due.py``; a run carries each
out as it does any other validation. A dataset in an operation's hands is left alone: its turn comes when that has
ended. Two callers at once begin nothing twice: one of them does nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, NotFoundError
from dataops_core.lifecycle import CheckType, DatasetStatus
from dataops_core.provisioning.validating import accept_validation
from dataops_core.registry import due, operations
from dataops_core.registry.database import Database
from dataops_core.settings import Settings

#: One whose checks could not tell is asked again so long after the last try, or after a quarter of a short interval.
RETRY_AFTER = timedelta(hours=1)


def revalidate_due(database: Database, settings: Settings, *, now: datetime | None = None) -> list[UUID]:
    """Begins the validations whose turn it is, as many as may be under way at once. Gives their operations."""
    now, interval = now or utcnow(), timedelta(hours=settings.revalidation_hours)
    retry_after = min(RETRY_AFTER, interval / 4) if interval else RETRY_AFTER
    with database.transaction() as guard:
        if not due.alone(guard):
            return []
        room = settings.revalidations_at_once - due.count_under_way(guard)
        if room <= 0:
            return []
        turns = due.due_validations(guard, now=now, interval=interval, retry_after=retry_after, limit=room)
        begun = [_begin(database, turn.dataset_id, turn.checks) for turn in turns]
    return [operation_id for operation_id in begun if operation_id is not None]


def _begin(database: Database, dataset_id: UUID, checks: Sequence[CheckType]) -> UUID | None:
    """The operation, or None where somebody else has taken the dataset meanwhile."""
    try:
        with database.transaction() as session:
            dataset, active = operations.lock_with_active(session, dataset_id)
            if active is not None or dataset.status is not DatasetStatus.READY:
                return None
            operation = accept_validation(
                session, dataset_id, checks=checks, force=True, fresh=timedelta(0), scheduled=True
            )
            return operation.operation_id
    except (ConflictError, NotFoundError):
        return None
