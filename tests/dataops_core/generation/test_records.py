"""Records as Parquet: the same bytes always, whole or not at all."""

import gc
import hashlib
import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.dataset_types.known import DATASET_TYPES, dataset_type
from dataops_core.errors import StorageError
from dataops_core.generation import records as records_module
from dataops_core.generation.blocks import InThreads, ranges
from dataops_core.generation.records import content_digest, encode_records, write_encoded, write_records
from dataops_core.templates.loader import load_catalog
from tests.stored_records import read_records

LOCAL = LocalFileSystem()
#: Of each type the first template.
NAMES = tuple(next(t.name for t in load_catalog().for_type(name)) for name in DATASET_TYPES)

#: As the specification has them.
RECORDS = BLOCK_ROWS + 44

#: What a process of its own does: it writes the records, optionally with a limit on the size of files.
SCRIPT = """
import resource, sys
from uuid import UUID
from fsspec.implementations.local import LocalFileSystem
from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import BLOCK_ROWS, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES, dataset_type
from dataops_core.errors import StorageError
from dataops_core.generation.blocks import InThreads
from dataops_core.generation.records import write_records
from dataops_core.generation.seeding import default_seed
from dataops_core.lifecycle import Stage
from dataops_core.templates.loader import load_catalog

path, limit, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
catalog = load_catalog()
template = next(t for t in catalog.templates if t.name == "FinTech Developer Productivity - Confluence")
client = UUID("123e4567-e89b-12d3-a456-426614174000")
spec = GenerationSpec(template, catalog.vocabulary(template.industry), build_company(client), Stage.SANDBOX,
                      default_seed(client, Stage.SANDBOX, template.dataset_type), BLOCK_ROWS + 44)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    kind, threads = dataset_type(template.dataset_type), InThreads(workers)
    print(write_records(spec, kind, LocalFileSystem(), path, blocks=threads).sha256)
except StorageError as error:
    print("StorageError:", error)
"""


def in_a_process(path: Path, *, limit: int = 0, workers: int = 1, hash_seed: str = "0") -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), str(limit), str(workers)],
        env=environment, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_bytes_do_not_depend_on_the_number_of_workers(specification, tmp_path, name):
    spec = specification(name)
    records = dataset_type(spec.template.dataset_type)
    reports = [
        write_records(spec, records, LOCAL, f"{tmp_path}/{workers}", blocks=InThreads(workers)) for workers in (1, 2, 4)
    ]
    assert reports[0] == reports[1] == reports[2]
    stored = (tmp_path / "1").read_bytes()
    assert (tmp_path / "2").read_bytes() == (tmp_path / "4").read_bytes() == stored
    assert hashlib.sha256(stored).hexdigest() == reports[0].sha256


@pytest.mark.parametrize("name", NAMES)
def test_small_records_are_built_some_blocks_at_a_time_and_are_the_same(specification, name):
    spec = specification(name, records=3 * BLOCK_ROWS + 44)
    spec, large = (
        replace(spec, template=spec.template.model_copy(update={"bytes_per_record": size})) for size in (1000, 30_000)
    )
    kind = dataset_type(spec.template.dataset_type)
    built, builder = list(InThreads(1)(spec, kind)), kind.builder(spec)
    assert [block.num_rows for block in built] == [*[BLOCK_ROWS] * 3, 44]
    assert (len(ranges(spec)), len(ranges(large))) == (1, 4)
    assert all(
        block.equals(builder.rows(BLOCK_ROWS * n, BLOCK_ROWS * n + block.num_rows)) for n, block in enumerate(built)
    )


def test_bytes_do_not_depend_on_the_process_or_its_hash_seed(specification, tmp_path):
    here = write_records(specification(), dataset_type("confluence_pages"), LOCAL, f"{tmp_path}/here")
    elsewhere = [in_a_process(tmp_path / seed, hash_seed=seed, workers=2) for seed in ("1", "12345")]
    assert elsewhere == [here.sha256, here.sha256]


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_the_same_alone(specification, name):
    spec = specification(name)
    builder = dataset_type(spec.template.dataset_type).builder(spec)
    whole = builder.rows(0, BLOCK_ROWS)
    for row in (0, 1, 77, 127):
        assert builder.rows(row, row + 1).equals(whole.slice(row, 1))
    assert builder.rows(100, 140).slice(0, 28).equals(whole.slice(100, 28))


def test_another_seed_gives_other_records(specification, tmp_path):
    spec = specification()
    other = type(spec)(**{**{name: getattr(spec, name) for name in spec.__slots__}, "seed": spec.seed + 1})
    records = dataset_type("confluence_pages")
    first, second = (write_records(each, records, LOCAL, f"{tmp_path}/x") for each in (spec, other))
    assert first.content_sha256 != second.content_sha256


@pytest.mark.parametrize("name", NAMES)
def test_c33_the_report_says_what_the_footer_says(specification, tmp_path, name):
    spec = specification(name)
    report = write_records(spec, dataset_type(spec.template.dataset_type), LOCAL, f"{tmp_path}/records")
    footer = pq.read_metadata(tmp_path / "records")
    assert report.record_count == footer.num_rows == RECORDS
    assert report.size_bytes == sum(footer.row_group(n).total_byte_size for n in range(footer.num_row_groups))
    assert report.file_bytes == (tmp_path / "records").stat().st_size
    assert report.incomplete_count == round(RECORDS * 0.02)
    assert [footer.row_group(n).num_rows for n in range(footer.num_row_groups)] == [BLOCK_ROWS, 44]


@pytest.mark.parametrize("name", NAMES)
def test_contents_are_proven_without_their_file(specification, tmp_path, name):
    spec = specification(name)
    report = write_records(spec, dataset_type(spec.template.dataset_type), LOCAL, f"{tmp_path}/records")
    table = read_records(LOCAL, f"{tmp_path}/records")
    assert content_digest(table) == report.content_sha256
    assert content_digest(table.slice(0, RECORDS - 1)) != report.content_sha256
    pq.write_table(table, tmp_path / "other", compression="lz4", row_group_size=50)
    assert content_digest(read_records(LOCAL, f"{tmp_path}/other")) == report.content_sha256


def test_each_block_is_reported_as_it_is_written(specification, tmp_path):
    seen: list[int] = []
    write_records(
        specification(),
        dataset_type("confluence_pages"),
        LOCAL,
        f"{tmp_path}/x",
        blocks=InThreads(2),
        on_block=seen.append,
    )
    assert seen == [BLOCK_ROWS, RECORDS]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_report_of_a_block_raises_ends_the_writing(specification, tmp_path, workers):
    def stop(written: int) -> None:
        if written > BLOCK_ROWS:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_records(
            specification(),
            dataset_type("confluence_pages"),
            LOCAL,
            f"{tmp_path}/x",
            blocks=InThreads(workers),
            on_block=stop,
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", [1, 2, 9, 40])
def test_what_ends_the_writing_is_told_and_not_what_becomes_of_the_writer(specification, tmp_path, monkeypatch, call):
    """A run that is stopped is interrupted wherever it is, in the middle of pyarrow's work too."""
    calls, write = itertools.count(1), records_module._HashingFile.write

    def stopped(file, data):
        if next(calls) == call:
            raise KeyboardInterrupt
        return write(file, data)

    monkeypatch.setattr(records_module._HashingFile, "write", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_records(specification(), dataset_type("confluence_pages"), LOCAL, f"{tmp_path}/x")
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(tmp_path):
    said = in_a_process(tmp_path / "records", limit=300_000)
    assert said == "StorageError: The records could not be written: File too large."
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_what_was_there(tmp_path):
    (tmp_path / "records").write_bytes(b"earlier")
    assert in_a_process(tmp_path / "records", limit=300_000, workers=2).startswith("StorageError")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"earlier"]


def test_a_rerun_replaces_what_an_earlier_try_left(specification, tmp_path):
    (tmp_path / "records").write_bytes(b"half a file")
    report = write_records(specification(), dataset_type("confluence_pages"), LOCAL, f"{tmp_path}/records")
    assert read_records(LOCAL, f"{tmp_path}/records").num_rows == report.record_count
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_a_place_that_cannot_be_written_to_is_said(specification, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="could not be written"):
        write_records(specification(), dataset_type("confluence_pages"), LOCAL, f"{tmp_path}/file/records")


def test_records_that_are_missing_or_damaged_are_said_to_be(tmp_path):
    with pytest.raises(StorageError, match="file is missing"):
        read_records(LOCAL, f"{tmp_path}/none")
    (tmp_path / "damaged").write_bytes(b"PAR1 but no more")
    with pytest.raises(StorageError, match="cannot be read"):
        read_records(LOCAL, f"{tmp_path}/damaged")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_encoded_before_it_is_written_is_the_same_file(specification, tmp_path, name):
    spec, seen = specification(name), []
    kind = dataset_type(spec.template.dataset_type)
    report = write_records(spec, kind, LOCAL, f"{tmp_path}/at once")
    encoded = encode_records(spec, list(InThreads(2)(spec, kind)))
    assert write_encoded(encoded, LOCAL, f"{tmp_path}/encoded", on_block=seen.append) == report
    assert (tmp_path / "encoded").read_bytes() == (tmp_path / "at once").read_bytes()
    assert seen == [RECORDS]


def test_what_is_encoded_is_written_whole_or_not_at_all(specification, tmp_path):
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    spec = specification(records=20)
    encoded = encode_records(spec, list(InThreads(1)(spec, dataset_type("confluence_pages"))))
    with pytest.raises(KeyboardInterrupt):
        write_encoded(encoded, LOCAL, f"{tmp_path}/x", on_block=stop)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="could not be written"):
        write_encoded(encoded, LOCAL, f"{tmp_path}/file/x")


def test_another_file_system_gets_the_same_bytes(specification, tmp_path):
    spec, records, memory = specification(), dataset_type("confluence_pages"), MemoryFileSystem()
    local = write_records(spec, records, LOCAL, f"{tmp_path}/x")
    assert write_records(spec, records, memory, "/records-test/x") == local
    assert memory.ls("/records-test", detail=False) == ["/records-test/x"]
    encoded = encode_records(spec, list(InThreads(1)(spec, records)))
    assert write_encoded(encoded, memory, "/records-test/y") == local
    assert memory.cat("/records-test/y") == memory.cat("/records-test/x")
    assert read_records(memory, "/records-test/x").num_rows == RECORDS
    memory.rm("/records-test", recursive=True)
