"""What is removed from the registry for its age: the SQL of each kind, one batch a call.

A function removes so many rows at most that are past a moment and that nothing rests on any more, passes over what
another transaction holds, and says how many it removed. Functions take a session and never commit. Idempotency keys are
in ``idempotency.py``, days of usage in ``usage.py``. Does not belong here: how old is too old (``upkeep/``).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, literal, or_, select, text, tuple_, update
from sqlalchemy.orm import Session, aliased

from dataops_core.lifecycle import (
    CheckStatus,
    DatasetStatus,
    JourneyEventStatus,
    JourneyEventType,
    OperationType,
)
from dataops_core.registry.operations import OPEN
from dataops_core.registry.tables import (
    ConnectorToken,
    Dataset,
    Journey,
    JourneyEvent,
    Notification,
    Operation,
    OperationDataset,
    QualityResult,
    RunStop,
)

_OPEN_EVENTS = (JourneyEventStatus.PENDING, JourneyEventStatus.IN_PROGRESS)


def give_up_archives(session: Session, *, before: datetime, now: datetime, limit: int) -> Sequence[UUID]:
    """Notes of archives older than ``before`` that they are removed, and whose they are: their files may go then.

    A dataset on which an operation works (a restore, a purge) keeps its archive for now.
    """
    aged = (
        select(Dataset.dataset_id)
        .where(
            Dataset.status == DatasetStatus.ARCHIVED,
            Dataset.archive_path.is_not(None),
            Dataset.archived_at < before,
            ~exists().where(OperationDataset.dataset_id == Dataset.dataset_id, OperationDataset.active),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(
        update(Dataset)
        .where(Dataset.dataset_id.in_(aged))
        .values(archive_path=None, archive_removed_at=now, updated_at=now)
        .returning(Dataset.dataset_id)
        .execution_options(synchronize_session=False)
    ).all()


def remove_evaluations(session: Session, *, before: datetime, limit: int) -> int:
    """Removes evaluations made before then, but of each check of a dataset never the newest, nor the newest verdict."""
    newer = aliased(QualityResult)

    def has_newer(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(
            newer.dataset_id == QualityResult.dataset_id,
            newer.check_type == QualityResult.check_type,
            tuple_(newer.executed_at, newer.check_id) > tuple_(QualityResult.executed_at, QualityResult.check_id),
            *conditions,
        )

    old = select(QualityResult.check_id).where(
        QualityResult.executed_at < before,
        has_newer(),
        or_(QualityResult.status == CheckStatus.ERROR, has_newer(newer.status != CheckStatus.ERROR)),
    )
    return _remove(session, QualityResult, QualityResult.check_id, old.order_by(QualityResult.executed_at), limit)


def remove_tokens(session: Session, *, before: datetime, limit: int) -> int:
    """Removes connectors' tokens that expired or were revoked before then."""
    ended = select(ConnectorToken.token_id).where(
        or_(ConnectorToken.expires_at < before, ConnectorToken.revoked_at < before)
    )
    return _remove(session, ConnectorToken, ConnectorToken.token_id, ended, limit)


def remove_notifications(session: Session, *, before: datetime, limit: int) -> int:
    """Removes notifications made before then that wait for nobody any more."""
    ended = select(Notification.notification_id).where(
        Notification.created_at < before,
        or_(Notification.delivered_at.is_not(None), Notification.given_up_at.is_not(None)),
    )
    return _remove(session, Notification, Notification.notification_id, ended.order_by(Notification.created_at), limit)


def remove_operations(session: Session, *, before: datetime, limit: int) -> int:
    """Removes operations that ended before then, but never the newest one of a dataset that is still there, nor the
    newest one that made it what it is: that one can be retried and rerun (C-84, C-87).
    """
    names_it = exists().where(Dataset.operation_id == Operation.operation_id)
    old = select(Operation.operation_id).where(
        # By the index; none ends before it was made.
        Operation.created_at < before,
        Operation.completed_at < before,
        Operation.status.not_in(OPEN),
        ~names_it,
        ~_is_newest_change(Dataset.dataset_id.is_not(None)),
    )
    return _remove(session, Operation, Operation.operation_id, old.order_by(Operation.created_at), limit)


def remove_journey_events(session: Session, *, before: datetime, limit: int) -> int:
    """Removes events that were told of and ended before then, but never a journey's newest one, by which a late one is
    known to be late (C-91), nor the completion that ended it (C-93).
    """
    newer = aliased(JourneyEvent)
    has_newer = exists().where(
        newer.journey_id == JourneyEvent.journey_id,
        newer.client_id == JourneyEvent.client_id,
        tuple_(newer.occurred_at, newer.received_at, newer.event_id)
        > tuple_(JourneyEvent.occurred_at, JourneyEvent.received_at, JourneyEvent.event_id),
    )
    ended_it = and_(
        JourneyEvent.event == JourneyEventType.JOURNEY_COMPLETED, JourneyEvent.status == JourneyEventStatus.COMPLETED
    )
    key = tuple_(JourneyEvent.client_id, JourneyEvent.event_id)
    old = select(JourneyEvent.client_id, JourneyEvent.event_id).where(
        JourneyEvent.received_at < before,
        JourneyEvent.completed_at < before,
        JourneyEvent.status.not_in(_OPEN_EVENTS),
        has_newer,
        ~ended_it,
    )
    return _remove(session, JourneyEvent, key, old.order_by(JourneyEvent.received_at), limit)


def remove_journeys(session: Session, *, before: datetime, limit: int) -> int:
    """Removes journeys of which nothing was heard since then and no dataset is left, with all of their events.

    Who tells of one of them at this moment holds its row, and it stays.
    """
    of_it = and_(JourneyEvent.journey_id == Journey.journey_id, JourneyEvent.client_id == Journey.client_id)
    in_use = or_(
        JourneyEvent.status.in_(_OPEN_EVENTS), JourneyEvent.received_at >= before, JourneyEvent.completed_at >= before
    )
    has_datasets = exists().where(Dataset.journey_id == Journey.journey_id, Dataset.client_id == Journey.client_id)
    old = session.execute(
        select(Journey.journey_id, Journey.client_id)
        .where(
            func.greatest(Journey.created_at, Journey.ended_at) < before,
            ~has_datasets,
            ~exists().where(of_it, in_use),
        )
        .limit(limit)
        .with_for_update(skip_locked=True, of=Journey)
    ).all()
    keys = [tuple(one) for one in old]
    for table in (JourneyEvent, Journey):
        session.execute(
            delete(table)
            .where(tuple_(table.journey_id, table.client_id).in_(keys))
            .execution_options(synchronize_session=False)
        )
    return len(keys)


def runs_needed(session: Session, run_ids: Collection[str]) -> set[str]:
    """Those of these runs that something rests on: an open operation, the newest one of a dataset that is not archived
    (a person may rerun it in the UI, C-87), or the wish that they be stopped.
    """
    live = Dataset.status != DatasetStatus.ARCHIVED
    of_operations = select(Operation.run_id).where(
        Operation.run_id.in_(run_ids),
        or_(
            Operation.status.in_(OPEN),
            exists().where(Dataset.operation_id == Operation.operation_id, live),
            _is_newest_change(live),
        ),
    )
    of_stops = select(RunStop.run_id).where(RunStop.run_id.in_(run_ids))
    return {run_id for run_id in session.scalars(of_operations.union(of_stops)) if run_id is not None}


def prune_audit_log(session: Session, *, before: datetime, limit: int) -> int:
    """Removes the oldest entries made before then, by the one way there is (migration 0009), which notes it."""
    # Not a bare SELECT: the transaction is told who acts before what changes something.
    statement = text(
        "WITH pruned AS MATERIALIZED (SELECT audit_prune(:before, :limit) AS removed) SELECT removed FROM pruned"
    )
    return int(session.execute(statement, {"before": before, "limit": limit}).scalar_one())


def _is_newest_change(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the operation is no validation and no such one came after it, for a dataset of which this is true."""
    part, later_part, later = aliased(OperationDataset), aliased(OperationDataset), aliased(Operation)
    came_after = (
        select(later.operation_id)
        .join(later_part, later_part.operation_id == later.operation_id)
        .where(
            later_part.dataset_id == part.dataset_id,
            later.operation_type != OperationType.VALIDATION,
            later.created_at > Operation.created_at,
        )
    )
    newest = (
        select(part.dataset_id)
        .join(Dataset, Dataset.dataset_id == part.dataset_id)
        .where(part.operation_id == Operation.operation_id, condition, ~came_after.exists())
    )
    return and_(Operation.operation_type != OperationType.VALIDATION, newest.exists())


def _remove(session: Session, table: type[Any], key: Any, old: Select[Any], limit: int) -> int:
    chosen = old.limit(limit).with_for_update(skip_locked=True, of=table)
    removed = session.execute(
        delete(table).where(key.in_(chosen)).returning(literal(1)).execution_options(synchronize_session=False)
    )
    return len(removed.all())
