"""An HTTP transport whose requests end in time as a whole.

httpx bounds each read and each write. A peer from which a byte trickles in now and then would hold its caller for ever:
here whatever a request waits for is bounded by what is left of its time (:func:`within`). Rests on httpcore's network
backends, and on the one private attribute by which httpx' transport holds its pool.
"""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

#: On the monotonic clock; None: nobody bounds the request as a whole.
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

#: So much is written at once: a peer that takes little at a time is noticed between two pieces.
_PIECE = 1024 * 1024


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whatever requests the block makes must be over in so many seconds; else they raise httpx.TimeoutException."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """The shorter of a timeout and of what is left. Raises ``late`` where nothing is."""
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the request's time is over")
    return left if timeout is None else min(timeout, left)


class BoundedTransport(httpx.HTTPTransport):
    """httpx' own transport, with :func:`within` in force. ``plain``: for addresses without TLS alone."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__(verify=False, trust_env=False)
        # Reading the certificates takes 30 ms, for nothing where no address has TLS.
        context = None if plain else httpx.create_ssl_context(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_Backend(),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection, had in time."""
        stream = self._backend.connect_tcp(
            host, port, _left(timeout, httpcore.ConnectTimeout), local_address, socket_options
        )
        return _Stream(stream)

    def sleep(self, seconds: float) -> None:
        """Between httpcore's own tries, of which there are none here."""
        self._backend.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, waited for no longer than the request has."""
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it, piece by piece."""
        for start in range(0, len(buffer), _PIECE):
            self._stream.write(buffer[start : start + _PIECE], _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Ends the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, with TLS."""
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        """What the connection itself tells."""
        return self._stream.get_extra_info(info)
