"""Parts of a running installation killed, stopped or out of disk in the middle of the work: what becomes of it.

One stack for all of them, each with customers of its own: that it is whole again afterwards is part of what is proven.
It is the one that the tests of `up` end (`tests/dataops_cli/test_up.py`).
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import pytest

from dataops_core.lifecycle import OperationStatus, Stage
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.requests import accept_provisioning
from dataops_core.registry import operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Operation
from dataops_core.runs import TAG_OPERATION
from dataops_core.templates.loader import load_catalog
from tests.waiting import wait_for

pytestmark = pytest.mark.fault

T = TypeVar("T")

TYPE = "confluence_pages"
DAGSTER = ("webserver", "daemon", "code-location")

_RUNS = """
query Runs($tags: [ExecutionTag!]!) { runsOrError(filter: {tags: $tags}) { ... on Runs { results { runId status } } } }
"""
_RERUN = """
mutation Rerun($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""


def request(**changes: Any) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": [TYPE],
        "metadata": {"custom_fields": {"industry": "fintech", "use_case": "developer_productivity"}},
    } | changes


@pytest.fixture
def registry(mending_stack) -> Iterator[Database]:
    database = mending_stack.database()
    yield database
    database.close()


@pytest.fixture
def api(mending_stack) -> Iterator[httpx.Client]:
    """A client of the API of a stack that is whole."""
    wait_for(lambda: whole(mending_stack), "every component is up")
    with mending_stack.client() as client:
        yield client


def whole(stack) -> bool:
    try:
        answer = httpx.get(f"{stack.settings.public_base}/readyz", timeout=5)
    except httpx.TransportError:
        return False
    return answer.is_success and all(part["state"] == "up" for part in answer.json()["components"].values())


def parts_of_dagster(stack) -> set[str]:
    """Their states, as an API that is ready all the same tells them."""
    answer = httpx.get(f"{stack.settings.public_base}/readyz", timeout=10)
    assert answer.status_code == 200
    return {answer.json()["components"][name]["state"] for name in ("dagster", "code_location", "daemon")}


def ended(registry: Database, operation_id: str, seconds: float = 60) -> Operation:
    """The operation once it has ended, as the registry has it: the API may be what was broken."""
    return reached(registry, operation_id, lambda row: row.status.is_terminal, "the operation has ended", seconds)


def reached(
    registry: Database, operation_id: str, condition: Callable[[Operation], bool], what: str, seconds: float = 60
) -> Operation:
    def look() -> Operation | None:
        with registry.transaction() as session:
            row = operations.get(session, UUID(operation_id))
            session.expunge(row)
        return row if condition(row) else None

    return wait_for(look, what, seconds)


def succeeds(api: httpx.Client, registry: Database, asked: dict[str, Any]) -> dict[str, Any]:
    """Sends the request and sees it through: the one dataset, ready."""
    answer = api.post("/datasets", json=asked)
    assert answer.status_code == 202, answer.text
    operation = ended(registry, answer.json()["operation_id"])
    assert operation.status is OperationStatus.COMPLETED, operation.error
    dataset = api.get(f"/datasets/{answer.json()['datasets'][0]['dataset_id']}").json()
    assert dataset["status"] == "ready"
    return dataset


def failed(api: httpx.Client, accepted: dict[str, Any]) -> dict[str, Any]:
    """The error of an operation that failed, the same as each of its datasets says."""
    operation = api.get(f"/operations/{accepted['operation_id']}").json()
    assert operation["status"] == "failed"
    for dataset in accepted["datasets"]:
        found = api.get(f"/datasets/{dataset['dataset_id']}").json()
        assert (found["status"], found["error"]["code"]) == ("failed", operation["error"]["code"])
        assert operation["error"]["details"][dataset["dataset_id"]]["message"] == found["error"]["message"]
    return operation["error"]


def ask_dagster(stack, document: str, **variables: Any) -> dict[str, Any]:
    answer = httpx.post(
        f"{stack.dagster_url}/graphql", json={"query": document, "variables": variables}, timeout=30
    ).raise_for_status()
    return answer.json()["data"]


def runs_of(stack, operation_id: str) -> list[dict[str, str]]:
    tags = [{"key": TAG_OPERATION, "value": operation_id}]
    return ask_dagster(stack, _RUNS, tags=tags)["runsOrError"]["results"]


def rerun(stack, run_id: str, strategy: str) -> str:
    """What the UI sends for "Re-execute"; the new run's id."""
    answer = ask_dagster(stack, _RERUN, params={"parentRunId": run_id, "strategy": strategy})["launchRunReexecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return answer["run"]["runId"]


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Processes that do nothing and answer nobody, as long as the block lasts."""
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_an_operation_whose_api_was_killed_right_after_its_transaction_gets_its_one_run(mending_stack, api, registry):
    """C-42, C-81."""
    never_launched = ProvisioningRequest(
        journey_id=uuid4(), client_id=uuid4(), stage=Stage.SANDBOX, dataset_types=[TYPE], record_count=50
    )
    with registry.transaction() as session:
        operation = accept_provisioning(session, load_catalog(None), never_launched, max_record_count=1000)
        without_a_launch = str(operation.operation_id)
    answer = api.post("/datasets", json=request(generation={"record_count": 50}))
    os.kill(mending_stack.pid("api"), signal.SIGKILL)
    in_the_middle_of_it = answer.json()["operation_id"]
    for operation_id in (without_a_launch, in_the_middle_of_it):
        done = ended(registry, operation_id)
        assert done.status is OperationStatus.COMPLETED, done.error
        (run,) = runs_of(mending_stack, operation_id)
        assert run["runId"] == done.run_id
    wait_for(lambda: whole(mending_stack), "the API is up again")
    for operation_id in (without_a_launch, in_the_middle_of_it):
        (dataset,) = api.get("/datasets", params={"operation_id": operation_id}).json()["datasets"]
        assert (dataset["status"], dataset["record_count"]) == ("ready", 50)


def test_twenty_equal_requests_at_once_make_one_dataset(api, registry):
    """C-44."""
    asked = request(generation={"record_count": 50})
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: api.post("/datasets", json=asked), range(20)))
    (accepted,) = (answer.json() for answer in answers if answer.status_code == 202)
    refused = [answer for answer in answers if answer.status_code == 409]
    assert len(refused) == 19
    (dataset,) = accepted["datasets"]
    assert {answer.json()["error"]["details"]["existing_dataset_id"] for answer in refused} == {dataset["dataset_id"]}
    listed = api.get("/datasets", params={"client_id": asked["client_id"]}).json()["datasets"]
    assert [one["dataset_id"] for one in listed] == [dataset["dataset_id"]]
    assert ended(registry, accepted["operation_id"]).status is OperationStatus.COMPLETED


@pytest.mark.long
@pytest.mark.parametrize("which", ["its own", "one that shares it"])
def test_a_run_whose_process_was_killed_fails_within_a_minute_and_the_same_request_succeeds(
    mending_stack, api, registry, which
):
    """C-86: datasets and operation say what happened; nothing of the dead run is in the way."""
    if which != "its own" and not mending_stack.warm:
        pytest.skip("only a run of the run host is shared by processes")
    wait_for(lambda: not mending_stack.run_processes(), "earlier runs are gone")
    asked = request(dataset_types=[TYPE, "github_repos"])
    accepted = api.post("/datasets", json=asked).json()
    reached(registry, accepted["operation_id"], lambda row: row.current_step >= 3, "the run is in the middle")
    (process,) = mending_stack.run_processes()
    # Forked, and nothing else begun since: by its command it is the run's process.
    forked = [child for child in process.children() if child.cmdline() == process.cmdline()]
    (shares,) = forked if mending_stack.warm else (None,)
    (process if which == "its own" else shares).kill()
    assert ended(registry, accepted["operation_id"]).status is OperationStatus.FAILED
    wait_for(lambda: not (process.is_running() or (shares is not None and shares.is_running())), "both are gone")
    error = failed(api, accepted)
    assert (error["code"], error["message"]) == ("RUN_LOST", "2 of 2 datasets failed.")
    # As the run host saw it, or Dagster's own launcher.
    (said,) = {part["message"] for part in error["details"].values()}
    assert "signal 9 (SIGKILL)" in said
    succeeds(api, registry, asked)


@pytest.mark.long
def test_while_dagster_hangs_requests_are_accepted_at_once_and_run_when_it_is_back(mending_stack, api, registry):
    """C-42, C-86: hanging, then killed, then started again by the supervisor."""
    pids = {name: mending_stack.pid(name) for name in DAGSTER}
    with stopped(*pids.values()):
        started = time.monotonic()
        answer = api.post("/datasets", json=request(generation={"record_count": 50}))
        operation = api.get(f"/operations/{answer.json()['operation_id']}")
        took = time.monotonic() - started
        assert answer.status_code == 202
        assert took < 2
        assert (operation.json()["status"], operation.json()["run_id"]) == ("pending", None)
        # What was found before counts for a moment.
        wait_for(lambda: parts_of_dagster(mending_stack) == {"down"}, "all parts of Dagster are down", 10)
        for pid in pids.values():
            # Stopped or not, it ends at once.
            os.kill(pid, signal.SIGKILL)
    done = ended(registry, answer.json()["operation_id"])
    assert done.status is OperationStatus.COMPLETED, done.error
    assert len(runs_of(mending_stack, answer.json()["operation_id"])) == 1


@pytest.mark.long
def test_a_connector_that_goes_down_in_the_middle_fails_the_dataset_and_the_same_request_succeeds(
    mending_stack, api, registry
):
    """C-62, C-86: the service answers nobody for longer than the run's client tries again."""
    asked = request()
    accepted = api.post("/datasets", json=asked).json()
    reached(registry, accepted["operation_id"], lambda row: row.current_step >= 3, "the run is in the middle")
    # The supervisor would start it again at once.
    with stopped(mending_stack.process.pid):
        os.kill(mending_stack.pid("api"), signal.SIGKILL)
        assert ended(registry, accepted["operation_id"]).status is OperationStatus.FAILED
    wait_for(lambda: whole(mending_stack), "the connector service is up again")
    error = failed(api, accepted)
    assert error["code"] in {"CONNECTOR_ERROR", "CHECK_ERROR"}
    assert "connector" in error["message"].lower()
    succeeds(api, registry, asked)


@pytest.fixture
def small_disk(mending_stack) -> Iterator[Callable[[str], None]]:
    """A disk of 64 KiB where dataset files go, and a way to make it larger."""
    place = Path(mending_stack.home, "data", "datasets")
    place.mkdir(mode=0o700, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", place],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)
    # A run tidies up after its operation has ended; until then the disk is in use.
    wait_for(lambda: not mending_stack.run_processes(), "the runs are gone")
    subprocess.run(["umount", place], check=True)


@pytest.mark.long
def test_a_full_disk_fails_the_dataset_with_that_reason_and_what_is_left_is_repaired(
    mending_stack, small_disk, api, registry
):
    """C-35, C-44: room made, the same request succeeds and removes what the failed one left."""
    asked = request(generation={"record_count": 100})
    accepted = api.post("/datasets", json=asked).json()
    ended(registry, accepted["operation_id"])
    error = failed(api, accepted)
    assert error["code"] == "STORAGE_ERROR"
    assert error["message"] == "The records could not be written: the disk is full."
    assert str(mending_stack.home) not in str(error)
    small_disk("256m")
    dataset = succeeds(api, registry, asked)
    (kept,) = Path(mending_stack.home, "data", "datasets").iterdir()
    assert kept.name == dataset["dataset_id"]
    (whole_try,) = kept.iterdir()
    assert {entry.name for entry in whole_try.iterdir()} == {
        *("records.parquet", "queries.jsonl", "defects.jsonl", "manifest.json")
    }


@pytest.mark.long
def test_a_rerun_in_dagsters_ui_goes_on_with_a_failed_operation_and_repeats_a_completed_one(
    mending_stack, small_disk, api, registry
):
    """C-87."""
    accepted = api.post("/datasets", json=request(generation={"record_count": 100})).json()
    operation_id, dataset_id = accepted["operation_id"], accepted["datasets"][0]["dataset_id"]
    first = ended(registry, operation_id)
    assert first.status is OperationStatus.FAILED
    small_disk("256m")
    # The operation ends within the failing step, its run a moment later; the UI offers "from failure" only then.
    wait_for(lambda: runs_of(mending_stack, operation_id)[0]["status"] == "FAILURE", "the run has ended in Dagster")

    second = rerun(mending_stack, str(first.run_id), "FROM_FAILURE")
    reached(registry, operation_id, lambda row: row.run_id == second and row.status.is_terminal, "the rerun has ended")
    operation = api.get(f"/operations/{operation_id}").json()
    assert (operation["status"], operation["attempt"], operation["error"]) == ("completed", 2, None)
    dataset = api.get(f"/datasets/{dataset_id}").json()
    assert (dataset["status"], dataset["record_count"], dataset["error"]) == ("ready", 100, None)

    third = rerun(mending_stack, second, "ALL_STEPS")
    newest = wait_for(lambda: carried_by(registry, third), "the rerun has an operation of its own")
    assert api.get(f"/datasets/{dataset_id}").json()["status"] == "ready"
    assert ended(registry, newest).status is OperationStatus.COMPLETED
    repeated = api.get(f"/operations/{newest}").json()
    assert (repeated["rerun_of"], repeated["operation_id"] != operation_id) == (operation_id, True)
    after = api.get(f"/datasets/{dataset_id}").json()
    assert (after["status"], after["updated_at"] > dataset["updated_at"]) == ("ready", True)


def carried_by(registry: Database, run_id: str) -> str | None:
    with registry.transaction() as session:
        return next((str(one) for one in operations.carried_by(session, run_id)), None)
