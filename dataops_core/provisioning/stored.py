"""The stored records of a dataset, opened once for the steps of a run that follow one another in a process.

The checks all read what the records step has written, and so does the index where it has not got the records before
(``records_ahead.py``). What was opened last is kept, of as many datasets as steps may be under way at once, and given
out again as long as its file is the same file, unchanged: its path, and what the file system says of it (size, time of
the last change, inode). So small records are read once; of large ones only their outline is kept
(``generation/pieces.py``). Does not belong here: reading itself.
"""

from fsspec import AbstractFileSystem

from dataops_core.generation.pieces import Records, open_records
from dataops_core.once import MadeOnce
from dataops_core.storage import RECORDS_FILE, Storage


class StoredTables:
    """Opens records, and keeps what was opened last. Safe to use from many threads."""

    def __init__(self, keep: int = 1) -> None:
        self._opened = MadeOnce(_open, keep)

    def open(self, storage: Storage, folder: str) -> Records:
        """The records that lie in a try's folder. Raises StorageError."""
        path = storage.path(f"{folder}/{RECORDS_FILE}")
        if not storage.filesystem.exists(path):
            return open_records(storage.filesystem, path)
        return self._opened(storage.filesystem, path, storage.filesystem.ukey(path))


def _open(filesystem: AbstractFileSystem, path: str, _file: str) -> Records:
    """``_file`` tells the file from what lay there before."""
    return open_records(filesystem, path)
