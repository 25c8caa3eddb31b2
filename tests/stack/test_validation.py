"""Validations through the public API on the running stack: one that passes, and one that does not (C-63)."""

from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from tests.stack.test_provisioning import ended, request

pytestmark = pytest.mark.stack

_RUN = "query Run($id: ID!) { runOrError(runId: $id) { ... on Run { status jobName } } }"


def validated(api: httpx.Client, dataset_id: str, **body: Any) -> dict[str, Any]:
    """The operation of a validation, once it has ended."""
    answer = api.post(f"/datasets/{dataset_id}/quality/validate", json=body)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "validating"
    return ended(api, answer.json()["operation_id"])


def remove_a_document(stack: Any, api: httpx.Client, dataset_id: str, endpoint: str) -> None:
    """Takes one document out of the index, as somebody with an index token can."""
    (records,) = (stack.home / "data" / "datasets" / dataset_id).glob("*/records.parquet")
    tokens = {
        kind: api.post(f"/datasets/{dataset_id}/connector/tokens", json={"kind": kind}).json()["token"]
        for kind in ("search", "index")
    }
    with httpx.Client(base_url=endpoint, headers={"Authorization": f"Bearer {tokens['index']}"}) as connector:
        about = httpx.get(endpoint, headers={"Authorization": f"Bearer {tokens['search']}"}).json()
        config = connector.post("/api/index/v1/getdatasourceconfig", json={"datasource": about["datasource"]}).json()
        gone = connector.post(
            "/api/index/v1/deletedocument",
            json={
                "datasource": about["datasource"],
                "objectType": config["objectDefinitions"][0]["name"],
                "id": pq.read_table(records, columns=["id"])["id"][0].as_py(),
            },
        )
        assert gone.status_code == 200, gone.text


def run_of(stack: Any, operation: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(
        f"{stack.dagster_url}/graphql", json={"query": _RUN, "variables": {"id": operation["run_id"]}}, timeout=30
    )
    run: dict[str, Any] = answer.json()["data"]["runOrError"]
    return run


def test_a_ready_dataset_is_validated_and_stays_ready_when_it_does_not_pass(stack: Any) -> None:
    """C-63, C-35, C-81, C-83."""
    with stack.client() as api:
        accepted = api.post(
            "/datasets", json=request(dataset_types=["confluence_pages"], generation={"record_count": 60})
        ).json()
        assert ended(api, accepted["operation_id"])["status"] == "completed"
        dataset_id = accepted["datasets"][0]["dataset_id"]
        first = api.get(f"/datasets/{dataset_id}/quality").json()

        untouched = validated(api, dataset_id)
        assert (untouched["status"], untouched["run_id"]) == ("completed", None)
        assert api.get(f"/datasets/{dataset_id}/quality").json() == first

        whole = validated(api, dataset_id, force_revalidation=True)
        assert (whole["status"], whole["progress"]["total_steps"], whole["error"]) == ("completed", 4, None)
        assert whole["result"]["datasets"][0]["status"] == "ready"
        assert run_of(stack, whole)["jobName"] == "validate"
        assert api.get(f"/datasets/{dataset_id}/quality").json()["meets_threshold"] is True

        remove_a_document(
            stack, api, dataset_id, api.get(f"/datasets/{dataset_id}").json()["connector"]["endpoint_url"]
        )
        partial = validated(api, dataset_id, checks=["connector_health", "data_completeness"], force_revalidation=True)
        # Dagster calls the run failed, since a check did not pass; the operation was carried out.
        assert (partial["status"], partial["progress"]["total_steps"]) == ("completed", 2)
        after = api.get(f"/datasets/{dataset_id}/quality").json()
        statuses = {name: check["status"] for name, check in after["checks"].items()}
        assert statuses == {
            "schema_validation": "passed",
            "data_completeness": "passed",
            "connector_health": "failed",
            "sample_query_success": "passed",
        }
        assert after["meets_threshold"] is False
        assert after["overall_score"] < first["overall_score"]
        dataset = api.get(f"/datasets/{dataset_id}").json()
        assert (dataset["status"], dataset["quality_score"]) == ("ready", after["overall_score"])
        assert dataset["connector"]["status"] == "unhealthy"

        kept = api.get(f"/datasets/{dataset_id}/quality/history").json()["history"]
        assert [entry["operation_id"] for entry in kept] == (
            [accepted["operation_id"]] * 4 + [whole["operation_id"]] * 4 + [partial["operation_id"]] * 2
        )
        assert [entry["check_type"] for entry in kept[-2:]] in (
            ["connector_health", "data_completeness"],
            ["data_completeness", "connector_health"],
        )
