"""The API with 100,000 datasets in its registry: list, get and status beside a route that does nothing, and accepting.

    .venv/bin/python -m benchmarks.api [--datasets 100000] [--rounds 5]

Prints three tables. The first: answers per second over a few connections, each kind in turn with a bare FastAPI route
served by the same server with the same options, so that a ratio is of one run; the targets are ratios. Beside it the
CPU time that the server's process takes for an answer, which other load on the machine changes less. The second: the
times of answers at 50 requests a second, and of a page far back beside the first. The third: ``POST /datasets`` while
Dagster is busy, that is, takes connections and never answers. Times are reported, never asserted. All traffic stays on
the loopback.
"""

import argparse
import asyncio
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import crowd
from benchmarks.http_load import Tally, at_rate, closed_loop, request
from benchmarks.running import temporary_home
from dataops_cli.addresses import free_port
from dataops_cli.children import SERVER_OPTIONS
from dataops_cli.postgres import DATABASE, Postgres
from dataops_core.clock import utcnow
from dataops_core.registry import api_clients, installation, migrate
from dataops_core.registry.database import Database
from dataops_core.scopes import Scope
from dataops_core.security import Keyring
from dataops_core.settings import API_PREFIX

CONNECTIONS = 4
REQUESTS = 600
RATE = 50.0
#: Ratio to the bare route, as the product wants it.
TARGETS = {"list": 0.1, "get": 0.3, "operation": 0.3}
TARGET_READ_MS = 50.0
TARGET_POST_MS = 150.0
POSTS = 300
POSTS_PER_SECOND = 15.0
_START_SECONDS = 60.0


@contextmanager
def serving(
    target: Sequence[str], port: int, variables: Mapping[str, str], log: BinaryIO
) -> Iterator["subprocess.Popen[bytes]"]:
    """An application behind uvicorn, as ``dataops up`` serves the API, in a process of its own that logs to a file."""
    options = ("--port", str(port), *SERVER_OPTIONS, "--log-level", "error")
    command = [sys.executable, "-m", "uvicorn", *target, *options]
    process = subprocess.Popen(command, env={**os.environ, **variables}, stderr=log)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
            except httpx.ConnectError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{target[-1]} did not start") from None
                time.sleep(0.05)
            else:
                break
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def busy_dagster() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def make_token(url: str, secret: str, database_url: str) -> str:
    """An administrator's access token."""
    keyring, database = Keyring(secret), Database(database_url)
    with database.transaction() as session:
        installation.ensure(session, keyring)
        made = api_clients.create(session, keyring, name="benchmark", scopes=[Scope.ADMIN], now=utcnow())
    database.close()
    body = {
        "client_id": str(made.api_client_id),
        "client_secret": made.client_secret,
        "grant_type": "client_credentials",
    }
    token: str = httpx.post(f"{url}/token", json=body, trust_env=False).raise_for_status().json()["access_token"]
    return token


class Requests:
    """What is asked: prepared, spread over the registry."""

    def __init__(self, dsn: str, token: str) -> None:
        self._bearer = {"Authorization": f"Bearer {token}"}
        self._ids = {kind: crowd.some_ids(dsn, kind, 500) for kind in ("dataset", "operation", "customer")}

    def some(self, kind: str, count: int) -> list[bytes]:
        """So many requests of a kind."""
        return [self._one(kind, number) for number in range(count)]

    def _one(self, kind: str, number: int) -> bytes:
        match kind:
            case "bare":
                return request("GET", "/", self._bearer)
            case "get":
                path = f"/datasets/{self._ids['dataset'][number % 500]}"
            case "operation":
                path = f"/operations/{self._ids['operation'][number % 500]}"
            case "list of a customer":
                path = f"/datasets?client_id={self._ids['customer'][number % 500]}"
            case "list":
                path = "/datasets"
            case "list, page 1,000":
                path = "/datasets?page=1000"
            case "list, ready":
                path = "/datasets?status=ready"
            case "post":
                return request("POST", f"{API_PREFIX}/datasets", self._bearer, self._new_datasets())
            case _:
                raise ValueError(kind)
        return request("GET", f"{API_PREFIX}{path}", self._bearer)

    @staticmethod
    def _new_datasets() -> bytes:
        return json.dumps(
            {
                "journey_id": str(uuid4()),
                "client_id": str(uuid4()),
                "stage": "sandbox",
                "dataset_types": ["confluence_pages", "github_repos"],
                "metadata": {"custom_fields": {"industry": "fintech", "use_case": "developer_productivity"}},
            }
        ).encode()


def only(tally: Tally, status: int) -> Tally:
    assert set(tally.statuses) == {status}, tally.statuses
    return tally


@dataclass(frozen=True, slots=True)
class Served:
    """An application that is served."""

    port: int
    process: psutil.Process

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@dataclass(slots=True)
class Speed:
    """What the rounds of one kind saw."""

    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def measure(self, served: Served, requests: Sequence[bytes]) -> float:
        """One round: answers per second."""
        before = served.cpu()
        tally = only(asyncio.run(closed_loop(served.port, requests, connections=CONNECTIONS)), 200)
        self.cpu_ms.append((served.cpu() - before) / len(requests) * 1000)
        self.rates.append(tally.rate)
        return tally.rate

    def shown(self) -> tuple[str, str]:
        """Answers per second, and CPU for one."""
        return f"{statistics.median(self.rates):.0f}", f"{statistics.median(self.cpu_ms):.2f}"


def throughput(asked: Requests, api: Served, bare: Served, rounds: int) -> Table:
    """Answers per second of each kind beside the bare route, in turn."""
    kinds = ("list", "list of a customer", "list, ready", "get", "operation")
    ratios: dict[str, list[float]] = {kind: [] for kind in kinds}
    speeds = {kind: Speed() for kind in ("bare", *kinds)}
    for kind in speeds:
        served = bare if kind == "bare" else api
        for connections in (1, CONNECTIONS):
            asyncio.run(closed_loop(served.port, asked.some(kind, 100), connections=connections))
    for _ in range(rounds):
        for kind in kinds:
            rate = speeds[kind].measure(api, asked.some(kind, REQUESTS))
            ratios[kind].append(rate / speeds["bare"].measure(bare, asked.some("bare", REQUESTS)))
    table = Table(title=f"Answers per second, {CONNECTIONS} connections, {rounds} rounds in turn")
    for heading in ("", "per second", "CPU ms each", "x bare, median", "range", "target"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("bare FastAPI route", *speeds["bare"].shown(), "1", "", "")
    for kind in kinds:
        ratio = statistics.median(ratios[kind])
        target = TARGETS.get(kind.split(",")[0].split(" of")[0], 0.0)
        verdict = f"{target} {'met' if ratio >= target else 'missed'}"
        span = f"{min(ratios[kind]):.2f} to {max(ratios[kind]):.2f}"
        table.add_row(kind, *speeds[kind].shown(), f"{ratio:.2f}", span, verdict)
    return table


def latencies(asked: Requests, port: int) -> Table:
    table = Table(title=f"Times at {RATE:.0f} requests a second")
    for heading in ("", "p50 ms", "p99 ms", "worst ms"):
        table.add_column(heading, justify="left" if not heading else "right")
    worst = 0.0
    for kind in ("list", "list, page 1,000", "list of a customer", "get", "operation"):
        tally = only(asyncio.run(at_rate(port, asked.some(kind, REQUESTS), per_second=RATE, connections=8)), 200)
        worst = max(worst, tally.quantile(0.99))
        table.add_row(kind, *(f"{tally.quantile(share):.1f}" for share in (0.5, 0.99, 1)))
    table.caption = f"Worst p99 {worst:.1f} ms, target {TARGET_READ_MS:.0f} ms: {_met(worst, TARGET_READ_MS)}."
    return table


def accepting(asked: Requests, port: int) -> Table:
    load = at_rate(port, asked.some("post", POSTS), per_second=POSTS_PER_SECOND, connections=8)
    tally = only(asyncio.run(load), 202)
    table = Table(title=f"POST /datasets (two types), {POSTS_PER_SECOND:.0f} a second, Dagster busy")
    for heading in ("", "p50 ms", "p99 ms", "worst ms"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("accepted", *(f"{tally.quantile(share):.1f}" for share in (0.5, 0.99, 1)))
    p99 = tally.quantile(0.99)
    table.caption = f"p99 {p99:.1f} ms, target {TARGET_POST_MS:.0f} ms: {_met(p99, TARGET_POST_MS)}."
    return table


def _met(found: float, target: float) -> str:
    return "met" if found <= target else "missed"


def settings_of(home: Path, port: int, database_url: str, dagster_url: str, secret: str) -> dict[str, str]:
    """The API's environment; the rate limit is lifted, everything else is as shipped."""
    return {
        "DATAOPS_HOME": str(home),
        "DATAOPS_API_PORT": str(port),
        "DATAOPS_DATABASE_URL": database_url,
        "DATAOPS_DAGSTER_URL": dagster_url,
        "DATAOPS_SECRET_KEY": secret,
        "DATAOPS_API_REQUESTS_PER_SECOND": "1000000",
        "DATAOPS_API_REQUESTS_BURST": "1000000",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=100_000, help="in the registry")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    console, secret = Console(width=110), secrets.token_urlsafe(32)
    with ExitStack() as open_:
        home = open_.enter_context(temporary_home())
        home.mkdir(mode=0o700)
        postgres = open_.enter_context(Postgres(home, durable=True))
        migrate.upgrade(postgres.url())
        crowd.fill(postgres.dsn(DATABASE), arguments.datasets)
        dagster = open_.enter_context(busy_dagster())
        ports = {"api": free_port(), "bare": free_port()}
        variables = settings_of(home, ports["api"], postgres.url(), dagster, secret)
        log = open_.enter_context(home.joinpath("api.log").open("wb"))
        bare = open_.enter_context(serving(["benchmarks.bare:app"], ports["bare"], {}, log))
        api = open_.enter_context(
            serving(["--factory", "dataops_api.app:app_from_environment"], ports["api"], variables, log)
        )
        token = make_token(f"http://127.0.0.1:{ports['api']}", secret, postgres.url())
        asked = Requests(postgres.dsn(DATABASE), token)
        console.print(
            f"{arguments.datasets:,} datasets in the registry. Load of the machine: {os.getloadavg()[0]:.1f}."
        )
        served = [Served(ports[name], psutil.Process(one.pid)) for name, one in (("api", api), ("bare", bare))]
        console.print(throughput(asked, *served, rounds=arguments.rounds))
        console.print(latencies(asked, ports["api"]))
        console.print(accepting(asked, ports["api"]))


if __name__ == "__main__":
    main()
