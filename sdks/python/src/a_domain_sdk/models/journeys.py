"""Journeys of customers and their events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from a_domain_sdk.models.base import Linked, Model
from a_domain_sdk.models.words import (
    DatasetStatus,
    DatasetType,
    JourneyEventPhase,
    JourneyEventStatus,
    JourneyEventType,
    JourneyStatus,
    OperationStatus,
    OperationType,
    Stage,
)


class AcceptedEvent(Linked):
    """An event that was written down; ``status`` is where it stood then."""

    event_id: str
    status: JourneyEventStatus | str
    message: str | None = None


class JourneyDataset(Linked):
    """A dataset of a journey, in short."""

    dataset_id: str
    name: str
    dataset_type: DatasetType | str
    stage: Stage | str
    status: DatasetStatus | str
    quality_score: float | None = None


class EventOperation(Linked):
    """An operation that was begun, joined or gone on with for an event."""

    operation_id: str
    operation_type: OperationType | str
    status: OperationStatus | str


class EventProblem(Model):
    """Why an event failed; ``details`` names what it is about."""

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class JourneyEvent(Model):
    """An event of a journey; ``phase`` is what it waits for while it is in progress."""

    event_id: str
    event: JourneyEventType | str
    to_stage: Stage | str | None = None
    dataset_types: list[str] | None = None
    occurred_at: datetime
    received_at: datetime
    status: JourneyEventStatus | str
    phase: JourneyEventPhase | str | None = None
    superseded_by: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    error: EventProblem | None = None
    operations: list[EventOperation] = Field(default_factory=list)


class Journey(Linked):
    """A customer's journey, with its newest hundred events and up to a hundred datasets, archived ones last."""

    journey_id: str
    client_id: str
    current_stage: Stage | str | None = None
    status: JourneyStatus | str
    ended_at: datetime | None = None
    datasets: list[JourneyDataset] = Field(default_factory=list)
    events: list[JourneyEvent] = Field(default_factory=list)
