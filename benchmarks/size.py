"""Datasets from 10,000 records to a million: what time and memory they take, step by step.

    .venv/bin/python -m benchmarks.size [--counts 10000 100000 1000000] [--without-index]

Prints two tables. The first: CPU seconds to generate, write, and validate pages of 1 KB by both checks of records, read
back from Parquet; each count in a process of its own, with one thread, after a warm-up; the median of several runs
where these are short. The second: test queries, the upload into a connector service of its own, and the two checks that
ask it; the service's CPU and memory stand apart. Memory is the most that a process ever had (RSS, its libraries
included). The targets (1 GiB; each factor of ten within 20 %) are reported, never asserted.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem
from rich.console import Console
from rich.table import Table

from benchmarks.search import TYPE, UPLOAD_ID, add_dataset, serving
from dataops_cli.postgres import Postgres
from dataops_core.clock import utcnow
from dataops_core.company.build import build_company
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.dataset_types.base import GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.generation.pieces import open_records
from dataops_core.generation.records import write_records
from dataops_core.lifecycle import CheckStatus, CheckType, Stage
from dataops_core.provisioning.evaluation import evaluate
from dataops_core.provisioning.steps import documents
from dataops_core.quality.completeness import check_completeness
from dataops_core.quality.large_drawing import draw_queries
from dataops_core.quality.schema_validation import check_schema
from dataops_core.registry import connectors, migrate
from dataops_core.registry.database import Database
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.templates.loader import load_catalog

COUNTS = (10_000, 100_000, 1_000_000)
RECORD_BYTES = 1000
TARGET_MIB, TARGET_FACTOR = 1024, 0.2
#: Runs of a count have so many records together, at least.
_RUN_FOR = 50_000
_KIND = DATASET_TYPES[TYPE]
_COMPANY = build_company(UUID(int=1))


def specification(count: int) -> GenerationSpec:
    """Pages of 1 KB."""
    catalog = load_catalog()
    template = catalog.for_type(TYPE)[0].model_copy(update={"bytes_per_record": RECORD_BYTES})
    return GenerationSpec(template, catalog.vocabulary(template.industry), _COMPANY, Stage.SANDBOX, 1, count)


def own_peak() -> float:
    """The most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_of(process: psutil.Process) -> float:
    """The same of another process."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


class Clock:
    """CPU seconds of this process by step: the median of what each took."""

    def __init__(self) -> None:
        self._took: dict[str, list[float]] = {}

    def __call__(self, step: str, work: Callable[[], Any]) -> Any:
        """What the work gives."""
        started = time.process_time()
        done = work()
        self._took.setdefault(step, []).append(time.process_time() - started)
        return done

    def medians(self) -> dict[str, float]:
        """By step."""
        return {step: statistics.median(took) for step, took in self._took.items()}


def records_part(count: int, folder: Path) -> dict[str, float]:
    """Generate and write, then both checks of what is stored."""
    path = str(folder / f"{count}.parquet")
    _made_and_checked(600, str(folder / "warm.parquet"), Clock())
    clock = Clock()
    for _ in range(max(1, _RUN_FOR // count)):
        size = _made_and_checked(count, path, clock)
    return clock.medians() | {"peak": own_peak(), "size": size}


def _made_and_checked(count: int, path: str, clock: Clock) -> int:
    spec, files = specification(count), LocalFileSystem()
    report = clock("generate, write", lambda: write_records(spec, _KIND, files, path))
    records = clock("read, where they are kept", lambda: open_records(files, path))
    results = [
        clock("schema", lambda: check_schema(records, _KIND)),
        clock("completeness", lambda: check_completeness(records, _KIND, requested=count)),
    ]
    assert all(result.status is CheckStatus.PASSED for result in results), results
    file_bytes: int = report.file_bytes
    return file_bytes


def index_part(count: int, folder: Path) -> dict[str, float]:
    """Test queries, upload, and the checks that ask the connector, with what the service took for it."""
    records = open_records(LocalFileSystem(), str(folder / f"{count}.parquet"))
    clock = Clock()
    queries = clock("queries", lambda: draw_queries(records, _KIND, seed=1))
    spec = ConnectorSpec(
        uuid4(), "Benchmark", _KIND.object_type, _KIND.category, _KIND.url_pattern(_COMPANY), _KIND.facets
    )
    home, keyring = folder, Keyring("the secret of a benchmark")
    (home / "secret_key").write_text("the secret of a benchmark", encoding="utf-8")
    with Postgres(home, durable=True) as postgres:
        migrate.upgrade(postgres.url())
        database = Database(postgres.url())
        with database.transaction() as session:
            connectors.create_connector(
                session, connector_id=spec.connector_id, dataset_id=add_dataset(session), now=utcnow()
            )
        with serving(Settings(home=home), postgres.url()) as url:
            adapter = EmbeddedConnector(url, keyring)
            adapter.provision(spec)
            started = time.perf_counter()
            loaded = clock("upload", lambda: adapter.load(spec, documents(records, TYPE), upload_id=UPLOAD_ID))
            seconds = time.perf_counter() - started
            ask = partial(
                evaluate,
                records=records,
                dataset_type=_KIND,
                requested=count,
                incomplete_planned=0,
                adapter=adapter,
                spec=spec,
                upload_id=UPLOAD_ID,
                queries=queries,
            )
            for check in (CheckType.CONNECTOR_HEALTH, CheckType.SAMPLE_QUERY_SUCCESS):
                verdict = clock(check.value, partial(ask, check))
                assert verdict.result.status is CheckStatus.PASSED, verdict.result
            adapter.close()
            (service,) = (
                child for child in psutil.Process().children() if "dataops_api.connectors" in " ".join(child.cmdline())
            )
            times = service.cpu_times()
            served = {"service": times.user + times.system, "service peak": peak_of(service)}
        database.close()
    return clock.medians() | served | {"peak": own_peak(), "seconds": seconds, "index": loaded.index_bytes}


_PARTS: dict[str, Callable[[int, Path], dict[str, float]]] = {"records": records_part, "index": index_part}


def in_its_own_process(part: str, count: int, folder: Path) -> dict[str, float]:
    """What a part of a count took."""
    command = [sys.executable, "-m", "benchmarks.size", "--part", part, "--counts", str(count), "--folder", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def factors(seconds: list[float]) -> str:
    """How time grows, and whether by no more and no less than the records do."""
    grown = [after / before for before, after in pairwise(seconds)]
    held = all(10 * (1 - TARGET_FACTOR) <= factor <= 10 * (1 + TARGET_FACTOR) for factor in grown)
    said = " and ".join(f"{factor:.1f}" for factor in grown)
    return f"Ten times the records take {said} times the time, target 10 within 20 %: {'met' if held else 'missed'}."


def peak_told(measured: dict[int, dict[str, float]], *names: str) -> str:
    """The most memory of all, and whether that is under the target."""
    most = max(took[name] for took in measured.values() for name in names)
    return f"Most memory {most:.0f} MiB, target {TARGET_MIB} MiB: {'met' if most < TARGET_MIB else 'missed'}."


def table_of(
    title: str, measured: dict[int, dict[str, float]], rows: dict[str, Callable[[dict[str, float]], str]]
) -> Table:
    table = Table(title=title)
    table.add_column("")
    for count in measured:
        table.add_column(f"{count:,}", justify="right")
    for name, shown in rows.items():
        table.add_row(name, *(shown(took) for took in measured.values()))
    return table


def seconds_of(*steps: str) -> Callable[[dict[str, float]], str]:
    return lambda took: f"{sum(took[step] for step in steps):.2f}"


def mib(name: str, divisor: int = 1) -> Callable[[dict[str, float]], str]:
    return lambda took: f"{took[name] / divisor:.0f}"


def report_records(measured: dict[int, dict[str, float]]) -> Table:
    steps = ("generate, write", "read, where they are kept", "schema", "completeness")
    table = table_of(
        "Pages of 1 KB, one thread, CPU seconds",
        measured,
        {step: seconds_of(step) for step in steps}
        | {"together": seconds_of(*steps), "most memory, MiB": mib("peak"), "Parquet, MiB": mib("size", 2**20)},
    )
    grown = factors([sum(took[step] for step in steps) for took in measured.values()])
    table.caption = f"{grown} {peak_told(measured, 'peak')} Load of the machine: {os.getloadavg()[0]:.1f}."
    return table


def report_index(measured: dict[int, dict[str, float]]) -> Table:
    steps = ("queries", "upload", "connector_health", "sample_query_success")
    table = table_of(
        "The same, indexed and asked, CPU seconds",
        measured,
        {step: seconds_of(step) for step in steps}
        | {
            "all of the service's": seconds_of("service"),
            "upload, seconds by the clock": seconds_of("seconds"),
            "most memory, MiB": mib("peak"),
            "most memory of the service, MiB": mib("service peak"),
            "index, MiB": mib("index", 2**20),
        },
    )
    grown = factors([sum(took[step] for step in (*steps, "service")) for took in measured.values()])
    table.caption = (
        f"{grown} {peak_told(measured, 'peak', 'service peak')} Load of the machine: {os.getloadavg()[0]:.1f}."
    )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--counts", type=int, nargs="+", default=COUNTS, help="how many records, each ten times the last"
    )
    parser.add_argument("--without-index", action="store_true", help="only what is made of records, and its checks")
    parser.add_argument("--part", choices=tuple(_PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        pa.set_cpu_count(1)
        pa.set_io_thread_count(1)
        print(json.dumps(_PARTS[arguments.part](arguments.counts[0], arguments.folder)))
        return
    made: dict[int, dict[str, float]] = {}
    indexed: dict[int, dict[str, float]] = {}
    for count in arguments.counts:
        with tempfile.TemporaryDirectory(prefix="dol-", dir="/tmp") as place:
            folder = Path(place)
            made[count] = in_its_own_process("records", count, folder)
            if not arguments.without_index:
                indexed[count] = in_its_own_process("index", count, folder)
    console = Console(width=110)
    console.print(report_records(made))
    if indexed:
        console.print(report_index(indexed))


if __name__ == "__main__":
    main()
