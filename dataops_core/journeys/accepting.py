"""An event of a journey as it is told: written down once, with what the order of events makes of it.

Belongs here: what is wrong with an event, and which of a journey's events counts. Does not belong here: acting on it
(``advancing.py``), which a sensor does. Source: ``docs/contract.md`` C-91.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, InvalidRequestError
from dataops_core.journeys.failures import EventFailure
from dataops_core.lifecycle import JourneyEventStatus, JourneyEventType, Stage
from dataops_core.provisioning.asking import MOST_PROBLEMS, type_problems
from dataops_core.registry import journeys
from dataops_core.registry.tables import Journey, JourneyEvent

#: Clocks may differ by so much; what is said to occur later than that would put off every event until then.
MOST_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event as somebody tells of it, its shape already checked by the API."""

    journey_id: UUID
    client_id: UUID
    event_id: UUID
    event: JourneyEventType
    occurred_at: datetime
    to_stage: Stage | None = None
    dataset_types: Sequence[str] | None = None
    api_client_id: UUID | None = None
    request_id: str | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What must be the same where the event is told again."""
        return {
            "journey_id": self.journey_id,
            "event": self.event,
            "to_stage": self.to_stage,
            "dataset_types": list(self.dataset_types) if self.dataset_types is not None else None,
            "occurred_at": self.occurred_at,
        }


def accept_event(session: Session, told: ToldEvent) -> JourneyEvent:
    """Writes the event down, or finds it where it was told before. It is pending, or its end is known already.

    Raises InvalidRequestError (details: field → reason), and ConflictError where an event of this id was told with
    another content.
    """
    _check(told)
    now = utcnow()
    journey = journeys.lock_or_make(session, client_id=told.client_id, journey_id=told.journey_id, now=now)
    known = journeys.find_event(session, client_id=told.client_id, event_id=told.event_id)
    if known is None:
        values = told.content | {
            "client_id": told.client_id,
            "event_id": told.event_id,
            "received_at": now,
            "api_client_id": told.api_client_id,
            "request_id": told.request_id,
        }
        made = journeys.add_event(session, values | _standing(session, journey, told, now))
        if made is not None:
            return made
        # Told for another journey at this very moment.
        known = journeys.find_event(session, client_id=told.client_id, event_id=told.event_id)
    if known is None:
        raise ConflictError("The event is being told of at this moment; try again", details=_named(told))
    _must_be_the_same(known, told)
    return known


def _standing(session: Session, journey: Journey, told: ToldEvent, now: datetime) -> dict[str, Any]:
    """Where the event stands from the beginning; a pending one takes the place of the one that waited before it."""
    newer = journeys.newest_after(session, journey, told.occurred_at)
    if newer is not None:
        superseded = {"status": JourneyEventStatus.SUPERSEDED, "superseded_by": newer.event_id}
        return superseded | {"completed_at": now}
    if journey.ended_at is not None and told.event is JourneyEventType.STAGE_TRANSITION:
        error = {
            "code": EventFailure.JOURNEY_COMPLETED.value,
            "message": "The journey was completed before; it has no next stage.",
            "details": {},
        }
        return {"status": JourneyEventStatus.FAILED, "completed_at": now, "error": error}
    waiting = journeys.with_status(session, journey, JourneyEventStatus.PENDING)
    if waiting is not None:
        supersede(session, waiting, by=told.event_id)
    return {"status": JourneyEventStatus.PENDING}


def supersede(session: Session, event: JourneyEvent, *, by: UUID) -> None:
    """Ends an event because a newer one counts. The caller holds the journey's row lock."""
    event.status = JourneyEventStatus.SUPERSEDED
    event.phase = None
    event.superseded_by = by
    event.completed_at = utcnow()
    session.flush()


def _check(told: ToldEvent) -> None:
    problems: dict[str, str] = {}
    if told.event is JourneyEventType.STAGE_TRANSITION:
        if told.to_stage is None:
            problems["to_stage"] = "Is required for stage_transition"
    else:
        fields = {"to_stage": told.to_stage, "dataset_types": told.dataset_types}
        problems = {name: "Must be absent for journey_completed" for name, value in fields.items() if value is not None}
    if told.occurred_at > utcnow() + MOST_AHEAD:
        problems["occurred_at"] = f"Must not be more than {MOST_AHEAD.seconds // 60} minutes ahead of the clock here"
    if told.dataset_types is not None and "dataset_types" not in problems:
        problems |= type_problems(told.dataset_types)
    if problems:
        raise InvalidRequestError("Request validation failed", details=dict(islice(problems.items(), MOST_PROBLEMS)))


def _must_be_the_same(known: JourneyEvent, told: ToldEvent) -> None:
    differing = [name for name, value in told.content.items() if getattr(known, name) != value]
    if differing:
        raise ConflictError(
            "An event of this event_id was told with another content",
            details=_named(told) | {"differs": differing},
        )


def _named(told: ToldEvent) -> dict[str, str]:
    return {"event_id": str(told.event_id)}
