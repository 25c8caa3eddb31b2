"""Records are looked at in the same order whether they are kept whole or read piece by piece."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem

from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.errors import StorageError
from dataops_core.generation import pieces
from dataops_core.generation.pieces import FileRecords, KeptRecords, evenly, in_pieces, open_records

LOCAL = LocalFileSystem()
TABLE = pa.table({"id": [str(number) for number in range(100)], "text": ["word " * number for number in range(100)]})


@pytest.fixture
def path(tmp_path: Path) -> str:
    pq.write_table(TABLE, tmp_path / "records", row_group_size=10, use_dictionary=False)
    return str(tmp_path / "records")


def test_small_records_are_kept(path: str) -> None:
    records = open_records(LOCAL, path)
    assert isinstance(records, KeptRecords)
    assert (records.table, records.count, records.schema) == (TABLE, 100, TABLE.schema)
    assert next(records.pieces()) is next(records.pieces())


@pytest.mark.parametrize(("most", "expected"), [(1, 10), (10_000, 4), (2**30, 1)])
def test_large_records_are_read_in_pieces_of_a_size(
    path: str, monkeypatch: pytest.MonkeyPatch, most: int, expected: int
) -> None:
    monkeypatch.setattr(pieces, "KEPT_BYTES", 0)
    monkeypatch.setattr(pieces, "PIECE_BYTES", most)
    records = open_records(LOCAL, path)
    assert isinstance(records, FileRecords)
    read = list(records.pieces())
    assert (len(read), records.count, records.schema) == (expected, 100, TABLE.schema)
    assert pa.concat_tables(read) == TABLE
    assert pa.concat_tables(records.pieces(["text"])) == TABLE.select(["text"])


def test_no_records_are_one_empty_piece(tmp_path: Path) -> None:
    pq.write_table(TABLE.slice(0, 0), tmp_path / "none")
    for records in (FileRecords(LOCAL, str(tmp_path / "none")), in_pieces(TABLE.slice(0, 0))):
        assert [piece.num_rows for piece in records.pieces(["id"])] == [0]


def test_some_groups_from_all_over_the_file(path: str) -> None:
    records = FileRecords(LOCAL, path)

    def first_of_tens(table: pa.Table) -> list[str]:
        return table.column("id").to_pylist()[::10]

    assert first_of_tens(records.spread(rows=30, size=2**20, turn=0)) == ["0", "30", "60"]
    assert first_of_tens(records.spread(rows=30, size=2**20, turn=1)) == ["10", "40", "70"]
    assert first_of_tens(records.spread(rows=30, size=1, turn=0)) == ["0"]
    assert records.spread(rows=1000, size=2**20, turn=5) == TABLE


def test_some_blocks_from_all_over_a_table() -> None:
    records = KeptRecords(pa.table({"id": list(range(5000))}))

    def first_of_blocks(rows: int, turn: int) -> list[int]:
        return records.spread(rows=rows, size=2**20, turn=turn).column("id").to_pylist()[::BLOCK_ROWS]

    assert first_of_blocks(1500, 0) == [0, 3 * BLOCK_ROWS, 6 * BLOCK_ROWS]
    assert first_of_blocks(1500, 7) == [BLOCK_ROWS, 4 * BLOCK_ROWS, 7 * BLOCK_ROWS]
    assert records.spread(rows=9000, size=2**20, turn=3) == records.table


def test_a_file_that_is_gone_or_damaged_is_said_to_be(path: str) -> None:
    records = FileRecords(LOCAL, path)
    Path(path).write_bytes(Path(path).read_bytes()[:-9])
    with pytest.raises(StorageError, match="cannot be read"):
        list(records.pieces())
    Path(path).unlink()
    with pytest.raises(StorageError, match="file is missing"):
        list(records.pieces())
    with pytest.raises(StorageError, match="file is missing"):
        open_records(LOCAL, path)


@pytest.mark.parametrize(
    ("count", "wanted", "rows"), [(500, 5, [0, 100, 200, 300, 400]), (3, 5, [0, 1, 2]), (0, 5, [])]
)
def test_rows_from_all_over_are_evenly_spread_and_none_twice(count: int, wanted: int, rows: list[int]) -> None:
    assert evenly(count, wanted) == rows
