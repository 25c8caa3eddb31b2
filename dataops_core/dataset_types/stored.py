"""The stored records of a dataset, read piece by piece: a page of them, all of them, or the file itself.

Nothing here holds more than a few row groups (``base.BLOCK_ROWS`` rows each). The file is opened once and read through
that one handle, so that whoever removes or replaces it meanwhile takes nothing from an answer that is under way.
"""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from dataops_core.dataset_types.base import DatasetType, Document
from dataops_core.storage import refusals, unreadable

_CHUNK = 1 << 18


class StoredRecords:
    """An open file of records. Close it, or use it as a context."""

    def __init__(self, filesystem: AbstractFileSystem, path: str, dataset_type: DatasetType) -> None:
        """Opens the file. Raises StorageError where it is missing, cannot be read or is no Parquet."""
        self._path = path
        self._type = dataset_type
        try:
            self._file = filesystem.open(path, "rb")
        except refusals() as error:
            raise unreadable(error) from error
        try:
            self._parquet = pq.ParquetFile(self._file)
            self.size = int(self._file.seek(0, 2))
        except (*refusals(), pa.ArrowException) as error:
            self._file.close()
            raise unreadable(error) from error
        footer = self._parquet.metadata
        #: How many records there are.
        self.count = int(footer.num_rows)
        self._groups = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]

    def close(self) -> None:
        """Closes the file. Idempotent."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """The records from ``offset`` on, at most ``limit``, in the vendor's shape; only their row groups are read."""
        needed, skipped, begin = [], 0, 0
        for number, rows in enumerate(self._groups):
            if begin + rows <= offset:
                skipped += rows
            elif begin < offset + limit:
                needed.append(number)
            begin += rows
        return self._rendered(needed, offset - skipped, limit) if needed else []

    def blocks(self) -> Iterator[list[dict[str, Any]]]:
        """All records in the vendor's shape, one row group after the other."""
        for number, rows in enumerate(self._groups):
            yield self._rendered([number], 0, rows)

    @property
    def group_count(self) -> int:
        """How many row groups there are."""
        return len(self._groups)

    def documents(self, groups: Sequence[int]) -> Iterator[list[Document]]:
        """The records of these row groups as search documents, one row group after the other."""
        for number in groups:
            yield [self._type.document(row) for row in self._rows([number])]

    def raw(self) -> Iterator[bytes]:
        """The file as it is stored."""
        try:
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK):
                yield chunk
        except refusals() as error:
            raise unreadable(error) from error

    def _rendered(self, groups: list[int], offset: int, limit: int) -> list[dict[str, Any]]:
        return [self._type.record(row) for row in self._rows(groups, offset, limit)]

    def _rows(self, groups: list[int], offset: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        try:
            table = self._parquet.read_row_groups(groups).slice(offset, limit)
        except (*refusals(), pa.ArrowException) as error:
            raise unreadable(error) from error
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows
