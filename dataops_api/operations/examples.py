"""Examples of answers about operations, as the OpenAPI description shows them."""

import json
from typing import Any

OPERATION_ID = "990e8400-e29b-41d4-a716-446655440004"

_SELF = f"/v1/dataops/operations/{OPERATION_ID}"

IN_PROGRESS: dict[str, Any] = {
    "operation_id": OPERATION_ID,
    "operation_type": "dataset_provisioning",
    "status": "in_progress",
    "progress": {
        "current_step": 3,
        "total_steps": 6,
        "step_description": "Populating mock data",
        "percent_complete": 50,
    },
    "started_at": "2026-01-28T10:30:00Z",
    "estimated_completion": "2026-01-28T11:30:00Z",
    "completed_at": None,
    "duration_minutes": None,
    "duration_seconds": None,
    "result": None,
    "error": None,
    "attempt": 1,
    "rerun_of": None,
    "run_id": "5f8a7c1e-6e0a-4a5b-9a54-2f7f5c2b8d10",
    "run_url": None,
    "_links": {"self": _SELF, "events": f"{_SELF}/events", "cancel": f"{_SELF}/cancel", "retry": None},
}
COMPLETED: dict[str, Any] = IN_PROGRESS | {
    "status": "completed",
    "progress": {"current_step": 6, "total_steps": 6, "step_description": None, "percent_complete": 100},
    "estimated_completion": None,
    "completed_at": "2026-01-28T11:15:00Z",
    "duration_minutes": 45.0,
    "duration_seconds": 2700.0,
    "result": {
        "datasets": [
            {
                "dataset_id": "550e8400-e29b-41d4-a716-446655440005",
                "dataset_type": "confluence_pages",
                "status": "ready",
                "quality_score": 98.5,
            }
        ]
    },
    "_links": {
        "self": _SELF,
        "datasets": f"/v1/dataops/datasets?operation_id={OPERATION_ID}",
        "events": f"{_SELF}/events",
        "cancel": None,
        "retry": None,
    },
}

EVENT = f"id: 5f1d2a9b3c4e6f70\nevent: operation\ndata: {json.dumps(COMPLETED)}\n\n"

_LIST = "/v1/dataops/operations?status=completed&page=1"
OPERATION_LIST: dict[str, Any] = {
    "operations": [COMPLETED],
    "pagination": {"page": 1, "per_page": 20, "total_pages": 1, "total_count": 1},
    "_links": {"self": _LIST, "first": _LIST, "last": _LIST},
}

CANCELLED: dict[str, Any] = {
    "operation_id": OPERATION_ID,
    "status": "cancelled",
    "message": "Operation cancelled",
    "estimated_completion": None,
    "_links": {"status": _SELF},
}
RETRIED: dict[str, Any] = {
    "operation_id": OPERATION_ID,
    "status": "pending",
    "message": "Operation retry started",
    "estimated_completion": "2026-01-28T12:30:00Z",
    "_links": {"status": _SELF},
}
