"""The stored records of a dataset, opened once for the steps of a run that follow one another.

The index and the checks all read what the records step has written. What was opened last is kept, of as many datasets
as steps may be under way at once, and given out again as long as its file is the same file, unchanged: its path, and
what the file system says of it (size, time of the last change, inode). So small records are read once; of large ones
only their outline is kept (``generation/pieces.py``). Does not belong here: reading itself.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from dataops_core.generation.pieces import Records, open_records
from dataops_core.storage import RECORDS_FILE, Storage


class StoredTables:
    """Opens records, and keeps what was opened last. Safe to use from many threads."""

    def __init__(self, keep: int = 1) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        #: By path, the one that was asked for last at the end: what the file was, who reads it, and its records.
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def open(self, storage: Storage, folder: str) -> Records:
        """The records that lie in a try's folder. Raises StorageError."""
        path = storage.path(f"{folder}/{RECORDS_FILE}")
        if not storage.filesystem.exists(path):
            return open_records(storage.filesystem, path)
        kept = self._place(path, storage.filesystem.ukey(path))
        with kept.lock:
            if kept.records is None:
                kept.records = open_records(storage.filesystem, path)
            return kept.records

    def _place(self, path: str, key: str) -> "_Kept":
        """Where this file's records are kept, once they are read."""
        with self._lock:
            kept = self._kept.get(path)
            if kept is None or kept.key != key:
                self._kept[path] = kept = _Kept(key)
            self._kept.move_to_end(path)
            while len(self._kept) > self._keep:
                self._kept.popitem(last=False)
            return kept


@dataclass(slots=True)
class _Kept:
    key: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    records: Records | None = None
