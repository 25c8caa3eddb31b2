"""How long the server waits for a client, and how much of a request's head it takes: the last word on slow clients.

uvicorn itself bounds only how long an idle connection is kept. Here: the head of a request must arrive whole within
:data:`HEAD_SECONDS` and :data:`HEAD_BYTES`, and a client that reads nothing of its answer for :data:`READ_SECONDS` is
cut off. Given to uvicorn by ``--http dataops_api.patience:PatientProtocol``. Does not belong here: what is said to whom
is refused (``unreadable.py``), and bodies (``payload.py``, ``connectors/requests.py`` bound their size and time).
"""

import asyncio
from typing import Any

from dataops_api.unreadable import AnsweringProtocol

HEAD_SECONDS = 10.0
READ_SECONDS = 60.0
HEAD_BYTES = 64 * 1024
MOST_HEADERS = 100
_TOO_LARGE = {"head": f"Larger than {HEAD_BYTES // 1024} KiB, or of more than {MOST_HEADERS} fields"}


class HeadTooLargeError(Exception):
    """Raised into the parser, for which it is one more request that is none: 400, and the connection is closed."""


class PatientProtocol(AnsweringProtocol):
    """A connection that does not wait for ever."""

    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    #: Bytes that came since the head began, and those of its fields that the parser has made out.
    _head_bytes = 0
    _field_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came: its first request is awaited."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._waiting is None and not self._is_over:
            # Only now: most heads come whole, and need no timer.
            self._await_head()
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self.refusal = _TOO_LARGE
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """The request is none: nothing more is waited for."""
        self._stop_waiting()
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._stop_waiting()
        self._in_head, self._head_bytes, self._field_bytes = True, 0, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field."""
        super().on_header(name, value)
        self._field_bytes += len(name) + len(value)
        if len(self.headers) > MOST_HEADERS or self._field_bytes + len(self.url) > HEAD_BYTES:
            self.refusal = _TOO_LARGE
            raise HeadTooLargeError

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._stop_waiting()
        self._in_head = False
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is written to."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(READ_SECONDS, self._cut_off)

    def resume_writing(self) -> None:
        """It has read on."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        if self.flow is not None:
            super().resume_writing()

    def _await_head(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._cut_off)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _cut_off(self) -> None:
        transport: Any = self.transport
        if transport is not None and not transport.is_closing():
            transport.abort()
