"""Journeys with datasets that nobody follows any more: ended ones, and silent ones. What is done: ``upkeep/orphans``.

Questions alone, which never commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select, true
from sqlalchemy.orm import Session

from dataops_core.acting import ActorKind
from dataops_core.lifecycle import DatasetStatus, JourneyEventStatus
from dataops_core.registry.orphans import HAS_ACTIVE, PAGE
from dataops_core.registry.tables import (
    AuditEntry,
    Connector,
    ConnectorToken,
    Dataset,
    Journey,
    JourneyEvent,
    Operation,
    OperationDataset,
    UsageBefore,
    UsageDay,
)

#: Statuses of datasets that no journey has any more.
_GONE = (DatasetStatus.ARCHIVED, DatasetStatus.TEARDOWN)
_OPEN_EVENTS = (JourneyEventStatus.PENDING, JourneyEventStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class FoundJourney:
    """A customer's journey with datasets that nobody follows any more, and since when."""

    journey_id: UUID
    client_id: UUID
    since: datetime


def _of_one(client_id: Any, journey_id: Any, one: FoundJourney | None) -> ColumnElement[bool]:
    return and_(client_id == one.client_id, journey_id == one.journey_id) if one is not None else true()


def ended_journeys(session: Session, *, one: FoundJourney | None = None) -> Sequence[FoundJourney]:
    """Journeys that have ended and of whose events none is being acted on, with datasets in nobody's hands."""
    events = select(JourneyEvent.event_id).where(
        JourneyEvent.journey_id == Journey.journey_id, JourneyEvent.client_id == Journey.client_id
    )
    last = events.with_only_columns(func.max(JourneyEvent.completed_at)).scalar_subquery()
    left = (
        select(func.max(func.coalesce(Dataset.ready_at, Dataset.created_at)))
        .where(
            Dataset.journey_id == Journey.journey_id,
            Dataset.client_id == Journey.client_id,
            Dataset.status.not_in(_GONE),
            ~HAS_ACTIVE,
        )
        .scalar_subquery()
    )
    rows = session.execute(
        select(Journey.journey_id, Journey.client_id, func.greatest(Journey.ended_at, last, left))
        .where(
            Journey.ended_at.is_not(None),
            ~events.where(JourneyEvent.status.in_(_OPEN_EVENTS)).exists(),
            left.is_not(None),
            _of_one(Journey.client_id, Journey.journey_id, one),
        )
        .order_by(Journey.ended_at)
        .limit(PAGE)
    )
    return [FoundJourney(*row) for row in rows]


def silent_journeys(session: Session, *, before: datetime, one: FoundJourney | None = None) -> Sequence[FoundJourney]:
    """Journeys with datasets that are not archived, of which nobody has asked anything since before then.

    What counts is what an API client began or changed of one of its datasets, a token made for one, an event and a
    search, never what the product does by itself, nor that somebody looked. A journey with an operation or an event
    under way is not silent, and one that has ended is no journey any more.
    """
    events = select(JourneyEvent.event_id).where(
        JourneyEvent.journey_id == Dataset.journey_id, JourneyEvent.client_id == Dataset.client_id
    )
    told = events.with_only_columns(func.max(JourneyEvent.received_at)).scalar_subquery()
    ended = (
        select(Journey.journey_id)
        .where(
            Journey.journey_id == Dataset.journey_id,
            Journey.client_id == Dataset.client_id,
            Journey.ended_at.is_not(None),
        )
        .exists()
    )
    asked = (
        select(func.max(Operation.created_at))
        .join(OperationDataset, OperationDataset.operation_id == Operation.operation_id)
        .where(OperationDataset.dataset_id == Dataset.dataset_id, Operation.api_client_id.is_not(None))
        .scalar_subquery()
    )
    changed = (
        select(func.max(AuditEntry.occurred_at))
        .where(AuditEntry.resource_id == cast(Dataset.dataset_id, Text), AuditEntry.actor_kind == ActorKind.API_CLIENT)
        .scalar_subquery()
    )
    # The product's own runs have none of these.
    let_in = (
        select(func.max(ConnectorToken.created_at))
        .join(Connector, Connector.connector_id == ConnectorToken.connector_id)
        .where(Connector.dataset_id == Dataset.dataset_id)
        .scalar_subquery()
    )
    searched = [
        select(func.max(table.last_accessed_at)).where(table.dataset_id == Dataset.dataset_id).scalar_subquery()
        for table in (UsageDay, UsageBefore)
    ]
    signs = (asked, changed, let_in, *searched, told)
    heard = func.max(func.greatest(Dataset.created_at, Dataset.ready_at, *signs))
    under_way = or_(HAS_ACTIVE, events.where(JourneyEvent.status.in_(_OPEN_EVENTS)).exists())
    rows = session.execute(
        select(Dataset.journey_id, Dataset.client_id, heard)
        .where(Dataset.status.not_in(_GONE), ~ended, _of_one(Dataset.client_id, Dataset.journey_id, one))
        .group_by(Dataset.journey_id, Dataset.client_id)
        .having(heard < before, ~func.bool_or(under_way))
        .order_by(heard)
        .limit(PAGE)
    )
    return [FoundJourney(*row) for row in rows]


def live_datasets_of(session: Session, journey: FoundJourney) -> Sequence[UUID]:
    """The journey's datasets that are neither archived nor being torn down."""
    return session.scalars(
        select(Dataset.dataset_id)
        .where(_of_one(Dataset.client_id, Dataset.journey_id, journey), Dataset.status.not_in(_GONE))
        .order_by(Dataset.created_at, Dataset.dataset_id)
    ).all()
