"""The stored records of a dataset, opened once for the steps of a run that follow one another.

The index and the checks all read what the records step has written. What was opened last is kept, one per process, and
given out again as long as its file is the same file, unchanged: its path, and what the file system says of it (size,
time of the last change, inode). So small records are read once; of large ones only their outline is kept
(``generation/pieces.py``). Does not belong here: reading itself.
"""

import threading

from dataops_core.generation.pieces import Records, open_records
from dataops_core.storage import RECORDS_FILE, Storage


class StoredTables:
    """Opens records, and keeps what was opened last. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[tuple[str, str], Records] | None = None

    def open(self, storage: Storage, folder: str) -> Records:
        """The records that lie in a try's folder. Raises StorageError."""
        path = storage.path(f"{folder}/{RECORDS_FILE}")
        with self._lock:
            if not storage.filesystem.exists(path):
                return open_records(storage.filesystem, path)
            key = (path, storage.filesystem.ukey(path))
            if self._kept is None or self._kept[0] != key:
                self._kept = None  # frees the one before first
                self._kept = (key, open_records(storage.filesystem, path))
            return self._kept[1]
