"""A receiver of webhooks: a real HTTP server that notes what it is sent and checks each signature by itself."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = b"a key of thirty-two bytes for it"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@dataclass(frozen=True)
class Message:
    """A message as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def is_genuine(self, key: bytes = KEY) -> bool:
        """What Standard Webhooks tells a receiver to look at: the signature, and that it is not old."""
        timestamp = self.headers["webhook-timestamp"]
        signed = hmac.new(key, b".".join([self.id.encode(), timestamp.encode(), self.body]), hashlib.sha256).digest()
        right = "v1," + base64.b64encode(signed).decode()
        return right in self.headers["webhook-signature"].split(" ") and abs(time.time() - int(timestamp)) < 300


@dataclass
class Receiver:
    """What came, and how it is answered: with these statuses in turn, then with 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    #: Answers wait for this.
    open: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def take(self, message: Message) -> int:
        self.messages.append(message)
        self.arrived.release()
        self.open.wait(30)
        return self.answers.pop(0) if self.answers else 204

    @property
    def events(self) -> list[str]:
        return [message.content["type"] for message in self.messages]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    receiver.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.take(Message(self.path, headers, body))
            try:
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                pass  # whoever asked is gone

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook?channel=dataops"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.open.set()
        server.shutdown()
        thread.join()
        server.server_close()
