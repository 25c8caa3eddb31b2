"""Generate, validate and write 500 Confluence pages: the product beside naive Faker writing the same record.

Prints one table of CPU seconds (all threads of the process): medians of interleaved runs in one warm process, and the
first run of a fresh process each, imports included. Both sides pass the same pandera schema, the product's by its own
check, and write Parquet with zstd. The target, at least 60 times cheaper while warm, is reported, never asserted. The
naive side does what a script would: one Faker call per value, a list of dictionaries, one DataFrame.

    .venv/bin/python -m benchmarks.generation [--runs 3]
"""

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from faker import Faker
from fsspec.implementations.local import LocalFileSystem
from rich.console import Console
from rich.table import Table

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import BLOCK_ROWS, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.confluence.dataset_type import ConfluencePages
from dataops_core.dataset_types.known import dataset_type
from dataops_core.generation.records import PARQUET, content_digest, write_records
from dataops_core.generation.seeding import default_seed
from dataops_core.lifecycle import CheckStatus, Stage
from dataops_core.quality.schema_validation import check_schema
from dataops_core.templates.loader import load_catalog

CLIENT = UUID("123e4567-e89b-12d3-a456-426614174000")
PAGES = 500
TARGET_RATIO = 60
#: Runs of the product after each naive one.
OURS_PER_NAIVE = 7
_PAGES = dataset_type("confluence_pages")


def specification() -> GenerationSpec:
    catalog = load_catalog()
    template = next(t for t in catalog.templates if t.name == "FinTech Developer Productivity - Confluence")
    return GenerationSpec(
        template=template,
        vocabulary=catalog.vocabulary(template.industry),
        company=build_company(CLIENT),
        stage=Stage.SANDBOX,
        seed=default_seed(CLIENT, Stage.SANDBOX, template.dataset_type),
        record_count=PAGES,
    )


class Kept:
    """A builder that remembers its batches, so that what was written can be validated without reading it back."""

    def __init__(self, builder: RecordBuilder) -> None:
        self.schema = builder.schema
        self.batches: list[pa.RecordBatch] = []
        self._builder = builder

    def rows(self, start: int, stop: int) -> pa.RecordBatch:
        """The rows, which are kept too."""
        self.batches.append(self._builder.rows(start, stop))
        return self.batches[-1]


class KeptPages(ConfluencePages):
    """Confluence pages whose builder is kept."""

    def builder(self, spec: GenerationSpec) -> Kept:
        """The builder, which is kept."""
        self.kept = Kept(super().builder(spec))
        return self.kept


def ours(folder: Path) -> int:
    """Generate, validate, write Parquet; returns the bytes of all bodies."""
    table = generate()
    validate(table)
    write(table, folder)
    return body_bytes(table["body.storage.value"])


def ours_proven(folder: Path) -> int:
    """The same by the function that the pipeline calls, with both hashes, fsync and the move into place."""
    pages = KeptPages()
    write_records(specification(), pages, LocalFileSystem(), str(folder / "proven.parquet"))
    table = pa.Table.from_batches(pages.kept.batches)
    validate(table)
    return body_bytes(table["body.storage.value"])


def validate(table: pa.Table) -> None:
    """By the product's own check of the schema."""
    assert check_schema(table, _PAGES).status is CheckStatus.PASSED


def body_bytes(bodies: pa.Array | pa.ChunkedArray) -> int:
    """From offsets alone, so that it costs next to nothing of what is measured."""
    return int(pc.sum(pc.binary_length(bodies)).as_py())


def generate() -> pa.Table:
    builder = Kept(_PAGES.builder(specification()))
    for start in range(0, PAGES, BLOCK_ROWS):
        builder.rows(start, min(start + BLOCK_ROWS, PAGES))
    return pa.Table.from_batches(builder.batches)


def write(table: pa.Table, folder: Path) -> None:
    pq.write_table(table, folder / "ours.parquet", row_group_size=BLOCK_ROWS, **PARQUET)


def naive(folder: Path) -> int:
    """A script's way, to the same schema; returns the bytes of all bodies."""
    fake = Faker("en_US")
    Faker.seed(1)
    spec = specification()
    wanted = spec.template.bytes_per_record - 1000
    frame = pd.DataFrame([naive_page(fake, number, wanted) for number in range(PAGES)])
    _PAGES.schema.validate(frame, lazy=True)
    frame.to_parquet(folder / "naive.parquet", compression="zstd", compression_level=1)
    return body_bytes(pa.array(frame["body.storage.value"]))


def naive_page(fake: Faker, number: int, wanted: int) -> dict[str, Any]:
    author = "".join(fake.random_letters(24))
    created = fake.date_time_between("-3y", "-1y")
    updated = fake.date_time_between(created, "-1d")
    title = fake.sentence(6)
    page_id, space = str(400_000_000 + number), "".join(fake.random_uppercase_letter() for _ in range(4))
    webui = f"/spaces/{space}/pages/{page_id}/{title.replace(' ', '+')}"
    parts: list[str] = []
    length = 0
    while length < wanted:
        parts.append(f"<p>{fake.paragraph(5)}</p>")
        length += len(parts[-1])
    return {
        "id": page_id,
        "status": fake.random_element(("current", "archived")),
        "title": title,
        "spaceId": str(fake.random_int(10_000, 99_999)),
        "parentId": str(400_000_000 + fake.random_int(0, number)),
        "parentType": "page",
        "position": fake.random_int(0, 1000),
        "authorId": author,
        "ownerId": author,
        "lastOwnerId": author,
        "createdAt": created.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "version.createdAt": updated.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "version.number": fake.random_int(1, 20),
        "version.message": fake.sentence(4),
        "version.minorEdit": fake.boolean(),
        "version.authorId": author,
        "body.storage.representation": "storage",
        "body.storage.value": "".join(parts),
        "labels.results": [{"id": str(fake.random_int()), "name": fake.word(), "prefix": "global"} for _ in range(3)],
        "_links.webui": webui,
        "_links.editui": f"/pages/resumedraft.action?draftId={page_id}",
        "_links.tinyui": f"/x/{number}",
        "_view_url": f"https://wiki.company.example/wiki{webui}",
        "_space_key": space,
        "_archetype": fake.word(),
        "_topic": fake.word(),
        "_author_name": fake.name(),
        "_author_email": fake.email(),
        "_owner_name": fake.name(),
        "_owner_email": fake.email(),
    }


def seconds(run: Callable[[Path], int], folder: Path) -> tuple[float, int]:
    gc.collect()
    started = time.process_time()
    size = run(folder)
    return time.process_time() - started, size


def cold(name: str) -> float:
    """CPU seconds of a fresh interpreter that does it once."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.generation", "--once", name], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="naive runs, each followed by seven of the product")
    parser.add_argument("--once", choices=tuple(_RUNS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if arguments.once:
            _RUNS[arguments.once](folder)
            print(time.process_time())
            return
        ours(folder)
        fast, proven, slow = [], [], []
        steps: dict[str, list[float]] = {"generate": [], "validate": [], "Parquet": [], "content hash": []}
        for _ in range(arguments.runs):
            slow.append(seconds(naive, folder))
            for _ in range(OURS_PER_NAIVE):
                fast.append(seconds(ours, folder))
                proven.append(seconds(ours_proven, folder))
                measure_steps(steps, folder)
        report(fast, proven, slow, steps)


#: What a fresh process can be asked to do once.
_RUNS: dict[str, Callable[[Path], int]] = {"ours": ours, "ours_proven": ours_proven, "naive": naive}


def measure_steps(steps: dict[str, list[float]], folder: Path) -> None:
    """The parts of the product's way, each apart."""
    marks = [time.process_time()]
    table = generate()
    marks.append(time.process_time())
    validate(table)
    marks.append(time.process_time())
    write(table, folder)
    marks.append(time.process_time())
    content_digest(table)
    marks.append(time.process_time())
    for values, (start, stop) in zip(steps.values(), pairwise(marks), strict=True):
        values.append(stop - start)


def report(
    fast: list[tuple[float, int]],
    proven: list[tuple[float, int]],
    slow: list[tuple[float, int]],
    steps: dict[str, list[float]],
) -> None:
    table = Table(title=f"{PAGES} Confluence pages: generate, validate, write Parquet")
    for heading in (
        "CPU seconds",
        "warm, median",
        "warm, range",
        "naive is",
        "cold process",
        "naive is",
        "MB of bodies",
    ):
        table.add_column(heading, justify="left" if heading == "CPU seconds" else "right")
    rows = (
        ("product", fast, "ours"),
        ("product, hashed and synced", proven, "ours_proven"),
        ("naive Faker", slow, "naive"),
    )
    warm = {run: statistics.median(seconds_ for seconds_, _ in runs) for _, runs, run in rows}
    colds = {run: statistics.median(cold(run) for _ in range(3)) for _, _, run in rows}
    for name, runs, run in rows:
        times = [seconds_ for seconds_, _ in runs]
        table.add_row(
            name,
            f"{warm[run]:.3f}",
            f"{min(times):.3f} to {max(times):.3f}",
            f"{warm['naive'] / warm[run]:.0f}x",
            f"{colds[run]:.2f}",
            f"{colds['naive'] / colds[run]:.1f}x",
            f"{runs[0][1] / 1e6:.1f}",
        )
    for name, values in steps.items():
        table.add_row(f"  {name}", f"{statistics.median(values):.3f}", "", "", "", "", "")
    ratio = warm["naive"] / warm["ours"]
    table.caption = (
        f"Warm, naive Faker takes {ratio:.1f} times the CPU, target {TARGET_RATIO}: "
        f"{'met' if ratio >= TARGET_RATIO else 'missed'}. Load of the machine: {os.getloadavg()[0]:.1f}."
    )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
