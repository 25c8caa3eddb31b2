"""What is no HTTP request, answered by the application in the form of its errors (``docs/contract.md`` C-2, C-3).

The server itself would answer in plain text what its parser refuses. Here such a request is given to the application
all the same, with the reason beside it, so that the answer has the envelope, a request id and every header, and is
logged and counted like any other. Then the connection is closed: where its next request begins, nobody knows. Does not
belong here: for how long a request is waited for (``patience.py``).
"""

import asyncio
import re
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import httptools
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

#: Under this name a request's state says why it is none: what is wrong → the reason.
UNREADABLE = "unreadable"
#: Under this name the state of a request that was under way says that its body is none, which another answers.
ABANDONED = "abandoned"
#: OpenTelemetry's word for the method of a request that has none.
NO_METHOD = "_OTHER"

_ENCODED_SLASH = re.compile(rb"%2f", re.IGNORECASE)


class HeadError(Exception):
    """Raised into the parser, which would take a head that RFC 9112 has refused."""


class AnsweringProtocol(HttpToolsProtocol):
    """A connection on which also a request that is none is answered by the application."""

    #: Why the next request to be refused is none, where somebody knows better than the parser.
    refusal: Mapping[str, str] | None = None
    _is_over = False

    def data_received(self, data: bytes) -> None:
        """A part of a request; behind one that was refused nothing is read."""
        if not self._is_over:
            super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is whole: it is of a version that is spoken here, and from HTTP/1.1 on it names one host."""
        version = self.parser.get_http_version()
        if version not in {"1.0", "1.1"}:
            raise HeadError
        hosts = [name for name, _ in self.headers].count(b"host")
        if hosts > 1 or (hosts == 0 and version == "1.1"):
            self.refusal = {"Host": "Must be given, and once"}
            raise HeadError
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  the parser's word says less than its error
        """Answers a request that is none, if nothing else is being answered."""
        if self._is_over:
            return
        self._is_over = True
        cycle = self.cycle
        # A message that has begun since has a scope of its own.
        in_body = cycle is not None and cycle.more_body and self.scope is cycle.scope
        if cycle is not None and not cycle.response_complete and (not in_body or self.pipeline):
            # An earlier request is under way: its answer comes whole, and is the last one.
            cycle.keep_alive = False
            return
        if cycle is not None and in_body:
            if cycle.response_started:
                # What was answered before its body had come whole is not answered twice.
                self.transport.close()
                return
            cycle.scope["state"][ABANDONED] = True
            cycle.disconnected = True
            cycle.message_event.set()
        self._answer(self.refusal or _reason(sys.exception()))

    def _answer(self, reason: Mapping[str, str]) -> None:
        if self.scope is None:
            HttpToolsProtocol.on_message_begin(self)
        path, _, _ = self.url.partition(b"?")
        readable = path.startswith(b"/") and path.isascii()
        scope: Any = {
            **self.scope,
            "method": self.scope.get("method", NO_METHOD),
            "path": unquote(path.decode("ascii")) if readable else "/",
            "raw_path": path if readable else b"/",
            "query_string": b"",
            "state": {**self.app_state, UNREADABLE: dict(reason)},
        }
        self.cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=False,
            on_response=self.on_response_complete,
        )
        self.cycle.more_body = False
        self._start_asgi_task(self.cycle, self.app)


def _reason(error: BaseException | None) -> Mapping[str, str]:
    match error:
        case httptools.HttpParserInvalidMethodError():
            return {"method": "There is no such method"}
        case httptools.HttpParserInvalidURLError():
            return {"path": "Must be a path in ASCII, percent-encoded where it is more"}
        case _:
            return {"request": "Is not valid HTTP/1.1"}


def keep_encoded_slashes(scope: Scope) -> None:
    """Has `%2F` stay in the path as it is: it stands for a slash in a name, and not for one between two names."""
    raw = scope.get("raw_path") or b""
    if b"%2" in raw and _ENCODED_SLASH.search(raw):
        scope["path"] = unquote(_ENCODED_SLASH.sub(b"%252F", raw).decode("ascii"))
