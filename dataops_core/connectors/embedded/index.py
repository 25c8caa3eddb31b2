"""Index files of the embedded engine: one SQLite file holds one generation of one connector, whole.

A generation is built aside, page by page, in a spool file, and becomes an index by :func:`finish`; from then on the
file is never written again, so readers may open it as immutable. Belongs here: the schema, and everything that writes
or counts. Does not belong here: questions (``search.py``), and which generation is served (the registry).

Errors: StorageError where the disk does not take or give it, DamagedIndexError where the file is not what it must be.
"""

import os
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dataops_core.connectors.embedded.spelling import stored
from dataops_core.connectors.id_digest import digest_in_order
from dataops_core.errors import DataOpsError, StorageError

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE docs (
    rowid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE COLLATE NOCASE,
    object_type TEXT NOT NULL,
    view_url TEXT NOT NULL UNIQUE,
    author_email TEXT, author_name TEXT, owner_email TEXT, owner_name TEXT,
    container TEXT, status TEXT, created_at INTEGER, updated_at INTEGER
);
CREATE TABLE texts (rowid INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT NOT NULL, spelled TEXT NOT NULL);
CREATE TABLE facets (
    doc INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL COLLATE NOCASE, number REAL,
    PRIMARY KEY (doc, field, value)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE fts USING fts5(
    title, body, spelled, content='texts', content_rowid='rowid', tokenize='porter unicode61 remove_diacritics 2'
);
"""
_DOC_COLUMNS = (
    "id, object_type, view_url, author_email, author_name, owner_email, owner_name, "
    "container, status, created_at, updated_at"
)
#: Bytes of tokens that a build holds in memory before it writes a segment: one segment up to about 100 MB of text.
_BUILD_MEMORY = 64 * 1024 * 1024
#: Where a spool file notes how many documents it has.
_HELD = "documents_held"
_STORAGE_CODES = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
)


class DamagedIndexError(DataOpsError):
    """The file is no whole index of this schema."""

    code = "INDEX_DAMAGED"


class DuplicateUrlError(DataOpsError):
    """Two documents with different ids claim one URL; ``position`` is that of the second in its page."""

    code = "DUPLICATE_URL"

    def __init__(self, position: int) -> None:
        super().__init__("Another document has this viewURL.")
        self.position = position


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A document as the engine keeps it: the body as plain text, times in epoch seconds, facets by field and value."""

    id: str
    object_type: str
    title: str
    body: str
    view_url: str
    author_email: str | None
    author_name: str | None
    owner_email: str | None
    owner_name: str | None
    container: str | None
    status: str | None
    created_at: int | None
    updated_at: int | None
    facets: tuple[tuple[str, str], ...]


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
    """One transaction on a spool file. A killed process loses the transaction, never the file."""
    if not path.is_file():
        raise DamagedIndexError("The upload's spool file is gone.")
    with sqlite_errors(), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        check_version(connection)
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
            connection.executescript(_SCHEMA)
            # One large merge at the end instead of many while building.
            connection.execute("INSERT INTO fts(fts, rank) VALUES ('automerge', 0)")
            connection.execute("INSERT INTO fts(fts, rank) VALUES ('hashsize', ?)", (_BUILD_MEMORY,))
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)", [("upload_id", upload_id), ("started_at", started_at)]
            )
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
        _, added = _store(connection, documents)
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_HELD, str(held + added)))
        return held + added


def _held(connection: sqlite3.Connection) -> int:
    """How many documents a spool file has, by its own account: counting them for each page takes ever longer."""
    told = connection.execute("SELECT value FROM meta WHERE key = ?", (_HELD,)).fetchone()
    return int(told[0]) if told else _count(connection, "docs")


def _store(connection: sqlite3.Connection, documents: Sequence[IndexedDocument]) -> tuple[list[int], int]:
    """Stores the documents and returns their rows, and how many more there are now.

    A row taken twice is the later document's.
    """
    first: int = connection.execute("SELECT ifnull(max(rowid), 0) + 1 FROM docs").fetchone()[0]
    connection.execute("SAVEPOINT page")
    try:
        rows, added = _insert(connection, first, documents), len(documents)
    except sqlite3.IntegrityError:
        # Some are there already, by their ids or URLs: one after another tells which.
        connection.execute("ROLLBACK TO page")
        replaced = [_replace(connection, position, document) for position, document in enumerate(documents)]
        rows, added = [row for row, _ in replaced], sum(new for _, new in replaced)
    connection.execute("RELEASE page")
    return rows, added


def _replace(connection: sqlite3.Connection, position: int, document: IndexedDocument) -> tuple[int, bool]:
    """Stores a document in place of the one with its id, if any; its row, and whether there was none."""
    found = connection.execute("SELECT rowid FROM docs WHERE id = ?", (document.id,)).fetchone()
    if found:
        _remove(connection, found[0])
    row: int = connection.execute("SELECT ifnull(max(rowid), 0) + 1 FROM docs").fetchone()[0]
    try:
        _insert(connection, row, [document])
    except sqlite3.IntegrityError:
        raise DuplicateUrlError(position) from None
    return row, found is None


def _insert(connection: sqlite3.Connection, first: int, documents: Sequence[IndexedDocument]) -> list[int]:
    """Stores documents of which none is there yet, from a row on. Raises IntegrityError for one that is."""
    rows = list(range(first, first + len(documents)))
    numbered = list(zip(rows, documents, strict=True))
    connection.executemany(
        f"INSERT INTO docs (rowid, {_DOC_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  names of our own
        [
            (
                row,
                document.id,
                document.object_type,
                document.view_url,
                document.author_email,
                document.author_name,
                document.owner_email,
                document.owner_name,
                document.container,
                document.status,
                document.created_at,
                document.updated_at,
            )
            for row, document in numbered
        ],
    )
    connection.executemany(
        "INSERT INTO texts VALUES (?, ?, ?, ?)",
        [(row, *_texts(document)) for row, document in numbered],
    )
    connection.executemany(
        "INSERT OR IGNORE INTO facets VALUES (?, ?, ?, ?)",
        [(row, field, value, as_number(value)) for row, document in numbered for field, value in document.facets],
    )
    return rows


def _texts(document: IndexedDocument) -> tuple[str, str, str]:
    """Title and body as they are stored, and how their words are spelled otherwise."""
    (title, of_title), (body, of_body) = stored(document.title), stored(document.body)
    return title, body, f"{of_title} {of_body}".strip()


def _remove(connection: sqlite3.Connection, row: int) -> None:
    for table, column in (("docs", "rowid"), ("texts", "rowid"), ("facets", "doc")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (row,))  # noqa: S608  names of our own


def _count(connection: sqlite3.Connection, table: str) -> int:
    count: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608  names of our own
    return count


def as_number(value: str) -> float | None:
    """The value as a number that ranges compare, None where it is none."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number - number == 0 else None  # neither infinite nor NaN


def keep_stale(path: Path, served: Path, *, tolerated_share: float) -> bool:
    """Glean's guard against a short upload: where more than ``tolerated_share`` of the documents now served are missing
    in the spool, they are carried over into it. Returns whether that was so (deletion is paused).
    """
    uris = path.absolute().as_uri(), f"{served.absolute().as_uri()}?mode=ro"
    with sqlite_errors(), closing(sqlite3.connect(uris[0], uri=True, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("ATTACH ? AS served", (uris[1],))
        connection.execute("BEGIN IMMEDIATE")
        held = _count(connection, "served.docs")
        stale = connection.execute(
            "SELECT rowid FROM served.docs AS d WHERE NOT EXISTS (SELECT 1 FROM main.docs AS m WHERE m.id = d.id)"
        ).fetchall()
        if len(stale) <= held * tolerated_share:
            connection.execute("COMMIT")
            return False
        for (row,) in stale:
            added = connection.execute(
                f"INSERT OR IGNORE INTO main.docs ({_DOC_COLUMNS}) SELECT {_DOC_COLUMNS} FROM served.docs "  # noqa: S608  names of our own
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
        connection.execute("DELETE FROM meta WHERE key = ?", (_HELD,))
        connection.execute("INSERT INTO fts(fts) VALUES ('rebuild')")
        connection.execute("INSERT INTO fts(fts) VALUES ('optimize')")
    return _seal(path, target)


def _seal(path: Path, target: Path) -> IndexStats:
    with reading(path) as connection:
        problems = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise DamagedIndexError(f"The index is damaged: {'; '.join(problems)}.")
        counts = {table: _count(connection, table) for table in ("docs", "texts", "fts_docsize")}
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
                _remove(connection, found[0])
        rows, _ = _store(connection, upserts)
        connection.executemany(
            "INSERT INTO fts(rowid, title, body, spelled) SELECT * FROM texts WHERE rowid = ?",
            [(row,) for row in sorted(set(rows))],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [("finished_at", moment), ("processing_state", "INDEXING COMPLETED")],
        )
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
