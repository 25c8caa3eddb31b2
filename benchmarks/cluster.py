"""The same records built by threads of one process and by the workers of a Dask cluster, written to Parquet.

Prints one table: seconds by the clock and of CPU (of the writing process, and of the workers), medians of interleaved
runs. The cluster is Dask's own local one: two worker processes of one thread each. On one machine it can only show what
sending the blocks costs, so that is what counts: its time beside that of two threads. All files are compared.

    .venv/bin/python -m benchmarks.cluster [--records 100000] [--runs 3]
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil
from distributed import Client, LocalCluster
from fsspec.implementations.local import LocalFileSystem
from rich.console import Console
from rich.table import Table

from benchmarks.size import specification
from dataops_core.dataset_types.known import dataset_type
from dataops_core.generation.blocks import Blocks, InThreads
from dataops_core.generation.on_dask import OnDask
from dataops_core.generation.records import write_records

WORKERS = 2


def cpu_of(processes: list[int]) -> float:
    return sum(sum(psutil.Process(each).cpu_times()[:2]) for each in processes)


def measured(blocks: Blocks, records: int, path: Path, workers: list[int]) -> tuple[float, float, float, str]:
    """Seconds by the clock, of this process and of the workers, and the file's hash."""
    others, own, started = cpu_of(workers), time.process_time(), time.perf_counter()
    report = write_records(
        specification(records), dataset_type("confluence_pages"), LocalFileSystem(), str(path), blocks=blocks
    )
    ended, spent = time.perf_counter(), time.process_time()
    return ended - started, spent - own, cpu_of(workers) - others, report.sha256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="of 1 KB")
    parser.add_argument("--runs", type=int, default=3, help="of each, in turn")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, local_directory=place) as cluster,
        Client(cluster) as client,
    ):
        workers = list(client.run(os.getpid).values())
        ways: dict[str, Blocks] = {
            "one thread": InThreads(1),
            "two threads": InThreads(2),
            "two workers of Dask": OnDask(cluster.scheduler_address),
        }
        path = Path(place) / "records.parquet"
        for blocks in ways.values():
            measured(blocks, 5_000, path, workers)
        taken: dict[str, list[tuple[float, float, float, str]]] = {name: [] for name in ways}
        for _ in range(arguments.runs):
            for name, blocks in ways.items():
                taken[name].append(measured(blocks, arguments.records, path, workers))
    report(taken, arguments.records)


def report(taken: dict[str, list[tuple[float, float, float, str]]], records: int) -> None:
    assert len({sha256 for runs in taken.values() for *_, sha256 in runs}) == 1, "the files differ"
    table = Table(title=f"{records:,} pages of 1 KB, built and written")
    for heading in ("", "seconds", "range", "x two threads", "CPU here", "CPU of workers"):
        table.add_column(heading, justify="right" if heading else "left")
    median = {
        name: [statistics.median(run[column] for run in runs) for column in range(3)] for name, runs in taken.items()
    }
    for name, (clock, own, workers) in median.items():
        clocks = [each[0] for each in taken[name]]
        table.add_row(
            name,
            f"{clock:.2f}",
            f"{min(clocks):.2f} to {max(clocks):.2f}",
            f"{clock / median['two threads'][0]:.2f}",
            f"{own:.2f}",
            f"{workers:.2f}" if workers > 0.005 else "",
        )
    table.caption = f"The same file, whoever builds. Load of the machine: {os.getloadavg()[0]:.1f}."
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
