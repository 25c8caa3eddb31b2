"""Every GraphQL document that the gateway sends, against the real webserver and code server of the pinned Dagster."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import httpx
import psutil
import pytest

from dataops_api.dagster_gateway import DagsterGateway, _run_state
from dataops_api.dagster_health import DAEMON_SILENT_AFTER, DagsterHealth
from dataops_core.errors import PermanentError, UnavailableError
from dataops_core.lifecycle import CheckType, Environment, Stage
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.runs import TAG_LOST, LaunchRequest, RunState
from dataops_core.settings import Settings
from tests.ports import free_port
from tests.waiting import wait_for

CHECKOUT = Path(__file__).parents[2]
T = TypeVar("T")
#: What a daemon says of itself, so many seconds ago.
BEAT = """
import sys, time
from dagster import DagsterInstance
from dagster._daemon.types import DaemonHeartbeat
with DagsterInstance.get() as instance:
    for kind in instance.get_required_daemon_types():
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - float(sys.argv[1]), kind, "its id", errors=[]))
"""
LOCATION = Path(__file__).with_name("dagster_location.py")


@dataclass(frozen=True)
class Dagster:
    """A webserver with its code server."""

    url: str
    web: "subprocess.Popen[bytes]"
    #: The code server as it runs now is the last one.
    code: "list[subprocess.Popen[bytes]]"
    serve: Callable[[], None]
    #: Runs Python code with arguments, as a program of this Dagster.
    run: Callable[..., None]


@pytest.fixture(scope="module")
def dagster(
    new_database: Callable[..., tuple[str, Callable[[], None]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dagster]:
    home = tmp_path_factory.mktemp("dagster")
    url, drop = new_database(migrated=False)
    environment = os.environ | {
        "DAGSTER_HOME": str(home),
        "DATAOPS_HOME": str(home / "dataops"),
        "DATAOPS_DATABASE_URL": url,
        "DATAOPS_DAGSTER_DATABASE_URL": url,
        "PYTHONPATH": str(CHECKOUT),
    }
    (home / "dagster.yaml").write_bytes((CHECKOUT / "dagster.yaml").read_bytes())

    def run(code: str, *arguments: str) -> None:
        command = [sys.executable, "-c", code, *arguments]
        subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True)

    run("import sys; from dataops_pipeline.prepare import main; sys.exit(main(['--dagster-alone']))")
    code_port, web_port = free_port(), free_port()
    (home / "workspace.yaml").write_text(
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {code_port}, location_name: dataops}}\n",
        encoding="utf-8",
    )
    serve = ["api", "grpc", "-f", str(LOCATION), "--host", "127.0.0.1", "-p", str(code_port)]
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> "subprocess.Popen[bytes]":
        log = (home / f"{len(started)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], env=environment, stdout=log, stderr=log, start_new_session=True
            )
        started.append(process)
        return process

    code: list[subprocess.Popen[bytes]] = []

    def start_code() -> None:
        code.append(start("dagster", *serve, "--location-name", "dataops"))
        wait_for(lambda: _listens(code_port), "The code server's start")

    try:
        start_code()
        web = start("dagster_webserver", "-h", "127.0.0.1", "-p", str(web_port), "-w", str(home / "workspace.yaml"))
        wait_for(lambda: _listens(web_port), "The webserver's start")
        yield Dagster(f"http://127.0.0.1:{web_port}", web, code, start_code, run)
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        drop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def gateway(dagster: Dagster) -> Iterator[DagsterGateway]:
    gateway = DagsterGateway(dagster.url)
    yield gateway
    gateway.close()


def request(*dataset_types: str, job: str = "provision", checks: tuple[CheckType, ...] | None = None) -> LaunchRequest:
    return LaunchRequest(uuid4(), 1, job, dataset_types, checks, Environment(Stage.SANDBOX, uuid4()))


def ended(gateway: DagsterGateway, run_id: str) -> RunState:
    def look() -> RunState | None:
        state = gateway.run_state(run_id)
        return state if state is not None and state.ending is not None else None

    return wait_for(look, "The run's end")


def tags_of(dagster: Dagster, run_id: str) -> dict[str, str]:
    query = "query Tags($runId: ID!) { runOrError(runId: $runId) { ... on Run { tags { key value } } } }"
    answer = httpx.post(f"{dagster.url}/graphql", json={"query": query, "variables": {"runId": run_id}}, timeout=10)
    return {tag["key"]: tag["value"] for tag in answer.json()["data"]["runOrError"]["tags"]}


def test_a_provisioning_is_one_run_of_the_types_asked_for_with_all_their_checks(
    dagster: Dagster, gateway: DagsterGateway
) -> None:
    wanted = request("quick")
    state = ended(gateway, gateway.launch(wanted))

    assert state.ending is RunEnding.SUCCESS
    assert set(state.steps) == {
        *(f"quick__{name}" for name in ("template", "connector", "records", "index", "dataset")),
        *(f"quick__index_{check}" for check in CheckType),
    }
    assert set(state.steps.values()) == {"SUCCESS"}
    assert gateway.run_of(wanted.operation_id) == state
    assert gateway.run_of(wanted.operation_id, attempt=1) == state
    assert gateway.run_of(wanted.operation_id, attempt=2) is None
    tags = tags_of(dagster, state.run_id)
    assert wanted.tags.items() <= tags.items()
    assert tags["dagster/partition"] == wanted.environment.partition_key


def test_a_check_that_does_not_pass_leaves_its_datasets_publication_out_and_no_other(gateway: DagsterGateway) -> None:
    state = ended(gateway, gateway.launch(request("doubtful", "quick")))

    assert state.ending is RunEnding.FAILURE
    assert "doubtful__dataset" not in state.steps
    assert state.steps["doubtful__index_data_completeness"] == "FAILURE"
    assert state.steps["doubtful__index_schema_validation"] == "SUCCESS"
    assert state.steps["quick__dataset"] == "SUCCESS"


def test_a_validation_runs_just_the_checks_asked_for(gateway: DagsterGateway) -> None:
    checks = (CheckType.CONNECTOR_HEALTH, CheckType.SAMPLE_QUERY_SUCCESS)
    state = ended(gateway, gateway.launch(request("quick", job="validate", checks=checks)))

    assert state.ending is RunEnding.SUCCESS
    assert set(state.steps) == {f"quick__index_{check}" for check in checks}


def test_a_teardown_runs_its_ops_and_knows_its_operation(gateway: DagsterGateway) -> None:
    state = ended(gateway, gateway.launch(request("quick", job="teardown")))

    assert state.ending is RunEnding.SUCCESS
    assert state.steps == {"say_operation": "SUCCESS"}


def test_a_run_can_be_terminated_once(gateway: DagsterGateway) -> None:
    run_id = gateway.launch(request("slow"))

    def reached() -> bool:
        state = gateway.run_state(run_id)
        return state is not None and state.steps.get("slow__records") == "IN_PROGRESS"

    wait_for(reached, "The endless step")
    assert gateway.terminate(run_id)
    assert ended(gateway, run_id).ending is RunEnding.CANCELED
    assert not gateway.terminate(run_id)


def test_unknown_runs_and_operations_are_none(gateway: DagsterGateway) -> None:
    assert gateway.run_state(str(uuid4())) is None
    assert gateway.run_of(uuid4()) is None
    assert not gateway.terminate(str(uuid4()))


def test_a_run_that_dagster_refuses_is_a_permanent_error_and_its_sentence_is_for_the_log(
    gateway: DagsterGateway,
) -> None:
    with pytest.raises(PermanentError) as error:
        gateway.launch(request("unheard_of"))
    assert error.value.message == "Dagster refuses the run (InvalidSubsetError)."
    assert error.value.details["dagster_error"] == "InvalidSubsetError"
    assert "unheard_of" in error.value.details["said"]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_whose_process_was_ended_from_outside_is_lost_and_has_not_failed(
    dagster: Dagster, gateway: DagsterGateway, number: signal.Signals
) -> None:
    """C-86."""
    run_id = gateway.launch(request("slow"))

    def reached() -> bool:
        state = gateway.run_state(run_id)
        return state is not None and state.steps.get("slow__records") == "IN_PROGRESS"

    wait_for(reached, "The endless step")
    (process,) = [
        child
        for child in psutil.Process(dagster.code[-1].pid).children(recursive=True)
        if "--multiprocessing-fork" in child.cmdline()
    ]
    process.send_signal(number)
    state = ended(gateway, run_id)
    assert (state.status, state.ending) == ("FAILURE", RunEnding.LOST)


@pytest.mark.long
def test_while_the_code_location_is_down_no_launch_is_given_up_and_it_succeeds_when_that_is_back(
    dagster: Dagster, gateway: DagsterGateway
) -> None:
    """C-42, C-86: Dagster calls it an invalid subset, and means that nobody answers."""
    wanted = [
        request("quick"),
        request("quick", job="validate", checks=(CheckType.CONNECTOR_HEALTH,)),
        request("quick", job="teardown"),
    ]
    assert gateway.health().code_location is None
    dagster.code[-1].send_signal(signal.SIGSTOP)
    wait_for(lambda: gateway.health().code_location == "The code location does not answer", "It hangs")
    assert gateway.health().webserver is None
    dagster.code[-1].kill()
    dagster.code[-1].wait()
    for one in wanted:
        with pytest.raises(UnavailableError):
            gateway.launch(one)
    assert gateway.health().code_location == "The code location does not answer"
    dagster.serve()
    wait_for(lambda: gateway.health().code_location is None, "The code location's return")

    def launched() -> str | None:
        try:
            return gateway.launch(wanted[0])
        except UnavailableError:
            return None

    assert ended(gateway, wait_for(launched, "The launch")).ending is RunEnding.SUCCESS


@pytest.mark.long
def test_a_daemon_is_judged_by_the_age_of_its_beats(dagster: Dagster, gateway: DagsterGateway) -> None:
    """Dagster itself would call it healthy for half an hour more."""
    assert "shows no life" in (gateway.health().daemon or "")
    limit = DAEMON_SILENT_AFTER.total_seconds()
    dagster.run(BEAT, str(limit - 30))
    wait_for(lambda: gateway.health().daemon is None, "It is heard")
    dagster.run(BEAT, str(limit + 1))
    wait_for(lambda: "shows no life" in (gateway.health().daemon or ""), "It was not heard for long")


def test_a_code_location_that_is_not_loaded_is_no_reason_to_give_up(dagster: Dagster) -> None:
    gateway = DagsterGateway(dagster.url, location="not_loaded")
    with pytest.raises(UnavailableError):
        gateway.launch(request("quick"))
    gateway.close()


def test_a_webserver_that_is_down_was_surely_not_reached() -> None:
    gateway = DagsterGateway.from_settings(Settings(dagster_url=f"http://127.0.0.1:{free_port()}"))
    unheard = "Dagster's webserver does not answer"
    assert gateway.health() == DagsterHealth(unheard, unheard, unheard)
    with pytest.raises(UnavailableError) as error:
        gateway.launch(request("quick"))
    assert error.value.details == {"sent": False}
    gateway.close()


def test_a_webserver_that_hangs_is_given_up_within_its_time(dagster: Dagster) -> None:
    gateway = DagsterGateway(dagster.url, timeout=1.0)
    assert gateway.health().webserver is None
    dagster.web.send_signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        with pytest.raises(UnavailableError, match="does not answer"):
            gateway.run_of(uuid4())
        assert time.monotonic() - before < 5
    finally:
        dagster.web.send_signal(signal.SIGCONT)
    wait_for(lambda: gateway.health().webserver is None, "The webserver's recovery")
    gateway.close()


def test_why_a_run_was_lost_is_read_of_its_tags() -> None:
    """C-86."""
    said = "The run process 7 ended with signal 9 (SIGKILL)."
    tags = [{"key": TAG_LOST, "value": said}]
    state = _run_state({"runId": "one", "status": "FAILURE", "tags": tags, "stepStats": []})
    assert (state.ending, state.lost_because) == (RunEnding.LOST, said)
