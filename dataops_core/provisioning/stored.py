"""The stored records of a dataset, read once for the steps of a run that follow one another.

The index and the checks all read what the records step has written. The last table that was read is kept, one per
process, and given out again as long as its file is the same file, unchanged: its path, and what the file system says of
it (size, time of the last change, inode). Does not belong here: reading itself (``generation/records.py``).
"""

import threading

import pyarrow as pa

from dataops_core.generation.records import read_records
from dataops_core.storage import RECORDS_FILE, Storage


class StoredTables:
    """Reads records, and keeps the table that was read last. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[tuple[str, str], pa.Table] | None = None

    def read(self, storage: Storage, folder: str) -> pa.Table:
        """The records that lie in a try's folder. Raises StorageError."""
        path = storage.path(f"{folder}/{RECORDS_FILE}")
        with self._lock:
            if not storage.filesystem.exists(path):
                return read_records(storage.filesystem, path)
            key = (path, storage.filesystem.ukey(path))
            if self._kept is None or self._kept[0] != key:
                self._kept = None  # frees the one before first
                self._kept = (key, read_records(storage.filesystem, path))
            return self._kept[1]
