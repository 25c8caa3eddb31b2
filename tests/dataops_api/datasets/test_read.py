"""Listing and getting datasets (C-6, C-7, C-8, C-30 … C-36)."""

from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from fsspec.implementations.local import LocalFileSystem

from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.quality.query_drawing import make_queries
from dataops_core.scopes import Scope
from dataops_core.storage import QUERIES_FILE, Storage
from tests.dataops_api.records.conftest import publish, write
from tests.stored_records import read_records

DATASETS = "/v1/dataops/datasets"
#: The reference's fields in the reference's order, and what the contract adds after them.
FIELDS = [
    "dataset_id",
    "name",
    "dataset_type",
    "stage",
    "client_id",
    "journey_id",
    "status",
    "created_at",
    "ready_at",
    "archived_at",
    "data_source",
    "record_count",
    "size_bytes",
    "quality_score",
    "connector",
    "template",
    "metadata",
    "updated_at",
    "operation_id",
    "active_operation_id",
    "seed",
    "error",
    "_links",
]


@pytest.fixture
def customer(api: Any) -> str:
    """A customer with a ready sandbox, and a pilot and a production under way, all confluence_pages."""
    client_id, journey_id = str(uuid4()), str(uuid4())
    common = {"client_id": client_id, "journey_id": journey_id, "dataset_types": ["confluence_pages"]}
    api.ready(**common, stage="sandbox", metadata={"tags": ["blue", "green"]})
    api.provision(**common, stage="pilot", metadata={"tags": ["blue"]})
    api.provision(**common, stage="production")
    return client_id


def stages(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [made["stage"] for made in answer.json()["datasets"]]


def test_the_references_request_gets_the_references_answer(api: Any, customer: str) -> None:
    """C-30 … C-33."""
    answer = api.admin.get(f"{DATASETS}?client_id={customer}&stage=sandbox&status=ready")
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["datasets", "pagination", "_links"]
    (made,) = body["datasets"]
    assert list(made) == FIELDS
    assert made["data_source"] == "mock_template"
    assert (made["record_count"], made["size_bytes"], made["quality_score"]) == (500, 15728640, 99.4)
    assert list(made["connector"]) == ["connector_id", "name", "status", "endpoint_url"]
    assert made["connector"]["name"] == made["name"]
    assert made["connector"]["endpoint_url"] == f"{api.url}/connectors/{made['connector']['connector_id']}"
    assert list(made["template"]) == ["template_id", "name", "version"]
    assert made["metadata"]["tags"] == ["blue", "green"]
    path = f"{DATASETS}/{made['dataset_id']}"
    assert made["_links"] == {
        "self": path,
        "quality": f"{path}/quality",
        "usage": f"{path}/usage",
        "teardown": f"{path}/teardown",
        "connector": f"{path}/connector",
        "records": f"{path}/records",
        "ground_truth": f"{path}/ground-truth",
        "restore": None,
    }
    assert body["pagination"] == {"page": 1, "per_page": 20, "total_pages": 1, "total_count": 1}
    page = f"{DATASETS}?client_id={customer}&stage=sandbox&status=ready&page=1"
    assert body["_links"] == {"self": page, "first": page, "last": page}
    assert api.admin.get(path).json() == made


def test_a_field_without_a_value_yet_is_null(api: Any) -> None:
    """C-33."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    made = api.admin.get(f"{DATASETS}/{accepted['datasets'][0]['dataset_id']}").json()
    assert list(made) == FIELDS
    for field in ("ready_at", "archived_at", "record_count", "size_bytes", "quality_score", "connector", "error"):
        assert made[field] is None
    assert made["operation_id"] == made["active_operation_id"] == accepted["operation_id"]


def test_every_link_works_with_get_but_teardown_which_wants_post(api: Any, customer: str) -> None:
    """C-6."""
    (made,) = api.admin.get(DATASETS, params={"client_id": customer, "status": "ready"}).json()["datasets"]
    stored = write(Storage.from_settings(api.settings), UUID(made["dataset_id"]), made["dataset_type"], 20)
    table = read_records(LocalFileSystem(), str(stored.file))
    queries = make_queries(table, DATASET_TYPES[stored.dataset_type], seed=7).to_jsonl()
    stored.file.with_name(QUERIES_FILE).write_text(queries, encoding="utf-8")  # what the ground truth begins with
    publish(api, stored, record_count=made["record_count"])
    assert made["_links"].pop("restore") is None  # nothing is archived
    for name, link in made["_links"].items():
        answer = api.admin.get(link)
        if name == "teardown":
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        else:
            assert answer.status_code == 200, name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["production", "pilot", "sandbox"]),
        ("&sort=created_at", ["sandbox", "pilot", "production"]),
        ("&sort=-created_at", ["production", "pilot", "sandbox"]),
        ("&sort=name", ["pilot", "production", "sandbox"]),
        ("&stage=pilot", ["pilot"]),
        ("&status=provisioning", ["production", "pilot"]),
        ("&status=archived", []),
        ("&tag=blue", ["pilot", "sandbox"]),
        ("&tag=green", ["sandbox"]),
        ("&tag=gre", []),
        ("&dataset_type=confluence_pages", ["production", "pilot", "sandbox"]),
        ("&dataset_type=smoke_signals", []),
        ("&created_to=2020-01-01", []),
        ("&created_from=2020-01-01", ["production", "pilot", "sandbox"]),
        ("&created_from=9999-12-31T23:59:59Z", []),
        ("&created_from=9999-12-31T23:59:59-14:00", []),
        ("&created_to=0001-01-01T00:00:00%2B14:00", []),
    ],
)
def test_filters_and_orders(api: Any, customer: str, query: str, expected: list[str]) -> None:
    """C-30."""
    assert stages(api.admin.get(f"{DATASETS}?client_id={customer}{query}")) == expected


def test_datasets_without_a_score_come_first_when_sorted_by_it(api: Any, customer: str) -> None:
    """C-30."""
    assert stages(api.admin.get(f"{DATASETS}?client_id={customer}&sort=quality_score"))[-1] == "sandbox"


def test_the_journeys_and_the_operations_datasets_can_be_asked_for(api: Any) -> None:
    """C-30, C-82: the operation's list stays true after later operations."""
    accepted = api.provision()
    ids = {str(one) for one in api.publish(accepted)}
    journey = api.admin.get(f"{DATASETS}?journey_id={uuid4()}")
    assert journey.json()["datasets"] == []
    api.archive(UUID(min(ids)))
    listed = api.admin.get(f"{DATASETS}?operation_id={accepted['operation_id']}").json()["datasets"]
    assert {made["dataset_id"] for made in listed} == ids
    assert {made["status"] for made in listed} == {"archived", "ready"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("client_id=acme", "client_id"),
        ("client_id=", "client_id"),
        ("stage=staging", "stage"),
        ("status=done", "status"),
        ("sort=colour", "sort"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=1.5", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("created_from=yesterday", "created_from"),
        ("created_from=1700000000", "created_from"),
        ("created_to=2026-13-01", "created_to"),
        ("operation_id=x", "operation_id"),
    ],
)
def test_bad_values_are_named(api: Any, query: str, field: str) -> None:
    """C-30, C-2."""
    answer = api.admin.get(f"{DATASETS}?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [field]


@pytest.mark.parametrize(
    "moment", ["2020-01-28", "2020-01-28T10:30:00", "2020-01-28T10:30:00Z", "2020-01-28T10:30:00.5+02:00", "20200128"]
)
def test_any_iso_8601_date_or_date_time_is_taken(api: Any, customer: str, moment: str) -> None:
    """C-1."""
    assert len(stages(api.admin.get(f"{DATASETS}?client_id={customer}&created_from={quote(moment)}"))) == 3


def test_pages_and_their_links_with_every_filter(api: Any, customer: str) -> None:
    """C-31, C-32."""
    first = api.admin.get(f"{DATASETS}?client_id={customer}&tag=&sort=created_at&per_page=1")
    assert first.json()["pagination"] == {"page": 1, "per_page": 1, "total_pages": 0, "total_count": 0}
    seen, link = [], f"{DATASETS}?client_id={customer}&sort=created_at&per_page=1"
    while link:
        answer = api.admin.get(link)
        seen += stages(answer)
        links = answer.json()["_links"]
        for name, one in links.items():
            assert one.startswith(f"{DATASETS}?client_id={customer}&sort=created_at&page="), name
            assert one.endswith("&per_page=1")
        assert ("prev" in links) == (len(seen) > 1)
        link = links.get("next")
    assert seen == ["sandbox", "pilot", "production"]
    assert answer.json()["_links"]["last"] == answer.json()["_links"]["self"]


def test_a_page_past_the_end_is_an_empty_list(api: Any, customer: str) -> None:
    """C-31."""
    answer = api.admin.get(f"{DATASETS}?client_id={customer}&page={2**31 - 1}")
    assert stages(answer) == []
    assert answer.json()["pagination"]["total_count"] == 3
    assert answer.json()["_links"]["prev"].endswith("page=1")
    assert answer.json()["_links"]["last"].endswith("page=1")


def test_with_no_rows_there_are_no_pages_and_the_last_is_the_first(api: Any) -> None:
    """C-31."""
    body = api.admin.get(f"{DATASETS}?client_id={uuid4()}").json()
    assert body["pagination"] == {"page": 1, "per_page": 20, "total_pages": 0, "total_count": 0}
    assert body["_links"]["last"].endswith("&page=1")
    assert set(body["_links"]) == {"self", "first", "last"}


def test_values_in_links_are_encoded(api: Any) -> None:
    """C-32."""
    links = api.admin.get(DATASETS, params={"tag": "a&b=c d/é"}).json()["_links"]
    assert links["self"] == f"{DATASETS}?tag=a%26b%3Dc+d%2F%C3%A9&page=1"
    assert api.admin.get(links["self"]).json()["_links"] == links


def test_a_dataset_that_is_not_there_is_404_and_a_malformed_id_400(api: Any) -> None:
    """C-36."""
    missing = str(uuid4())
    answer = api.admin.get(f"{DATASETS}/{missing}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Dataset not found"
    assert answer.json()["error"]["details"] == {"dataset_id": missing}
    malformed = api.admin.get(f"{DATASETS}/acme")
    assert malformed.status_code == 400
    assert malformed.json()["error"]["details"] == {"dataset_id": "Must be a UUID"}


def test_an_entity_tag_saves_the_body_until_something_changes(api: Any) -> None:
    """C-7."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    path = f"{DATASETS}/{accepted['datasets'][0]['dataset_id']}"
    tag = api.admin.get(path).headers["etag"]
    for condition in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        same = api.admin.get(path, headers={"If-None-Match": condition})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert api.admin.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    api.publish(accepted)
    changed = api.admin.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_another_customers_datasets_do_not_exist_for_a_bound_client(api: Any, customer: str) -> None:
    """C-8."""
    other = api.ready()
    with api.asking(Scope.ADMIN, customers=[UUID(customer)]) as client:
        assert client.get(DATASETS).json()["pagination"]["total_count"] == 3
        for path in ("", "/quality", "/usage", "/connector"):
            answer = client.get(f"{DATASETS}/{other}{path}")
            assert answer.status_code == 404
            assert answer.json()["error"]["message"] == "Dataset not found"
        assert client.delete(f"{DATASETS}/{other}").status_code == 404
        assert client.post(f"{DATASETS}/{other}/connector/tokens", json={"kind": "search"}).status_code == 404
    with api.asking(Scope.ADMIN, customers=[]) as nobody:
        assert nobody.get(DATASETS).json()["pagination"]["total_count"] == 0
