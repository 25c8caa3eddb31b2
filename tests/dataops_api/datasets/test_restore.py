"""Asking for a restore (C-54). What the run does is proved in the core and on the stack; here, the answers."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from dataops_core.registry import operations
from dataops_core.runs import launch_request
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"
OPERATIONS = "/v1/dataops/operations"


def archived(api: Any, **change: Any) -> str:
    """The path of an archived dataset whose archive is kept."""
    dataset_id = api.ready(**change)
    api.archive(dataset_id)
    return f"{DATASETS}/{dataset_id}"


def test_a_restore_is_accepted_in_the_references_form(api: Any) -> None:
    """C-54."""
    path = archived(api)
    shown = api.admin.get(path).json()
    assert shown["_links"]["restore"] == f"{path}/restore"
    answer = api.admin.post(shown["_links"]["restore"])
    assert answer.status_code == 202
    body = answer.json()
    assert list(body) == ["operation_id", "status", "message", "estimated_completion", "_links"]
    assert (body["status"], body["message"]) == ("restoring", "Dataset restore started")
    assert body["_links"] == {"status": f"{OPERATIONS}/{body['operation_id']}"}
    assert answer.headers["location"] == body["_links"]["status"]
    during = api.admin.get(path).json()
    assert (during["status"], during["archived_at"]) == ("provisioning", shown["archived_at"])
    assert (during["active_operation_id"], during["_links"]["restore"]) == (body["operation_id"], None)
    operation = api.admin.get(body["_links"]["status"]).json()
    assert (operation["operation_type"], operation["progress"]["total_steps"]) == ("dataset_restore", 4)
    with api.database.transaction() as session:
        view = operations.find_view(session, UUID(body["operation_id"]))
        assert view is not None
        request = launch_request(view)
    assert (request.job, request.assets, request.asset_checks) == ("restore", None, None)


def test_a_cancelled_restore_is_archived_again_and_can_be_retried(api: Any) -> None:
    """C-54, C-84."""
    path = archived(api)
    before = api.admin.get(path).json()
    link = api.admin.post(f"{path}/restore").json()["_links"]["status"]
    assert api.admin.post(f"{link}/cancel").status_code == 202
    after = api.admin.get(path).json()
    assert (after["status"], after["archived_at"], after["error"]) == ("archived", before["archived_at"], None)
    assert after["_links"]["restore"] == f"{path}/restore"
    assert api.admin.post(f"{link}/retry").status_code == 202
    assert api.admin.get(path).json()["status"] == "provisioning"
    assert api.admin.get(link).json()["attempt"] == 2


def test_what_is_not_archived_conflicts(api: Any) -> None:
    """C-54."""
    dataset_id = api.ready()
    path = f"{DATASETS}/{dataset_id}"
    assert api.admin.get(path).json()["_links"]["restore"] is None
    answer = api.admin.post(f"{path}/restore")
    assert (answer.status_code, answer.json()["error"]["message"]) == (409, "Dataset is not archived: it is ready")


def test_without_an_archive_it_conflicts(api: Any) -> None:
    """C-54."""
    dataset_id = api.ready()
    api.archive(dataset_id, archive_path=None)
    path = f"{DATASETS}/{dataset_id}"
    assert api.admin.get(path).json()["_links"]["restore"] is None
    answer = api.admin.post(f"{path}/restore")
    assert (answer.status_code, answer.json()["error"]["message"]) == (409, "No archive of the dataset is kept")


def test_where_another_holds_its_place_it_conflicts_and_the_other_way_round(api: Any) -> None:
    """C-54, C-44."""
    client_id = str(uuid4())
    path = archived(api, client_id=client_id)
    newer = api.provision(client_id=client_id, dataset_types=["confluence_pages"])
    answer = api.admin.post(f"{path}/restore")
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["existing_dataset_id"] == newer["datasets"][0]["dataset_id"]
    assert api.admin.get(path).json()["status"] == "archived"
    other = str(uuid4())
    restored = archived(api, client_id=other)
    assert api.admin.post(f"{restored}/restore").status_code == 202
    request = {
        "journey_id": str(uuid4()),
        "client_id": other,
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
    }
    refused = api.admin.post(DATASETS, json=request)
    assert refused.status_code == 409
    assert refused.json()["error"]["details"]["existing_dataset_id"] == restored.rpartition("/")[2]


def test_a_restore_is_done_once_by_its_key(api: Any) -> None:
    """C-45, C-54."""
    path = archived(api)
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (api.admin.post(f"{path}/restore", headers=key) for _ in range(2))
    assert (first.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert api.admin.post(f"{path}/restore").status_code == 409


@pytest.mark.parametrize("scope", [Scope.DATASETS_READ, Scope.QUALITY_WRITE])
def test_it_wants_the_write_scope(api: Any, scope: Scope) -> None:
    """C-21, C-54."""
    path = archived(api)
    with api.asking(scope) as client:
        assert client.post(f"{path}/restore").status_code == 403
    with api.asking(Scope.DATASETS_WRITE, customers=[uuid4()]) as client:
        assert client.post(f"{path}/restore").status_code == 404


def test_get_is_not_the_way(api: Any) -> None:
    """C-6."""
    answer = api.admin.get(f"{archived(api)}/restore")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
