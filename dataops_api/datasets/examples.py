"""Examples of requests and answers about datasets, as the OpenAPI description shows them."""

from typing import Any

from dataops_api.routing import Problem

DATASET_ID = "550e8400-e29b-41d4-a716-446655440000"
CLIENT_ID = "123e4567-e89b-12d3-a456-426614174000"
JOURNEY_ID = "123e4567-e89b-12d3-a456-426614174001"
OPERATION_ID = "990e8400-e29b-41d4-a716-446655440004"

_SELF = f"/v1/dataops/datasets/{DATASET_ID}"

DATASET: dict[str, Any] = {
    "dataset_id": DATASET_ID,
    "name": "ACME-Sandbox-Confluence",
    "dataset_type": "confluence_pages",
    "stage": "sandbox",
    "client_id": CLIENT_ID,
    "journey_id": JOURNEY_ID,
    "status": "ready",
    "created_at": "2026-01-28T10:30:00Z",
    "ready_at": "2026-01-28T11:15:00Z",
    "archived_at": None,
    "data_source": "mock_template",
    "record_count": 500,
    "size_bytes": 15728640,
    "quality_score": 98.5,
    "connector": {
        "connector_id": "660e8400-e29b-41d4-a716-446655440001",
        "name": "ACME-Sandbox-Confluence",
        "status": "healthy",
        "endpoint_url": "https://api.a-domain.com/connectors/660e8400-e29b-41d4-a716-446655440001",
    },
    "template": {
        "template_id": "770e8400-e29b-41d4-a716-446655440002",
        "name": "FinTech Developer Productivity - Confluence",
        "version": 1,
    },
    "metadata": {
        "industry": "fintech",
        "use_case": "developer_productivity",
        "tags": ["sandbox", "mock", "testing"],
        "requested_by": "john.doe@acme.com",
        "reason": "sandbox_stage_transition",
        "custom_fields": {"client_name": "ACME"},
    },
    "updated_at": "2026-01-28T11:15:00Z",
    "operation_id": OPERATION_ID,
    "active_operation_id": None,
    "seed": 4611686018427387904,
    "error": None,
    "_links": {
        "self": _SELF,
        "quality": f"{_SELF}/quality",
        "usage": f"{_SELF}/usage",
        "teardown": f"{_SELF}/teardown",
        "connector": f"{_SELF}/connector",
        "records": f"{_SELF}/records",
        "ground_truth": f"{_SELF}/ground-truth",
        "restore": None,
    },
}

_LIST = f"/v1/dataops/datasets?client_id={CLIENT_ID}&stage=sandbox&status=ready&page=1"

DATASET_LIST: dict[str, Any] = {
    "datasets": [DATASET],
    "pagination": {"page": 1, "per_page": 20, "total_pages": 1, "total_count": 1},
    "_links": {"self": _LIST, "first": _LIST, "last": _LIST},
}

NEW_DATASETS: dict[str, Any] = {
    "journey_id": JOURNEY_ID,
    "client_id": CLIENT_ID,
    "stage": "sandbox",
    "dataset_types": ["confluence_pages", "github_repos"],
    "template_selection": "auto",
    "metadata": {"requested_by": "john.doe@acme.com", "reason": "sandbox_stage_transition"},
}

PROVISIONING_ACCEPTED: dict[str, Any] = {
    "operation_id": OPERATION_ID,
    "status": "provisioning",
    "message": "Dataset provisioning started",
    "datasets": [
        {
            "dataset_id": "550e8400-e29b-41d4-a716-446655440005",
            "dataset_type": "confluence_pages",
            "status": "provisioning",
        },
        {
            "dataset_id": "550e8400-e29b-41d4-a716-446655440006",
            "dataset_type": "github_repos",
            "status": "provisioning",
        },
    ],
    "estimated_completion": "2026-01-28T12:30:00Z",
    "_links": {
        "status": f"/v1/dataops/operations/{OPERATION_ID}",
        "datasets": f"/v1/dataops/datasets?journey_id={JOURNEY_ID}",
    },
}

TEARDOWN_ACCEPTED: dict[str, Any] = {
    "operation_id": "aa0e8400-e29b-41d4-a716-446655440007",
    "status": "tearing_down",
    "message": "Dataset teardown initiated",
    "estimated_completion": "2026-01-28T11:00:00Z",
    "_links": {"status": "/v1/dataops/operations/aa0e8400-e29b-41d4-a716-446655440007"},
}

RESTORE_ACCEPTED: dict[str, Any] = {
    "operation_id": "cc0e8400-e29b-41d4-a716-446655440009",
    "status": "restoring",
    "message": "Dataset restore started",
    "estimated_completion": "2026-01-28T11:00:00Z",
    "_links": {"status": "/v1/dataops/operations/cc0e8400-e29b-41d4-a716-446655440009"},
}

NO_ARCHIVE = Problem("CONFLICT", "No archive of the dataset is kept", {"dataset_id": DATASET_ID, "status": "archived"})

ARCHIVED_ALREADY = Problem(
    "CONFLICT",
    "Dataset is archived already",
    {"dataset_id": DATASET_ID, "conflict": "archive=false purges an archive that is kept"},
)

USAGE: dict[str, Any] = {
    "dataset_id": DATASET_ID,
    "queries_total": 1240,
    "documents_served": 9320,
    "last_accessed_at": "2026-01-29T08:12:44Z",
    "storage_bytes": 4718592,
    "index_bytes": 20971520,
    "daily": [
        {"date": "2026-01-28", "queries": 1000, "documents": 7500},
        {"date": "2026-01-29", "queries": 240, "documents": 1820},
    ],
    "_links": {"self": f"{_SELF}/usage", "dataset": _SELF},
}
