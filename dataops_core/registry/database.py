"""The connection to the registry: one transaction per ``with`` block for changing, autocommit for looking.

Services and repositories take a ``Session`` and never commit; whoever opened the transaction does. With its first
change a transaction is told who acts (``acting.py``), which the triggers of the audit log read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic, sleep
from typing import Any

from psycopg2 import Error as DriverError
from sqlalchemy import Connection, Dialect, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

from dataops_core import acting
from dataops_core.errors import UnavailableError
from dataops_core.pooling import try_before_use
from dataops_core.settings import Settings

#: How every connection to the registry begins.
OPTIONS = "-c timezone=utc -c lock_timeout=15000"
#: Under this name a connection knows whom its transaction was told of last.
_TOLD = "acting"
_TELL = "SELECT set_config('dataops.acting', %(dataops_acting)s, true)"
_CHANGES_NOTHING = ("SELECT ", "SELECT\n", "SET ", "SAVEPOINT ", "RELEASE ", "ROLLBACK ")

#: Seconds for which whoever connects tries again while the server is away.
_patience: ContextVar[float] = ContextVar("patience", default=0.0)
_RETRY_SECONDS = 0.25

#: What SQLAlchemy raises for a server that is away, or that has nothing to give now.
_NO_ANSWER = (OperationalError, InterfaceError, PoolTimeoutError)
_DISK_FULL = "53100"
_NO_CONNECTIONS = ("too many clients", "connection slots are reserved")


class Database:
    """The registry's database. Cheap to make: connects at first use.

    ``statement_seconds`` bounds each statement, for who serves callers that wait.
    """

    def __init__(self, url: str, *, pool_size: int = 10, statement_seconds: int | None = None) -> None:
        options = OPTIONS
        if statement_seconds is not None:
            options += f" -c statement_timeout={statement_seconds}s"

        def engine(**more: Any) -> Engine:
            return create_engine(
                url,
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_timeout=10,
                hide_parameters=True,  # an error's text goes into logs: what was written stays out of it
                connect_args={"connect_timeout": 5, "options": options},
                **more,
            )

        self.engine = engine()
        try_before_use(self.engine)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        event.listen(self.engine, "begin", _told_nothing_yet)
        event.listen(self.engine, "rollback_savepoint", _told_what_is_forgotten)
        event.listen(self.engine, "before_cursor_execute", _tell_who_acts, retval=True)
        event.listen(self.engine, "handle_error", _told_perhaps)
        event.listen(self.engine, "do_connect", _connect)
        # Connections for looking at one row are asked one question and given back as they were: a transaction and a
        # reset each time would be three round trips for one.
        self._reader = engine(isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
        try_before_use(self._reader)

    @classmethod
    def from_settings(
        cls, settings: Settings, *, pool_size: int = 10, statement_seconds: int | None = None
    ) -> "Database":
        """The database that the settings name."""
        return cls(settings.registry_url, pool_size=pool_size, statement_seconds=statement_seconds)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back on any error.

        Raises UnavailableError where the server cannot be reached, or cannot do it now (its disk is full).
        """
        try:
            with self._sessions.begin() as session:
                yield session
        except _NO_ANSWER as error:
            raise UnavailableError(_why(error)) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for looking, in autocommit: each question sees what is committed when it is asked.

        Raises UnavailableError where the server cannot be reached, or cannot do it now (its disk is full).
        """
        try:
            with self._reader.connect() as connection:
                yield connection
        except _NO_ANSWER as error:
            raise UnavailableError(_why(error)) from error

    def connections(self) -> dict[str, dict[str, int]]:
        """How many connections each pool (for changing, for looking) has in use and at rest."""
        found = {}
        for name, engine in (("changing", self.engine), ("looking", self._reader)):
            pool = engine.pool
            assert isinstance(pool, QueuePool)  # noqa: S101  SQLAlchemy's own for such engines
            found[name] = {"in_use": pool.checkedout(), "idle": pool.checkedin()}
        return found

    def close(self) -> None:
        """Gives every connection back."""
        self.engine.dispose()
        self._reader.dispose()


@contextmanager
def waiting_for_server(seconds: float) -> Iterator[None]:
    """Transactions that this thread begins in the block wait for a server that is away, each for so long.

    Nothing has been sent before a transaction begins, so that waiting there is safe. One that loses the server in the
    middle is not done again: whether its commit came through cannot be told. Each pooled connection is tried before it
    is used (``pooling.py``), and one that is dead is replaced; here that is what waits.
    """
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


def _connect(dialect: Dialect, _: object, arguments: tuple[Any, ...], options: dict[str, Any]) -> DBAPIConnection:
    deadline = monotonic() + _patience.get()
    while True:
        try:
            return dialect.connect(*arguments, **options)
        except DriverError:
            if monotonic() + _RETRY_SECONDS >= deadline:
                raise
            sleep(_RETRY_SECONDS)


def _why(error: SQLAlchemyError) -> str:
    """What a client may know of it, and the operator must."""
    cause = getattr(error, "orig", None)
    if getattr(cause, "pgcode", None) == _DISK_FULL:
        return "The database's disk is full."
    if any(words in str(cause) for words in _NO_CONNECTIONS):
        return "The database takes no more connections."
    return "The database does not answer."


def _told_nothing_yet(connection: Connection) -> None:
    connection.info[_TOLD] = acting.SYSTEM


def _told_what_is_forgotten(connection: Connection, *_: object) -> None:
    # The savepoint's settings went back with it.
    connection.info[_TOLD] = None


def _told_perhaps(context: ExceptionContext) -> None:
    # What the driver refused was never sent, nor what went with it.
    if context.connection is not None and not context.connection.invalidated:
        context.connection.info[_TOLD] = None


def _tell_who_acts(
    connection: Connection, cursor: Any, statement: str, parameters: Any, _context: object, executemany: bool
) -> tuple[str, Any]:
    """Tells the transaction who acts, along with its first change; nothing where it only looks.

    So what PostgreSQL does in no transaction (VACUUM) is for another engine.
    """
    who = acting.current()
    if connection.info.get(_TOLD) is who or statement.startswith(_CHANGES_NOTHING):
        return statement, parameters
    connection.info[_TOLD] = who
    told = {"dataops_acting": who.as_json()}
    if isinstance(parameters, dict) and not executemany:
        return f"{_TELL};\n{statement}", parameters | told
    cursor.execute(_TELL, told)
    return statement, parameters
