"""The whole journey through the public API on the running stack: provision, prove, search, tear down."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.stack

TERMINAL = {"completed", "failed", "cancelled"}


def ended(api: httpx.Client, operation_id: str, seconds: float = 90) -> dict[str, Any]:
    """The operation once it has ended; every step seen on the way never falls."""
    deadline, last = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        operation: dict[str, Any] = api.get(f"/operations/{operation_id}").raise_for_status().json()
        assert operation["progress"]["current_step"] >= last
        last = operation["progress"]["current_step"]
        if operation["status"] in TERMINAL:
            return operation
        if operation["progress"]["percent_complete"] > 99:
            pytest.fail("100 % before it was completed")
        time.sleep(0.05)
    pytest.fail(f"operation {operation_id} has not ended within {seconds:g} s")


def request(**changes: Any) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages", "github_repos"],
        "template_selection": "auto",
        "metadata": {
            "requested_by": "john.doe@acme.example",
            "reason": "sandbox_stage_transition",
            "custom_fields": {"industry": "fintech", "use_case": "developer_productivity", "client_name": "ACME"},
        },
    } | changes


def test_one_request_becomes_two_ready_datasets_that_are_searched_and_torn_down(stack):
    with stack.client() as api:
        answer = api.post("/datasets", json=request())
        assert answer.status_code == 202
        accepted = answer.json()
        assert accepted["message"] == "Dataset provisioning started"
        operation = ended(api, accepted["operation_id"])
        assert operation["status"] == "completed", operation["error"]
        assert operation["progress"]["percent_complete"] == 100
        pages = api.get(f"/datasets/{accepted['datasets'][0]['dataset_id']}").json()
        assert (pages["name"], pages["status"], pages["record_count"]) == ("ACME-Sandbox-Confluence", "ready", 500)
        assert pages["template"]["name"] == "FinTech Developer Productivity - Confluence"
        assert pages["size_bytes"] == pytest.approx(15_728_640, rel=0.05)
        quality = api.get(f"/datasets/{pages['dataset_id']}/quality").json()
        assert (quality["overall_score"], quality["meets_threshold"]) == (99.4, True)
        assert quality["checks"]["data_completeness"]["details"] == "490/500 records fully populated (98%)"
        lines = api.get(pages["_links"]["records"].removeprefix("/v1/dataops"), params={"format": "ndjson"})
        assert len(lines.content.splitlines()) == 500
        token = api.post(
            f"/datasets/{pages['dataset_id']}/connector/tokens", json={"kind": "search", "expires_in": 600}
        ).json()["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        endpoint = pages["connector"]["endpoint_url"]
        found = httpx.post(f"{endpoint}/api/search", json={"query": "runbook", "page_size": 3}, headers=bearer).json()
        assert len(found["results"]) == 3
        assert all(hit["snippets"] for hit in found["results"])
        usage = api.get(f"/datasets/{pages['dataset_id']}/usage").json()
        assert (usage["queries_total"], usage["documents_served"]) == (1, 3)
        connector = Path(stack.home, "data", "connectors", pages["connector"]["connector_id"])
        assert list(connector.iterdir())
        down = api.delete(f"/datasets/{pages['dataset_id']}", params={"reason": "stage_transition", "archive": True})
        assert (down.status_code, down.json()["status"]) == (202, "tearing_down")
        assert ended(api, down.json()["operation_id"])["status"] == "completed"
        after = api.get(f"/datasets/{pages['dataset_id']}").json()
        assert (after["status"], after["connector"]["status"]) == ("archived", "disconnected")
        refused = httpx.post(f"{endpoint}/api/search", json={"query": "runbook"}, headers=bearer)
        assert refused.status_code == 410
        assert not connector.exists()
        archive = Path(stack.home, "data", "archives", pages["dataset_id"])
        assert {entry.name for entry in archive.iterdir()} >= {"records.parquet", "queries.jsonl", "manifest.json"}


def test_an_archived_dataset_is_restored_and_an_operation_is_cancelled_watched_and_retried(stack):
    """C-54, C-84: on the running stack, with a new connector that answers."""
    asked = request(dataset_types=["confluence_pages"], generation={"record_count": 60})
    with stack.client() as api:
        made = api.post("/datasets", json=asked).json()
        path = f"/datasets/{made['datasets'][0]['dataset_id']}"
        assert api.get(f"/operations/{made['operation_id']}", params={"wait": 30}).json()["status"] == "completed"
        ready = api.get(path).json()
        down = api.delete(path).json()
        assert api.get(f"/operations/{down['operation_id']}", params={"wait": 30}).json()["status"] == "completed"
        started = api.post(f"{path}/restore").raise_for_status().json()
        with api.stream("GET", f"/operations/{started['operation_id']}/events", timeout=90) as events:
            seen = [json.loads(line[6:]) for line in events.iter_lines() if line.startswith("data: ")]
        assert seen[-1]["status"] == "completed", seen[-1]["error"]
        again = api.get(path).json()
        assert (again["status"], again["archived_at"]) == ("ready", None)
        assert (again["record_count"], again["size_bytes"]) == (ready["record_count"], ready["size_bytes"])
        assert again["quality_score"] == ready["quality_score"]
        assert again["connector"]["connector_id"] != ready["connector"]["connector_id"]
        assert again["connector"]["status"] == "healthy"
        token = api.post(f"{path}/connector/tokens", json={"kind": "search"}).json()["token"]
        found = httpx.post(
            f"{again['connector']['endpoint_url']}/api/search",
            json={"query": "runbook", "page_size": 3},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert found.status_code == 200

        large = request(dataset_types=["confluence_pages"], generation={"record_count": 20_000})
        running = api.post("/datasets", json=large).json()
        link = f"/operations/{running['operation_id']}"
        with api.stream("GET", f"{link}/events", timeout=90) as events:
            for line in events.iter_lines():
                if line.startswith("data: ") and json.loads(line[6:])["status"] == "in_progress":
                    break
        assert api.post(f"{link}/cancel").status_code == 202
        cancelled = api.get(link).json()
        assert (cancelled["status"], cancelled["error"]["code"]) == ("cancelled", "CANCELLED")
        question = {"query": "query One($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"}
        deadline, status = time.monotonic() + 60, ""
        while status != "CANCELED":
            assert time.monotonic() < deadline, status
            time.sleep(0.2)
            about = httpx.post(
                f"{stack.dagster_url}/graphql", json=question | {"variables": {"id": cancelled["run_id"]}}, timeout=30
            )
            status = about.json()["data"]["runOrError"]["status"]
        assert api.post(f"{link}/retry").status_code == 202
        assert api.post(f"{link}/cancel").status_code == 202
        assert api.get(link).json()["attempt"] == 2


def test_what_only_its_owner_may_read_is_readable_by_its_owner_only(stack):
    private = ("credentials.json", "runtime.json", "secret_key", "processes.json")
    for name in (*private, "postgres_password") if stack.embedded else private:
        assert oct((stack.home / name).stat().st_mode & 0o777) == "0o600", name
    assert (stack.home / "data").stat().st_mode & 0o077 == 0


def test_the_same_request_gives_the_same_bytes_on_the_running_stack(stack):
    """C-40."""
    asked = request(dataset_types=["github_repos"])
    digests = []
    with stack.client() as api:
        for _ in range(2):
            accepted = api.post("/datasets", json=asked).json()
            assert ended(api, accepted["operation_id"])["status"] == "completed"
            dataset_id = accepted["datasets"][0]["dataset_id"]
            (records,) = Path(stack.home, "data", "datasets", dataset_id).glob("*/records.parquet")
            digests.append(records.read_bytes())
            down = api.delete(f"/datasets/{dataset_id}", params={"archive": "false"}).json()
            assert ended(api, down["operation_id"])["result"]["datasets"][0]["status"] == "deleted"
            assert api.get(f"/datasets/{dataset_id}").status_code == 404
    assert digests[0] == digests[1]
