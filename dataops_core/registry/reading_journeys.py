"""Journeys to be shown: each part read by one question, without a lock, in autocommit (as ``reading.py`` does).

Rows for looking at, never for changing. Source: ``docs/contract.md`` C-8, C-93.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Text, and_, any_, cast, func, literal, select, type_coerce, union
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by

from dataops_core.lifecycle import DatasetStatus, JourneyEventStatus, JourneyEventType, JourneyStatus
from dataops_core.registry.tables import (
    Dataset,
    Journey,
    JourneyEvent,
    JourneyEventDataset,
    Operation,
)

#: So many datasets and events are shown, the newest.
MOST_SHOWN = 100


def customers_of(
    connection: Connection, journey_id: UUID, *, client_id: UUID | None, customers: Sequence[UUID] | None
) -> Sequence[UUID]:
    """The customers that have a journey of this id: by a dataset, or by an event that it was told of.

    ``client_id`` asks for one of them, ``customers`` are those that the caller is bound to; None does not restrict.
    """

    def having(table: type[Dataset] | type[Journey]) -> Any:
        statement = select(table.client_id).where(table.journey_id == journey_id)
        if client_id is not None:
            statement = statement.where(table.client_id == client_id)
        if customers is not None:
            statement = statement.where(table.client_id == any_(literal(list(customers), ARRAY(table.client_id.type))))
        return statement

    return connection.execute(union(having(Dataset), having(Journey))).scalars().all()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a journey stands by its events."""

    ended_at: datetime | None
    status: JourneyStatus


def standing_of(connection: Connection, *, journey_id: UUID, client_id: UUID) -> Standing:
    """When the journey ended, None while it goes on, and its status."""
    is_open = JourneyEvent.status.in_([JourneyEventStatus.PENDING, JourneyEventStatus.IN_PROGRESS])
    completion = JourneyEvent.event == JourneyEventType.JOURNEY_COMPLETED
    row = connection.execute(
        select(
            Journey.ended_at,
            func.bool_or(and_(completion, JourneyEvent.status == JourneyEventStatus.COMPLETED)).label("completed"),
            func.bool_or(and_(completion, is_open)).label("completing"),
            func.bool_or(is_open).label("open"),
        )
        .outerjoin(
            JourneyEvent,
            and_(JourneyEvent.journey_id == Journey.journey_id, JourneyEvent.client_id == Journey.client_id),
        )
        .where(Journey.journey_id == journey_id, Journey.client_id == client_id)
        .group_by(Journey.journey_id, Journey.client_id)
    ).one_or_none()
    if row is None:
        return Standing(None, JourneyStatus.ACTIVE)
    if row.ended_at is not None:
        return Standing(row.ended_at, JourneyStatus.COMPLETED if row.completed else JourneyStatus.COMPLETING)
    if row.completing:
        return Standing(None, JourneyStatus.COMPLETING)
    return Standing(None, JourneyStatus.TRANSITIONING if row.open else JourneyStatus.ACTIVE)


def datasets_of(connection: Connection, *, journey_id: UUID, client_id: UUID) -> Sequence[Row[Any]]:
    """The journey's datasets, those that are not archived first, each kind newest first."""
    return connection.execute(
        select(
            cast(Dataset.dataset_id, Text).label("dataset_id"),
            Dataset.name,
            Dataset.dataset_type,
            Dataset.stage,
            Dataset.status,
            Dataset.quality_score,
        )
        .where(Dataset.journey_id == journey_id, Dataset.client_id == client_id)
        .order_by(Dataset.status == DatasetStatus.ARCHIVED, Dataset.created_at.desc(), Dataset.dataset_id)
        .limit(MOST_SHOWN)
    ).all()


def events_of(connection: Connection, *, journey_id: UUID, client_id: UUID) -> Sequence[Row[Any]]:
    """The journey's events, newest first, each with the operations that were begun for it (``operations``)."""
    begun = select(JourneyEventDataset.operation_id).where(
        JourneyEventDataset.client_id == JourneyEvent.client_id, JourneyEventDataset.event_id == JourneyEvent.event_id
    )
    shown = func.jsonb_build_object(
        "operation_id",
        Operation.operation_id,
        "operation_type",
        Operation.operation_type,
        "status",
        Operation.status,
    )
    operations = (
        select(func.jsonb_agg(aggregate_order_by(shown, Operation.created_at, Operation.operation_id)))
        .where(Operation.operation_id.in_(begun.correlate(JourneyEvent)))
        .correlate(JourneyEvent)
        .scalar_subquery()
    )
    return connection.execute(
        select(
            cast(JourneyEvent.event_id, Text).label("event_id"),
            JourneyEvent.event,
            JourneyEvent.to_stage,
            JourneyEvent.dataset_types,
            JourneyEvent.occurred_at,
            JourneyEvent.received_at,
            JourneyEvent.status,
            JourneyEvent.phase,
            cast(JourneyEvent.superseded_by, Text).label("superseded_by"),
            JourneyEvent.started_at,
            JourneyEvent.completed_at,
            JourneyEvent.error,
            type_coerce(operations, JSONB).label("operations"),
        )
        .where(JourneyEvent.journey_id == journey_id, JourneyEvent.client_id == client_id)
        .order_by(JourneyEvent.occurred_at.desc(), JourneyEvent.received_at.desc(), JourneyEvent.event_id)
        .limit(MOST_SHOWN)
    ).all()
