"""What the checks said over time (C-64)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult
from dataops_core.registry import quality
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"
START = datetime(2026, 1, 28, 11, tzinfo=UTC)
SCHEMA, COMPLETENESS = CheckType.SCHEMA_VALIDATION, CheckType.DATA_COMPLETENESS


def add(
    api: Any, dataset_id: UUID, check: CheckType, moment: datetime, status: CheckStatus = CheckStatus.PASSED
) -> str:
    with api.database.transaction() as session:
        score = None if status is CheckStatus.ERROR else Decimal("98.25")
        row = quality.add(
            session,
            CheckResult(check, status, score, f"{check} says {status}"),
            dataset_id=dataset_id,
            operation_id=uuid4(),
            attempt=1,
            executed_at=moment,
            duration_ms=4523,
        )
        return str(row.check_id)


@pytest.fixture
def dataset_id(api: Any) -> UUID:
    """A dataset that was not checked yet."""
    return UUID(api.provision(dataset_types=["confluence_pages"])["datasets"][0]["dataset_id"])


def history(api: Any, dataset_id: UUID, **query: Any) -> dict[str, Any]:
    answer = api.admin.get(f"{DATASETS}/{dataset_id}/quality/history", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def shown(body: dict[str, Any]) -> list[str]:
    return [entry["check_id"] for entry in body["history"]]


def everything(api: Any, body: dict[str, Any]) -> Sequence[str]:
    """All that ``_links.older`` leads to, oldest first."""
    found = shown(body)
    for _ in range(50):
        if "older" not in body["_links"]:
            return found
        body = api.admin.get(body["_links"]["older"]).json()
        assert body["history"]
        found = shown(body) + found
    pytest.fail("the history has no end")


def test_entries_have_every_field_and_come_oldest_first(api: Any, dataset_id: UUID) -> None:
    """C-64: errors are kept and have no score."""
    second = add(api, dataset_id, COMPLETENESS, START + timedelta(minutes=1), CheckStatus.ERROR)
    first = add(api, dataset_id, SCHEMA, START)
    body = history(api, dataset_id)
    assert (body["dataset_id"], body["_links"]) == (str(dataset_id), {"dataset": f"{DATASETS}/{dataset_id}"})
    assert [(one["check_id"], one["score"], one["status"]) for one in body["history"]] == [
        (first, 98.25, "passed"),
        (second, None, "error"),
    ]
    entry = dict(body["history"][0])
    assert UUID(entry.pop("operation_id"))
    assert entry == {
        "check_id": first,
        "check_type": "schema_validation",
        "score": 98.25,
        "status": "passed",
        "executed_at": "2026-01-28T11:00:00Z",
        "duration_ms": 4523,
        "details": "schema_validation says passed",
    }


def test_a_dataset_that_was_not_checked_has_an_empty_history(api: Any, dataset_id: UUID) -> None:
    """C-64."""
    assert history(api, dataset_id)["history"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from": "2026-01-28T11:01:00Z"}, [1, 2, 3]),
        ({"from": "2026-01-28T12:01:00+01:00"}, [1, 2, 3]),
        ({"to": "2026-01-28T11:02:00Z"}, [0, 1]),
        ({"from": "2026-01-28T11:01:00", "to": "2026-01-28T11:03:00"}, [1, 2]),
        ({"from": "2026-01-28T11:01:00Z", "to": "2026-01-28T11:01:00Z"}, []),
        ({"from": "2026-01-28T11:02:00Z", "to": "2026-01-28T11:01:00Z"}, []),
        ({"from": "2026-01-29"}, []),
        ({"to": "0001-01-01"}, []),
        ({"check_type": "data_completeness"}, [1, 3]),
        ({"check_type": "data_completeness", "to": "2026-01-28T11:03:00Z"}, [1]),
        ({"check_type": "connector_health"}, []),
        ({"limit": 2}, [2, 3]),
        ({"limit": 2, "to": "2026-01-28T11:03:00Z"}, [1, 2]),
    ],
)
def test_from_is_inclusive_to_exclusive_and_the_newest_of_the_range_are_shown(
    api: Any, dataset_id: UUID, query: dict[str, Any], expected: list[int]
) -> None:
    """C-64."""
    made = [
        add(api, dataset_id, check, START + timedelta(minutes=minute))
        for minute, check in enumerate((SCHEMA, COMPLETENESS, SCHEMA, COMPLETENESS))
    ]
    assert shown(history(api, dataset_id, **query)) == [made[number] for number in expected]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7])
def test_older_goes_on_exactly_also_within_one_moment(api: Any, dataset_id: UUID, limit: int) -> None:
    """C-64: seven evaluations, five of them at the same microsecond; none is lost, none comes twice."""
    early = add(api, dataset_id, SCHEMA, START)
    same = sorted(add(api, dataset_id, SCHEMA, START + timedelta(microseconds=1)) for _ in range(5))
    late = add(api, dataset_id, SCHEMA, START + timedelta(microseconds=2))
    body = history(api, dataset_id, limit=limit, **{"from": "2026-01-28"})
    assert len(body["history"]) == limit
    assert everything(api, body) == [early, *same, late]
    assert ("older" in body["_links"]) == (limit < 7)


def test_older_keeps_every_filter(api: Any, dataset_id: UUID) -> None:
    """C-64."""
    made = [
        add(api, dataset_id, check, START + timedelta(minutes=minute))
        for minute, check in enumerate((SCHEMA, COMPLETENESS, SCHEMA, SCHEMA, SCHEMA))
    ]
    query = {"check_type": "schema_validation", "limit": 1, "from": "2026-01-28T11:00:00+00:00"}
    body = history(api, dataset_id, to="2026-01-28T11:04:00Z", **query)
    assert everything(api, body) == [made[0], made[2], made[3]]
    assert body["_links"]["older"].startswith(f"{DATASETS}/{dataset_id}/quality/history?")


def test_a_thousand_are_shown_and_no_more(api: Any, dataset_id: UUID) -> None:
    """C-64."""
    with api.database.transaction() as session:
        for number in range(1001):
            quality.add(
                session,
                CheckResult(SCHEMA, CheckStatus.PASSED, Decimal(100), "Fine"),
                dataset_id=dataset_id,
                operation_id=dataset_id,
                attempt=1,
                executed_at=START + timedelta(seconds=number),
                duration_ms=1,
            )
    body = history(api, dataset_id)
    assert len(body["history"]) == 1000
    assert body["history"][0]["executed_at"] == "2026-01-28T11:00:01Z"
    older = api.admin.get(body["_links"]["older"]).json()
    assert [entry["executed_at"] for entry in older["history"]] == ["2026-01-28T11:00:00Z"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=", "to"),
        ("check_type=spelling", "check_type"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=all", "limit"),
        ("before=me", "before"),
        ("before=550e8400-e29b-41d4-a716-446655440000", "before"),
        ("page=2", "page"),
    ],
)
def test_a_bad_parameter_is_named(api: Any, dataset_id: UUID, query: str, field: str) -> None:
    """C-64, C-5."""
    answer = api.admin.get(f"{DATASETS}/{dataset_id}/quality/history?{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


def test_another_datasets_evaluation_is_no_place_to_go_on_from(api: Any, dataset_id: UUID) -> None:
    """C-64, C-8."""
    other = UUID(api.provision(dataset_types=["confluence_pages"])["datasets"][0]["dataset_id"])
    before = add(api, other, SCHEMA, START)
    answer = api.admin.get(f"{DATASETS}/{dataset_id}/quality/history", params={"before": before})
    assert answer.status_code == 400


def test_who_may_read_it(api: Any, dataset_id: UUID) -> None:
    """C-23, C-8, C-36."""
    path = f"{DATASETS}/{dataset_id}/quality/history"
    with api.asking(Scope.QUALITY_WRITE, Scope.DATASETS_READ) as client:
        assert client.get(path).status_code == 403
    with api.asking(Scope.QUALITY_READ, customers=[uuid4()]) as client:
        assert client.get(path).status_code == 404
    with api.asking(Scope.QUALITY_READ) as client:
        assert client.get(path).status_code == 200
    assert api.admin.get(f"{DATASETS}/{uuid4()}/quality/history").status_code == 404
    link = api.admin.get(f"{DATASETS}/{dataset_id}/quality").json()["_links"]["history"]
    assert link == path
