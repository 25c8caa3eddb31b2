"""Ready datasets whose turn it is by the clock: to have their connector looked at, to be validated again.

Each dataset has a moment of its own within the interval, which follows from its id: so that of hundreds that became
ready together each comes at another time, and always at the same. One question each, however many there are. Does not
belong here: what is done when it is a dataset's turn (``watching/``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BIGINT, ColumnElement, Float, Text, and_, cast, exists, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.orm import Session, aliased

from dataops_core.lifecycle import (
    CheckStatus,
    CheckType,
    ConnectorStatus,
    DatasetStatus,
    Finding,
    OperationType,
)
from dataops_core.registry.operations import OPEN, SCHEDULE
from dataops_core.registry.tables import Connector, Customer, Dataset, Operation, OperationDataset, QualityResult

#: Where a validation follows a connector that has moved, the last one is so long ago at least.
_SOON = timedelta(minutes=5)
#: The advisory lock of whoever begins validations by the clock.
_CLOCK = 0x76616C69


@dataclass(frozen=True, slots=True)
class DueLook:
    """A connector to be looked at, and what it must be like."""

    dataset: Dataset
    connector: Connector
    locale: str


@dataclass(frozen=True, slots=True)
class DueValidation:
    """A dataset to be validated again, and by which checks."""

    dataset_id: UUID
    checks: tuple[CheckType, ...]


def due_looks(session: Session, *, now: datetime, interval: timedelta, limit: int) -> Sequence[DueLook]:
    """Connectors of ready datasets that nobody has looked at since their moment, those first that have waited longest.

    A dataset in an operation's hands is left alone: its connector may be between two states.
    """
    newest = _newest_connector()
    rows = session.execute(
        select(Dataset, newest, Customer.locale)
        .select_from(Dataset)
        .join(newest, true())
        .join(Customer, Customer.client_id == Dataset.client_id)
        .where(
            Dataset.status == DatasetStatus.READY,
            newest.status != ConnectorStatus.DISCONNECTED,
            newest.generation.is_not(None),
            ~in_hand(),
            or_(newest.last_checked_at.is_(None), newest.last_checked_at < moment_of(now, interval)),
        )
        .order_by(newest.last_checked_at.asc().nulls_first(), Dataset.dataset_id)
        .limit(limit)
    )
    return [DueLook(dataset, connector, locale) for dataset, connector, locale in rows]


def hold_look(session: Session, dataset_id: UUID, connector_id: UUID) -> tuple[Dataset, Connector] | None:
    """The rows of a look, locked until the transaction ends: the dataset first, as everywhere.

    None where the dataset is not ready any more, in an operation's hands, or served by another connector.
    """
    dataset = session.scalars(
        select(Dataset)
        .where(Dataset.dataset_id == dataset_id, Dataset.status == DatasetStatus.READY, ~in_hand())
        .with_for_update(of=Dataset)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if dataset is None:
        return None
    connector = session.get(Connector, connector_id, with_for_update=True, populate_existing=True)
    if connector is None or connector.status is ConnectorStatus.DISCONNECTED:
        return None
    return dataset, connector


def due_validations(
    session: Session, *, now: datetime, interval: timedelta, retry_after: timedelta, limit: int
) -> Sequence[DueValidation]:
    """Ready datasets that are in nobody's hands and whose turn it is, those first that have waited longest.

    First those whose connector was found to be otherwise than its newest check said: by that check alone. Then those of
    which a check has given no verdict since their moment (none where the interval is 0): by all four. One that was
    validated in vain lately waits until ``retry_after`` has passed.
    """
    free = (Dataset.status == DatasetStatus.READY, ~in_hand())
    newest, check = _newest_connector(), _newest_evaluation(CheckType.CONNECTOR_HEALTH)
    otherwise = or_(
        and_(
            newest.status == ConnectorStatus.UNHEALTHY,
            newest.finding == Finding.FAILED,
            check.status != CheckStatus.FAILED,
        ),
        and_(
            newest.status.in_([ConnectorStatus.HEALTHY, ConnectorStatus.DEGRADED]),
            newest.finding.in_([Finding.CLEAN, Finding.STRAINED]),
            check.status == CheckStatus.FAILED,
        ),
    )
    moved = session.scalars(
        select(Dataset.dataset_id)
        .join(newest, true())
        .join(check, true())
        .where(
            *free,
            otherwise,
            check.executed_at < newest.status_since,
            ~_validated_since(now - min(retry_after, _SOON)),
        )
        .order_by(newest.status_since, Dataset.dataset_id)
        .limit(limit)
    ).all()
    turns = [DueValidation(dataset_id, (CheckType.CONNECTOR_HEALTH,)) for dataset_id in moved]
    if not interval or len(turns) >= limit:
        return turns
    moment = moment_of(now, interval)
    waiting = session.scalars(
        select(Dataset.dataset_id)
        .where(
            *free,
            Dataset.dataset_id.not_in(moved),
            or_(*(~_told_since(one, moment) for one in CheckType)),
            ~_validated_since(now - retry_after),
        )
        .order_by(moment, Dataset.dataset_id)
        .limit(limit - len(turns))
    ).all()
    return turns + [DueValidation(dataset_id, tuple(CheckType)) for dataset_id in waiting]


def count_under_way(session: Session) -> int:
    """How many operations that the clock has asked for are open."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Operation)
            .where(Operation.status.in_(OPEN), Operation.request["origin"].astext == SCHEDULE)
        )
        or 0
    )


def alone(session: Session) -> bool:
    """Whether this transaction alone begins validations by the clock until it ends; it does not wait for that."""
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(_CLOCK))))


def in_hand() -> ColumnElement[bool]:
    """Whether an operation works on the dataset now."""
    return exists().where(OperationDataset.dataset_id == Dataset.dataset_id, OperationDataset.active)


def moment_of(now: datetime, interval: timedelta, *, dataset_id: Any = Dataset.dataset_id) -> ColumnElement[Any]:
    """A dataset's newest moment, in SQL: the last one before ``now`` of those that come once in each interval."""
    seconds = interval.total_seconds()
    digest = cast(literal("x", Text).concat(func.substr(func.md5(cast(dataset_id, Text)), 1, 8)), BIT(32))
    offset = cast(cast(digest, BIGINT), Float) / 2**32 * seconds
    past = func.floor((literal(now.timestamp(), Float) - offset) / seconds)
    return func.to_timestamp(offset + past * seconds)


def _newest_connector() -> type[Connector]:
    newest = (
        select(Connector)
        .where(Connector.dataset_id == Dataset.dataset_id)
        .order_by(Connector.created_at.desc(), Connector.connector_id)
        .limit(1)
        .lateral("newest")
    )
    return aliased(Connector, newest)


def _told_since(check: CheckType, moment: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists().where(
        QualityResult.dataset_id == Dataset.dataset_id,
        QualityResult.check_type == check,
        QualityResult.executed_at >= moment,
        QualityResult.status != CheckStatus.ERROR,
    )


def _validated_since(moment: datetime) -> ColumnElement[bool]:
    return exists().where(
        OperationDataset.dataset_id == Dataset.dataset_id,
        OperationDataset.operation_id == Operation.operation_id,
        Operation.operation_type == OperationType.VALIDATION,
        Operation.created_at >= moment,
    )


def _newest_evaluation(check: CheckType) -> type[QualityResult]:
    newest = (
        select(QualityResult)
        .where(QualityResult.dataset_id == Dataset.dataset_id, QualityResult.check_type == check)
        .order_by(QualityResult.executed_at.desc(), QualityResult.check_id.desc())
        .limit(1)
        .lateral("evaluation")
    )
    return aliased(QualityResult, newest)
