"""Who did what in a whole life, as the audit log of the running stack tells it (C-24)."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.waiting import ended

pytestmark = pytest.mark.stack


def entries(api: httpx.Client, **filters: str) -> list[dict[str, Any]]:
    """Oldest first."""
    found: list[dict[str, Any]] = (
        api.get("/audit", params=filters | {"limit": "200"}).raise_for_status().json()["entries"]
    )
    return found[::-1]


def test_request_run_and_connector_are_noted_as_who_they_are(stack: Any) -> None:
    body = {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "pilot",
        "dataset_types": ["confluence_pages"],
        "generation": {"record_count": 20},
    }
    with stack.client() as api:
        asked = {"X-Request-ID": "req-a-whole-life"}
        accepted = api.post("/datasets", json=body, headers=asked).raise_for_status().json()
        operation = ended(api, accepted["operation_id"])
        assert operation["status"] == "completed", operation["error"]
        dataset_id, run = accepted["datasets"][0]["dataset_id"], {"kind": "run", "id": operation["run_id"]}
        client = {"kind": "api_client", "id": stack.credentials["client_id"]}
        made = entries(api, operation_id=accepted["operation_id"])
        moves = [
            (one["actor"], one["after"]["status"])
            for one in made
            if one["resource"] == {"type": "dataset", "id": dataset_id} and "status" in one["after"]
        ]
        assert moves == [(client, "provisioning"), (run, "validating"), (run, "ready")]
        # What the run did over HTTP is the run's as well.
        served = [
            one for one in made if one["resource"]["type"] == "connector" and "generation" in (one["after"] or {})
        ]
        assert [one["actor"] for one in served[-1:]] == [run]
        assert served[-1]["after"]["document_count"] == 20
        assert {one["client_id"] for one in made} == {body["client_id"]}
        on_request = {one["request_id"] for one in made if one["actor"]["kind"] != "system"}
        assert on_request == {"req-a-whole-life"}
        assert len(made) < 25  # and nothing of heartbeats and progress

        torn = api.delete(f"/datasets/{dataset_id}", headers={"X-Request-ID": "req-torn"}).raise_for_status().json()
        assert ended(api, torn["operation_id"])["status"] == "completed"
        end = entries(api, operation_id=torn["operation_id"], resource_type="dataset")
        assert [(one["actor"]["kind"], one["after"]["status"]) for one in end if "status" in one["after"]] == [
            ("api_client", "teardown"),
            ("run", "archived"),
        ]
        assert {one["resource"]["type"] for one in entries(api, request_id="req-torn")} == {
            *("operation", "operation_dataset", "dataset"),
            "connector",
        }
        first = entries(api, resource_type="api_client")[0]
        assert (first["actor"], first["after"]["secret_hash"]) == (
            {"kind": "command_line", "id": "dataops up"},
            "(secret)",
        )
