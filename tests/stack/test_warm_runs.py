"""Runs forked by the run host of a real stack; where that is away, started by the code location."""

import os
import signal
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
import yaml

from tests.conftest import Stack
from tests.waiting import completed, wait_for

pytestmark = pytest.mark.stack

_LOG = """
query Log($id: ID!) {
  logsForRun(runId: $id) { ... on EventConnection { events { ... on MessageEvent { message } } } }
}
"""


@pytest.fixture(scope="module")
def warm_stack(stack: Stack) -> Stack:
    """The suite's; its supervisor mends what is broken here."""
    if not stack.warm:
        pytest.skip("the stack's runs are started by the code location (LAUNCHER=default)")
    return stack


def provisioned(stack) -> dict[str, Any]:
    """An operation that made one small dataset."""
    asked = {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
        "generation": {"record_count": 50},
        "metadata": {"custom_fields": {"industry": "fintech", "use_case": "developer_productivity"}},
    }
    with stack.client() as api:
        return completed(api, api.post("/datasets", json=asked).raise_for_status().json()["operation_id"])


def log_of(stack, run_id: str) -> str:
    answer = httpx.post(f"{stack.dagster_url}/graphql", json={"query": _LOG, "variables": {"id": run_id}}, timeout=30)
    events = answer.raise_for_status().json()["data"]["logsForRun"]["events"]
    return "\n".join(event["message"] for event in events if event)


def test_a_run_is_forked_by_the_run_host(warm_stack) -> None:
    """C-81."""
    launcher = yaml.safe_load((warm_stack.home / "dagster" / "dagster.yaml").read_text(encoding="utf-8"))[
        "run_launcher"
    ]
    assert launcher["class"] == "WarmRunLauncher"
    host = psutil.Process(warm_stack.pid("run-host"))
    log = log_of(warm_stack, provisioned(warm_stack)["run_id"])
    assert "The code location starts the run." not in log
    told = (warm_stack.home / "logs" / "run-host.log").read_text(encoding="utf-8")
    assert '"step":"confluence_pages__dataset"' in told
    # It has forked, and is single as before.
    assert host.num_threads() == 1


def test_while_there_is_no_run_host_the_code_location_starts_runs(warm_stack) -> None:
    """C-81: its death costs a second or two, and no run."""
    # The supervisor would start it again at once.
    warm_stack.process.send_signal(signal.SIGSTOP)
    host = warm_stack.pid("run-host")
    try:
        os.kill(host, signal.SIGKILL)
        log = log_of(warm_stack, provisioned(warm_stack)["run_id"])
        assert "The run host does not run (Connection refused). The code location starts the run." in log
    finally:
        warm_stack.process.send_signal(signal.SIGCONT)
    wait_for(lambda: warm_stack.pid("run-host") != host, "the supervisor has started it again")
