"""Many environments with datasets: what an idle stack, its sensors and the Dagster UI take as they grow in number.

    .venv/bin/python -m benchmarks.environments [--environments 20,100,500] [--seconds 300]

One provisioning of both dataset types (20 records each) is copied into as many environments as asked for: registry,
files, index files, Dagster's partitions with their materializations and checks. All of it can be probed, validated and
torn down as what the product made itself, each connector was looked at just now, and each has another turn of the looks
before it: as in a stack that has run for a while. A table of which a connector is not healthy, or a validation came to
nothing, is none. Of each size the table shows the stack's CPU while nobody asks anything, over
a time in which every schedule of minutes comes at least once; how long the sensors' ticks took; and how long
Chromium takes to show the page of an asset whose partitions these are. Targets are reported, never asserted.
"""

import argparse
import json
import os
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg2
from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey, AssetMaterialization, DagsterInstance
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg2.extras import register_uuid
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from a_domain_sdk import DataOpsClient
from benchmarks.running import resolved_settings, running, settings_of, temporary_home, wait_for_runs_to_end
from benchmarks.stack import idle
from dataops_cli.background import Stack
from dataops_cli.children import environment
from dataops_cli.home import Home
from dataops_core.clock import rfc3339, utcnow
from dataops_core.company.build import company_hosts
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import CheckType, Environment, Stage
from dataops_core.runs import ASSETS, CHECKED_ASSET, PARTITIONS_NAME
from dataops_core.settings import Settings

TARGET_IDLE_PERCENT = 10.0
TYPES = ("confluence_pages", "github_repos")
_RECORDS = 20
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
_PAGE_LOADS = 5
#: Tables with rows of one dataset, operation or customer, each after those that it refers to.
_COPIED = ("customers", "operations", "datasets", "operation_datasets", "connectors", "quality_results")

_TICKS = """
query Ticks($after: Float!) {
  workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { ... on RepositoryLocation {
    repositories {
      sensors { name sensorState { ticks(afterTimestamp: $after) { timestamp endTimestamp status } } }
    }
  } } } } }
}
"""


@dataclass(frozen=True)
class Original:
    """What is copied: one customer, its operation, and each dataset with its connector."""

    client_id: UUID
    operation_id: UUID
    datasets: dict[UUID, UUID]
    types: dict[UUID, str]


@dataclass(frozen=True)
class Measured:
    """One size: percent of a core by child, milliseconds of the sensors' ticks and of the asset's page."""

    environments: int
    idle: dict[str, float]
    ticks: dict[str, list[float]]
    page: list[float] | None


def provisioned(client: DataOpsClient, settings: Settings) -> Original:
    """One environment, made by the product."""
    client_id = uuid4()
    operation = client.datasets.create(
        journey_id=str(uuid4()),
        client_id=str(client_id),
        stage="sandbox",
        dataset_types=TYPES,
        generation={"record_count": _RECORDS},
    )
    operation.wait(timeout=120)
    with _registry(settings) as cursor:
        cursor.execute("SELECT dataset_id, connector_id FROM connectors")
        connectors = dict(cursor.fetchall())
    types = {UUID(part.dataset_id): part.dataset_type for part in operation.datasets}
    return Original(client_id, UUID(operation.operation_id), {one: connectors[one] for one in types}, types)


@contextmanager
def _registry(settings: Settings) -> Iterator[Any]:
    register_uuid()
    assert settings.database_url is not None
    url = make_url(settings.database_url.get_secret_value()).set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def copy(original: Original, settings: Settings, instance: DagsterInstance, count: int) -> None:
    """So many more environments like the first."""
    keys = []
    with _registry(settings) as cursor:
        # The rows are not changes of anybody's: no audit entries.
        cursor.execute("SET session_replication_role = replica")
        for number in range(count):
            ids = {original.client_id: uuid4(), original.operation_id: uuid4()}
            for dataset_id, connector_id in original.datasets.items():
                ids |= {dataset_id: uuid4(), connector_id: uuid4()}
                for folder, old in (("datasets", dataset_id), ("connectors", connector_id)):
                    shutil.copytree(settings.data_path / folder / str(old), settings.data_path / folder / str(ids[old]))
            for table in _COPIED:
                _copy_rows(cursor, table, ids, original, number)
            keys.append(Environment(Stage.SANDBOX, ids[original.client_id]).partition_key)
    instance.add_dynamic_partitions(PARTITIONS_NAME, keys)
    for key in keys:
        _report(instance, key)


def _copy_rows(cursor: Any, table: str, ids: dict[UUID, UUID], original: Original, number: int) -> None:
    """The original's rows of one table, whatever columns it has, with other ids and names in them.

    Of the ``number``-th copy connectors stand as its customer's own, looked at just now and ``number`` times before.
    """
    column = {"customers": "client_id", "operations": "operation_id", "operation_datasets": "operation_id"}.get(
        table, "dataset_id"
    )
    known = {"client_id": [original.client_id], "operation_id": [original.operation_id]}
    cursor.execute(
        f"SELECT row_to_json(t)::text FROM {table} t WHERE {column} = ANY(%s)",  # noqa: S608  names of our own
        (known.get(column, list(original.datasets)),),
    )
    for (row,) in cursor.fetchall():
        for old, new in ids.items():
            # A connector's data source is named by the digits alone.
            row = row.replace(str(old), str(new)).replace(old.hex, new.hex)  # noqa: PLW2901  the same row
        values = json.loads(row)
        if table == "connectors":
            was = next(dataset for dataset, new in ids.items() if str(new) == values["dataset_id"])
            addresses = DATASET_TYPES[original.types[was]].url_pattern(company_hosts(ids[original.client_id]))
            values["datasource"]["urlRegex"] = addresses
            values |= {"last_checked_at": rfc3339(utcnow()), "consecutive_passes": number + 1}
        if "check_id" in values:
            values["check_id"] = str(uuid4())
        cursor.execute(
            f"INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, %s)",  # noqa: S608
            (json.dumps(values),),
        )


def _report(instance: DagsterInstance, key: str) -> None:
    """What a run would have told Dagster of the environment's assets and checks."""
    for dataset_type in TYPES:
        for asset in ASSETS:
            instance.report_runless_asset_event(
                AssetMaterialization(AssetKey([dataset_type, asset]), partition=key, metadata={"records": _RECORDS})
            )
        for check in CheckType:
            instance.report_runless_asset_event(
                AssetCheckEvaluation(
                    asset_key=AssetKey([dataset_type, CHECKED_ASSET]),
                    check_name=check.value,
                    passed=True,
                    metadata={},
                    severity=AssetCheckSeverity.ERROR,
                    partition=key,
                )
            )


def ticks(stack: Stack, after: float) -> dict[str, list[float]]:
    """Milliseconds that each sensor's ticks took since then."""
    answer = httpx.post(
        f"{stack.dagster_url}/graphql",
        json={"query": _TICKS, "variables": {"after": after}},
        timeout=60,
        trust_env=False,
    )
    took: dict[str, list[float]] = {}
    for entry in answer.raise_for_status().json()["data"]["workspaceOrError"]["locationEntries"]:
        for repository in entry["locationOrLoadError"]["repositories"]:
            for sensor in repository["sensors"]:
                ended = [tick for tick in sensor["sensorState"]["ticks"] if tick["endTimestamp"]]
                took[sensor["name"]] = [1000 * (tick["endTimestamp"] - tick["timestamp"]) for tick in ended]
    return took


def require_well(settings: Settings) -> None:
    """Raises RuntimeError where what was measured was not rest: a connector is ill, or a validation came to nothing."""
    with _registry(settings) as cursor:
        cursor.execute("SELECT status_reason FROM connectors WHERE status <> 'healthy' LIMIT 1")
        for (reason,) in cursor.fetchall():
            raise RuntimeError(f"a connector is not healthy: {reason}")
        cursor.execute(
            "SELECT check_type, details FROM quality_results WHERE status <> 'passed' UNION ALL "
            "SELECT 'operation', error::text FROM operations WHERE status IN ('failed', 'cancelled')"
        )
        for what, said in cursor.fetchall():
            raise RuntimeError(f"not every validation passed: {what}, {said}")


def page_loads(browser: Browser, stack: Stack) -> list[float]:
    """Milliseconds until the page of the checked asset shows its partitions."""
    took = []
    for _ in range(_PAGE_LOADS):
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        started = time.monotonic()
        page.goto(f"{stack.dagster_url}/assets/{TYPES[0]}/{CHECKED_ASSET}?view=partitions", wait_until="load")
        expect(page.get_by_text("sandbox:", exact=False).first).to_be_visible(timeout=60_000)
        took.append(1000 * (time.monotonic() - started))
        page.close()
    return took


def measured(stack: Stack, browser: Browser | None, environments: int, seconds: float) -> Measured:
    """All of one size."""
    began = time.time()
    percent, _ = idle(stack, seconds)
    took = ticks(stack, began)
    return Measured(environments, percent, took, page_loads(browser, stack) if browser else None)


def report(results: Sequence[Measured], seconds: float) -> Table:
    table = Table(title=f"An idle stack and its environments, two datasets each, {seconds:.0f} s of each size")
    table.add_column("")
    for each in results:
        table.add_column(f"{each.environments} environments", justify="right")
    for name in results[0].idle:
        table.add_row(f"{name}, CPU % of a core", *(f"{each.idle[name]:.2f}" for each in results))
    totals = [sum(each.idle.values()) for each in results]
    table.add_row("all, CPU % of a core", *(f"{total:.2f}" for total in totals), end_section=True)
    for sensor in sorted({name for each in results for name in each.ticks}):
        middles = [statistics.median(each.ticks[sensor]) if each.ticks.get(sensor) else None for each in results]
        table.add_row(f"{sensor}, ms a tick", *("-" if middle is None else f"{middle:.0f}" for middle in middles))
    table.add_section()
    pages = ["-" if each.page is None else f"{statistics.median(each.page):.0f}" for each in results]
    table.add_row("asset's partitions in Chromium, ms", *pages)
    growth = results[-1].environments / results[0].environments
    verdict = "met" if totals[-1] < TARGET_IDLE_PERCENT else "missed"
    table.caption = (
        f"CPU of the largest size {totals[-1]:.1f} %, target below {TARGET_IDLE_PERCENT:.0f} %: {verdict}; "
        f"{totals[-1] / totals[0]:.1f} times that of the smallest for {growth:.0f} times the environments. "
        f"Load of the machine: {os.getloadavg()[0]:.1f}."
    )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", default="20,100,500", help="sizes, each larger than the one before")
    parser.add_argument("--seconds", type=float, default=300.0, help="how long each size is watched")
    arguments = parser.parse_args()
    sizes = sorted(int(size) for size in arguments.environments.split(","))
    with ExitStack() as open_:
        settings = settings_of(open_.enter_context(temporary_home()))
        stack = open_.enter_context(running(settings))
        settings = resolved_settings(settings)
        browser = None
        if path := next((found for name in _CHROMIUM if (found := shutil.which(name))), None):
            playwright = open_.enter_context(sync_playwright())
            browser = playwright.chromium.launch(executable_path=path, args=_BROWSER_OPTIONS)
            open_.callback(browser.close)
        home = Home(settings.home)
        os.environ.update(environment(settings, home))
        instance = open_.enter_context(DagsterInstance.from_config(str(home.dagster)))
        known = json.loads(Path(stack.credentials_file).read_text(encoding="utf-8"))
        client = open_.enter_context(DataOpsClient(**known, transport=httpx.HTTPTransport()))
        original = provisioned(client, settings)
        results, made = [], 1
        for size in sizes:
            copy(original, settings, instance, size - made)
            made = size
            wait_for_runs_to_end(stack)
            results.append(measured(stack, browser, size, arguments.seconds))
            require_well(settings)
        Console(width=120).print(report(results, arguments.seconds))


if __name__ == "__main__":
    main()
