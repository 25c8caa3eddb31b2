"""A PostgreSQL server that goes away and comes back, as far as its clients can tell: a gate before the suite's own.

Belongs here: what tests of several packages put between a client and the server. Nothing of the server's is touched.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import make_url


class Gate:
    """Forwards connections while it is open; closed, it has ended all there were, and refuses new ones."""

    def __init__(self, url: str) -> None:
        self._target = make_url(url)
        self._open = True
        self._forwards = True
        #: Connections that were refused so far.
        self.refused = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._port: int | None = None

    @property
    def url(self) -> str:
        """The server, through the gate."""
        url = self._target.set(host="127.0.0.1", port=self._port).difference_update_query(["host", "port"])
        return url.render_as_string(hide_password=False)

    def open(self) -> None:
        """The server is back."""
        self._open = True

    def close(self) -> None:
        """The server goes away, with every connection to it."""
        self._open = False
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(10)

    def say_nothing(self) -> None:
        """Nothing reaches the server or its clients any more, and nobody hangs up."""
        self._forwards = False

    def serve(self, serving: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._take, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        serving.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._hang_up())
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _hang_up(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            self.refused += 1
            writer.transport.abort()
            return
        there_reader, there = await self._connect()
        self._writers |= {writer, there}
        await asyncio.gather(self._copy(reader, there), self._copy(there_reader, writer))
        self._writers -= {writer, there}

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        query = self._target.query
        host, port = query.get("host", self._target.host), query.get("port", self._target.port) or 5432
        if str(host).startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(str(host), int(str(port)))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(65536):
                if self._forwards:
                    writer.write(data)
                    await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.close()


@contextmanager
def gate_to(url: str) -> Iterator[Gate]:
    """A gate to this server, open."""
    gate, serving = Gate(url), threading.Event()
    thread = threading.Thread(target=gate.serve, args=(serving,), daemon=True)
    thread.start()
    assert serving.wait(10)
    try:
        yield gate
    finally:
        gate.end()
        thread.join(10)
