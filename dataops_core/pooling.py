"""Pooled connections, tried before they are used: a server that was restarted meanwhile costs nobody an error.

SQLAlchemy's ``pool_pre_ping`` asks the server each time, which was a quarter of what a run asked it. Here a
connection that was used a moment ago is only looked at: one whose server has gone has something to read, the end.

Belongs here: what every pool of the product's has in common. Does not belong here: the pools themselves
(``registry/database.py``, ``dataops_pipeline/storage.py``).
"""

import select
from time import monotonic
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

#: A connection that was not used for so long is asked, too: a server that is gone without a word left nothing to read.
REST_SECONDS = 1.0
_USED_AT = "used_at"


def try_before_use(engine: Engine) -> None:
    """Has the engine's pool try its connections as they are taken from it, and replace them all where one is dead."""

    def checked_out(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        used_at = record.info.get(_USED_AT)
        # A new one has just been connected.
        if used_at is None or (monotonic() - used_at <= REST_SECONDS and not _has_something_to_read(connection)):
            return
        try:
            alive = engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error
        if not alive:
            raise InvalidatePoolError

    def checked_in(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = monotonic()

    event.listen(engine, "checkout", checked_out)
    event.listen(engine, "checkin", checked_in)


def _has_something_to_read(connection: Any) -> bool:
    """Whether the server has said something that nobody asked for, as it does when it ends the connection."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))
