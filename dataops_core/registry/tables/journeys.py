"""Journeys, what they were told of, and what an event did to which dataset."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from dataops_core.lifecycle import EventRole, JourneyEventPhase, JourneyEventStatus, JourneyEventType, Stage
from dataops_core.registry.tables.base import Base, one_of, stored_as_text


class Journey(Base):
    """A customer's journey that an event was told of: the row that its events take turns by."""

    __tablename__ = "journeys"

    #: Two customers may use one id: these are two journeys.
    journey_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    #: When its completion was begun: from then on it gets no datasets any more.
    ended_at: Mapped[datetime | None]


class JourneyEvent(Base):
    """Something that happened in a journey, and how far it has been acted on."""

    __tablename__ = "journey_events"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    journey_id: Mapped[UUID]
    event: Mapped[JourneyEventType] = mapped_column(stored_as_text(JourneyEventType))
    to_stage: Mapped[Stage | None] = mapped_column(stored_as_text(Stage))
    dataset_types: Mapped[list[str] | None]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    status: Mapped[JourneyEventStatus] = mapped_column(stored_as_text(JourneyEventStatus))
    phase: Mapped[JourneyEventPhase | None] = mapped_column(stored_as_text(JourneyEventPhase))
    superseded_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    error: Mapped[dict[str, Any] | None]
    api_client_id: Mapped[UUID | None]
    request_id: Mapped[str | None] = mapped_column(String(128))

    __table_args__ = (
        ForeignKeyConstraint(["journey_id", "client_id"], ["journeys.journey_id", "journeys.client_id"]),
        one_of("event", JourneyEventType),
        one_of("to_stage", Stage),
        one_of("status", JourneyEventStatus),
        one_of("phase", JourneyEventPhase),
        Index("ix_journey_events_newest", "journey_id", "client_id", "occurred_at", "received_at"),
        Index("ix_journey_events_open", "received_at", postgresql_where=text("status IN ('pending', 'in_progress')")),
        # Of a journey's events one waits and one is acted on, at most.
        Index(
            "uq_journey_events_pending",
            "journey_id",
            "client_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "uq_journey_events_in_progress",
            "journey_id",
            "client_id",
            unique=True,
            postgresql_where=text("status = 'in_progress'"),
        ),
    )


class JourneyEventDataset(Base):
    """What a dataset is to an event, and the operation that the event has begun on it."""

    __tablename__ = "journey_event_datasets"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    #: Outlives the dataset's row: no foreign key to it.
    dataset_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[EventRole] = mapped_column(stored_as_text(EventRole))
    operation_id: Mapped[UUID | None]

    __table_args__ = (
        ForeignKeyConstraint(
            ["client_id", "event_id"], ["journey_events.client_id", "journey_events.event_id"], ondelete="CASCADE"
        ),
        one_of("role", EventRole),
    )
