"""Open index files, kept for the next question: read-only, immutable, one connection per question at a time.

A connection is leased to one thread and given back; a file that was replaced, or that nobody asked for lately, is
closed. What a lease holds stays readable although the file was replaced or removed meanwhile.
"""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from uuid import UUID

from dataops_core.connectors.embedded.index import DamagedIndexError, check_version, sqlite_errors

#: Inode, size and change time: a file put in its place is another file.
_Key = tuple[UUID, str, int, int, int]


class Readers:
    """A pool of read handles with the least recently used ones closed first. Safe to use from many threads."""

    def __init__(self, *, capacity: int = 128, idle_seconds: float = 60.0) -> None:
        self._capacity = capacity
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._idle: OrderedDict[int, tuple[_Key, sqlite3.Connection, float]] = OrderedDict()

    @contextmanager
    def lease(self, connector_id: UUID, path: Path) -> Iterator[sqlite3.Connection]:
        """A connection to the index file, for this block alone. Raises DamagedIndexError where it is none."""
        try:
            status = path.stat()
        except OSError as error:
            raise DamagedIndexError("The index file is gone.") from error
        key = (connector_id, path.name, status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._take(key)
        connection = known or _open(path)
        try:
            with sqlite_errors():
                if known is None:
                    check_version(connection)
                yield connection
        except BaseException:
            connection.close()
            raise
        else:
            self._give_back(key, connection)

    def _take(self, key: _Key) -> sqlite3.Connection | None:
        """An idle connection to exactly this file; closes those to what the connector served before."""
        stale: list[sqlite3.Connection] = []
        found: sqlite3.Connection | None = None
        oldest = time.monotonic() - self._idle_seconds
        with self._lock:
            for number, (other, connection, since) in list(self._idle.items()):
                if other == key:
                    if found is None:
                        found = connection
                        del self._idle[number]
                elif other[0] == key[0] or since < oldest:
                    stale.append(connection)
                    del self._idle[number]
        for connection in stale:
            connection.close()
        return found

    def _give_back(self, key: _Key, connection: sqlite3.Connection) -> None:
        surplus: sqlite3.Connection | None = None
        with self._lock:
            self._idle[id(connection)] = (key, connection, time.monotonic())
            if len(self._idle) > self._capacity:
                _, (_, surplus, _) = self._idle.popitem(last=False)
        if surplus is not None:
            surplus.close()

    def forget(self, connector_id: UUID) -> None:
        """Closes every idle connection of the connector, so that removed files give their space back."""
        with self._lock:
            numbers = [number for number, (key, _, _) in self._idle.items() if key[0] == connector_id]
            closing = [self._idle.pop(number)[1] for number in numbers]
        for connection in closing:
            connection.close()

    def close(self) -> None:
        """Closes every idle connection."""
        with self._lock:
            closing = [connection for _, connection, _ in self._idle.values()]
            self._idle.clear()
        for connection in closing:
            connection.close()


def _open(path: Path) -> sqlite3.Connection:
    # check_same_thread: a lease is one thread's at a time, though not the same one each time.
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False, isolation_level=None
        )
    except sqlite3.OperationalError as error:
        raise DamagedIndexError(f"The index file cannot be opened: {error}.") from error
