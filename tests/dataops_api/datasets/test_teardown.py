"""Tearing datasets down (C-37, C-51, C-52). What the run removes is proved with the pipeline; here, the answers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import delete

from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus, Outcome
from dataops_core.provisioning.settlement import RunEnding, finish_dataset, settle
from dataops_core.registry import operations
from dataops_core.registry.tables import Dataset

DATASETS = "/v1/dataops/datasets"


def test_the_references_request_gets_the_references_answer(api: Any) -> None:
    """C-51."""
    dataset_id = api.ready()
    answer = api.admin.delete(f"{DATASETS}/{dataset_id}?reason=stage_transition&archive=true")
    assert answer.status_code == 202
    body = answer.json()
    assert list(body) == ["operation_id", "status", "message", "estimated_completion", "_links"]
    assert (body["status"], body["message"]) == ("tearing_down", "Dataset teardown initiated")
    assert body["_links"] == {"status": f"/v1/dataops/operations/{body['operation_id']}"}
    assert answer.headers["location"] == body["_links"]["status"]
    assert api.admin.get(f"{DATASETS}/{dataset_id}").json()["status"] == "teardown"
    operation = api.admin.get(body["_links"]["status"]).json()
    assert (operation["operation_type"], operation["progress"]["total_steps"]) == ("dataset_teardown", 4)


@pytest.mark.parametrize("body", [None, {}, {"reason": "manual", "archive": True}])
def test_post_teardown_is_the_same(api: Any, body: dict[str, Any] | None) -> None:
    """C-52."""
    dataset_id = api.ready()
    by_post = api.admin.post(f"{DATASETS}/{dataset_id}/teardown", json=body)
    by_delete = api.admin.delete(f"{DATASETS}/{dataset_id}")
    assert (by_post.status_code, by_delete.status_code) == (202, 202)
    assert by_delete.json()["operation_id"] == by_post.json()["operation_id"]


def test_what_was_asked_for_reaches_the_operation(api: Any) -> None:
    """C-51."""
    for ask in (
        lambda path: api.admin.delete(path, params={"reason": "orphan_cleanup", "archive": "false"}),
        lambda path: api.admin.post(f"{path}/teardown", json={"reason": "orphan_cleanup", "archive": False}),
    ):
        operation_id = UUID(ask(f"{DATASETS}/{api.ready()}").json()["operation_id"])
        with api.database.transaction() as session:
            assert operations.get(session, operation_id).request == {"reason": "orphan_cleanup", "archive": False}


def test_a_body_that_nobody_would_read_is_refused_and_nothing_is_torn_down(api: Any) -> None:
    """C-5, C-51: with ``archive`` false in it, an archive would be kept all the same."""
    path = f"{DATASETS}/{api.ready()}"
    for content in ({"json": {"archive": False}}, {"content": iter([b"", b"x"])}):
        answer = api.admin.request("DELETE", path, **content)
        assert answer.status_code == 400
        assert answer.json()["error"]["details"] == {"body": "This request takes none: it is its path and its query"}
    assert api.admin.get(path).json()["status"] == "ready"
    restored = api.admin.post(f"{path}/restore", json={"colour": "red"})
    assert (restored.status_code, list(restored.json()["error"]["details"])) == (400, ["body"])


@pytest.mark.parametrize(
    ("query", "field"), [("reason=boredom", "reason"), ("archive=perhaps", "archive"), ("force=true", "force")]
)
def test_bad_parameters_are_refused(api: Any, query: str, field: str) -> None:
    """C-51, C-5."""
    dataset_id = api.ready()
    answer = api.admin.delete(f"{DATASETS}/{dataset_id}?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [field]
    name, _, value = query.partition("=")
    assert api.admin.post(f"{DATASETS}/{dataset_id}/teardown", json={name: value}).status_code == 400
    assert api.admin.get(f"{DATASETS}/{dataset_id}").json()["status"] == "ready"


def test_a_dataset_that_is_not_there_is_404(api: Any) -> None:
    """C-36."""
    missing = uuid4()
    assert api.admin.delete(f"{DATASETS}/{missing}").status_code == 404
    assert api.admin.post(f"{DATASETS}/{missing}/teardown").status_code == 404


def test_in_teardown_the_running_operation_is_answered_unless_archive_differs(api: Any) -> None:
    """C-52."""
    path = f"{DATASETS}/{api.ready()}"
    first = api.admin.delete(path)
    again = api.admin.delete(path, params={"reason": "journey_completed"})
    assert again.status_code == 202
    assert again.json()["operation_id"] == first.json()["operation_id"]
    other = api.admin.delete(path, params={"archive": "false"})
    assert other.status_code == 409
    assert other.json()["error"]["details"] == {"operation_id": first.json()["operation_id"]}


def test_a_failed_teardown_goes_on_as_its_next_attempt(api: Any) -> None:
    """C-52."""
    path = f"{DATASETS}/{api.ready()}"
    operation_id = UUID(api.admin.delete(path).json()["operation_id"])
    with api.database.transaction() as session:
        operations.get(session, operation_id).run_id = "the run"
    with api.database.transaction() as session:
        assert settle(session, operation_id, RunEnding.LOST, run_id="the run")
    link = f"/v1/dataops/operations/{operation_id}"
    failed = api.admin.get(link).json()
    assert (failed["status"], failed["error"]["code"]) == ("failed", "RUN_LOST")
    assert failed["result"]["datasets"][0]["status"] == "failed"
    assert api.admin.get(path).json()["status"] == "teardown"
    assert api.admin.delete(path).json()["operation_id"] == str(operation_id)
    shown = api.admin.get(link).json()
    assert (shown["attempt"], shown["status"], shown["completed_at"], shown["error"]) == (2, "pending", None, None)


def test_an_archived_dataset_conflicts_but_its_archive_can_be_purged(api: Any) -> None:
    """C-52."""
    dataset_id = api.ready()
    api.archive(dataset_id)
    path = f"{DATASETS}/{dataset_id}"
    shown = api.admin.get(path).json()
    assert (shown["status"], shown["archived_at"] is None) == ("archived", False)
    assert shown["_links"]["teardown"] == f"{path}/teardown"
    refused = api.admin.delete(path)
    assert (refused.status_code, refused.json()["error"]["message"]) == (409, "Dataset is archived already")
    assert api.admin.delete(path, params={"archive": "false"}).status_code == 202


def test_an_archived_dataset_without_an_archive_has_nothing_to_purge(api: Any) -> None:
    """C-52, C-6."""
    dataset_id = api.ready()
    api.archive(dataset_id, archive_path=None)
    assert api.admin.get(f"{DATASETS}/{dataset_id}").json()["_links"]["teardown"] is None
    for archive in ("true", "false"):
        assert api.admin.delete(f"{DATASETS}/{dataset_id}", params={"archive": archive}).status_code == 409


def test_a_teardown_takes_its_dataset_out_of_a_provisioning_and_the_others_go_on(api: Any) -> None:
    """C-37."""
    accepted = api.provision()
    first, second = (made["dataset_id"] for made in accepted["datasets"])
    assert api.admin.delete(f"{DATASETS}/{first}").status_code == 202
    operation = api.admin.get(accepted["_links"]["status"]).json()
    assert operation["status"] == "pending"
    assert operation["result"] is None
    assert api.admin.get(f"{DATASETS}/{second}").json()["status"] == "provisioning"
    assert api.admin.delete(f"{DATASETS}/{second}").status_code == 202
    operation = api.admin.get(accepted["_links"]["status"]).json()
    assert operation["status"] == "cancelled"
    assert [made["status"] for made in operation["result"]["datasets"]] == [Outcome.CANCELLED] * 2


def test_without_a_word_the_reason_is_manual_and_an_archive_is_kept(api: Any) -> None:
    """C-51."""
    for ask in (
        api.admin.delete,
        lambda path: api.admin.post(f"{path}/teardown"),
        lambda path: api.admin.post(f"{path}/teardown", json={}),
    ):
        operation_id = UUID(ask(f"{DATASETS}/{api.ready()}").json()["operation_id"])
        with api.database.transaction() as session:
            assert operations.get(session, operation_id).request == {"reason": "manual", "archive": True}


def fail(api: Any, operation_id: UUID) -> None:
    """What a run that was lost does to the registry."""
    with api.database.transaction() as session:
        operations.get(session, operation_id).run_id = "the run"
    with api.database.transaction() as session:
        assert settle(session, operation_id, RunEnding.LOST, run_id="the run")


def test_a_failed_dataset_can_be_torn_down(api: Any) -> None:
    """C-35, C-51."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    fail(api, UUID(accepted["operation_id"]))
    path = f"{DATASETS}/{accepted['datasets'][0]['dataset_id']}"
    assert api.admin.get(path).json()["status"] == "failed"
    assert api.admin.delete(path).status_code == 202
    assert api.admin.get(path).json()["status"] == "teardown"


def test_a_failed_teardown_is_not_turned_into_another_one(api: Any) -> None:
    """C-52: what it was to keep stays as it was asked for."""
    path = f"{DATASETS}/{api.ready()}"
    first = api.admin.delete(path).json()
    fail(api, UUID(first["operation_id"]))
    other = api.admin.delete(path, params={"archive": "false"})
    assert other.status_code == 409
    assert other.json()["error"]["details"] == {"operation_id": first["operation_id"]}
    again = api.admin.post(f"{path}/teardown", json={"reason": "orphan_cleanup"})
    assert (again.status_code, again.json()["operation_id"]) == (202, first["operation_id"])


def test_a_purge_under_way_is_found_again_and_one_that_failed_can_be_asked_for_again(api: Any) -> None:
    """C-52."""
    dataset_id = api.ready()
    api.archive(dataset_id)
    path = f"{DATASETS}/{dataset_id}"
    purge = api.admin.delete(path, params={"archive": "false"})
    assert purge.status_code == 202
    again = api.admin.post(f"{path}/teardown", json={"archive": False})
    assert (again.status_code, again.json()["operation_id"]) == (202, purge.json()["operation_id"])
    kept = api.admin.delete(path)
    assert (kept.status_code, kept.json()["error"]["details"]) == (409, {"operation_id": purge.json()["operation_id"]})
    fail(api, UUID(purge.json()["operation_id"]))
    assert api.admin.get(path).json()["status"] == "archived"
    assert api.admin.delete(path).json()["error"]["message"] == "Dataset is archived already"
    assert api.admin.delete(path, params={"archive": "false"}).status_code == 202


def test_twenty_teardowns_at_once_are_one(api: Any) -> None:
    """C-37, C-52: by DELETE and by POST, of a dataset under way."""
    accepted = api.provision(dataset_types=["confluence_pages"])
    path = f"{api.url}{DATASETS}/{accepted['datasets'][0]['dataset_id']}"
    headers = {"Authorization": api.admin.headers["Authorization"]}

    def ask(number: int) -> httpx.Response:
        if number % 2:
            return httpx.delete(path, headers=headers, timeout=30)
        return httpx.post(f"{path}/teardown", headers=headers, timeout=30)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(ask, range(20)))
    assert [answer.status_code for answer in answers] == [202] * 20
    assert len({answer.json()["operation_id"] for answer in answers}) == 1
    assert api.admin.get(accepted["_links"]["status"]).json()["status"] == "cancelled"


def test_of_a_dataset_that_is_gone_the_operation_stays_readable(api: Any) -> None:
    """C-53, C-36."""
    dataset_id = api.ready()
    path = f"{DATASETS}/{dataset_id}"
    asked = api.admin.delete(path, params={"archive": "false"}).json()
    with api.database.transaction() as session:
        operation = operations.get(session, UUID(asked["operation_id"]), lock=True)
        operation.run_id, operation.status, operation.started_at = "run", OperationStatus.IN_PROGRESS, utcnow()
        (part,) = operations.parts_of(session, operation.operation_id)
        finish_dataset(session, operation, part, Outcome.DELETED)
        session.execute(delete(Dataset).where(Dataset.dataset_id == dataset_id))
    for method, suffix in (("GET", ""), ("DELETE", ""), ("POST", "/teardown"), ("GET", "/quality"), ("GET", "/usage")):
        answer = api.admin.request(method, f"{path}{suffix}")
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Dataset not found"), suffix
    assert api.admin.patch(path, json={"metadata": {}}).status_code == 404
    ended = api.admin.get(asked["_links"]["status"]).json()
    (result,) = ended["result"]["datasets"]
    assert (ended["status"], result["dataset_id"], result["status"]) == ("completed", str(dataset_id), "deleted")
    assert api.admin.get(ended["_links"]["datasets"]).json()["datasets"] == []
