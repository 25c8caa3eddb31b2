"""``dataops orphans`` on a running stack, and the same in the UI: what it would do, what it does, and what then is."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conftest import Stack
from tests.stack.dagster_ui import DagsterUI
from tests.waiting import completed, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.long]

JOB = "look_for_orphans"


def orphans(stack: Stack, *arguments: str, status: int = 0, **variables: str) -> "subprocess.CompletedProcess[str]":
    result = subprocess.run(
        [sys.executable, "-m", "dataops_cli.main", "orphans", *arguments],
        env={**stack.environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result


def findings(stack: Stack, subjects: Sequence[str], *arguments: str, **variables: str) -> dict[str, str]:
    """The verdict on each of these subjects; other tests have left others."""
    told: dict[str, Any] = json.loads(orphans(stack, *arguments, "--json", **variables).stdout)
    return {one["subject"]: one["verdict"] for one in told["findings"] if one["subject"] in subjects}


def partitions(stack: Stack) -> list[str]:
    """The partitions that the UI shows of an asset."""
    document = (
        '{ assetNodeOrError(assetKey: {path: ["confluence_pages", "template"]}) '
        "{ __typename ... on AssetNode { partitionKeys } } }"
    )
    answer = httpx.post(f"{stack.dagster_url}/graphql", json={"query": document}, timeout=30).json()
    keys: list[str] = answer["data"]["assetNodeOrError"]["partitionKeys"]
    return keys


def rerun(stack: Stack, run_id: str) -> str:
    """Reruns a whole run as the UI does, and gives the status with which it ends."""
    launch = (
        "mutation($of: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $of) "
        "{ __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"
    )
    look = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
    with httpx.Client(base_url=stack.dagster_url, timeout=60) as dagster:

        def ask(document: str, **variables: Any) -> dict[str, Any]:
            answer = dagster.post("/graphql", json={"query": document, "variables": variables}).json()
            return dict(answer["data"])

        of = {"parentRunId": run_id, "strategy": "ALL_STEPS"}
        launched = ask(launch, of=of)["launchRunReexecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        status, deadline = "", time.monotonic() + 90
        while status not in {"SUCCESS", "FAILURE", "CANCELED"} and time.monotonic() < deadline:
            status = ask(look, id=launched["run"]["runId"])["runOrError"]["status"]
        return status


def shown_by_a_dry_run(stack: Stack) -> dict[str, Any]:
    """What a dry run shows that somebody launches in the UI, by docs/operating.md."""
    ui = DagsterUI(stack.dagster_url)
    run_id = ui.launch(JOB, config="ops: {find_and_mend: {config: {dry_run: true}}}")
    wait_for(lambda: ui.run(run_id)["status"] == "SUCCESS", "the dry run has ended")
    return ui.shown(run_id)


def operation_of(answer: httpx.Response) -> str:
    """The operation that a request began."""
    assert answer.status_code == 202, answer.text
    operation_id: str = answer.json()["operation_id"]
    return operation_id


def test_what_nobody_owns_goes_and_the_environment_is_provisioned_again(stack: Stack) -> None:
    request = {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
        "generation": {"record_count": 20},
    }
    key = f"sandbox:{request['client_id']}"
    left = stack.home / "data" / "datasets" / str(uuid4())
    files = f"datasets/{left.name}"
    mine = (files, key)
    left.mkdir(parents=True)
    (left / "records.parquet").write_text("left")
    for path in (left / "records.parquet", left):
        os.utime(path, (0, 0))
    with stack.client() as client:
        made = completed(client, operation_of(client.post("/datasets", json=request)))
        (dataset,) = made["result"]["datasets"]
        removed = client.delete(f"/datasets/{dataset['dataset_id']}", params={"reason": "manual"})
        completed(client, operation_of(removed))

        said = orphans(stack, "--dry-run").stdout
        assert f"would    {files}" in said
        assert any(line.startswith("waits    ") and key in line for line in said.splitlines())
        shown = shown_by_a_dry_run(stack)
        assert shown["dry_run"] is True
        assert f"| due | dataset_files | {files}: there is no such dataset. | Remove it. |" in shown["findings"]
        assert f"| waiting | partition | Partition {key}: " in shown["findings"]
        assert left.is_dir()
        assert findings(stack, mine) == {files: "done", key: "waiting"}
        assert not left.exists()
        assert findings(stack, mine, DATAOPS_ORPHAN_GRACE_HOURS="0") == {key: "done"}
        assert key not in partitions(stack)
        assert orphans(stack).stdout == "Everything is somebody's.\n"
        assert rerun(stack, made["run_id"]) == "FAILURE", "C-87: it finds no partition, and changes nothing"
        of_dataset = client.get("/operations", params={"dataset_id": dataset["dataset_id"]}).json()
        assert of_dataset["pagination"]["total_count"] == 2

        completed(client, operation_of(client.post("/datasets", json=request)))
        assert key in partitions(stack)
        assert findings(stack, mine, DATAOPS_ORPHAN_GRACE_HOURS="0") == {}


def test_a_home_that_was_never_started_is_refused(tmp_path: Any) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "dataops_cli.main", "orphans", "--dry-run"],
        env={**os.environ, "DATAOPS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (
        2,
        f"dataops: {tmp_path} has never been started: start `dataops up`.\n",
    )
