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

from sqlalchemy import BIGINT, ColumnElement, Float, Text, cast, exists, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.orm import Session, aliased

from dataops_core.lifecycle import ConnectorStatus, DatasetStatus
from dataops_core.registry.tables import Connector, Customer, Dataset, OperationDataset


@dataclass(frozen=True, slots=True)
class DueLook:
    """A connector to be looked at, and what it must be like."""

    dataset: Dataset
    connector: Connector
    locale: str


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
