"""The digest of a set of ids: SHA-256 of the ids sorted by code point and joined by newlines.

What a connector says of itself and what was sent to it are compared by it. Many ids are sorted on disk, so that memory
does not grow with their number.
"""

import hashlib
import sqlite3
from collections.abc import Iterable

#: So many ids are held in memory; more are sorted by SQLite, in a temporary file of its own.
_HELD = 100_000


class IdDigest:
    """Ids as they come, in any order; ``distinct``: one that comes again counts once. Close it, or read its result.

    Not to be used from two threads at once.
    """

    def __init__(self, *, distinct: bool = False, held: int = _HELD) -> None:
        self._distinct = distinct
        self._most = held
        self._ids: set[str] | list[str] = set() if distinct else []
        self._stored: sqlite3.Connection | None = None

    def close(self) -> None:
        """Gives the space of its file back. Idempotent."""
        if self._stored is not None:
            self._stored.close()

    def add(self, id_: str) -> None:
        """One more id."""
        if isinstance(self._ids, set):
            self._ids.add(id_)
        else:
            self._ids.append(id_)
        if len(self._ids) >= self._most:
            self._store()

    def _store(self) -> None:
        if self._stored is None:
            self._stored = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # a file without a name
            self._stored.execute("PRAGMA cache_size = -16384")
            self._stored.execute("CREATE TABLE ids (id TEXT NOT NULL)")
        self._stored.execute("BEGIN")
        self._stored.executemany("INSERT INTO ids VALUES (?)", ((id_,) for id_ in self._ids))
        self._stored.execute("COMMIT")
        self._ids.clear()

    def result(self) -> tuple[int, str]:
        """How many ids there are, and their digest (hex)."""
        if self._stored is None:
            return digest_in_order(sorted(self._ids))
        self._store()
        which = "DISTINCT id" if self._distinct else "id"
        ordered = self._stored.execute(f"SELECT {which} FROM ids ORDER BY id")  # noqa: S608  words of our own
        return digest_in_order(row[0] for row in ordered)


def digest_in_order(ids: Iterable[str]) -> tuple[int, str]:
    """How many ids there are, and the digest (hex) of those that come sorted already."""
    digest = hashlib.sha256()
    count = 0
    for count, id_ in enumerate(ids, start=1):
        digest.update(f"\n{id_}".encode() if count > 1 else id_.encode())
    return count, digest.hexdigest()
