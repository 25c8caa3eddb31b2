"""Operations in the SDK: what is accepted, how it goes on, how it ends (C-42, C-80 … C-82, C-95)."""

from typing import Any

import pytest

from a_domain_sdk import (
    DataOpsClient,
    Operation,
    OperationCancelledError,
    OperationError,
    OperationFailedError,
    OperationTimeoutError,
)
from tests.sdks.conformance.server import FaultServer, Reply

OPERATION = "990e8400-e29b-41d4-a716-446655440004"
JOURNEY = "123e4567-e89b-12d3-a456-426614174001"
CUSTOMER = "123e4567-e89b-12d3-a456-426614174000"
DATASET = "550e8400-e29b-41d4-a716-446655440005"
ACCEPTED = {
    "operation_id": OPERATION,
    "status": "provisioning",
    "message": "Dataset provisioning started",
    "datasets": [{"dataset_id": DATASET, "dataset_type": "confluence_pages", "status": "provisioning"}],
    "estimated_completion": "2026-01-28T12:30:00Z",
    "_links": {"status": f"/v1/dataops/operations/{OPERATION}"},
}
RESULT = {
    "datasets": [{"dataset_id": DATASET, "dataset_type": "confluence_pages", "status": "ready", "quality_score": 98.5}]
}
GET = f"GET /operations/{OPERATION}"


def seen(status: str, step: int = 0, **more: Any) -> Reply:
    """The answer of the API about the operation."""
    progress = {"current_step": step, "total_steps": 6, "step_description": f"Step {step}", "percent_complete": step}
    return Reply(
        body={
            "operation_id": OPERATION,
            "operation_type": "dataset_provisioning",
            "status": status,
            "progress": progress,
            "result": None,
            "error": None,
            **more,
        }
    )


@pytest.fixture
def operation(server: FaultServer, client: DataOpsClient) -> Operation:
    """An operation just accepted."""
    server.tell("POST /datasets", Reply(202, ACCEPTED))
    return client.datasets.create(
        journey_id=JOURNEY, client_id=CUSTOMER, stage="sandbox", dataset_types=["confluence_pages"]
    )


def test_creating_sends_what_was_given_and_nothing_else(server: FaultServer, operation: Operation) -> None:
    assert server.requests[0].body == {
        "journey_id": JOURNEY,
        "client_id": CUSTOMER,
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
    }
    assert operation.operation_id == OPERATION
    assert [dataset.dataset_id for dataset in operation.datasets] == [DATASET]


def test_an_accepted_operation_is_pending_until_it_is_looked_at(server: FaultServer, operation: Operation) -> None:
    server.tell(GET, seen("completed", 6, result=RESULT))

    assert (operation.status, operation.is_complete()) == ("pending", False)
    with pytest.raises(OperationError, match="is pending: it has no result yet"):
        _ = operation.result

    assert operation.refresh() is operation
    assert operation.is_complete()
    assert operation.result.datasets[0].quality_score == 98.5


def test_waiting_reports_each_change_once(server: FaultServer, operation: Operation) -> None:
    server.tell(
        GET,
        seen("pending"),
        seen("in_progress", 1),
        seen("in_progress", 1),
        seen("in_progress", 3),
        seen("completed", 6, result=RESULT),
    )
    steps: list[tuple[str, int]] = []

    ended = operation.wait(
        timeout=30,
        on_progress=lambda now: steps.append((now.status, now.progress.current_step)),
        poll_interval=0.01,
    )

    assert ended is operation
    assert steps == [("pending", 0), ("in_progress", 1), ("in_progress", 3), ("completed", 6)]


def test_waiting_for_an_operation_that_failed_raises_its_reason(server: FaultServer, operation: Operation) -> None:
    reason = {"code": "QUALITY_CHECK_FAILED", "message": "Checks failed", "details": {DATASET: "schema_validation"}}
    failed = {"datasets": [{**RESULT["datasets"][0], "status": "failed", "quality_score": 61.0}]}
    server.tell(GET, seen("failed", 5, error=reason, result=failed))

    with pytest.raises(OperationFailedError, match="failed: Checks failed") as caught:
        operation.wait()

    assert (caught.value.code, caught.value.details) == ("QUALITY_CHECK_FAILED", {DATASET: "schema_validation"})
    assert caught.value.operation_id == OPERATION
    assert operation.is_complete()
    assert operation.result.datasets[0].status == "failed"


def test_a_cancelled_operation_is_complete_and_waiting_for_it_raises(server: FaultServer, operation: Operation) -> None:
    server.tell(GET, seen("cancelled", 2))

    with pytest.raises(OperationCancelledError):
        operation.wait()

    assert operation.is_complete()


def test_waiting_ends_at_its_timeout_and_can_go_on(server: FaultServer, operation: Operation) -> None:
    server.tell(GET, seen("in_progress", 2))

    with pytest.raises(OperationTimeoutError, match=r"still in_progress after 0\.05 s; it goes on"):
        operation.wait(timeout=0.05, poll_interval=0.01)

    server.tell(GET, seen("completed", 6, result=RESULT))
    assert operation.wait(timeout=30).status == "completed"


def test_an_operation_is_waited_for_by_its_id(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(GET, seen("in_progress", 2), seen("completed", 6, result=RESULT))

    assert client.operations.wait(OPERATION, timeout=30, poll_interval=0.01).result.datasets[0].status == "ready"


def test_tearing_down_passes_reason_and_archive(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(f"DELETE /datasets/{DATASET}", Reply(202, {**ACCEPTED, "status": "tearing_down", "datasets": []}))

    client.datasets.delete(DATASET, reason="stage_transition")
    operation = client.datasets.delete(DATASET, archive=False)

    assert [request.query for request in server.requests] == ["reason=stage_transition", "archive=false"]
    assert operation.operation_type == "dataset_teardown"
