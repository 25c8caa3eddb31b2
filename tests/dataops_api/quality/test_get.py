"""A dataset's quality as it stands (C-60)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

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


def evaluate(api: Any, dataset_id: UUID, check: CheckType, status: CheckStatus, score: str | None, *, ago: int) -> None:
    """Keeps an evaluation that was made so many seconds ago."""
    with api.database.transaction() as session:
        quality.add(
            session,
            CheckResult(check, status, Decimal(score) if score is not None else None, f"{status} {ago} s ago"),
            dataset_id=dataset_id,
            operation_id=uuid4(),
            attempt=1,
            executed_at=utcnow() - timedelta(seconds=ago),
            duration_ms=3,
        )


def shown(api: Any, dataset_id: UUID) -> dict[str, Any]:
    body: dict[str, Any] = api.admin.get(f"{DATASETS}/{dataset_id}/quality").json()
    return body


def test_a_first_evaluation_that_could_not_tell_is_an_error_without_a_score(api: Any) -> None:
    """C-60, C-62: the others are pending still."""
    dataset_id = UUID(api.provision(dataset_types=["confluence_pages"])["datasets"][0]["dataset_id"])
    evaluate(api, dataset_id, CheckType.CONNECTOR_HEALTH, CheckStatus.ERROR, None, ago=1)
    body = shown(api, dataset_id)
    assert (body["overall_score"], body["meets_threshold"], body["calculated_at"]) == (None, False, None)
    check = body["checks"]["connector_health"]
    assert (check["status"], check["score"], check["details"]) == ("error", None, "error 1 s ago")
    assert body["checks"]["schema_validation"]["status"] == "pending"


def test_there_is_no_overall_score_while_one_check_has_none(api: Any) -> None:
    """C-60."""
    dataset_id = UUID(api.provision(dataset_types=["confluence_pages"])["datasets"][0]["dataset_id"])
    for check in list(CheckType)[:3]:
        evaluate(api, dataset_id, check, CheckStatus.PASSED, "100", ago=1)
    body = shown(api, dataset_id)
    assert (body["overall_score"], body["meets_threshold"]) == (None, False)
    assert body["calculated_at"] is not None
    evaluate(api, dataset_id, CheckType.SAMPLE_QUERY_SUCCESS, CheckStatus.PASSED, "100", ago=0)
    assert (shown(api, dataset_id)["overall_score"], shown(api, dataset_id)["meets_threshold"]) == (100.0, True)


def test_the_newest_evaluation_is_shown_and_the_newest_verdict_scores(api: Any) -> None:
    """C-60, C-62: verdict, doubt, verdict: the doubt is over with the next verdict."""
    dataset_id = UUID(api.provision(dataset_types=["confluence_pages"])["datasets"][0]["dataset_id"])
    for check in CheckType:
        evaluate(api, dataset_id, check, CheckStatus.PASSED, "100", ago=40)
    evaluate(api, dataset_id, CheckType.CONNECTOR_HEALTH, CheckStatus.FAILED, "50", ago=30)
    assert shown(api, dataset_id)["overall_score"] == 87.5
    evaluate(api, dataset_id, CheckType.CONNECTOR_HEALTH, CheckStatus.ERROR, None, ago=20)
    doubtful = shown(api, dataset_id)
    assert (doubtful["overall_score"], doubtful["checks"]["connector_health"]["score"]) == (87.5, 50.0)
    assert doubtful["checks"]["connector_health"]["status"] == "error"
    evaluate(api, dataset_id, CheckType.CONNECTOR_HEALTH, CheckStatus.PASSED, "100", ago=10)
    clear = shown(api, dataset_id)
    assert (clear["overall_score"], clear["meets_threshold"]) == (100.0, True)
    assert clear["checks"]["connector_health"]["details"] == "passed 10 s ago"


def test_nine_of_ten_queries_score_high_and_miss_the_threshold(api: Any) -> None:
    """C-62."""
    dataset_id = api.ready()
    evaluate(api, dataset_id, CheckType.SAMPLE_QUERY_SUCCESS, CheckStatus.FAILED, "90", ago=-1)
    body = shown(api, dataset_id)
    # 30 + 29.4 + 25 + 13.5
    assert (body["overall_score"], body["meets_threshold"]) == (97.9, False)


def test_quality_can_be_read_of_a_dataset_that_is_archived(api: Any) -> None:
    """C-60: what the checks said is kept with the dataset."""
    dataset_id = api.ready()
    before = shown(api, dataset_id)
    api.archive(dataset_id)
    assert shown(api, dataset_id) == before


def test_who_may_read_it(api: Any) -> None:
    """C-23, C-8."""
    dataset_id = api.ready()
    path = f"{DATASETS}/{dataset_id}/quality"
    with api.asking(Scope.QUALITY_WRITE, Scope.DATASETS_READ) as client:
        assert client.get(path).status_code == 403
    with api.asking(Scope.QUALITY_READ, customers=[uuid4()]) as client:
        assert client.get(path).status_code == 404
