"""The stored records of a dataset as tables, piece by piece, so that memory does not grow with their number.

Records that take little memory are one piece, read once and kept; of all others a piece is a few row groups, read anew
each time. Whoever looks at records by way of this sees the same rows in the same order either way. Does not belong
here: the file's form (``records.py``), and records in the vendor's shape (``dataset_types/stored.py``).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.storage import refusals, unreadable

#: Records up to so many bytes, uncompressed, are kept whole: 2,500 pages of 30 KB. Greater ones are read in pieces of
#: about so many bytes, or of one row group where that has more.
KEPT_BYTES = 80 * 2**20
PIECE_BYTES = 16 * 2**20


class Records(Protocol):
    """Records to be looked at from the first to the last, as often as is needed."""

    @property
    def schema(self) -> pa.Schema:
        """The stored columns."""
        ...

    @property
    def count(self) -> int:
        """How many records there are."""
        ...

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The records in order, of all columns or of some; no piece is empty unless there is no record at all.

        Raises StorageError where they cannot be read.
        """
        ...

    def spread(self, *, rows: int, size: int, turn: int) -> pa.Table:
        """Some row groups from all over, with about so many rows, of at most so many bytes (one has to be).

        Another ``turn`` takes others. Raises StorageError where they cannot be read.
        """
        ...


class KeptRecords:
    """A table in memory: one piece."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @property
    def schema(self) -> pa.Schema:
        """The table's columns."""
        return self.table.schema

    @property
    def count(self) -> int:
        """The table's rows."""
        return int(self.table.num_rows)

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The table."""
        yield self.table if columns is None else self.table.select(list(columns))

    def spread(self, *, rows: int, size: int, turn: int) -> pa.Table:
        """Blocks from all over the table."""
        starts = range(0, self.count, BLOCK_ROWS)
        chosen = _chosen(len(starts), records=self.count, size=self.table.nbytes, rows=rows, most=size, turn=turn)
        return pa.concat_tables([self.table.slice(starts[number], BLOCK_ROWS) for number in chosen])


class FileRecords:
    """A Parquet file, opened anew for each reading."""

    def __init__(self, filesystem: AbstractFileSystem, path: str) -> None:
        self._filesystem = filesystem
        self._path = path
        with _parquet(filesystem, path) as file:
            footer = file.metadata
            self.schema: pa.Schema = file.schema_arrow
            self.count = int(footer.num_rows)
            sizes = [footer.row_group(number).total_byte_size for number in range(footer.num_row_groups)]
        #: Bytes of all records, uncompressed.
        self.size = sum(sizes)
        self._groups = _together(sizes, PIECE_BYTES)

    def pieces(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The file's row groups, so many together as make a piece."""
        with _parquet(self._filesystem, self._path) as file:
            for groups in self._groups:
                yield file.read_row_groups(groups, columns=None if columns is None else list(columns))
            if not self._groups:
                empty = self.schema.empty_table()
                yield empty if columns is None else empty.select(list(columns))

    def spread(self, *, rows: int, size: int, turn: int) -> pa.Table:
        """Row groups from all over the file."""
        groups = sum(map(len, self._groups))
        chosen = _chosen(groups, records=self.count, size=self.size, rows=rows, most=size, turn=turn)
        with _parquet(self._filesystem, self._path) as file:
            return file.read_row_groups(chosen)


def open_records(filesystem: AbstractFileSystem, path: str) -> Records:
    """The records of a Parquet file. Raises StorageError where it is missing, cannot be read or is no Parquet."""
    records = FileRecords(filesystem, path)
    if records.size > KEPT_BYTES:
        return records
    with _parquet(filesystem, path) as file:
        return KeptRecords(file.read())


def evenly(count: int, wanted: int) -> list[int]:
    """So many of ``count`` rows, or all, evenly from all over: the first ones of a type may be of one kind."""
    shown = min(count, wanted)
    return [number * count // shown for number in range(shown)]


def in_pieces(records: pa.Table | Records) -> Records:
    """The records; a table is one piece."""
    return KeptRecords(records) if isinstance(records, pa.Table) else records


def _chosen(groups: int, *, records: int, size: int, rows: int, most: int, turn: int) -> list[int]:
    """The numbers of groups, evenly spread, with about so many rows of so many records, of at most so many bytes."""
    wanted = max(1, min(rows * groups // max(1, records), most * groups // max(1, size)))
    step = max(1, groups // wanted)
    return list(range(turn % step, groups, step))[:wanted]


def _together(sizes: Sequence[int], most: int) -> list[list[int]]:
    """The numbers of neighbours that have at most so much together, or are alone."""
    groups: list[list[int]] = []
    held = 0
    for number, size in enumerate(sizes):
        if groups and held + size <= most:
            groups[-1].append(number)
            held += size
        else:
            groups.append([number])
            held = size
    return groups


@contextmanager
def _parquet(filesystem: AbstractFileSystem, path: str) -> Iterator[pq.ParquetFile]:
    """The open file; read_table would load Arrow's datasets, and pandas with them."""
    try:
        with filesystem.open(path, "rb") as file:
            yield pq.ParquetFile(file)
    except (*refusals(), pa.ArrowException) as error:
        raise unreadable(error) from error
