"""Questions to an index file of the embedded engine.

All words first, any word only where no document has them all; BM25 with the title five times the body, ties by id, so
that the same question has the same answer in the same order. Belongs here: SQL that reads, within a time limit. Does
not belong here: the wire form, and who may ask.
"""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dataops_core.connectors.embedded.rows import as_number
from dataops_core.connectors.embedded.spelling import asks_otherwise, together, words_meant
from dataops_core.connectors.embedded.text import match_terms, one_line
from dataops_core.errors import DataOpsError

_SNIPPET_TOKENS = 32
#: Virtual-machine steps between two looks at the clock.
_PROGRESS_STEPS = 4000
_MAX_SUGGESTIONS = 50


class SearchTimeoutError(DataOpsError):
    """The question took longer than it may."""

    code = "SEARCH_TIMEOUT"


class Operator(StrEnum):
    """How a filter compares. Ranges compare numbers with numbers and text with text."""

    EQUALS = "EQUALS"
    NOT_EQUALS = "NOT_EQUALS"
    GT = "GT"
    GTE = "GTE"
    LT = "LT"
    LTE = "LTE"

    @property
    def is_range(self) -> bool:
        """Whether it compares with exactly one value by order."""
        return self not in {Operator.EQUALS, Operator.NOT_EQUALS}


_SYMBOLS = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}


@dataclass(frozen=True, slots=True)
class FieldFilter:
    """A condition on a facet. EQUALS takes any of the values, NOT_EQUALS none of them, a range exactly one."""

    field: str
    values: tuple[str, ...]
    operator: Operator = Operator.EQUALS


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. Times are epoch seconds of the last change: ``updated_from`` inclusive, ``updated_until`` not."""

    text: str
    page_size: int = 10
    offset: int = 0
    filters: tuple[FieldFilter, ...] = ()
    updated_from: int | None = None
    updated_until: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found. Times are epoch seconds."""

    id: str
    object_type: str
    title: str
    view_url: str
    snippet: str
    author_email: str | None
    author_name: str | None
    owner_email: str | None
    owner_name: str | None
    created_at: int | None
    updated_at: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of hits. ``widened``: no document has all words, these have some. ``truncated``: words were left out."""

    hits: tuple[Hit, ...]
    has_more: bool
    widened: bool
    truncated: bool


def search(connection: sqlite3.Connection, question: Question, *, seconds: float) -> Answer:
    """The page of hits. Raises SearchTimeoutError after ``seconds``; never fails on what a person may type."""
    terms = match_terms(question.text)
    if not terms.every:
        return Answer((), has_more=False, widened=False, truncated=False)
    with _Limit(connection, seconds):
        expression = terms.every
        rows = _ranked(connection, question, expression)
        widened = not rows and terms.any != terms.every and not _matches(connection, question, expression)
        if widened:
            expression = terms.any
            rows = _ranked(connection, question, expression)
        hits = tuple(_hit(connection, question.text, expression, row) for row in rows[: question.page_size])
    return Answer(
        hits, has_more=len(rows) > question.page_size, widened=widened and bool(rows), truncated=terms.truncated
    )


def suggest_values(connection: sqlite3.Connection, text: str, field: str, *, seconds: float) -> list[str]:
    """Values of a facet among the documents that have any of the words, the most frequent first, at most 50."""
    terms = match_terms(text)
    if not terms.any:
        return []
    with _Limit(connection, seconds):
        rows = connection.execute(
            "SELECT f.value FROM fts CROSS JOIN facets AS f ON f.doc = fts.rowid WHERE fts MATCH ? AND f.field = ? "
            "AND f.value <> '' GROUP BY f.value ORDER BY count(*) DESC, f.value LIMIT ?",
            (terms.any, field, _MAX_SUGGESTIONS),
        ).fetchall()
    return [row[0] for row in rows]


class _Limit:
    """Ends a statement that runs past the limit."""

    def __init__(self, connection: sqlite3.Connection, seconds: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + seconds

    def __enter__(self) -> None:
        self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline, _PROGRESS_STEPS)

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._connection.set_progress_handler(None, 0)
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise SearchTimeoutError("The search took too long; ask for something narrower.") from error


def _conditions(question: Question) -> tuple[str, list[object]]:
    clauses: list[str] = []
    values: list[object] = []
    for condition in question.filters:
        if condition.operator.is_range:
            number = as_number(condition.values[0])
            column = "f.value" if number is None else "f.number"
            test = f"{column} {_SYMBOLS[condition.operator]} ?"
            compared: Sequence[object] = [condition.values[0] if number is None else number]
        else:
            test = f"f.value IN ({', '.join('?' * len(condition.values))})"
            compared = condition.values
        negation = "NOT " if condition.operator is Operator.NOT_EQUALS else ""
        clauses.append(
            f" AND {negation}EXISTS (SELECT 1 FROM facets AS f WHERE f.doc = d.rowid AND f.field = ? AND {test})"  # noqa: S608  placeholders only
        )
        values += [condition.field, *compared]
    if question.updated_from is not None:
        clauses.append(" AND d.updated_at >= ?")
        values.append(question.updated_from)
    if question.updated_until is not None:
        clauses.append(" AND d.updated_at < ?")
        values.append(question.updated_until)
    return "".join(clauses), values


def _ranked(connection: sqlite3.Connection, question: Question, expression: str) -> list[int]:
    """Rows of the page and one more, best first."""
    conditions, values = _conditions(question)
    rows = connection.execute(
        "SELECT d.rowid FROM fts CROSS JOIN docs AS d ON d.rowid = fts.rowid WHERE fts MATCH ?"  # noqa: S608  placeholders only
        f"{conditions} ORDER BY bm25(fts, 5.0, 1.0, 1.0), d.id LIMIT ? OFFSET ?",
        [expression, *values, question.page_size + 1, question.offset],
    ).fetchall()
    return [row[0] for row in rows]


def _matches(connection: sqlite3.Connection, question: Question, expression: str) -> bool:
    """Whether any document at all answers: a page past the end is no reason to widen the question."""
    if question.offset == 0:
        return False
    conditions, values = _conditions(question)
    found = connection.execute(
        f"SELECT 1 FROM fts CROSS JOIN docs AS d ON d.rowid = fts.rowid WHERE fts MATCH ?{conditions} LIMIT 1",  # noqa: S608  placeholders only
        [expression, *values],
    ).fetchone()
    return found is not None


def _hit(connection: sqlite3.Connection, text: str, expression: str, row: int) -> Hit:
    stored = connection.execute(
        "SELECT t.spelled, d.id, d.object_type, t.title, d.view_url, d.author_email, d.author_name, "
        "d.owner_email, d.owner_name, d.created_at, d.updated_at "
        "FROM docs AS d JOIN texts AS t ON t.rowid = d.rowid WHERE d.rowid = ?",
        (row,),
    ).fetchone()
    spelled, document_id, object_type, title, view_url, *people, created_at, updated_at = stored
    if spelled and asks_otherwise(text, spelled):
        expression = _as_written(connection, text, expression, row)
    # The snippet is made for the hits of the page alone: it reads and tokenizes the whole body.
    snippet: str = connection.execute(
        "SELECT snippet(fts, 1, '', '', '…', ?) FROM fts WHERE fts MATCH ? AND rowid = ?",
        (_SNIPPET_TOKENS, expression, row),
    ).fetchone()[0]
    return Hit(
        id=document_id,
        object_type=object_type,
        title=together(title),
        view_url=view_url,
        snippet=one_line(together(snippet)),
        author_email=people[0],
        author_name=people[1],
        owner_email=people[2],
        owner_name=people[3],
        created_at=created_at,
        updated_at=updated_at,
    )


def _as_written(connection: sqlite3.Connection, text: str, expression: str, row: int) -> str:
    """The expression, and the words that the document spells otherwise: a snippet is to show these."""
    body = connection.execute("SELECT body FROM texts WHERE rowid = ?", (row,)).fetchone()[0]
    written = match_terms(" ".join(words_meant(text, together(body)))).any
    return f"({expression}) OR {written}" if written else expression
