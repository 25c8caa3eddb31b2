"""The list of operations (C-84, C-25, C-8, C-31, C-32)."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from dataops_core.lifecycle import OperationType, Stage
from dataops_core.registry import operations
from dataops_core.scopes import Scope

OPERATIONS = "/v1/dataops/operations"
DATASETS = "/v1/dataops/datasets"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [shown["operation_id"] for shown in answer.json()["operations"]]


def validation(api: Any, client_id: str) -> str:
    with api.database.transaction() as session:
        made = operations.create(
            session,
            operation_type=OperationType.VALIDATION,
            client_id=UUID(client_id),
            stage=Stage.SANDBOX,
            datasets=[],
        )
    return str(made.operation_id)


def history(api: Any) -> tuple[str, dict[str, str], str]:
    """A customer with a completed provisioning, a validation, and a teardown under way: its id, theirs, the dataset."""
    client_id = str(uuid4())
    accepted = api.provision(client_id=client_id, dataset_types=["confluence_pages"])
    (dataset_id,) = api.publish(accepted)
    validated = validation(api, client_id)
    torn_down = api.admin.delete(f"{DATASETS}/{dataset_id}").json()["operation_id"]
    return client_id, {"made": accepted["operation_id"], "checked": validated, "gone": torn_down}, str(dataset_id)


def test_operations_are_listed_newest_first_each_as_it_is_shown_alone(api: Any) -> None:
    """C-84."""
    client_id, made, _ = history(api)
    answer = api.admin.get(OPERATIONS, params={"client_id": client_id})
    assert ids(answer) == [made["gone"], made["checked"], made["made"]]
    for shown in answer.json()["operations"]:
        alone = api.admin.get(shown["_links"]["self"]).json()
        launched = {"run_id": alone["run_id"], "run_url": alone["run_url"]}  # meanwhile, perhaps
        assert alone == shown | launched


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": "pending"}, ["gone", "checked"]),
        ({"status": "completed"}, ["made"]),
        ({"operation_type": "quality_validation"}, ["checked"]),
        ({"operation_type": "dataset_teardown", "status": "pending"}, ["gone"]),
        ({"status": "failed"}, []),
    ],
)
def test_filters(api: Any, filters: dict[str, str], expected: list[str]) -> None:
    """C-84."""
    client_id, made, dataset_id = history(api)
    answer = api.admin.get(OPERATIONS, params={"client_id": client_id} | filters)
    assert ids(answer) == [made[name] for name in expected]
    assert answer.json()["pagination"]["total_count"] == len(expected)
    of_dataset = api.admin.get(OPERATIONS, params={"dataset_id": dataset_id})
    assert ids(of_dataset) == [made["gone"], made["made"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("operation_type=dance", "operation_type"),
        ("client_id=7", "client_id"),
        ("dataset_id=7", "dataset_id"),
        ("page=0", "page"),
        ("per_page=101", "per_page"),
        ("sort=name", "sort"),
        ("status=pending&status=failed", "status"),
    ],
)
def test_a_bad_query_is_refused_by_name(api: Any, query: str, field: str) -> None:
    """C-84, C-5."""
    answer = api.admin.get(f"{OPERATIONS}?{query}")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


def test_pages_and_their_links_with_all_filters(api: Any) -> None:
    """C-84, C-31, C-32."""
    client_id, made, _ = history(api)
    query = {"client_id": client_id, "per_page": "1", "page": "2"}
    body = api.admin.get(OPERATIONS, params=query).json()
    assert [shown["operation_id"] for shown in body["operations"]] == [made["checked"]]
    assert body["pagination"] == {"page": 2, "per_page": 1, "total_pages": 3, "total_count": 3}
    assert set(body["_links"]) == {"self", "first", "prev", "next", "last"}
    for name, page in {"self": "2", "first": "1", "prev": "1", "next": "3", "last": "3"}.items():
        link = urlsplit(body["_links"][name])
        assert link.path == OPERATIONS
        assert parse_qs(link.query) == {"client_id": [client_id], "per_page": ["1"], "page": [page]}
        assert api.admin.get(body["_links"][name]).status_code == 200
    empty = api.admin.get(OPERATIONS, params={"client_id": client_id, "page": 9}).json()
    assert (empty["operations"], empty["pagination"]["total_count"]) == ([], 3)
    none = api.admin.get(OPERATIONS, params={"client_id": str(uuid4())}).json()
    assert none["pagination"] == {"page": 1, "per_page": 20, "total_pages": 0, "total_count": 0}


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ((Scope.DATASETS_READ,), ["gone", "made"]),
        ((Scope.DATASETS_WRITE,), ["gone", "made"]),
        ((Scope.QUALITY_READ,), ["checked"]),
        ((Scope.QUALITY_WRITE,), ["checked"]),
        ((Scope.DATASETS_READ, Scope.QUALITY_WRITE), ["gone", "checked", "made"]),
        ((Scope.ADMIN,), ["gone", "checked", "made"]),
    ],
)
def test_an_api_client_sees_the_kinds_that_it_may_read(
    api: Any, scopes: tuple[Scope, ...], expected: list[str]
) -> None:
    """C-25, C-84."""
    client_id, made, _ = history(api)
    with api.asking(*scopes) as client:
        answer = client.get(OPERATIONS, params={"client_id": client_id})
        assert ids(answer) == [made[name] for name in expected]
        assert answer.json()["pagination"]["total_count"] == len(expected)


def test_templates_scope_lists_no_operations(api: Any) -> None:
    """C-25, C-4."""
    with api.asking(Scope.TEMPLATES_READ) as client:
        assert client.get(OPERATIONS).status_code == 403


def test_a_bound_client_sees_its_customers_operations_alone(api: Any) -> None:
    """C-8, C-84."""
    mine, made, _ = history(api)
    others, _, dataset_id = history(api)
    with api.asking(Scope.ADMIN, customers=[UUID(mine)]) as client:
        assert ids(client.get(OPERATIONS)) == [made["gone"], made["checked"], made["made"]]
        for filters in ({"client_id": others}, {"dataset_id": dataset_id}):
            body = client.get(OPERATIONS, params=filters).json()
            assert (body["operations"], body["pagination"]["total_count"]) == ([], 0)
