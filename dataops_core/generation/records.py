"""Writes a dataset's records as Parquet, block by block.

Belongs here: the file's form and its integrity. The bytes follow from the specification and the versions of the
libraries alone: not from who builds the blocks, nor from Python's hash seed, nor from the time. Does not belong here:
where files live (``storage.py``), reading (``pieces.py``), what records say (``dataset_types/``).
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fsspec import AbstractFileSystem

from dataops_core.dataset_types.base import BLOCK_ROWS, DatasetType, GenerationSpec
from dataops_core.dataset_types.plan import incomplete_quota
from dataops_core.errors import StorageError
from dataops_core.generation import arrays
from dataops_core.generation.blocks import ONE_THREAD, Blocks
from dataops_core.storage import reason_of, refusals, written_whole

#: How the file is written. Row groups are too small for dictionaries to pay, zstd finds the same repetitions; nobody
#: asks for statistics. After so many rows a page may end, at its megabyte: else all long texts of a block are one page,
#: copied and compressed outside of any cache.
PARQUET: Mapping[str, Any] = {
    "compression": "zstd",
    "compression_level": 2,
    "use_dictionary": False,
    "write_statistics": False,
    "write_batch_size": 64,
}


@dataclass(frozen=True, slots=True)
class RecordsReport:
    """What was written. ``size_bytes`` is uncompressed, from the footer (C-33); ``file_bytes`` is what lies on disk.

    ``content_sha256`` is over the columns' contents and stays the same when a library writes another file from them.
    """

    record_count: int
    size_bytes: int
    file_bytes: int
    sha256: str
    content_sha256: str
    incomplete_count: int


@dataclass(frozen=True, slots=True)
class EncodedRecords:
    """The file of some records, in memory, and the report of what will be written with it."""

    content: memoryview
    report: RecordsReport


def encode_records(spec: GenerationSpec, batches: Sequence[pa.RecordBatch]) -> EncodedRecords:
    """The file that :func:`write_records` writes of the same specification, whose blocks these are."""
    file = io.BytesIO()
    report = _write(spec, iter(batches), _HashingFile(file), None)
    return EncodedRecords(file.getbuffer(), report)


def write_encoded(
    encoded: EncodedRecords,
    filesystem: AbstractFileSystem,
    path: str,
    *,
    on_block: Callable[[int], None] | None = None,
) -> RecordsReport:
    """Writes the file to ``path``, as :func:`write_records` does; ``on_block`` is told once, of all records."""
    with _written(filesystem, path) as file:
        file.write(encoded.content)
        if on_block is not None:
            on_block(encoded.report.record_count)
    return encoded.report


def write_records(
    spec: GenerationSpec,
    dataset_type: DatasetType,
    filesystem: AbstractFileSystem,
    path: str,
    *,
    blocks: Blocks = ONE_THREAD,
    on_block: Callable[[int], None] | None = None,
) -> RecordsReport:
    """Builds the specification's records and writes them to ``path``, whole or not at all.

    ``blocks`` builds them, ahead of this thread, which writes. ``on_block`` gets the number of records written so
    far after each block; what it raises ends the writing, and nothing remains. Raises StorageError where the file
    cannot be written (disk full, not writable).
    """
    with _written(filesystem, path) as file, closing(blocks(spec, dataset_type)) as built:
        return _write(spec, built, _HashingFile(file), on_block)


@contextmanager
def _written(filesystem: AbstractFileSystem, path: str) -> Iterator[Any]:
    """The file to write. Raises StorageError where it cannot be written."""
    try:
        with written_whole(filesystem, path, sync=True) as file:
            yield file
    except refusals() as error:
        raise StorageError(f"The records could not be written: {reason_of(error)}.") from error


def content_digest(table: pa.Table) -> str:
    """SHA-256 of the columns' contents, as :class:`RecordsReport` has it: proves a stored table without its file."""
    digest = hashlib.sha256()
    whole = table.combine_chunks()
    for start in range(0, whole.num_rows, BLOCK_ROWS):
        for batch in whole.slice(start, BLOCK_ROWS).to_batches():
            _update(digest, batch)
    return digest.hexdigest()


class _HashingFile:
    """A file that knows the hash and the length of what was written to it."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.length = 0
        self.closed = False

    def write(self, data: Any) -> int:
        view = memoryview(data)
        self.digest.update(view)
        self._file.write(view)
        self.length += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        return self.length

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Leaves the file open: whoever opened it syncs and closes it."""
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def _write(
    spec: GenerationSpec,
    blocks: Iterator[pa.RecordBatch],
    file: _HashingFile,
    on_block: Callable[[int], None] | None,
) -> RecordsReport:
    content = hashlib.sha256()
    footers: list[pq.FileMetaData] = []
    written = 0
    first = next(blocks)
    writer = pq.ParquetWriter(file, first.schema, metadata_collector=footers, **PARQUET)
    try:
        for batch in chain((first,), blocks):
            writer.write_batch(batch, row_group_size=BLOCK_ROWS)
            _update(content, batch)
            written += batch.num_rows
            if on_block is not None:
                on_block(written)
        writer.close()
    except BaseException:
        # Else pyarrow would end what could not be written to its end, and complain of that instead.
        writer.is_open = False
        raise
    footer = footers[0]
    return RecordsReport(
        record_count=written,
        size_bytes=sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups)),
        file_bytes=file.length,
        sha256=file.digest.hexdigest(),
        content_sha256=content.hexdigest(),
        incomplete_count=incomplete_quota(spec),
    )


def _update(digest: "hashlib._Hash", batch: pa.RecordBatch) -> None:
    for field, column in zip(batch.schema, batch.columns, strict=True):
        digest.update(f"{field.name}:{len(column)};".encode())
        _update_array(digest, column)


def _update_array(digest: "hashlib._Hash", array: pa.Array) -> None:
    """The array's contents, free of its offset and of what lies behind nulls."""
    digest.update(arrays.content(array.is_valid()))
    if pa.types.is_string(array.type):
        offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + array.offset + 1)[array.offset :]
        digest.update(np.diff(offsets).tobytes())
        digest.update(memoryview(array.buffers()[2] or b"")[offsets[0] : offsets[-1]])
    elif pa.types.is_list(array.type):
        digest.update(arrays.content(_without_nulls(array.value_lengths())))
        _update_array(digest, array.flatten())
    elif pa.types.is_struct(array.type):
        for part in array.flatten():
            _update_array(digest, part)
    else:
        digest.update(arrays.content(_without_nulls(array)))


def _without_nulls(array: pa.Array) -> pa.Array:
    if not array.null_count:
        return array
    # Not by fill_null, which makes its nought a scalar by way of pandas.
    return pc.coalesce(array, arrays.integers(np.zeros(len(array))).cast(array.type))
