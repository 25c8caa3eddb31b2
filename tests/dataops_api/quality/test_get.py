"""A dataset's quality as it stands (C-60)."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from dataops_core.clock import utcnow
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult
from dataops_core.registry import quality
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"
WEIGHTS = {
    "schema_validation": 0.3,
    "data_completeness": 0.3,
    "connector_health": 0.25,
    "sample_query_success": 0.15,
}


def test_the_references_request_gets_the_references_answer(api: Any) -> None:
    """C-60: 100, 98, 100, 100 make 99.4."""
    dataset_id = api.ready()
    with api.asking(Scope.QUALITY_READ) as client:
        body = client.get(f"{DATASETS}/{dataset_id}/quality").json()
    assert list(body) == [
        "dataset_id",
        "overall_score",
        "meets_threshold",
        "threshold",
        "calculated_at",
        "checks",
        "_links",
    ]
    assert (body["overall_score"], body["meets_threshold"], body["threshold"]) == (99.4, True, 95.0)
    assert {name: check["weight"] for name, check in body["checks"].items()} == WEIGHTS
    assert list(body["checks"]) == list(WEIGHTS)
    for check in body["checks"].values():
        assert list(check) == ["score", "weight", "status", "details", "executed_at", "metrics"]
        assert check["status"] == "passed"
    assert body["checks"]["data_completeness"]["score"] == 98.0
    assert body["calculated_at"] == max(check["executed_at"] for check in body["checks"].values())
    assert body["_links"]["dataset"] == f"{DATASETS}/{dataset_id}"


def test_before_the_first_check_all_are_pending(api: Any) -> None:
    """C-60."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    body = api.admin.get(f"{DATASETS}/{accepted['datasets'][0]['dataset_id']}/quality").json()
    assert (body["overall_score"], body["meets_threshold"], body["calculated_at"]) == (None, False, None)
    for name, check in body["checks"].items():
        assert check == {
            "score": None,
            "weight": WEIGHTS[name],
            "status": "pending",
            "details": None,
            "executed_at": None,
            "metrics": {},
        }


def test_a_check_that_failed_says_so_and_scores_are_numbers_rounded_down(api: Any) -> None:
    """C-60, C-62."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    (dataset_id,) = api.publish(accepted)
    with api.database.transaction() as session:
        quality.add(
            session,
            CheckResult(
                CheckType.DATA_COMPLETENESS,
                CheckStatus.FAILED,
                Decimal("93.33"),
                "467/500 records fully populated (93%)",
                {"present": 500},
            ),
            dataset_id=dataset_id,
            operation_id=uuid4(),
            attempt=1,
            executed_at=utcnow(),
            duration_ms=3,
        )
    body = api.admin.get(f"{DATASETS}/{dataset_id}/quality").json()
    check = body["checks"]["data_completeness"]
    assert (check["status"], check["score"], check["metrics"]) == ("failed", 93.33, {"present": 500})
    # 30 + 27.999 + 25 + 15 = 97.999
    assert (body["overall_score"], body["meets_threshold"]) == (97.9, False)


def test_a_dataset_that_is_not_there_is_404(api: Any) -> None:
    """C-36."""
    assert api.admin.get(f"{DATASETS}/{uuid4()}/quality").status_code == 404
