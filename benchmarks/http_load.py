"""A small HTTP/1.1 client for loads: kept connections, one request at a time on each, times of every answer.

Belongs here: sending prepared requests to the loopback as fast as the server answers (closed loop) or at a given rate
(open loop, timed from the moment a request was due, so that a slow answer is not forgiven to those behind it). Does not
belong here: what is asked.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

_MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, body, and the seconds that it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass(slots=True)
class Tally:
    """What a load saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.seconds) / self.elapsed

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of the answers took at most."""
        ordered = sorted(self.seconds)
        return ordered[round((len(ordered) - 1) * share)] * 1000

    def note(self, answer: Answer, seconds: float | None = None) -> None:
        """Counts an answer; with ``seconds`` where it took longer than its connection knows."""
        self.seconds.append(answer.seconds if seconds is None else seconds)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1


def request(method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request, ready to be sent."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Connection:
    """One kept connection to the loopback."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connects."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, prepared: bytes) -> Answer:
        """Sends a request and reads its answer; only answers with a Content-Length, or none at all."""
        started = time.perf_counter()
        async with asyncio.timeout(_MOST_SECONDS):
            self._writer.write(prepared)
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split(" ", 2)[1]), headers, body, time.perf_counter() - started)

    async def close(self) -> None:
        """Hangs up."""
        self._writer.close()
        await self._writer.wait_closed()


async def closed_loop(port: int, prepared: Sequence[bytes], *, connections: int) -> Tally:
    """Asks all of it once, over so many connections, each as fast as it is answered."""
    tally, left = Tally(), iter(prepared)

    async def ask() -> None:
        connection = await Connection.open(port)
        try:
            for one in left:
                tally.note(await connection.ask(one))
        finally:
            await connection.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(ask())
    tally.elapsed = time.perf_counter() - started
    return tally


async def at_rate(
    port: int,
    prepared: Iterable[bytes],
    *,
    per_second: float,
    connections: int,
    heard: Callable[[int, Answer], None] | None = None,
) -> Tally:
    """Asks all of it once, each request taken at its moment; it waits for a free connection where none is.

    ``heard`` is told each answer with the number of its request, from 0.
    """
    tally = Tally()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    kept = [await Connection.open(port) for _ in range(connections)]
    for connection in kept:
        free.put_nowait(connection)

    async def ask(due: float, number: int, one: bytes) -> None:
        connection = await free.get()
        try:
            answer = await connection.ask(one)
        finally:
            free.put_nowait(connection)
        tally.note(answer, time.perf_counter() - due)
        if heard is not None:
            heard(number, answer)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, one in enumerate(prepared):
            due = started + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(ask(due, number, one))
    tally.elapsed = time.perf_counter() - started
    for connection in kept:
        await connection.close()
    return tally
