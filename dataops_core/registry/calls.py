"""Hearing what the registry's triggers call out (LISTEN), for one event loop.

A call says that something has changed, not how: who hears it looks (``reading.py``). Calls can be missed, since a
connection can be lost, and a pooler between may let none through: who waits for them looks now and then all the same.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

from dataops_core.errors import UnavailableError
from dataops_core.registry.looking import NOT_CONNECTED, Looking

#: An operation, named by its id, has changed in a way that a client can see (migration 0018).
OPERATIONS = "dataops_operations"


class Calls:
    """What is called out on one channel: ``heard`` gets each call's text. On a connection of its own."""

    def __init__(self, looking: Looking, channel: str, heard: Callable[[str], None]) -> None:
        self._looking = looking
        self._channel = channel
        self._heard = heard
        self._connection: asyncpg.Connection | None = None

    @property
    def are_heard(self) -> bool:
        """Whether they are, as far as is known."""
        return self._connection is not None and not self._connection.is_closed()

    async def listen(self) -> None:
        """Sees to it that calls are heard from now on, again where the connection was lost.

        While the server cannot be reached nothing is heard: this is asked for now and then. For one task at a time.
        """
        if self.are_heard:
            return
        await self.close()
        with suppress(UnavailableError):
            connection = await self._looking.lend()
            try:
                await connection.add_listener(self._channel, self._hear)
            except BaseException as error:
                await self._looking.give_back(connection)
                if not isinstance(error, NOT_CONNECTED):
                    raise
            else:
                self._connection = connection

    async def close(self) -> None:
        """Hears no more."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._looking.give_back(connection)

    def _hear(self, _connection: Any, _process: int, _channel: str, call: object) -> None:
        self._heard(str(call))
