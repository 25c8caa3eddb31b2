"""Cancelling and retrying over the API (C-84); what each does to the registry is proved in the core."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType, Stage
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import datasets, operations, stops
from dataops_core.scopes import Scope

DATASETS = "/v1/dataops/datasets"


def carried(api: Any, accepted: dict[str, Any], run_id: str) -> str:
    """The accepted operation, under way in this run; gives its link."""
    with api.database.transaction() as session:
        row = operations.get(session, UUID(accepted["operation_id"]), lock=True)
        row.status, row.run_id, row.started_at = OperationStatus.IN_PROGRESS, run_id, row.created_at
    link: str = accepted["_links"]["status"]
    return link


def failed(api: Any, **change: Any) -> dict[str, Any]:
    """A provisioning whose run was lost; gives what was accepted."""
    accepted: dict[str, Any] = api.provision(**change)
    carried(api, accepted, "lost")
    with api.database.transaction() as session:
        assert settle(session, UUID(accepted["operation_id"]), RunEnding.LOST, run_id="lost")
    return accepted


def test_cancelling_settles_at_once_and_asks_dagster_to_stop_the_run(own_api: Any) -> None:
    """C-84."""
    accepted = own_api.provision()
    link = carried(own_api, accepted, "the-run")
    shown = own_api.admin.get(link).json()["_links"]
    assert (shown["cancel"], shown["retry"]) == (f"{link}/cancel", None)
    answer = own_api.admin.post(shown["cancel"])
    assert answer.status_code == 202
    assert answer.json() == {
        "operation_id": accepted["operation_id"],
        "status": "cancelled",
        "message": "Operation cancelled",
        "estimated_completion": None,
        "_links": {"status": link},
    }
    assert answer.headers["location"] == link
    ended = own_api.admin.get(link).json()
    assert (ended["status"], ended["error"]["code"]) == ("cancelled", "CANCELLED")
    assert ended["completed_at"] is not None
    assert [made["status"] for made in ended["result"]["datasets"]] == ["cancelled"] * 2
    assert (ended["_links"]["cancel"], ended["_links"]["retry"]) == (None, f"{link}/retry")
    for made in accepted["datasets"]:
        dataset = own_api.admin.get(f"{DATASETS}/{made['dataset_id']}").json()
        assert (dataset["status"], dataset["error"]["code"]) == ("failed", "CANCELLED")
    assert own_api.dagster.stopped.get(timeout=20) == "the-run"


def test_what_never_began_has_no_beginning_and_no_duration(api: Any) -> None:
    """C-81, C-80: step 0, and null where it does not apply."""
    accepted = api.provision()
    link = accepted["_links"]["status"]
    assert api.admin.post(f"{link}/cancel").status_code == 202
    shown = api.admin.get(link).json()
    assert (shown["status"], shown["progress"]["current_step"]) == ("cancelled", 0)
    assert shown["completed_at"] is not None
    for field in ("started_at", "duration_minutes", "duration_seconds"):
        assert shown[field] is None, field


def test_cancelling_needs_no_dagster(own_api: Any) -> None:
    """C-84: the run is left to the sensor."""
    own_api.dagster.down = True
    accepted = own_api.provision()
    link = carried(own_api, accepted, "the-run")
    assert own_api.admin.post(f"{link}/cancel").status_code == 202
    assert own_api.admin.get(link).json()["status"] == "cancelled"
    with own_api.database.transaction() as session:
        assert [row.run_id for row, _ in stops.runs_to_stop(session)] == ["the-run"]


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_what_has_completed_conflicts(api: Any, verb: str) -> None:
    """C-84."""
    accepted = api.provision()
    api.publish(accepted)
    link = accepted["_links"]["status"]
    shown = api.admin.get(link).json()["_links"]
    assert (shown["cancel"], shown["retry"]) == (None, None)
    answer = api.admin.post(f"{link}/{verb}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    assert answer.json()["error"]["details"] == {"operation_id": accepted["operation_id"], "status": "completed"}


def test_a_teardown_has_no_cancel(api: Any) -> None:
    """C-84."""
    link = api.admin.delete(f"{DATASETS}/{api.ready()}").json()["_links"]["status"]
    assert api.admin.get(link).json()["_links"]["cancel"] is None
    answer = api.admin.post(f"{link}/cancel")
    assert (answer.status_code, answer.json()["error"]["message"]) == (409, "A teardown cannot be cancelled")


def test_a_retry_is_the_same_operations_next_attempt(api: Any) -> None:
    """C-84."""
    accepted = failed(api)
    link = accepted["_links"]["status"]
    answer = api.admin.post(api.admin.get(link).json()["_links"]["retry"])
    assert answer.status_code == 202
    body = answer.json()
    assert (body["operation_id"], body["status"]) == (accepted["operation_id"], "pending")
    assert body["message"] == "Operation retry started"
    assert body["_links"] == {"status": link}
    shown = api.admin.get(link).json()
    assert shown["attempt"] == 2
    assert shown["estimated_completion"] == body["estimated_completion"]
    for field in ("completed_at", "error", "result", "started_at", "duration_seconds"):
        assert shown[field] is None
    for made in accepted["datasets"]:
        dataset = api.admin.get(f"{DATASETS}/{made['dataset_id']}").json()
        assert (dataset["status"], dataset["error"]) == ("provisioning", None)
    again = api.admin.post(f"{link}/retry")
    assert again.status_code == 409
    assert api.admin.get(link).json()["attempt"] == 2


def test_a_retry_is_launched(own_api: Any) -> None:
    """C-84."""
    accepted = failed(own_api)
    own_api.dagster.launched.clear()
    with own_api.database.transaction() as session:
        one = operations.parts_of(session, UUID(accepted["operation_id"]))[0]
        one.outcome, kept = "ready", one.dataset_type
        datasets.move(session, one.dataset_id, DatasetStatus.PROVISIONING)
        datasets.move(session, one.dataset_id, DatasetStatus.VALIDATING)
        datasets.move(session, one.dataset_id, DatasetStatus.READY)
    assert own_api.admin.post(f"{accepted['_links']['status']}/retry").status_code == 202
    answer = own_api.admin.get(accepted["_links"]["status"], params={"wait": 1}).json()
    (request,) = own_api.dagster.launched
    assert (str(request.operation_id), request.attempt) == (accepted["operation_id"], 2)
    assert kept not in request.dataset_types
    assert len(request.dataset_types) == 1
    assert answer["run_id"] in own_api.dagster.runs


def test_a_retry_conflicts_where_the_place_was_taken_since(api: Any) -> None:
    """C-84: a new request replaced the failed datasets."""
    client_id = str(uuid4())
    accepted = failed(api, client_id=client_id)
    newer = api.provision(client_id=client_id)
    answer = api.admin.post(f"{accepted['_links']['status']}/retry")
    assert answer.status_code == 409
    assert api.admin.get(accepted["_links"]["status"]).json()["status"] == "failed"
    for made in newer["datasets"]:
        assert api.admin.get(f"{DATASETS}/{made['dataset_id']}").json()["status"] == "provisioning"


@pytest.mark.parametrize("verb", ["cancel", "retry"])
@pytest.mark.parametrize(
    ("kind", "scope", "status"),
    [
        (OperationType.PROVISIONING, Scope.DATASETS_WRITE, 202),
        (OperationType.PROVISIONING, Scope.DATASETS_READ, 403),
        (OperationType.PROVISIONING, Scope.QUALITY_WRITE, 403),
        (OperationType.VALIDATION, Scope.QUALITY_WRITE, 202),
        (OperationType.VALIDATION, Scope.DATASETS_WRITE, 403),
        (OperationType.VALIDATION, Scope.ADMIN, 202),
    ],
)
def test_who_may_steer_it(api: Any, verb: str, kind: OperationType, scope: Scope, status: int) -> None:
    """C-25, C-84: the write scope of its kind."""
    with api.database.transaction() as session:
        made = operations.create(session, operation_type=kind, client_id=uuid4(), stage=Stage.SANDBOX, datasets=[])
        if verb == "retry":
            made.status = OperationStatus.FAILED
    with api.asking(scope) as client:
        answer = client.post(f"/v1/dataops/operations/{made.operation_id}/{verb}")
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("verb", ["cancel", "retry", "events"])
def test_another_customers_operation_does_not_exist(api: Any, verb: str) -> None:
    """C-8, C-84."""
    link = f"{api.provision()['_links']['status']}/{verb}"
    with api.asking(Scope.ADMIN, customers=[uuid4()]) as client:
        answer = client.get(link) if verb == "events" else client.post(link)
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "Operation not found")


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_get_is_not_the_way_and_parameters_there_are_none(api: Any, verb: str) -> None:
    """C-6, C-5."""
    link = f"{api.provision()['_links']['status']}/{verb}"
    answer = api.admin.get(link)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert api.admin.post(link, params={"force": "true"}).status_code == 400
