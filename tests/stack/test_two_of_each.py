"""A second API and a second daemon on the database and the files of the running stack: nothing is done twice.

Both are the stack's own programs, started once more beside it. The second API cannot reach Dagster, so that what it
accepts is launched by the sensors alone, of which two sets tick at once.
"""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import psutil
import pytest
from sqlalchemy import text

from dataops_core.runs import TAG_OPERATION
from tests.ports import free_port
from tests.waiting import ended, wait_for

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(300)]

TERMINAL = {"completed", "failed", "cancelled"}
_RUNS = """
query Runs($tags: [ExecutionTag!]!) { runsOrError(filter: {tags: $tags}) { ... on Runs { results { runId status } } } }
"""
#: How often each operation was accepted, was given a run, and ended, as the audit log noted it.
_CHANGES = text("""
    SELECT count(*) FILTER (WHERE action = 'created'),
           count(*) FILTER (WHERE action = 'changed' AND after ? 'run_id'),
           count(*) FILTER (WHERE action = 'changed' AND after ->> 'status' = 'completed')
    FROM audit_log WHERE resource_type = 'operation' AND resource_id = :operation_id
""")


@contextmanager
def beside(stack: "Stack", child: str, log: Path, *, options: dict[str, str], **variables: str) -> Iterator[None]:
    """One of the stack's programs once more, with some of its options and variables changed."""
    original = psutil.Process(stack.pid(child))
    command = original.cmdline()
    for name, value in options.items():
        command[command.index(name) + 1] = value
    # Without the name of the start, by which the stack would look after it.
    environment = {name: value for name, value in original.environ().items() if name != "DATAOPS_INSTANCE"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=original.cwd(),
            env=environment | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def apis(stack: "Stack", tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[httpx.Client]]:
    """Clients of both APIs, while two daemons run."""
    logs = tmp_path_factory.mktemp("logs")
    port = free_port()
    with ExitStack() as running:
        unreachable = {"DATAOPS_DAGSTER_URL": f"http://127.0.0.1:{free_port()}"}
        running.enter_context(
            beside(stack, "api", logs / "api", options={"--port": str(port)}, DATAOPS_API_PORT=str(port), **unreachable)
        )
        running.enter_context(beside(stack, "daemon", logs / "daemon", options={}))
        wait_for(lambda: is_ready(f"http://127.0.0.1:{port}"), "the second API answers", 60)
        ticks = "Checking for new runs"
        wait_for(lambda: ticks in (logs / "daemon").read_text(), "the second daemon evaluates its sensors", 60)
        first = running.enter_context(stack.client())
        second = running.enter_context(
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}/v1/dataops",
                headers={"Authorization": first.headers["Authorization"]},
                timeout=30,
            )
        )
        yield [first, second]


def asked(**change: Any) -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
        "generation": {"record_count": 20},
    } | change


def at_once(calls: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_two_apis_and_two_sets_of_sensors_do_everything_once(stack: "Stack", apis: list[httpx.Client]) -> None:
    """C-44, C-45, C-86: equal requests make one dataset, equal keys one operation, and each operation has one run."""
    equal, keyed = asked(), asked()
    key = {"Idempotency-Key": str(uuid4())}
    answers = at_once(
        [
            *(lambda api=api: api.post("/datasets", json=equal) for api in apis * 3),
            *(lambda api=api: api.post("/datasets", json=keyed, headers=key) for api in apis * 3),
            *(lambda api=api: api.post("/datasets", json=asked()) for api in apis),
        ]
    )
    same, same_key, different = answers[:6], answers[6:12], answers[12:]
    assert Counter(answer.status_code for answer in same) == {202: 1, 409: 5}
    # Whoever came while the first was under way is told so; the key's answer is the same from then on, at either API.
    assert {answer.status_code for answer in same_key} <= {202, 409}
    told = [api.post("/datasets", json=keyed, headers=key) for api in apis]
    assert [answer.headers.get("Idempotency-Replayed") for answer in told] == ["true", "true"]
    accepted_by_key = {answer.json()["operation_id"] for answer in [*same_key, *told] if answer.status_code == 202}
    assert len(accepted_by_key) == 1
    assert [answer.status_code for answer in different] == [202, 202]

    (accepted,) = [answer.json() for answer in same if answer.status_code == 202]
    ids = [accepted["operation_id"], *accepted_by_key, *(answer.json()["operation_id"] for answer in different)]
    assert len(set(ids)) == 4
    # Either API tells of all of them, whichever accepted it.
    for operation_id in ids:
        for api in apis:
            operation = ended(api, operation_id)
            assert (operation["status"], operation["attempt"]) == ("completed", 1), operation["error"]

    database = stack.database()
    try:
        with database.reading() as connection:
            for operation_id in ids:
                # On a machine so slow that a launch outlasts its lease, another run may be launched: it finds that the
                # operation is not its own, and fails.
                endings = Counter(wait_for(lambda at=operation_id: all_ended(stack, at), "its runs have ended"))
                assert endings["SUCCESS"] == 1
                assert set(endings) <= {"SUCCESS", "FAILURE"}
                noted = connection.execute(_CHANGES, {"operation_id": operation_id}).one()
                assert tuple(noted) == (1, 1, 1), operation_id
    finally:
        database.close()
    for wanted in (equal, keyed):
        listed = apis[1].get("/datasets", params={"client_id": wanted["client_id"]}).json()
        assert [dataset["status"] for dataset in listed["datasets"]] == ["ready"]


def runs_of(stack: "Stack", operation_id: str) -> list[dict[str, str]]:
    variables = {"tags": [{"key": TAG_OPERATION, "value": operation_id}]}
    answer = httpx.post(f"{stack.dagster_url}/graphql", json={"query": _RUNS, "variables": variables}, timeout=30)
    found: list[dict[str, str]] = answer.json()["data"]["runsOrError"]["results"]
    return found


def all_ended(stack: "Stack", operation_id: str) -> list[str] | None:
    """How the runs of an operation have ended, as soon as all of them have."""
    statuses = [run["status"] for run in runs_of(stack, operation_id)]
    return statuses if set(statuses) <= {"SUCCESS", "FAILURE", "CANCELED"} else None
