"""Examples of requests and answers about journeys, as the OpenAPI description shows them."""

from typing import Any

from dataops_api.datasets.examples import CLIENT_ID, DATASET_ID, JOURNEY_ID, OPERATION_ID
from dataops_api.routing import Problem

EVENT_ID = "bb0e8400-e29b-41d4-a716-446655440008"
_SELF = f"/v1/dataops/journeys/{JOURNEY_ID}?client_id={CLIENT_ID}"

NEW_EVENT: dict[str, Any] = {
    "event_id": EVENT_ID,
    "event": "stage_transition",
    "client_id": CLIENT_ID,
    "to_stage": "pilot",
    "occurred_at": "2026-01-28T10:30:00Z",
}

EVENT_ACCEPTED: dict[str, Any] = {
    "event_id": EVENT_ID,
    "status": "pending",
    "message": "Journey event accepted",
    "_links": {"journey": _SELF},
}

JOURNEY: dict[str, Any] = {
    "journey_id": JOURNEY_ID,
    "client_id": CLIENT_ID,
    "current_stage": "sandbox",
    "status": "transitioning",
    "ended_at": None,
    "datasets": [
        {
            "dataset_id": "550e8400-e29b-41d4-a716-446655440006",
            "name": "ACME-Pilot-Confluence",
            "dataset_type": "confluence_pages",
            "stage": "pilot",
            "status": "provisioning",
            "quality_score": None,
            "_links": {"self": "/v1/dataops/datasets/550e8400-e29b-41d4-a716-446655440006"},
        },
        {
            "dataset_id": DATASET_ID,
            "name": "ACME-Sandbox-Confluence",
            "dataset_type": "confluence_pages",
            "stage": "sandbox",
            "status": "ready",
            "quality_score": 98.5,
            "_links": {"self": f"/v1/dataops/datasets/{DATASET_ID}"},
        },
    ],
    "events": [
        {
            "event_id": EVENT_ID,
            "event": "stage_transition",
            "to_stage": "pilot",
            "dataset_types": None,
            "occurred_at": "2026-01-28T10:30:00Z",
            "received_at": "2026-01-28T10:30:01Z",
            "status": "in_progress",
            "phase": "provisioning",
            "superseded_by": None,
            "started_at": "2026-01-28T10:30:04Z",
            "completed_at": None,
            "error": None,
            "operations": [
                {
                    "operation_id": OPERATION_ID,
                    "operation_type": "dataset_provisioning",
                    "status": "in_progress",
                    "_links": {"self": f"/v1/dataops/operations/{OPERATION_ID}"},
                }
            ],
        }
    ],
    "_links": {
        "self": _SELF,
        "datasets": f"/v1/dataops/datasets?journey_id={JOURNEY_ID}&client_id={CLIENT_ID}",
    },
}

TOLD_OTHERWISE = Problem(
    "CONFLICT",
    "An event of this event_id was told with another content",
    {"event_id": EVENT_ID, "differs": ["to_stage"]},
)
SEVERAL = Problem("CONFLICT", "Several customers have a journey of this id", {"client_id": "Name one of them"})
NOT_FOUND = Problem("NOT_FOUND", "Journey not found", {"journey_id": JOURNEY_ID})
