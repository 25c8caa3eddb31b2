"""Tearing datasets down (C-37, C-51, C-52). What the run removes is proved with the pipeline; here, the answers."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from dataops_core.lifecycle import Outcome
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import operations

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
    refused = api.admin.delete(path)
    assert (refused.status_code, refused.json()["error"]["message"]) == (409, "Dataset is archived already")
    assert api.admin.delete(path, params={"archive": "false"}).status_code == 202


def test_an_archived_dataset_without_an_archive_has_nothing_to_purge(api: Any) -> None:
    """C-52."""
    dataset_id = api.ready()
    api.archive(dataset_id, archive_path=None)
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
