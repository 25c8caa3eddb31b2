"""Every way in which stored records can be broken, and the exact set of checks that must notice (C-62).

The index is sound; the records changed after they were indexed. The columns are those of pages.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from dataops_core.dataset_types.base import DatasetType
from dataops_core.generation import pieces
from dataops_core.generation.pieces import FileRecords
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.completeness import check_completeness
from dataops_core.quality.model import CheckResult
from dataops_core.quality.schema_validation import check_schema

SCHEMA, COMPLETENESS = CheckType.SCHEMA_VALIDATION, CheckType.DATA_COMPLETENESS
CONNECTOR, QUERIES = CheckType.CONNECTOR_HEALTH, CheckType.SAMPLE_QUERY_SUCCESS

RECORDS = 100


def cells(column: str, values: Mapping[int, Any]) -> Callable[[pa.Table], pa.Table]:
    """Replaces some cells of a column."""

    def change(table: pa.Table) -> pa.Table:
        changed = table.column(column).to_pylist()
        for row, value in values.items():
            changed[row] = value
        place = table.column_names.index(column)
        return table.set_column(place, column, pa.array(changed, type=table.schema.field(column).type))

    return change


def as_text(column: str) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index(column), column, pc.cast(table.column(column), pa.string()))

    return change


TENTH = range(0, RECORDS, 10)

#: Fault → how it changes the stored records, the checks that must fail.
RECORD_FAULTS: dict[str, tuple[Callable[[pa.Table], pa.Table], set[CheckType]]] = {
    "records missing": (lambda table: table.slice(1), {COMPLETENESS, CONNECTOR}),
    "all records missing": (lambda table: table.slice(0, 0), {SCHEMA, COMPLETENESS, CONNECTOR}),
    "records twice": (lambda table: pa.concat_tables([table, table.slice(0, 5)]), {SCHEMA, CONNECTOR}),
    "an id twice": (lambda table: cells("id", {1: table.column("id")[0].as_py()})(table), {SCHEMA, CONNECTOR}),
    "an id of another form": (cells("id", {1: "page-1"}), {SCHEMA, CONNECTOR}),
    "a field blank in a tenth": (cells("version.message", dict.fromkeys(TENTH, " ")), {COMPLETENESS}),
    "a field null in a tenth": (cells("ownerId", dict.fromkeys(TENTH)), {COMPLETENESS}),
    "a list empty in a tenth": (cells("labels.results", {row: [] for row in TENTH}), {COMPLETENESS}),
    "placeholders in a tenth": (cells("version.message", dict.fromkeys(TENTH, "TBD")), {COMPLETENESS}),
    "a required field null": (cells("title", {3: None}), {SCHEMA}),
    "a required field null in a tenth": (cells("title", dict.fromkeys(TENTH)), {SCHEMA, COMPLETENESS}),
    "an unknown status": (cells("status", {3: "lost"}), {SCHEMA}),
    "a time that is none": (cells("createdAt", {3: "2026-02-30T10:00:00.000Z"}), {SCHEMA}),
    "a version before its page": (cells("version.createdAt", {3: "2001-01-01T10:00:00.000Z"}), {SCHEMA}),
    "a number out of range": (cells("version.number", {3: 0}), {SCHEMA}),
    "a column of another type": (as_text("version.number"), {SCHEMA}),
    "an optional column missing": (lambda table: table.drop_columns(["lastOwnerId"]), {SCHEMA}),
    "a column missing": (lambda table: table.drop_columns(["title"]), {SCHEMA, COMPLETENESS}),
    "an unknown column": (lambda table: table.append_column("extra", pa.nulls(RECORDS, pa.string())), {SCHEMA}),
}


@pytest.fixture(scope="module")
def sound(pages: Any, load: Callable[..., Any]) -> Any:
    """An index without a fault."""
    return load(pages)


@pytest.mark.parametrize("fault", RECORD_FAULTS)
def test_a_fault_of_the_stored_records_is_noticed(sound: Any, fault: str) -> None:
    """C-62."""
    change, expected = RECORD_FAULTS[fault]
    judgement = sound.judge(table=change(sound.material.table))
    assert judgement.unpassed == dict.fromkeys(expected, CheckStatus.FAILED)


def test_too_few_records_made_are_noticed_by_completeness_alone(
    load: Callable[..., Any], make_material: Callable[..., Any]
) -> None:
    """C-62: records, index and queries agree with one another, and not with what was asked for."""
    judgement = load(make_material("confluence_pages", count=RECORDS - 1)).judge(requested=RECORDS)
    assert judgement.unpassed == {COMPLETENESS: CheckStatus.FAILED}
    assert judgement.details(COMPLETENESS) == "98/100 records fully populated (98%)"


@pytest.fixture
def in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[pa.Table], FileRecords]:
    """Stores records in groups of 30, each of which is read for itself."""
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1)

    def store(table: pa.Table) -> FileRecords:
        pq.write_table(table, tmp_path / "records.parquet", row_group_size=30)
        return FileRecords(LocalFileSystem(), str(tmp_path / "records.parquet"))

    return store


def judged(records: pa.Table | FileRecords, kind: DatasetType) -> list[CheckResult]:
    return [check_schema(records, kind), check_completeness(records, kind, requested=RECORDS, incomplete_planned=2)]


@pytest.mark.parametrize("fault", RECORD_FAULTS)
def test_records_read_in_pieces_are_judged_as_all_together(
    pages: Any, in_groups: Callable[[pa.Table], FileRecords], fault: str
) -> None:
    """C-62: the same verdict, numbers and rows, whatever is wrong."""
    table = RECORD_FAULTS[fault][0](pages.table)
    stored = in_groups(table)
    assert len(list(stored.pieces())) == max(1, -(-table.num_rows // 30))
    assert judged(stored, pages.dataset_type) == judged(table, pages.dataset_type)


def test_sound_records_of_each_type_are_judged_in_pieces_as_together(
    material: Any, in_groups: Callable[[pa.Table], FileRecords]
) -> None:
    """C-62."""
    verdicts = judged(in_groups(material.table), material.dataset_type)
    assert verdicts == judged(material.table, material.dataset_type)
    assert {verdict.status for verdict in verdicts} == {CheckStatus.PASSED}
