"""The tables of an index file, and the documents in them: one row each of ``docs`` and ``texts``, and their facets.

Belongs here: the schema, and storing and removing rows on a connection that somebody else has opened. Does not belong
here: files, the full text and when it is made (``index.py``), questions (``search.py``).
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from dataops_core.connectors.embedded.spelling import stored
from dataops_core.errors import DataOpsError

SCHEMA_VERSION = 2

SCHEMA = """
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
DOC_COLUMNS = (
    "id, object_type, view_url, author_email, author_name, owner_email, owner_name, "
    "container, status, created_at, updated_at"
)


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


def store(connection: sqlite3.Connection, documents: Sequence[IndexedDocument]) -> tuple[list[int], int]:
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
        remove(connection, found[0])
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
        f"INSERT INTO docs (rowid, {DOC_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  names of our own
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


def remove(connection: sqlite3.Connection, row: int) -> None:
    """Removes a document; the full text is left as it is."""
    for table, column in (("docs", "rowid"), ("texts", "rowid"), ("facets", "doc")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (row,))  # noqa: S608  names of our own


def count(connection: sqlite3.Connection, table: str) -> int:
    """How many rows a table has."""
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  names of our own


def as_number(value: str) -> float | None:
    """The value as a number that ranges compare, None where it is none."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number - number == 0 else None  # neither infinite nor NaN
