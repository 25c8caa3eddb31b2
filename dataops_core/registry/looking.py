"""Looking at the registry from an event loop: no thread, one round trip a question, in autocommit.

For whoever answers very many requests. A statement is written out once and prepared by the server where it comes
again, so that neither side works out what it knows. A connection that was lost while it rested is replaced, and the
question asked again: looking changes nothing. Does not belong here: what is asked (``reading.py``), and whatever is
decided or changed by what was read, which wants a transaction (``database.py``).
"""

import asyncio
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from psycopg import AsyncConnection, AsyncCursor, OperationalError
from psycopg.conninfo import make_conninfo
from sqlalchemy import Select, make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from dataops_core.errors import UnavailableError
from dataops_core.registry.database import OPTIONS
from dataops_core.settings import Settings

#: Longer than this nobody waits for a connection, or for the end of an answer beyond the limit of a statement.
_WAIT_SECONDS = 10
_DIALECT: Any = PGDialect_psycopg()  # type: ignore[no-untyped-call]

#: A row: each column is an attribute.
Row = Any


@dataclass(frozen=True, slots=True)
class _Question:
    """A statement, written out."""

    text: bytes
    #: The values that the statement brings itself.
    values: Mapping[str, Any]
    row_factory: Callable[[Any], Callable[[Sequence[Any]], Row]]


class Looking:
    """A few connections to the registry, for one event loop. Cheap to make: connects at first use."""

    def __init__(self, url: str, *, pool_size: int = 10, statement_seconds: int = 30) -> None:
        _, given = _DIALECT.create_connect_args(make_url(url))
        options = f"{OPTIONS} -c statement_timeout={statement_seconds}s"
        self._address = make_conninfo(**given | {"connect_timeout": 5, "options": options})
        self._seconds = statement_seconds + _WAIT_SECONDS
        self._places = asyncio.Semaphore(pool_size)
        #: Each connection's one cursor: it remembers how the columns that it has seen are read.
        self._idle: list[AsyncCursor[Any]] = []
        self._in_use = 0
        self._closed = False

    @classmethod
    def from_settings(cls, settings: Settings, *, pool_size: int = 10, statement_seconds: int = 30) -> "Looking":
        """At the database that the settings name."""
        return cls(settings.registry_url, pool_size=pool_size, statement_seconds=statement_seconds)

    async def one(self, statement: Select[Any], values: Mapping[str, Any]) -> Row | None:
        """The only row, or None where there is none. Raises UnavailableError where the server cannot be reached."""
        rows = await self.all(statement, values)
        if len(rows) > 1:
            raise RuntimeError("one row was asked for, and there are more")
        return rows[0] if rows else None

    async def all(self, statement: Select[Any], values: Mapping[str, Any]) -> list[Row]:
        """Every row. Raises UnavailableError where the server cannot be reached."""
        question = _written(statement)
        try:
            async with asyncio.timeout(self._seconds), self._places:
                self._in_use += 1
                try:
                    return await self._ask(question, {**question.values, **values})
                finally:
                    self._in_use -= 1
        except (OperationalError, TimeoutError) as error:
            raise UnavailableError("The database does not answer.") from error

    def connections(self) -> dict[str, int]:
        """How many connections are in use and at rest."""
        return {"in_use": self._in_use, "idle": len(self._idle)}

    async def close(self) -> None:
        """Gives every connection back; those in use are given back with their answers."""
        self._closed = True
        while self._idle:
            await self._idle.pop().connection.close()

    async def _ask(self, question: _Question, values: Mapping[str, Any]) -> list[Row]:
        if self._idle:
            cursor = self._idle.pop()
            try:
                return await self._asked(cursor, question, values)
            except OperationalError as error:
                if error.sqlstate is not None and not error.sqlstate.startswith(_SERVER_GOES):
                    raise  # an answer: it takes too long, say
        connection = await AsyncConnection.connect(self._address, autocommit=True)
        return await self._asked(connection.cursor(), question, values)

    async def _asked(self, cursor: AsyncCursor[Any], question: _Question, values: Mapping[str, Any]) -> list[Row]:
        try:
            cursor.row_factory = question.row_factory
            await cursor.execute(question.text, values)
            rows: list[Row] = await cursor.fetchall()
        except BaseException:
            # Whatever went wrong, or was given up half way: nobody else shall find it here.
            await cursor.connection.close()
            raise
        if self._closed:
            await cursor.connection.close()
        else:
            self._idle.append(cursor)
        return rows


#: States (SQLSTATE) of a server that is going down or has cut the connection.
_SERVER_GOES = ("57P", "08")


@lru_cache(maxsize=1024)
def _written(statement: Select[Any]) -> _Question:
    """Statements are kept by whoever makes them (``reading.py``), so that each is written once."""
    compiled = statement.compile(dialect=_DIALECT)
    columns = namedtuple("Row", statement.selected_columns.keys())  # type: ignore[misc]
    return _Question(str(compiled).encode(), dict(compiled.params), lambda _: columns._make)
