"""A dataset's quality: the score, checking it again, and its history (``docs/contract.md`` C-60 … C-64)."""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dataops_api import links
from dataops_api.datasets.routes import NOT_FOUND, accepted
from dataops_api.dependencies import CurrentCaller, Service
from dataops_api.errors import invalid_request, request_id_of
from dataops_api.idempotency import Accepted, once
from dataops_api.quality import answers
from dataops_api.quality.schemas import History, HistoryQuery, Quality, ValidationAccepted, ValidationRequest
from dataops_api.routing import Problem, Routes
from dataops_core.lifecycle import CheckType
from dataops_core.provisioning.validating import accept_validation
from dataops_core.registry import datasets
from dataops_core.registry import quality as registry
from dataops_core.scopes import Scope

routes = Routes(links.DATASETS, tag="Quality")

_DATASET_ID = "550e8400-e29b-41d4-a716-446655440000"


def _passed(score: float, weight: float, details: str, minute: int, metrics: dict[str, object]) -> dict[str, object]:
    return {
        "score": score,
        "weight": weight,
        "status": "passed",
        "details": details,
        "executed_at": f"2026-01-28T11:{minute}:00Z",
        "metrics": metrics,
    }


_EXAMPLE = {
    "dataset_id": _DATASET_ID,
    "overall_score": 99.4,
    "meets_threshold": True,
    "threshold": 95.0,
    "calculated_at": "2026-01-28T11:13:00Z",
    "checks": {
        "schema_validation": _passed(100.0, 0.3, "All 500 records match schema", 10, {"records": 500, "valid": 500}),
        "data_completeness": _passed(
            98.0, 0.3, "490/500 records fully populated (98%)", 11, {"present": 500, "fully_populated": 490}
        ),
        "connector_health": _passed(100.0, 0.25, "Connector healthy, response time 1.2s", 12, {}),
        "sample_query_success": _passed(100.0, 0.15, "10/10 test queries successful", 13, {"successful": 10}),
    },
    "_links": {
        "dataset": f"/v1/dataops/datasets/{_DATASET_ID}",
        "revalidate": f"/v1/dataops/datasets/{_DATASET_ID}/quality/validate",
        "history": f"/v1/dataops/datasets/{_DATASET_ID}/quality/history",
    },
}

_OPERATION_ID = "bb0e8400-e29b-41d4-a716-446655440008"
_ACCEPTED = {
    "operation_id": _OPERATION_ID,
    "status": "validating",
    "message": "Quality validation started",
    "estimated_completion": "2026-01-28T11:20:00Z",
    "_links": {
        "status": f"/v1/dataops/operations/{_OPERATION_ID}",
        "results": f"/v1/dataops/datasets/{_DATASET_ID}/quality",
    },
}
_HISTORY = {
    "dataset_id": _DATASET_ID,
    "history": [
        {
            "check_id": "cc0e8400-e29b-41d4-a716-446655440009",
            "check_type": "schema_validation",
            "score": 100.0,
            "status": "passed",
            "executed_at": "2026-01-28T11:10:00Z",
            "duration_ms": 4523,
            "details": "All 500 records match schema",
            "operation_id": _OPERATION_ID,
        },
        {
            "check_id": "dd0e8400-e29b-41d4-a716-446655440010",
            "check_type": "data_completeness",
            "score": 98.0,
            "status": "passed",
            "executed_at": "2026-01-28T11:11:00Z",
            "duration_ms": 3821,
            "details": "490/500 records fully populated (98%)",
            "operation_id": _OPERATION_ID,
        },
    ],
    "_links": {"dataset": f"/v1/dataops/datasets/{_DATASET_ID}"},
}


@routes.add(
    "GET",
    "/{dataset_id}/quality",
    access=Scope.QUALITY_READ,
    summary="Get a dataset's quality score",
    model=Quality,
    example=_EXAMPLE,
    problems=[NOT_FOUND],
)
def get_quality(dataset_id: UUID, caller: CurrentCaller, parts: Service) -> Response:
    """The score as it stands, and what each check said last."""
    with parts.database.transaction() as session:
        datasets.get_visible(session, dataset_id, customers=caller.customers)
        found = registry.current(session, dataset_id)
    return JSONResponse(answers.quality(dataset_id, found))


@routes.add(
    "POST",
    "/{dataset_id}/quality/validate",
    once=True,
    access=Scope.QUALITY_WRITE,
    summary="Validate a dataset's quality",
    status=202,
    model=ValidationAccepted,
    example=_ACCEPTED,
    body_example={"checks": [check.value for check in CheckType], "force_revalidation": False},
    problems=[
        NOT_FOUND,
        Problem(
            "INVALID_REQUEST",
            "Request validation failed",
            {"checks": "Must name at least one check"},
        ),
        Problem(
            "CONFLICT",
            "Dataset is not ready: it is provisioning",
            {"dataset_id": _DATASET_ID, "status": "provisioning", "operation_id": _OPERATION_ID},
        ),
        Problem("CONFLICT", "Another operation works on the dataset", {"operation_id": _OPERATION_ID}),
    ],
)
def validate_quality(
    request: Request, dataset_id: UUID, caller: CurrentCaller, parts: Service, body: ValidationRequest | None = None
) -> Response:
    """Evaluates the checks asked for, all four unless some are named; no body asks for all.

    Checks that were evaluated lately are not evaluated again unless `force_revalidation` is true: the operation is
    completed at once. A validation under way that covers the checks asked for is the answer, too; one that the product
    began of itself gives way to one that covers its checks.
    """
    wanted = body or ValidationRequest()

    def accept(session: Session) -> Accepted:
        operation = accept_validation(
            session,
            dataset_id,
            checks=wanted.checks,
            force=wanted.force_revalidation,
            fresh=timedelta(seconds=parts.settings.validation_fresh_seconds),
            customers=caller.customers,
            api_client_id=caller.api_client_id,
            request_id=request_id_of(request),
        )
        return accepted(operation, answers.validation(operation, dataset_id))

    return once(request, caller, parts, accept)


@routes.add(
    "GET",
    "/{dataset_id}/quality/history",
    access=Scope.QUALITY_READ,
    summary="Get a dataset's quality history",
    model=History,
    example=_HISTORY,
    problems=[NOT_FOUND],
)
def get_quality_history(
    request: Request,
    dataset_id: UUID,
    query: Annotated[HistoryQuery, Query()],
    caller: CurrentCaller,
    parts: Service,
) -> Response:
    """What the checks said over time, oldest first: the newest `limit` evaluations from `from` on, before `to`."""
    with parts.database.transaction() as session:
        datasets.get_visible(session, dataset_id, customers=caller.customers)
        before = registry.find(session, dataset_id, query.before) if query.before is not None else None
        if query.before is not None and before is None:
            raise invalid_request({"before": "Must be the check_id of an evaluation of this dataset"})
        found, has_older = registry.history(
            session,
            dataset_id,
            since=query.from_,
            until=query.to,
            check_type=query.check_type,
            before=before,
            limit=query.limit,
        )
    older = None
    if has_older:
        given = {name: value for name, value in request.query_params.items() if name != "before"}
        older = f"{links.history(dataset_id)}?{urlencode(given | {'before': str(found[0].check_id)})}"
    return JSONResponse(answers.history(dataset_id, found, older=older))
