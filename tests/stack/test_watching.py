"""A dataset that falls on the running stack: its own sensors find it, check it, show it and tell of it (C-35, C-90)."""

import time
from typing import Any

import httpx
import pytest

from tests.stack.conftest import TellingStack
from tests.stack.test_provisioning import ended, request
from tests.stack.test_validation import validated
from tests.waiting import wait_for

pytestmark = [pytest.mark.stack, pytest.mark.long]

_CHECK = """
query Check($partition: String!) {
  assetCheckExecutions(
    assetKey: {path: ["confluence_pages", "index"]}, checkName: "connector_health", limit: 1, partition: $partition
  ) { status }
}
"""


def shown(stack: Any, client_id: str) -> str:
    """What the UI says of the connector's newest check in the environment's partition, once it has ended.

    Dagster writes it down after the step has, so that an operation can end before.
    """
    body = {"query": _CHECK, "variables": {"partition": f"sandbox:{client_id}"}}

    def look() -> str | None:
        answer = httpx.post(f"{stack.dagster_url}/graphql", json=body, timeout=30).json()
        status: str = answer["data"]["assetCheckExecutions"][0]["status"]
        return status if status != "IN_PROGRESS" else None

    return wait_for(look, "the check has ended in the UI")


def test_a_dataset_that_falls_is_found_checked_shown_and_told_by_the_stack_itself(
    telling_stack: TellingStack,
) -> None:
    """C-35, C-62, C-63, C-90."""
    stack, receiver = telling_stack.stack, telling_stack.receiver
    with stack.client() as api:
        asked = request(dataset_types=["confluence_pages"], generation={"record_count": 60})
        accepted = api.post("/datasets", json=asked).json()
        assert ended(api, accepted["operation_id"])["status"] == "completed"
        dataset_id = accepted["datasets"][0]["dataset_id"]
        assert shown(stack, asked["client_id"]) == "SUCCEEDED"
        connector_id = api.get(f"/datasets/{dataset_id}").json()["connector"]["connector_id"]
        (index,) = (stack.home / "data" / "connectors" / connector_id).glob("*.db")
        index.rename(index.with_suffix(".aside"))

        assert receiver.arrived.acquire(timeout=150), "nobody was told"

        (message,) = receiver.messages
        assert message.is_genuine()
        assert message.content["type"] == "dataset.below_threshold"
        assert message.content["data"]["dataset_id"] == dataset_id
        found = api.get(f"/datasets/{dataset_id}").json()
        assert (found["status"], found["connector"]["status"]) == ("ready", "unhealthy")
        connector = api.get(f"/datasets/{dataset_id}/connector").json()
        assert connector["status_reason"] == "doc_parity: the index is damaged"
        # The check follows by an operation that nobody asked for.
        assert ended(api, checked_by(api, dataset_id))["status"] == "completed"
        assert api.get(f"/datasets/{dataset_id}/quality").json()["meets_threshold"] is False
        assert shown(stack, asked["client_id"]) == "FAILED"

        index.with_suffix(".aside").rename(index)
        assert validated(api, dataset_id, force_revalidation=True)["status"] == "completed"
        assert receiver.arrived.acquire(timeout=90), "nobody was told of the recovery"
        assert receiver.events == ["dataset.below_threshold", "dataset.recovered"]
        assert api.get(f"/datasets/{dataset_id}/connector").json()["status"] == "healthy"


def checked_by(api: httpx.Client, dataset_id: str, seconds: float = 120) -> str:
    """The validation that the clock begins, once there is one."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        query = {"dataset_id": dataset_id, "operation_type": "quality_validation"}
        found = api.get("/operations", params=query).raise_for_status().json()["operations"]
        if found:
            operation_id: str = found[0]["operation_id"]
            return operation_id
        time.sleep(0.2)
    pytest.fail(f"no validation was begun within {seconds:g} s")
