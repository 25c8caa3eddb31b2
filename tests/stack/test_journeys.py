"""A journey through the public API on the running stack: sandbox, pilot, the end (C-91 … C-93)."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.stack.test_provisioning import ended, request

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]


def told(api: httpx.Client, ids: dict[str, str], event: str, **more: Any) -> str:
    """Tells of an event, twice, and gives its id."""
    body = {
        "event_id": str(uuid4()),
        "event": event,
        "client_id": ids["client_id"],
        "occurred_at": datetime.now(UTC).isoformat(),
    } | more
    for _ in range(2):
        answer = api.post(f"/journeys/{ids['journey_id']}/events", json=body)
        assert answer.status_code == 202, answer.text
    return str(body["event_id"])


def acted_on(api: httpx.Client, journey_id: str, event_id: str, seconds: float = 240) -> dict[str, Any]:
    """The journey once the event has ended. At no moment was it without a ready dataset, unless it ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        journey: dict[str, Any] = api.get(f"/journeys/{journey_id}").raise_for_status().json()
        (event,) = [one for one in journey["events"] if one["event_id"] == event_id]
        if event["event"] == "stage_transition":
            assert any(one["status"] == "ready" for one in journey["datasets"])
        if event["status"] not in {"pending", "in_progress"}:
            assert event["status"] == "completed", event["error"]
            return journey
        time.sleep(0.25)
    pytest.fail(f"event {event_id} was not acted on within {seconds:g} s")


def test_a_journey_moves_to_the_pilot_and_ends(stack: Any) -> None:
    """C-91, C-92, C-93, C-53: nothing is left of it but archives."""
    ids = {"journey_id": str(uuid4()), "client_id": str(uuid4())}
    with stack.client() as api:
        wanted = request(**ids, dataset_types=["github_repos"], generation={"record_count": 60})
        accepted = api.post("/datasets", json=wanted).json()
        assert ended(api, accepted["operation_id"])["status"] == "completed"
        sandbox = api.get(f"/datasets/{accepted['datasets'][0]['dataset_id']}").json()

        moved = acted_on(api, ids["journey_id"], told(api, ids, "stage_transition", to_stage="pilot"))
        assert (moved["current_stage"], moved["status"]) == ("pilot", "active")
        begun = moved["events"][0]["operations"]
        assert [one["operation_type"] for one in begun] == ["dataset_provisioning", "dataset_teardown"]
        new, old = moved["datasets"]
        assert (new["stage"], new["status"], new["name"]) == ("pilot", "ready", "ACME-Pilot-GitHub")
        assert (old["dataset_id"], old["status"]) == (sandbox["dataset_id"], "archived")
        pilot = api.get(f"/datasets/{new['dataset_id']}").json()
        assert pilot["template"] == sandbox["template"]
        assert pilot["metadata"]["custom_fields"] == sandbox["metadata"]["custom_fields"]

        over = acted_on(api, ids["journey_id"], told(api, ids, "journey_completed"))
        assert (over["current_stage"], over["status"]) == (None, "completed")
        assert {one["status"] for one in over["datasets"]} == {"archived"}
        assert [one["operation_type"] for one in over["events"][0]["operations"]] == ["dataset_teardown"]
        refused = api.post("/datasets", json=wanted)
        assert (refused.status_code, refused.json()["error"]["message"]) == (409, "Journey has ended")
    for dataset in (sandbox, pilot):
        assert not list((stack.home / "data" / "datasets" / dataset["dataset_id"]).glob("**/*.parquet"))
        assert list((stack.home / "data" / "archives" / dataset["dataset_id"]).glob("**/*.parquet"))
        connector = Path(stack.home, "data", "connectors", dataset["connector"]["connector_id"])
        assert not connector.exists() or not list(connector.iterdir())
