"""What events of journeys look like, and what journeys do (``docs/contract.md`` C-91, C-93)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StrictStr

from dataops_api.fields import AnswerModel, Given, Moment, RequestModel
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import (
    DatasetStatus,
    JourneyEventPhase,
    JourneyEventStatus,
    JourneyEventType,
    JourneyStatus,
    OperationStatus,
    OperationType,
    Stage,
)


class NewEvent(RequestModel):
    """Something that happened in a journey."""

    event_id: UUID = Field(description="The event's own id: told again, it is the same event.")
    event: JourneyEventType
    client_id: UUID = Field(description="The customer.")
    to_stage: Stage | None = Field(default=None, description="Of a `stage_transition`, which must have it.")
    dataset_types: (
        Annotated[
            list[Annotated[StrictStr, Field(json_schema_extra={"enum": list(DATASET_TYPES)})]],
            Field(min_length=1, json_schema_extra={"uniqueItems": True}),
        ]
        | None
    ) = Field(default=None, description="Of a `stage_transition`: what the next stage has. Absent: what the old has.")
    occurred_at: Moment = Field(description="ISO 8601; the order of a journey's events is theirs by this moment.")


class JourneyQuery(BaseModel):
    """Whose journey."""

    client_id: Given[UUID] = Field(default=None, description="The customer, where several have a journey of this id.")


# --- answers ----------------------------------------------------------------------------------------------------------


class JourneyLink(AnswerModel):
    """Where the event is watched."""

    journey: str


class EventAccepted(AnswerModel):
    """An event was written down; ``status`` is where it stands now."""

    event_id: UUID
    status: JourneyEventStatus
    message: str
    links: JourneyLink = Field(alias="_links")


class DatasetLink(AnswerModel):
    """The dataset."""

    self_: str = Field(alias="self")


class JourneyDataset(AnswerModel):
    """A dataset of a journey, in short."""

    dataset_id: UUID
    name: str
    dataset_type: str
    stage: Stage
    status: DatasetStatus
    quality_score: float | None
    links: DatasetLink = Field(alias="_links")


class OperationLink(AnswerModel):
    """The operation."""

    self_: str = Field(alias="self")


class EventOperation(AnswerModel):
    """An operation that was begun, joined or gone on with for an event."""

    operation_id: UUID
    operation_type: OperationType
    status: OperationStatus
    links: OperationLink = Field(alias="_links")


class EventError(AnswerModel):
    """Why an event failed; ``details`` names what it is about."""

    code: str
    message: str
    details: dict[str, Any]


class Event(AnswerModel):
    """An event of a journey; ``phase`` is what it waits for while it is in progress."""

    event_id: UUID
    event: JourneyEventType
    to_stage: Stage | None
    dataset_types: list[str] | None
    occurred_at: datetime
    received_at: datetime
    status: JourneyEventStatus
    phase: JourneyEventPhase | None
    superseded_by: UUID | None
    started_at: datetime | None
    completed_at: datetime | None
    error: EventError | None
    operations: list[EventOperation]


class JourneyLinks(AnswerModel):
    """``datasets``: all of them, in pages."""

    self_: str = Field(alias="self")
    datasets: str


class Journey(AnswerModel):
    """A customer's journey. Its events are the newest hundred; its datasets, too, archived ones last."""

    journey_id: UUID
    client_id: UUID
    current_stage: Stage | None
    status: JourneyStatus
    ended_at: datetime | None
    datasets: list[JourneyDataset]
    events: list[Event]
    links: JourneyLinks = Field(alias="_links")
