"""Stored records as one table, whatever their size."""

import pyarrow as pa
from fsspec import AbstractFileSystem

from dataops_core.generation.pieces import open_records


def read_records(filesystem: AbstractFileSystem, path: str) -> pa.Table:
    """All of them, in order. Raises StorageError as ``open_records`` does."""
    return pa.concat_tables(open_records(filesystem, path).pieces())
