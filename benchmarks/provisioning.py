"""POST → ready of 500 Confluence pages, beside the floor: the same job with steps that do nothing.

    .venv/bin/python -m benchmarks.provisioning [--runs 7] [--launcher default|warm] [--crowds 0] [--all-types 0]
        [--steps-at-once 3] [--step-processes 2]

Prints two tables, with ``--crowds`` and with ``--all-types`` one more each. The first: medians of interleaved runs on
one warm stack, of one dataset type and of two. A provisioning is timed from the request to the public API until the API
answers the SDK, which waits for it, that the operation has completed (its datasets are ready then). The floor
(``floor.py``) is served beside the product, on the same instance, and launched by the same gateway as the API does it;
it is timed from that call to the moment that Dagster notes as the run's end. Each run has a customer of its own and
begins when the process of the one before is gone. The second: where the time of the median run of each goes, by
Dagster's own events. Of crowds: so many of twenty requests at once, beside twenty empty runs launched at once, each
from the first request to the end of the last run. Of all types: so many requests for all eight of one client, 500
records each, as the first table's. Beside the seconds are the CPU seconds of all of the stack's processes, the
trustworthy figure on a machine that others use too. The targets, ratios of seconds, are reported, never asserted.

The floor is launched the same way as the product, by either launcher; the run host of ``warm`` has its code loaded too.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import yaml
from rich.console import Console
from rich.table import Table

from a_domain_sdk import DataOpsClient
from benchmarks import floor
from benchmarks.floor import LOCATION_NAME, TYPES
from benchmarks.running import (
    cpu_seconds,
    processes_of,
    resolved_settings,
    running,
    settings_of,
    temporary_home,
    wait_for_runs_to_end,
)
from dataops_api.dagster_gateway import DagsterGateway
from dataops_cli.addresses import free_port, local_url
from dataops_cli.background import Stack
from dataops_cli.children import environment
from dataops_cli.home import Home
from dataops_cli.processes import INSTANCE_VARIABLE, Child, ChildSpec
from dataops_core import runs
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import Environment, OperationType, Stage
from dataops_core.runs import JOBS, LaunchRequest
from dataops_core.settings import Settings

TARGET_RATIOS = {"default": 2.5, "warm": 3.0}
CROWD = 20
TARGET_CROWD_RATIO = 2.0
TARGET_ALL_RATIO = 2.5
_FIRST = ("confluence_pages", "github_repos")
PRODUCT_TYPES = (*_FIRST, *(name for name in DATASET_TYPES if name not in _FIRST))
PAGES = 500
#: On a machine that others use too.
_RUN_SECONDS = 600.0
_DAGSTER_POLL_SECONDS = 0.25

_RUN = """
query Timing($runId: ID!) {
  runOrError(runId: $runId) {
    ... on Run { status creationTime startTime endTime stepStats { stepKey startTime endTime } }
  }
}
"""
_LOCATION = """
query Location {
  workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
}
"""


@dataclass(frozen=True)
class Timed:
    """One run: seconds until it was done, and Dagster's events of it, all in seconds since the request.

    ``cpu`` are the CPU seconds of all of the stack's processes meanwhile.
    """

    seconds: float
    cpu: float
    created: float
    started: float
    ended: float
    steps: Mapping[str, tuple[float, float]]


#: Seconds and CPU seconds of one of a kind.
_Taken = tuple[float, float]


class Bench:
    """The product and the floor, side by side."""

    def __init__(self, stack: Stack, client: DataOpsClient, floor_url: str) -> None:
        self._stack = stack
        self._client = client
        self._gateway = DagsterGateway(floor_url, location=LOCATION_NAME)
        self._dagster = httpx.Client(base_url=stack.dagster_url, timeout=30, trust_env=False)

    def close(self) -> None:
        """Closes the connections."""
        self._gateway.close()
        self._dagster.close()

    def provision(self, number: int) -> Timed:
        """POST → ready of the first so many types, for a new customer."""
        before, began = self._start()
        run_id, ready_at = self._ready(number)
        return _timed(self._ended(run_id), began, ready_at - began, self._cpu_since(before))

    def _start(self) -> tuple[float, float]:
        """The CPU seconds taken so far and the time, once nothing runs."""
        wait_for_runs_to_end(self._stack)
        return cpu_seconds(self._stack), time.time()

    def _cpu_since(self, before: float) -> float:
        """The CPU seconds taken since, once nothing runs any more."""
        wait_for_runs_to_end(self._stack)
        return cpu_seconds(self._stack) - before

    def _ready(self, number: int) -> tuple[str, float]:
        """The run that made datasets of so many types for a new customer, and when the API showed them ready."""
        operation = self._client.datasets.create(
            journey_id=str(uuid4()),
            client_id=str(uuid4()),
            stage="sandbox",
            dataset_types=PRODUCT_TYPES[:number],
            metadata={"custom_fields": {"industry": "fintech", "use_case": "developer_productivity"}},
            # The first two have as many as their templates say.
            generation={"record_count": PAGES} if number > len(_FIRST) else None,
        )
        operation.wait(timeout=_RUN_SECONDS)
        ready_at = time.time()
        for part in operation.datasets:
            dataset = self._client.datasets.get(part.dataset_id)
            assert dataset.status == "ready", dataset
            assert dataset.dataset_type != PRODUCT_TYPES[0] or dataset.record_count == PAGES, dataset
        assert operation.run_id is not None
        return operation.run_id, ready_at

    def floor(self, number: int) -> Timed:
        """Launch → SUCCESS of as many types with empty steps, in an environment of its own."""
        before, began = self._start()
        run = self._ended(self._launch(number))
        return _timed(run, began, run["endTime"] - began, self._cpu_since(before))

    def _launch(self, number: int) -> str:
        request = LaunchRequest(
            operation_id=uuid4(),
            attempt=1,
            job=JOBS[OperationType.PROVISIONING],
            dataset_types=TYPES[:number],
            checks=None,
            environment=Environment(Stage.SANDBOX, uuid4()),
        )
        return self._gateway.launch(request)

    def provision_crowd(self) -> tuple[float, float]:
        """Seconds from the first of twenty requests at once to the end of the last run; and CPU seconds."""
        return self._crowd(lambda: self._ready(1)[0])

    def floor_crowd(self) -> tuple[float, float]:
        """The same for twenty empty runs."""
        return self._crowd(lambda: self._launch(1))

    def _crowd(self, work: Callable[[], str]) -> tuple[float, float]:
        before, began = self._start()
        with ThreadPoolExecutor(CROWD) as threads:
            run_ids = [future.result() for future in [threads.submit(work) for _ in range(CROWD)]]
        seconds = max(float(self._ended(run_id)["endTime"]) for run_id in run_ids) - began
        return seconds, self._cpu_since(before)

    def _ended(self, run_id: str) -> dict[str, Any]:
        """The run, once it has succeeded."""
        deadline = time.monotonic() + _RUN_SECONDS
        while True:
            answer = self._dagster.post("/graphql", json={"query": _RUN, "variables": {"runId": run_id}})
            run: dict[str, Any] = answer.raise_for_status().json()["data"]["runOrError"]
            if run["status"] == "SUCCESS":
                return run
            assert run["status"] not in {"FAILURE", "CANCELED"}, run
            if time.monotonic() >= deadline:
                raise RuntimeError(f"run {run_id} does not end")
            time.sleep(_DAGSTER_POLL_SECONDS)


def _timed(run: Mapping[str, Any], began: float, seconds: float, cpu: float) -> Timed:
    steps = {step["stepKey"]: (step["startTime"] - began, step["endTime"] - began) for step in run["stepStats"]}
    return Timed(seconds, cpu, run["creationTime"] - began, run["startTime"] - began, run["endTime"] - began, steps)


@contextmanager
def floor_beside(stack: Stack, settings: Settings) -> Iterator[str]:
    """The floor's code location and a webserver that knows it, on the stack's instance; yields the webserver's URL."""
    home = Home(settings.home)
    workspace, socket, port = home.dagster / "floor.yaml", home.path / "run" / "floor.sock", free_port()
    server = {"socket": str(socket), "location_name": LOCATION_NAME}
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}), encoding="utf-8")
    location = ("--socket", str(socket), "--module-name", "benchmarks.floor", "--location-name", LOCATION_NAME)
    checkout = ("--working-directory", str(Path(__file__).parent.parent))
    with ExitStack() as started:

        def start(name: str, *command: str) -> None:
            # Named as the stack's own, so that they end with it however this program ends.
            variables = environment(settings, home) | {INSTANCE_VARIABLE: processes_of(stack).instance}
            spec = ChildSpec(name, (sys.executable, "-m", *command), variables, home.dagster, ask_all=True)
            started.callback(Child.start(spec, home.logs / f"{name}.log").stop)

        options = ("--use-python-environment-entry-point", "--log-format", "json")
        start("floor", "dagster", "api", "grpc", *location, *checkout, *options)
        start("floor-webserver", "dagster_webserver", "--port", str(port), "--workspace", str(workspace))
        url = local_url("127.0.0.1", port)
        _wait_for_location(url)
        yield url


def _wait_for_location(url: str) -> None:
    deadline = time.monotonic() + _RUN_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = httpx.post(f"{url}/graphql", json={"query": _LOCATION}, timeout=30, trust_env=False).json()
        except httpx.TransportError:
            answer = {}
        entries = answer.get("data", {}).get("workspaceOrError", {}).get("locationEntries", [])
        if [entry["locationOrLoadError"]["__typename"] for entry in entries] == ["RepositoryLocation"]:
            return
        time.sleep(_DAGSTER_POLL_SECONDS)
    raise RuntimeError("the floor is not loaded")


def report(product: Mapping[int, Sequence[Timed]], empty: Mapping[int, Sequence[Timed]], launcher: str) -> Table:
    table = _table(f"From the request to ready, launcher {launcher}, {len(product[1])} interleaved runs")
    for number, what in ((1, f"{PAGES} pages"), (2, f"{PAGES} pages and the repositories")):
        _add_rows(
            table,
            (f"POST to ready, {what}", [(one.seconds, one.cpu) for one in product[number]]),
            (f"floor, {9 * number} steps", [(one.seconds, one.cpu) for one in empty[number]]),
        )
    ratio = statistics.median(one.seconds for one in product[1]) / statistics.median(one.seconds for one in empty[1])
    table.caption = f"{PAGES} pages: {_verdict(ratio, TARGET_RATIOS[launcher])}"
    return table


def report_all(product: Sequence[Timed], empty: Sequence[Timed], launcher: str) -> Table:
    """All dataset types of one client."""
    number = len(PRODUCT_TYPES)
    table = _table(f"All types of one client, launcher {launcher}, {len(product)} interleaved")
    _add_rows(
        table,
        (f"POST to ready, {number} types, {PAGES} records each", [(one.seconds, one.cpu) for one in product]),
        (f"floor, {9 * number} steps", [(one.seconds, one.cpu) for one in empty]),
    )
    ratio = statistics.median(one.seconds for one in product) / statistics.median(one.seconds for one in empty)
    table.caption = _verdict(ratio, TARGET_ALL_RATIO)
    return table


def report_crowds(product: Sequence[_Taken], empty: Sequence[_Taken], launcher: str) -> Table:
    """Twenty at once."""
    table = _table(f"{CROWD} at once until the last has ended, launcher {launcher}, {len(product)} interleaved")
    _add_rows(table, (f"POST to ready, {PAGES} pages each", product), ("empty runs, 9 steps each", empty))
    ratio = statistics.median(one[0] for one in product) / statistics.median(one[0] for one in empty)
    table.caption = _verdict(ratio, TARGET_CROWD_RATIO)
    return table


def _verdict(ratio: float, target: float) -> str:
    """How the ratio stands to its target."""
    met = "met" if ratio <= target else "missed"
    return f"{ratio:.2f} times the floor, target {target}: {met}. Load of the machine: {os.getloadavg()[0]:.1f}."


def _table(title: str) -> Table:
    table = Table(title=title)
    for heading in ("seconds", "median", "range", "x the floor", "CPU", "x the floor"):
        table.add_column(heading, justify="left" if heading == "seconds" else "right")
    return table


def _add_rows(table: Table, product: tuple[str, Sequence[_Taken]], empty: tuple[str, Sequence[_Taken]]) -> None:
    """The product's row with its ratios, and the floor's."""
    bases = [statistics.median(each) for each in zip(*empty[1], strict=True)]
    for name, taken in (product, empty):
        seconds, cpu = (list(each) for each in zip(*taken, strict=True))
        medians = [statistics.median(each) for each in (seconds, cpu)]
        ratios = [
            f"{median / base:.2f}" if taken is product[1] else "" for median, base in zip(medians, bases, strict=True)
        ]
        span = f"{min(seconds):.2f} to {max(seconds):.2f}"
        table.add_row(name, f"{medians[0]:.2f}", span, ratios[0], f"{medians[1]:.2f}", ratios[1])


def report_parts(product: Sequence[Timed], empty: Sequence[Timed]) -> Table:
    """Where the time of one type's median run goes."""
    table = Table(title="One type: where the time of the median run goes")
    for heading in ("seconds", "product", "floor"):
        table.add_column(heading, justify="left" if heading == "seconds" else "right")
    columns = [_parts(sorted(timed, key=lambda one: one.seconds)[len(timed) // 2]) for timed in (product, empty)]
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:.3f}" for column in columns))
    return table


def _parts(run: Timed) -> dict[str, float]:
    steps = sorted(run.steps.items(), key=lambda step: step[1])
    first, last = steps[0][1][0], steps[-1][1][1]
    within = {name.partition("__")[2]: stop - start for name, (start, stop) in steps}
    return {
        "until Dagster has the run": run.created,
        "until the run's process begins": run.started - run.created,
        "until its first step": first - run.started,
        **{f"  {name}": within[name] for name in within},
        "between the steps": last - first - sum(within.values()),
        "from the last step to the end": run.seconds - last,
    }


def check_floor() -> None:
    """The floor names things itself, so that it loads nothing; they must be the product's names."""
    named = (floor.JOB_NAME, floor.ASSETS, floor.CHECKED_ASSET, floor.PARTITIONS_NAME)
    meant = (JOBS[OperationType.PROVISIONING], runs.ASSETS, runs.CHECKED_ASSET, runs.PARTITIONS_NAME)
    assert named == meant, f"the floor has {named}, the product {meant}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="of each kind")
    shipped = Settings.model_fields["run_launcher"].default
    parser.add_argument("--launcher", choices=TARGET_RATIOS, default=shipped, help="who starts the runs of both")
    at_once = Settings.model_fields["steps_at_once"].default
    parser.add_argument("--steps-at-once", type=int, default=at_once, help="of a run of the product's")
    processes = Settings.model_fields["step_processes"].default
    parser.add_argument("--step-processes", type=int, default=processes, help="that share a run of several types")
    parser.add_argument("--crowds", type=int, default=0, help=f"of {CROWD} requests at once")
    parser.add_argument("--all-types", type=int, default=0, help="requests for all types of one client")
    arguments = parser.parse_args()
    check_floor()
    with ExitStack() as open_:
        home = open_.enter_context(temporary_home())
        settings = settings_of(
            home,
            run_launcher=arguments.launcher,
            run_modules=floor.__name__,
            steps_at_once=arguments.steps_at_once,
            step_processes=arguments.step_processes,
        )
        stack = open_.enter_context(running(settings))
        floor_url = open_.enter_context(floor_beside(stack, resolved_settings(settings)))
        known = json.loads(stack.credentials_file.read_text(encoding="utf-8"))
        client = open_.enter_context(DataOpsClient(**known, transport=httpx.HTTPTransport()))
        bench = Bench(stack, client, floor_url)
        open_.callback(bench.close)
        product: dict[int, list[Timed]] = {1: [], 2: []}
        empty: dict[int, list[Timed]] = {1: [], 2: []}
        bench.provision(2)  # warms both up
        bench.floor(2)
        for _ in range(arguments.runs):
            for number in (1, 2):
                product[number].append(bench.provision(number))
                empty[number].append(bench.floor(number))
        console = Console(width=110)
        console.print(report(product, empty, arguments.launcher))
        console.print(report_parts(product[1], empty[1]))
        crowds = [(bench.provision_crowd(), bench.floor_crowd()) for _ in range(arguments.crowds)]
        if crowds:
            ready, ended = zip(*crowds, strict=True)
            console.print(report_crowds(ready, ended, arguments.launcher))
        every = len(PRODUCT_TYPES)
        all_types = [(bench.provision(every), bench.floor(every)) for _ in range(arguments.all_types)]
        if all_types:
            made, done = zip(*all_types, strict=True)
            console.print(report_all(made, done, arguments.launcher))


if __name__ == "__main__":
    main()
