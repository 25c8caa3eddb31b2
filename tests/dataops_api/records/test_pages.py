"""Records as pages of JSON (C-56): which, in which shape, and for whom."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry import datasets
from dataops_core.scopes import Scope
from tests.dataops_api.records.conftest import PAGES as COUNT
from tests.dataops_api.records.conftest import Stored

PROFILES = Path(__file__).parents[2] / "data" / "record-profiles"
PAGES, REPOSITORIES = "confluence_pages", "github_repos"


def profile(dataset_type: str) -> Draft202012Validator:
    schema = json.loads((PROFILES / f"{dataset_type}.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def page(api: Any, path: str, **query: Any) -> dict[str, Any]:
    answer = api.admin.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ids(stored: Stored) -> list[Any]:
    found: list[Any] = pq.read_table(stored.file, columns=["id"])["id"].to_pylist()
    return found


def test_a_page_has_the_first_twenty_records_and_says_where_it_stands(api: Any, pages: Stored) -> None:
    """C-56, C-31, C-32."""
    body = page(api, pages.path)
    assert list(body) == ["records", "pagination", "_links"]
    assert [record["id"] for record in body["records"]] == ids(pages)[:20]
    assert body["pagination"] == {"page": 1, "per_page": 20, "total_pages": -(-COUNT // 20), "total_count": COUNT}
    assert body["_links"] == {
        "self": f"{pages.path}?page=1",
        "first": f"{pages.path}?page=1",
        "next": f"{pages.path}?page=2",
        "last": f"{pages.path}?page={-(-COUNT // 20)}",
    }


@pytest.mark.parametrize("per_page", [pytest.param(7, marks=pytest.mark.long, id="7"), 64, 100])
def test_following_next_gives_every_record_once_in_the_order_of_the_file(
    api: Any, pages: Stored, per_page: int
) -> None:
    """C-56: pages cut across row groups."""
    assert COUNT > 2 * BLOCK_ROWS
    found, link = [], f"{pages.path}?format=json&per_page={per_page}"
    while link:
        body = page(api, link)
        assert "format=json" in body["_links"]["self"]
        found += [record["id"] for record in body["records"]]
        link = body["_links"].get("next", "")
    assert found == ids(pages)


@pytest.mark.parametrize("number", [-(-COUNT // 100) + 1, 2**31 - 1])
def test_a_page_past_the_end_is_empty(api: Any, pages: Stored, number: int) -> None:
    """C-31."""
    body = page(api, pages.path, page=number, per_page=100)
    assert (body["records"], body["pagination"]["total_pages"]) == ([], -(-COUNT // 100))
    assert body["_links"]["prev"] == f"{pages.path}?page={-(-COUNT // 100)}&per_page=100"


@pytest.mark.parametrize("number", range(1, -(-COUNT // 100) + 2))
def test_only_the_row_groups_of_the_page_are_read(
    api: Any, pages: Stored, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """C-56: pages of 100 rows, some of which lie in two groups; past the end none is read."""
    rows = range((number - 1) * 100, min(number * 100, COUNT))
    groups = sorted({row // BLOCK_ROWS for row in rows})
    read: list[list[int]] = []
    original = pq.ParquetFile.read_row_groups

    def noted(self: pq.ParquetFile, row_groups: list[int], **options: Any) -> Any:
        read.append(list(row_groups))
        return original(self, row_groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", noted)
    page(api, pages.path, page=number, per_page=100)
    assert read == ([groups] if groups else [])


@pytest.mark.parametrize("dataset_type", [PAGES, REPOSITORIES])
def test_records_have_the_vendors_shape(api: Any, stored: Callable[..., Stored], dataset_type: str) -> None:
    """C-56: every record, the incomplete ones too, by the strict profile of its type; no column of ours shows."""
    made = stored(dataset_type, 140)
    assert made.report.incomplete_count > 0
    validator = profile(dataset_type)
    for number in (1, 2):
        for record in page(api, made.path, page=number, per_page=100)["records"]:
            assert [error.message for error in validator.iter_errors(record)] == []
            assert all(not name.startswith("_") or name == "_links" for name in record)


def test_a_field_without_a_value_is_absent_where_the_vendor_forbids_null(api: Any, pages: Stored) -> None:
    """C-56: a space's first page has no parent, a page that never changed hands no last owner."""
    table = pq.read_table(pages.file).to_pylist()[:100]
    records = page(api, pages.path, per_page=100)["records"]
    assert any(row["parentId"] is None for row in table)
    for row, record in zip(table, records, strict=True):
        for name in ("parentId", "parentType", "lastOwnerId"):
            assert (name in record) == (row[name] is not None)
        assert record["version"]["number"] == row["version.number"]
        assert record["body"]["storage"]["value"] == row["body.storage.value"]


def test_a_dataset_links_to_its_records_once_they_are_there(api: Any, pages: Stored) -> None:
    """C-6, C-33."""
    waiting = api.provision(dataset_types=[PAGES])["datasets"][0]["dataset_id"]
    assert api.admin.get(f"/v1/dataops/datasets/{waiting}").json()["_links"]["records"] is None
    assert api.admin.get(f"/v1/dataops/datasets/{pages.dataset_id}").json()["_links"]["records"] == pages.path
    listed = api.admin.get("/v1/dataops/datasets", params={"per_page": 100}).json()["datasets"]
    links = {one["dataset_id"]: one["_links"]["records"] for one in listed}
    assert links[str(waiting)] is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ((), 409),
        ((DatasetStatus.VALIDATING,), 409),
        ((DatasetStatus.FAILED,), 409),
        ((DatasetStatus.TEARDOWN,), 409),
        ((DatasetStatus.TEARDOWN, DatasetStatus.ARCHIVED), 410),
        ((DatasetStatus.FAILED, DatasetStatus.ARCHIVED), 410),
    ],
)
@pytest.mark.parametrize("format_", ["json", "ndjson", "parquet"])
def test_what_is_not_ready_is_409_and_what_is_archived_410(
    api: Any, path: tuple[DatasetStatus, ...], status: int, format_: str
) -> None:
    """C-56."""
    dataset_id = api.provision(dataset_types=[PAGES])["datasets"][0]["dataset_id"]
    with api.database.transaction() as session:
        for step in path:
            datasets.move(session, dataset_id, step)
    answer = api.admin.get(f"/v1/dataops/datasets/{dataset_id}/records", params={"format": format_})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, "CONFLICT" if status == 409 else "GONE")
    assert answer.json()["error"]["details"]["dataset_id"] == dataset_id


def test_who_may_read_them(api: Any, pages: Stored) -> None:
    """C-20, C-8, C-36."""
    assert api.anonymous.get(pages.path).status_code == 401
    with api.asking(Scope.DATASETS_WRITE, Scope.QUALITY_READ) as client:
        assert client.get(pages.path).status_code == 403
    with api.asking(Scope.DATASETS_READ) as client:
        assert client.get(pages.path).status_code == 200
    with api.asking(Scope.DATASETS_READ, customers=[uuid4()]) as client:
        missing = client.get(pages.path)
        assert (missing.status_code, missing.json()["error"]["message"]) == (404, "Dataset not found")
    assert api.admin.get(f"/v1/dataops/datasets/{uuid4()}/records").status_code == 404
    assert api.admin.get("/v1/dataops/datasets/none/records").status_code == 400


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("page=two", "page"),
        ("format=csv", "format"),
        ("format=", "format"),
        ("limit=5", "limit"),
        ("format=ndjson&page=2", "page"),
        ("format=parquet&per_page=5", "per_page"),
    ],
)
def test_a_bad_parameter_is_named(api: Any, pages: Stored, query: str, field: str) -> None:
    """C-56, C-5: a stream has no pages."""
    answer = api.admin.get(f"{pages.path}?{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


def test_records_that_are_not_on_disk_are_a_passing_fault(api: Any, stored: Callable[..., Stored]) -> None:
    """C-2: 503 with Retry-After, no path of ours in it."""
    made = stored(count=20)
    made.file.unlink()
    answer = api.admin.get(made.path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert answer.headers["retry-after"]
    made.file.write_bytes(b"PAR1 this is none")
    assert api.admin.get(made.path, params={"format": "parquet"}).status_code == 503
