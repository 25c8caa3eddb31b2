"""Answers about journeys, built as plain objects (``docs/contract.md`` C-91, C-93)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from dataops_api import links
from dataops_core.clock import rfc3339
from dataops_core.lifecycle import (
    UP_STATUSES,
    JourneyEventStatus,
    Stage,
)
from dataops_core.registry.reading_journeys import Standing
from dataops_core.registry.tables import JourneyEvent

_MESSAGES = {
    JourneyEventStatus.PENDING: "Journey event accepted",
    JourneyEventStatus.IN_PROGRESS: "Journey event is being acted on",
    JourneyEventStatus.COMPLETED: "Journey event was acted on",
    JourneyEventStatus.SUPERSEDED: "A newer event of the journey counts instead",
}


def accepted(event: JourneyEvent) -> dict[str, Any]:
    """The answer to an event that was told of (C-91)."""
    message = event.error["message"] if event.error is not None else _MESSAGES[event.status]
    return {
        "event_id": str(event.event_id),
        "status": event.status.value,
        "message": message,
        "_links": {"journey": links.journey(event.journey_id, event.client_id)},
    }


def journey(
    journey_id: UUID,
    client_id: UUID,
    *,
    standing: Standing,
    datasets: Sequence[Row[Any]],
    events: Sequence[Row[Any]],
) -> dict[str, Any]:
    """A journey as the API shows it (C-93)."""
    stage = current_stage(datasets)
    return {
        "journey_id": str(journey_id),
        "client_id": str(client_id),
        "current_stage": stage.value if stage is not None else None,
        "status": standing.status.value,
        "ended_at": _moment(standing.ended_at),
        "datasets": [_dataset(row) for row in datasets],
        "events": [_event(row) for row in events],
        "_links": {
            "self": links.journey(journey_id, client_id),
            "datasets": f"{links.datasets_of_journey(journey_id)}&client_id={client_id}",
        },
    }


def current_stage(datasets: Sequence[Row[Any]]) -> Stage | None:
    """The earliest stage that has datasets up or on their way: the old one, as long as the next is not ready."""
    up = {row.stage for row in datasets if row.status in UP_STATUSES}
    return next((stage for stage in Stage if stage in up), None)


def _dataset(row: Row[Any]) -> dict[str, Any]:
    return {
        "dataset_id": row.dataset_id,
        "name": row.name,
        "dataset_type": row.dataset_type,
        "stage": row.stage.value,
        "status": row.status.value,
        "quality_score": float(row.quality_score) if row.quality_score is not None else None,
        "_links": {"self": f"{links.DATASETS}/{row.dataset_id}"},
    }


def _event(row: Row[Any]) -> dict[str, Any]:
    return {
        "event_id": row.event_id,
        "event": row.event.value,
        "to_stage": row.to_stage.value if row.to_stage is not None else None,
        "dataset_types": row.dataset_types,
        "occurred_at": rfc3339(row.occurred_at),
        "received_at": rfc3339(row.received_at),
        "status": row.status.value,
        "phase": row.phase.value if row.phase is not None else None,
        "superseded_by": row.superseded_by,
        "started_at": _moment(row.started_at),
        "completed_at": _moment(row.completed_at),
        "error": row.error,
        "operations": [_operation(one) for one in row.operations or ()],
    }


def _operation(begun: dict[str, Any]) -> dict[str, Any]:
    shown = {name: begun[name] for name in ("operation_id", "operation_type", "status")}
    return shown | {"_links": {"self": f"{links.OPERATIONS}/{begun['operation_id']}"}}


def _moment(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment is not None else None
