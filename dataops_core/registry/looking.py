"""Looking at the registry from an event loop: no thread, one round trip a question, in autocommit.

For whoever answers very many requests, by asyncpg: it asks at a third of what psycopg's cursors take. A statement is
written out once and prepared by the server where it comes again, so that neither side works out what it knows. A
connection that was lost while it rested is replaced, and the question asked again: looking changes nothing. Does not
belong here: what is asked (``reading.py``), and whatever is decided or changed by what was read, which wants a
transaction (``database.py``).
"""

import asyncio
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import asyncpg
from pydantic_core import from_json
from sqlalchemy import Select, make_url
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from dataops_core.errors import UnavailableError
from dataops_core.registry.database import OPTIONS
from dataops_core.settings import Settings

#: Longer than this nobody waits for a connection, or for the end of an answer beyond the limit of a statement.
_WAIT_SECONDS = 10
#: For a connection to be made, and for one to be given back in good order.
_CONNECT_SECONDS = 5
#: PostgreSQL's own.
_PORT = 5432
_DIALECT: Any = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
#: What asyncpg heeds in a URL's query as libpq does; the rest it would take for settings of the server.
_KNOWN = frozenset(
    {"passfile", "service", "krbsrvname", "gsslib", "target_session_attrs"}
    | {"sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl"}
    | {"ssl_min_protocol_version", "ssl_max_protocol_version", "application_name"}
)

#: A row: each column is an attribute.
Row = Any


@dataclass(frozen=True, slots=True)
class _Question:
    """A statement, written out."""

    text: str
    #: Its parameters' names, in order.
    order: Sequence[str]
    #: The values that the statement brings itself.
    values: Mapping[str, Any]
    as_row: Callable[[Iterable[Any]], Row]


class Looking:
    """A few connections to the registry, for one event loop. Cheap to make: connects at first use."""

    def __init__(self, url: str, *, pool_size: int = 10, statement_seconds: int = 30) -> None:
        options = f"{OPTIONS} -c statement_timeout={statement_seconds}s"
        self._seconds = statement_seconds + _WAIT_SECONDS
        self._address = _address(url) | {
            "server_settings": {"options": options},
            "timeout": _CONNECT_SECONDS,
            "command_timeout": self._seconds,
        }
        self._places = asyncio.Semaphore(pool_size)
        self._idle: list[asyncpg.Connection] = []
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
        known = {**question.values, **values}
        try:
            await self._take_place()
            try:
                found = await self._ask(question.text, [known[name] for name in question.order])
            finally:
                self._give_place()
        except _NO_ANSWER as error:
            raise UnavailableError("The database does not answer.") from error
        return [question.as_row(one) for one in found]

    async def lend(self) -> asyncpg.Connection:
        """A connection of one's own beside the others, to be given back. Raises UnavailableError."""
        connection = await self._connect()
        self._in_use += 1
        return connection

    async def give_back(self, connection: asyncpg.Connection) -> None:
        """Ends one that was lent."""
        self._in_use -= 1
        await _give_back(connection)

    def connections(self) -> dict[str, int]:
        """How many connections are in use, those that are lent among them, and at rest."""
        return {"in_use": self._in_use, "idle": len(self._idle)}

    async def close(self) -> None:
        """Gives every connection back; those in use are given back with their answers."""
        self._closed = True
        resting, self._idle = self._idle, []
        await asyncio.gather(*map(_give_back, resting))

    async def _take_place(self) -> None:
        if self._places.locked():
            async with asyncio.timeout(self._seconds):
                await self._places.acquire()
        else:
            await self._places.acquire()
        self._in_use += 1

    def _give_place(self) -> None:
        self._in_use -= 1
        self._places.release()

    async def _ask(self, text: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        if self._idle:
            connection = self._idle.pop()
            try:
                if not connection.is_closed():
                    return await self._asked(connection, text, values)
            except (*_NO_ANSWER, asyncpg.InternalClientError) as error:
                if not _was_lost(error):
                    raise  # an answer: it takes too long, say
        return await self._asked(await self._connected(), text, values)

    async def _asked(self, connection: asyncpg.Connection, text: str, values: Sequence[Any]) -> list[asyncpg.Record]:
        try:
            found: list[asyncpg.Record] = await connection.fetch(text, *values)
        except BaseException:
            # Whatever went wrong, or was given up half way: nobody else shall find it here.
            await _give_back(connection)
            raise
        if self._closed:
            await _give_back(connection)
        else:
            self._idle.append(connection)
        return found

    async def _connected(self) -> asyncpg.Connection:
        connection = await self._connect()
        try:
            # Numbers of any length stay whole, which orjson's do not.
            await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=str, decoder=from_json)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, NOT_CONNECTED):
                raise UnavailableError("The database does not answer.") from error
            raise
        return connection

    async def _connect(self) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(**self._address)
        except NOT_CONNECTED as error:
            raise UnavailableError("The database does not answer.") from error


#: What asyncpg raises where a connection cannot be made, or is lost while it is new.
NOT_CONNECTED = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
#: What asyncpg raises where the server is not there, is in no state to answer, ended the statement, or says nothing.
_NO_ANSWER = (
    OSError,  # of which TimeoutError is one
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
)
#: States (SQLSTATE) of a server that is going down or has cut the connection.
_SERVER_GOES = ("57P", "08")


def _was_lost(error: BaseException) -> bool:
    """Whether the server has left a connection that rested; an error of asyncpg's own comes of its farewell."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate).startswith(_SERVER_GOES)
    return not isinstance(error, TimeoutError)


async def _give_back(connection: asyncpg.Connection) -> None:
    """Ends what the server may still do for it, and hangs up, whether or not the server takes part in that."""
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await connection.close(timeout=_CONNECT_SECONDS)


def _address(url: str) -> dict[str, Any]:
    """What psycopg2 is given for the registry's URL, as asyncpg takes it: all connections are to one server.

    What asyncpg cannot demand of a server is refused (``settings.py``).
    """
    parsed = make_url(url)
    _, given = parsed.get_dialect()().create_connect_args(parsed)
    address = {"database": given["dbname"], "user": given.get("user"), "password": given.get("password")}
    if host := given.get("host") or given.get("hostaddr"):
        address["host"] = host.split(",")
    if port := given.get("port"):
        address["port"] = [int(each or _PORT) for each in str(port).split(",")]
    query = {name: value for name, value in given.items() if name in _KNOWN}
    if query.get("sslrootcert") == "system":
        # libpq's word for the authorities that the machine trusts; the server must be whom its certificate names.
        address["ssl"] = True
        del query["sslrootcert"]
    return address | {"dsn": f"postgresql://?{urlencode(query)}"}


@lru_cache(maxsize=1024)
def _written(statement: Select[Any]) -> _Question:
    """Statements are kept by whoever makes them (``reading.py``), so that each is written once."""
    compiled = statement.compile(dialect=_DIALECT)
    columns = namedtuple("Row", statement.selected_columns.keys())  # type: ignore[misc]
    return _Question(str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params), columns._make)
