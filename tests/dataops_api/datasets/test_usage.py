"""What a dataset's connector served, and what the dataset takes up (C-55)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from dataops_core.registry import usage
from dataops_core.storage import Storage

DATASETS = "/v1/dataops/datasets"


@pytest.fixture
def used(api: Any) -> UUID:
    """A dataset that was searched on the 28th twice and on the 30th once."""
    dataset_id: UUID = api.ready()
    with api.database.transaction() as session:
        for day, hour, documents in ((28, 9, 10), (28, 11, 5), (30, 7, 1)):
            moment = datetime(2026, 1, day, hour, tzinfo=UTC)
            usage.record(session, dataset_id, documents=documents, now=moment)
    return dataset_id


def test_usage_has_totals_and_days(api: Any, used: UUID) -> None:
    """C-55."""
    body = api.admin.get(f"{DATASETS}/{used}/usage").json()
    assert body == {
        "dataset_id": str(used),
        "queries_total": 3,
        "documents_served": 16,
        "last_accessed_at": "2026-01-30T07:00:00Z",
        "storage_bytes": 0,
        "index_bytes": 0,
        "daily": [
            {"date": "2026-01-28", "queries": 2, "documents": 15},
            {"date": "2026-01-30", "queries": 1, "documents": 1},
        ],
        "_links": {"self": f"{DATASETS}/{used}/usage", "dataset": f"{DATASETS}/{used}"},
    }


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("from=2026-01-28", [28, 30]),
        ("from=2026-01-28T10:00:00Z", [28, 30]),
        ("from=2026-01-29", [30]),
        ("to=2026-01-30", [28]),
        ("to=2026-01-30T00:00:01Z", [28, 30]),
        ("from=2026-01-29&to=2026-01-30", []),
        ("to=0001-01-01", []),
        ("from=9999-12-31", []),
    ],
)
def test_from_and_to_choose_days_and_leave_the_totals(api: Any, used: UUID, query: str, days: list[int]) -> None:
    """C-55: a day is shown when it begins before ``to``; times are UTC."""
    body = api.admin.get(f"{DATASETS}/{used}/usage?{query}").json()
    assert [day["date"] for day in body["daily"]] == [f"2026-01-{day}" for day in days]
    assert body["queries_total"] == 3


@pytest.mark.parametrize("query", ["from=yesterday", "to=", "until=2026-01-01"])
def test_bad_parameters_are_refused(api: Any, used: UUID, query: str) -> None:
    """C-5."""
    assert api.admin.get(f"{DATASETS}/{used}/usage?{query}").status_code == 400


def test_a_dataset_that_nobody_used_has_none(api: Any) -> None:
    """C-55."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    body = api.admin.get(f"{DATASETS}/{accepted['datasets'][0]['dataset_id']}/usage").json()
    assert (body["queries_total"], body["last_accessed_at"], body["daily"]) == (0, None, [])


def test_bytes_are_those_that_lie_on_disk(api: Any) -> None:
    """C-55."""
    dataset_id = api.ready()
    storage = Storage.from_settings(api.settings)
    storage.write_bytes(f"{storage.dataset_folder(dataset_id)}/a-try/records.parquet", b"x" * 1000)
    storage.write_bytes(f"{storage.archive_folder(dataset_id)}/manifest.json", b"x" * 10)
    assert api.admin.get(f"{DATASETS}/{dataset_id}/usage").json()["storage_bytes"] == 1010
