"""A dataset's quality (``docs/contract.md`` C-60, C-61)."""

from uuid import UUID

from starlette.responses import JSONResponse, Response

from dataops_api import links
from dataops_api.datasets.routes import NOT_FOUND
from dataops_api.dependencies import CurrentCaller, Service
from dataops_api.quality import answers
from dataops_api.quality.schemas import Quality
from dataops_api.routing import Routes
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
    """The score as it stands, and the newest verdict of each check."""
    with parts.database.transaction() as session:
        datasets.get_visible(session, dataset_id, customers=caller.customers)
        found = registry.current(session, dataset_id)
    return JSONResponse(answers.quality(dataset_id, found))
