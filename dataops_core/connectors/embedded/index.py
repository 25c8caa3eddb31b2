"""Index files of the embedded engine: one SQLite file holds one generation of one connector, whole.

A generation is built aside, page by page, in a spool file, and becomes an index by :func:`finish`; from then on the
file is never written again, so readers may open it as immutable. Belongs here: everything that writes files or counts.
Does not belong here: rows (``rows.py``), questions (``search.py``), which generation is served (the registry).

Errors: StorageError where the disk does not take or give it, DamagedIndexError where the file is not what it must be.
"""

import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataops_core.connectors.embedded.rows import (
    DOC_COLUMNS,
    SCHEMA,
    SCHEMA_VERSION,
    IndexedDocument,
    count,
    remove,
    store,
)
from dataops_core.connectors.id_digest import digest_in_order
from dataops_core.errors import DataOpsError, StorageError
from dataops_core.process_marks import boot_id

#: Bytes of tokens that a build holds in memory before it writes a segment: one segment up to about 100 MB of text.
_BUILD_MEMORY = 64 * 1024 * 1024
#: Where a spool file notes how many documents it has, of how many pages, and since which start of the machine.
_HELD, _PAGES, _BOOT = "documents_held", "pages_taken", "boot"
#: So many pages are indexed as they come: each makes a segment of its own, and so few are searched as fast as one. What
#: comes after them is indexed at the end, in few segments of any size, and all become one.
_PAGES_AS_THEY_COME = 8
_STORAGE_CODES = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
)


class DamagedIndexError(DataOpsError):
    """The file is no whole index of this schema."""

    code = "INDEX_DAMAGED"


@dataclass(frozen=True, slots=True)
class IndexStats:
    """What an index holds, read from the file itself. ``id_digest`` as in ``id_digest.py``."""

    document_count: int
    id_digest: str
    index_bytes: int


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """What SQLite and the file system say, as errors of ours; what neither explains stays as it is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _STORAGE_CODES:
            raise StorageError(f"The index cannot be stored: {error}.") from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or "no such table" in str(error):
            raise DamagedIndexError(f"The index is damaged: {error}.") from error
        raise
    except OSError as error:
        raise StorageError(f"The index cannot be stored: {error.strerror or error}.") from error


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction on a spool file. A killed process loses the transaction, never the file.

    A machine that went down may have lost any part of it, since nothing is synced before the end: what was begun before
    that is damaged, whatever it looks like.
    """
    if not path.is_file():
        raise DamagedIndexError("The upload's spool file is gone.")
    with sqlite_errors(), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        check_version(connection)
        if _noted(connection, _BOOT) not in {None, boot_id()}:
            raise DamagedIndexError("The machine was started anew while this upload was under way.")
        connection.execute("PRAGMA synchronous = OFF")  # finish() syncs the whole file before it is published
        connection.execute("PRAGMA cache_size = -32768")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of its own that only reads, for counting and for statuses."""
    if not path.is_file():
        raise DamagedIndexError("The index file is gone.")
    with sqlite_errors(), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        check_version(connection)
        yield connection


def check_version(connection: sqlite3.Connection) -> None:
    """Raises DamagedIndexError for a file of another release's schema: its connector has to be loaded again."""
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        raise DamagedIndexError("The index file is of another version.")


def create(path: Path, *, upload_id: str, started_at: str) -> None:
    """Makes an empty spool file, and its folder. ``started_at`` is RFC 3339; an older file of that name is replaced."""
    with sqlite_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        discard(path)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.executescript(SCHEMA)
            # One large merge at the end, if any, instead of many while building.
            connection.execute("INSERT INTO fts(fts, rank) VALUES ('automerge', 0)")
            connection.execute("INSERT INTO fts(fts, rank) VALUES ('hashsize', ?)", (_BUILD_MEMORY,))
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)", [("upload_id", upload_id), ("started_at", started_at)]
            )
            if (boot := boot_id()) is not None:
                _note(connection, _BOOT, boot)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.commit()


def discard(path: Path) -> None:
    """Removes an index or spool file with what SQLite keeps beside it. Idempotent."""
    with sqlite_errors():
        for name in (path, path.with_name(f"{path.name}-journal")):
            name.unlink(missing_ok=True)


def append(path: Path, documents: Sequence[IndexedDocument], *, at_least: int = 0) -> int:
    """Adds a page to a spool file; a document whose id is there already replaces it. Returns the documents held.

    All or nothing. Raises DuplicateUrlError, and DamagedIndexError where fewer than ``at_least`` documents are there.
    """
    with _writing(path) as connection:
        held = _held(connection)
        if held < at_least:
            raise DamagedIndexError("The upload's spool file lacks documents.")
        pages = _pages(connection)
        if pages is None:
            # An earlier release noted none, however many there are: what is left of them is for the end.
            pages = _PAGES_AS_THEY_COME if held else 0
        _, added = store(connection, documents)
        if added < len(documents):
            # Rows are gone that the full text may have: all of it is made at the end.
            connection.execute("INSERT INTO fts(fts) VALUES ('delete-all')")
            pages = max(pages, _PAGES_AS_THEY_COME)
        _note(connection, _HELD, held + added)
        _note(connection, _PAGES, pages + 1)
        return held + added


def _held(connection: sqlite3.Connection) -> int:
    """How many documents a spool file has, by its own account: counting them for each page takes ever longer."""
    told = _noted(connection, _HELD)
    return count(connection, "docs") if told is None else int(told)


def _pages(connection: sqlite3.Connection) -> int | None:
    told = _noted(connection, _PAGES)
    return None if told is None else int(told)


def _noted(connection: sqlite3.Connection, key: str) -> str | None:
    told = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return told[0] if told else None


def _note(connection: sqlite3.Connection, key: str, value: int | str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, str(value)))


def _drop_notes(connection: sqlite3.Connection) -> None:
    """Takes out what only a build needs to know."""
    connection.executemany("DELETE FROM meta WHERE key = ?", [(_HELD,), (_PAGES,), (_BOOT,)])


def index_ahead(path: Path) -> None:
    """Adds what a spool file has so far to its full text, which leaves less to do at the end. All or nothing.

    Raises StorageError, and DamagedIndexError where the file is gone.
    """
    with _writing(path) as connection:
        if (_pages(connection) or 0) <= _PAGES_AS_THEY_COME:
            _index_the_rest(connection)


def _index_the_rest(connection: sqlite3.Connection) -> None:
    """Adds the rows to the full text that it has not yet.

    It says itself which it has: a build that was cut off before the file was published has them all, and none twice.
    """
    connection.execute(
        "INSERT INTO fts(rowid, title, body, spelled) "
        "SELECT * FROM texts WHERE rowid > (SELECT ifnull(max(id), 0) FROM fts_docsize)"
    )


def keep_stale(path: Path, served: Path, *, tolerated_share: float) -> bool:
    """Glean's guard against a short upload: where more than ``tolerated_share`` of the documents now served are missing
    in the spool, they are carried over into it. Returns whether that was so (deletion is paused).
    """
    uris = path.absolute().as_uri(), f"{served.absolute().as_uri()}?mode=ro"
    with sqlite_errors(), closing(sqlite3.connect(uris[0], uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH ? AS served", (uris[1],))
        connection.execute("BEGIN IMMEDIATE")
        held = count(connection, "served.docs")
        stale = connection.execute(
            "SELECT rowid FROM served.docs AS d WHERE NOT EXISTS (SELECT 1 FROM main.docs AS m WHERE m.id = d.id)"
        ).fetchall()
        if len(stale) <= held * tolerated_share:
            connection.execute("COMMIT")
            return False
        for (row,) in stale:
            added = connection.execute(
                f"INSERT OR IGNORE INTO main.docs ({DOC_COLUMNS}) SELECT {DOC_COLUMNS} FROM served.docs "  # noqa: S608  names of our own
                "WHERE rowid = ? RETURNING rowid",
                (row,),
            ).fetchone()
            if added is None:  # its URL belongs to a new document
                continue
            connection.execute(
                "INSERT INTO main.texts SELECT ?, title, body, spelled FROM served.texts WHERE rowid = ?",
                (added[0], row),
            )
            connection.execute(
                "INSERT INTO main.facets SELECT ?, field, value, number FROM served.facets WHERE doc = ?",
                (added[0], row),
            )
        connection.execute("COMMIT")
        return True


def finish(path: Path, target: Path, *, finished_at: str, processing_state: str) -> IndexStats:
    """Turns a spool file into the index ``target``: whole, checked, on disk, in place in one step.

    Raises DamagedIndexError where what was built is not what was taken; the spool is left for the caller to discard.
    """
    with _writing(path) as connection:
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [("finished_at", finished_at), ("processing_state", processing_state)],
        )
        _index_the_rest(connection)
        if (_pages(connection) or 0) > _PAGES_AS_THEY_COME:
            connection.execute("INSERT INTO fts(fts) VALUES ('optimize')")
        _drop_notes(connection)
    return _seal(path, target)


def _seal(path: Path, target: Path) -> IndexStats:
    with reading(path) as connection:
        problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise DamagedIndexError(f"The index is damaged: {'; '.join(problems)}.")
        counts = {table: count(connection, table) for table in ("docs", "texts", "fts_docsize")}
        if len(set(counts.values())) != 1:
            raise DamagedIndexError(f"The index does not hold every document: {counts}.")
    with sqlite_errors():
        _sync(path)
        path.replace(target)
        _sync(target.parent)
    return stats(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def amend(
    path: Path,
    target: Path,
    served: Path | None,
    *,
    upload_id: str,
    moment: str,
    upserts: Sequence[IndexedDocument],
    deletions: Collection[str],
) -> IndexStats:
    """Makes the index ``target`` from the one served, with some documents changed or removed; the one served stays."""
    if served is None:
        create(path, upload_id=upload_id, started_at=moment)
    else:
        with sqlite_errors():
            discard(path)
            shutil.copyfile(served, path)
    with _writing(path) as connection:
        for document_id in [*deletions, *(document.id for document in upserts)]:
            found = connection.execute("SELECT rowid FROM docs WHERE id = ?", (document_id,)).fetchone()
            if found:
                connection.execute(
                    "INSERT INTO fts(fts, rowid, title, body, spelled) SELECT 'delete', * FROM texts WHERE rowid = ?",
                    found,
                )
                remove(connection, found[0])
        rows, _ = store(connection, upserts)
        connection.executemany(
            "INSERT INTO fts(rowid, title, body, spelled) SELECT * FROM texts WHERE rowid = ?",
            [(row,) for row in sorted(set(rows))],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [("finished_at", moment), ("processing_state", "INDEXING COMPLETED")],
        )
        _drop_notes(connection)
    return _seal(path, target)


def stats(path: Path) -> IndexStats:
    """What the file really holds. Raises DamagedIndexError."""
    with reading(path) as connection:
        # SQLite sorts by code point, and on disk where there are many.
        ids = connection.execute("SELECT id FROM docs ORDER BY id COLLATE BINARY")
        count, digest = digest_in_order(row[0] for row in ids)
        return IndexStats(count, digest, path.stat().st_size)


def meta(path: Path) -> dict[str, str]:
    """What is written about the upload: upload_id, started_at, finished_at, processing_state."""
    with reading(path) as connection:
        return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def counts_by_type(path: Path) -> dict[str, int]:
    """Documents per object type."""
    with reading(path) as connection:
        return dict(connection.execute("SELECT object_type, count(*) FROM docs GROUP BY 1 ORDER BY 1").fetchall())


def held_ids(path: Path, ids: Collection[str]) -> set[str]:
    """Those of the ids, as they were given, that the index holds (ids know no case)."""
    with reading(path) as connection:
        return {
            document_id
            for document_id in ids
            if connection.execute("SELECT 1 FROM docs WHERE id = ?", (document_id,)).fetchone()
        }
