"""Journeys: events are told of, and journeys looked at (``docs/contract.md`` C-91, C-93)."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api import links
from dataops_api.datasets.examples import CLIENT_ID
from dataops_api.dependencies import CurrentCaller, Service
from dataops_api.errors import request_id_of
from dataops_api.idempotency import Accepted, once
from dataops_api.journeys import answers, examples
from dataops_api.journeys.schemas import EventAccepted, Journey, JourneyQuery, NewEvent
from dataops_api.routing import Problem, Routes
from dataops_core.errors import ConflictError, NotFoundError
from dataops_core.journeys.accepting import ToldEvent, accept_event
from dataops_core.registry import reading_journeys
from dataops_core.scopes import Scope

routes = Routes(links.JOURNEYS, tag="Journeys")

#: The sensor that acts on events looks for them so often.
_RETRY_AFTER = "5"


@routes.add(
    "POST",
    "/{journey_id}/events",
    access=Scope.DATASETS_WRITE,
    summary="Tell of a journey's event",
    status=202,
    model=EventAccepted,
    example=examples.EVENT_ACCEPTED,
    problems=[
        Problem("INVALID_REQUEST", "Request validation failed", {"to_stage": "Is required for stage_transition"}),
        Problem("FORBIDDEN", "The API client does not act for this customer", {"client_id": CLIENT_ID}),
        examples.TOLD_OTHERWISE,
    ],
    body_example=examples.NEW_EVENT,
    once=True,
)
def tell_journey_event(
    request: Request, journey_id: UUID, body: NewEvent, caller: CurrentCaller, parts: Service
) -> Response:
    """Writes the event down and answers at once; it is acted on within seconds, as the journey tells."""
    caller.must_reach(body.client_id)
    told = ToldEvent(
        journey_id=journey_id,
        client_id=body.client_id,
        event_id=body.event_id,
        event=body.event,
        occurred_at=body.occurred_at,
        to_stage=body.to_stage,
        dataset_types=body.dataset_types,
        api_client_id=caller.api_client_id,
        request_id=request_id_of(request),
    )

    def accept(session: Session) -> Accepted:
        event = accept_event(session, told)
        headers = {"Location": links.journey(event.journey_id, event.client_id), "Retry-After": _RETRY_AFTER}
        return Accepted(
            JSONResponse(answers.accepted(event), status_code=202, headers=headers), customer=event.client_id
        )

    return once(request, caller, parts, accept)


@routes.add(
    "GET",
    "/{journey_id}",
    access=Scope.DATASETS_READ,
    summary="Get a journey",
    model=Journey,
    example=examples.JOURNEY,
    problems=[examples.NOT_FOUND, examples.SEVERAL],
)
def get_journey(
    journey_id: UUID, query: Annotated[JourneyQuery, Query()], caller: CurrentCaller, parts: Service
) -> Response:
    """Where a journey stands: its stage, its datasets and its events, with their operations."""
    with parts.database.reading() as connection:
        having = reading_journeys.customers_of(
            connection, journey_id, client_id=query.client_id, customers=caller.customers
        )
        if not having:
            raise NotFoundError("Journey not found", details={"journey_id": str(journey_id)})
        if len(having) > 1:
            raise ConflictError(
                "Several customers have a journey of this id", details={"client_id": "Name one of them"}
            )
        (client_id,) = having
        key = {"journey_id": journey_id, "client_id": client_id}
        # Events first: what they have begun is among the datasets then.
        events = reading_journeys.events_of(connection, **key)
        standing = reading_journeys.standing_of(connection, **key)
        datasets = reading_journeys.datasets_of(connection, **key)
    return JSONResponse(answers.journey(**key, standing=standing, datasets=datasets, events=events))
