"""A real HTTP server that does as it is told: answers in a row, drops connections, hangs, dawdles, and remembers.

Each SDK is tried on it, in its own language.
"""

import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Reply:
    """One answer.

    ``drop`` closes the connection without a word; ``hang`` does so only when the server ends. ``text`` is a body that
    is no JSON. ``gap`` seconds pass between the three parts in which a body then comes. ``cut`` closes the connection
    in the middle of the body, ``stall`` holds it there until the server ends.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    text: str | None = None
    drop: bool = False
    hang: bool = False
    gap: float = 0.0
    cut: bool = False
    stall: bool = False

    @property
    def content(self) -> bytes:
        """The whole body."""
        if self.text is not None:
            return self.text.encode()
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.status in {204, 304} else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any


class FaultServer:
    """Answers each ``METHOD /path`` with the replies told for it, the last one for ever. Tokens are given freely."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.token_requests: list[Seen] = []
        self.expires_in = 3600.0
        self._replies: dict[str, deque[Reply]] = {}
        self._token_replies: deque[Reply] = deque()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1/dataops"

    def tell(self, request: str, *replies: Reply) -> None:
        """What to answer to ``GET /datasets/…`` (below the base path), in order."""
        self._replies[request] = deque(replies)

    def tell_token(self, *replies: Reply) -> None:
        """What to answer to the next requests for a token; tokens after that."""
        self._token_replies.extend(replies)

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _reply_to(self, seen: Seen) -> Reply:
        if seen.path == "/token":
            self.token_requests.append(seen)
            if self._token_replies:
                return self._token_replies.popleft()
            token = f"token-{len(self.token_requests)}"
            return Reply(body={"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in})
        self.requests.append(seen)
        replies = self._replies.get(f"{seen.method} {seen.path.removeprefix('/v1/dataops')}")
        if not replies:
            return Reply(404, envelope("NOT_FOUND", "There is no such resource"))
        return replies.popleft() if len(replies) > 1 else replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                url = urlsplit(self.path)
                sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, url.path, url.query, headers, json.loads(sent) if sent else None)
                reply = server._reply_to(seen)
                if reply.hang:
                    server._released.wait()
                if reply.drop or reply.hang:
                    self.close_connection = True
                    return
                body = reply.content
                self.send_response(reply.status)
                if reply.status not in {204, 304}:
                    self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", reply.content_type)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(BrokenPipeError, ConnectionResetError):
                    self._send(reply, body)

            def _send(self, reply: Reply, body: bytes) -> None:
                third = len(body) // 3
                if reply.cut or reply.stall:
                    self.wfile.write(body[:third])
                    if reply.stall:
                        server._released.wait()
                    self.close_connection = True
                elif reply.gap:
                    for part in (body[:third], body[third : 2 * third], body[2 * third :]):
                        self.wfile.write(part)
                        server._released.wait(reply.gap)
                else:
                    self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  the names in the standard library

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name in the standard library
                pass

        return Handler


def envelope(code: str, message: str, **details: str) -> dict[str, Any]:
    """The body of an error answer, as the API makes it."""
    return {"error": {"code": code, "message": message, "details": details, "request_id": "req-123"}}
