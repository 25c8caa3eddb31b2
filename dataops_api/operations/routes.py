"""Operations: how asynchronous work goes on (``docs/contract.md`` C-25, C-80 … C-86)."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row
from starlette.responses import JSONResponse, Response

from dataops_api import links
from dataops_api.auth.authority import Caller
from dataops_api.dependencies import CurrentCaller, Parts, Service
from dataops_api.operations import answers
from dataops_api.operations.schemas import Operation
from dataops_api.routing import Problem, Routes, require
from dataops_core.errors import NotFoundError
from dataops_core.lifecycle import OperationStatus, OperationType
from dataops_core.registry import reading
from dataops_core.registry.operations import OPEN
from dataops_core.scopes import Scope

routes = Routes(links.OPERATIONS, tag="Operations")

_OF_DATASETS = (Scope.DATASETS_READ, Scope.DATASETS_WRITE)
_OF_QUALITY = (Scope.QUALITY_READ, Scope.QUALITY_WRITE)
_OPERATION_ID = "990e8400-e29b-41d4-a716-446655440004"

_IN_PROGRESS: dict[str, Any] = {
    "operation_id": _OPERATION_ID,
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
    "_links": {"self": f"/v1/dataops/operations/{_OPERATION_ID}"},
}
_COMPLETED: dict[str, Any] = _IN_PROGRESS | {
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
        "self": f"/v1/dataops/operations/{_OPERATION_ID}",
        "datasets": f"/v1/dataops/datasets?operation_id={_OPERATION_ID}",
    },
}


@routes.add(
    "GET",
    "/{operation_id}",
    # Who may start it may watch it (C-25): which of these suffice depends on the operation's kind.
    access=(*_OF_DATASETS, *_OF_QUALITY),
    summary="Get an operation",
    model=Operation,
    problems=[Problem("NOT_FOUND", "Operation not found", {"operation_id": _OPERATION_ID})],
    examples={"In progress": _IN_PROGRESS, "Completed": _COMPLETED},
)
def get_operation(operation_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """An operation as the registry has it; Dagster is asked only about one that has not moved lately."""
    row = _read(parts, caller, operation_id)
    validation = row.operation_type == OperationType.VALIDATION
    require(caller, *(_OF_QUALITY if validation else _OF_DATASETS))
    if OperationStatus(row.status) in OPEN and parts.watcher.settle_if_quiet(operation_id, row.run_id, row.beat_at):
        row = _read(parts, caller, operation_id)
    run_url = (
        f"{parts.settings.dagster_base}/runs/{row.run_id}" if Scope.ADMIN in caller.scopes and row.run_id else None
    )
    return JSONResponse(answers.operation(row, run_url=run_url))


def _read(parts: Parts, caller: Caller, operation_id: UUID) -> Row[Any]:
    with parts.database.reading() as connection:
        row = reading.find_operation(connection, operation_id, customers=caller.customers)
    if row is None:
        raise NotFoundError("Operation not found", details={"operation_id": str(operation_id)})
    return row
