"""Input that attacks, against the real server: sizes, counts, time, injection, addresses (docs/security.md)."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import psutil
import pytest
from sqlalchemy import text

from dataops_api import patience
from dataops_api.dagster_gateway import DagsterGateway
from dataops_core.connectors.transport import Transport
from dataops_core.errors import ConfigurationError, UnavailableError
from dataops_core.ids import new_id
from dataops_core.registry.database import Database
from dataops_core.settings import Settings
from tests.waiting import wait_for

DATASETS = "/v1/dataops/datasets"
#: What SQL, FTS5, paths, templates and logs would each like to be told.
HOSTILE = (
    "' OR 1=1 --",
    "'; DROP TABLE datasets; --",
    '" UNION SELECT secret_hash FROM api_clients --',
    "1; SELECT pg_sleep(10)",
    "%27%20OR%201%3D1",
    "../../../etc/passwd",
    "..%2f..%2fsecret_key",
    "{{7*7}}${7*7}",
    "\r\nSet-Cookie: a=b",
    "NEAR(a b, 2) AND title:*",
)


@contextmanager
def connection(api: Any) -> Iterator[socket.socket]:
    """A bare connection to the API."""
    with closing(socket.create_connection(("127.0.0.1", api.settings.api_port), timeout=20)) as opened:
        yield opened


def until_closed(opened: socket.socket) -> bytes:
    """What comes until the server closes; fails where it does not within the socket's time-out."""
    received = b""
    try:
        while chunk := opened.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def is_cut_off(opened: socket.socket, seconds: float = 20) -> bool:
    """Whether a head that is sent a byte now and then is ended by the server."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            opened.sendall(b"x")
        except OSError:
            return True
        time.sleep(0.01)
    return False


# Time.


def test_a_head_that_does_not_arrive_is_not_waited_for(own_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slowloris: nothing sent, half a head sent, a head that trickles; others are served meanwhile."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.5)
    with connection(own_api) as silent, connection(own_api) as half, connection(own_api) as trickling:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        assert own_api.anonymous.get("/healthz").status_code == 200
        assert until_closed(silent) == b""
        assert until_closed(half) == b""
        assert is_cut_off(trickling)
    assert own_api.anonymous.get("/healthz").status_code == 200


def test_a_second_request_that_does_not_arrive_is_not_waited_for_either(
    own_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.5)
    with connection(own_api) as opened:
        opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert opened.recv(65536).startswith(b"HTTP/1.1 200")
        opened.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert until_closed(opened) == b""


def test_a_body_that_does_not_arrive_is_refused(own_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-5."""
    monkeypatch.setattr("dataops_api.payload.BODY_SECONDS", 0.3)
    with connection(own_api) as opened:
        token = own_api.admin.headers["authorization"]
        opened.sendall(
            f"POST {DATASETS} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"
            "Content-Length: 100\r\nConnection: close\r\n\r\n{".encode()
        )
        answer = until_closed(opened)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Did not arrive within" in answer


def test_who_does_not_read_the_answers_is_cut_off(own_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "READ_SECONDS", 0.5)
    asked = 2000
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with closing(socket.socket()) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.settimeout(30)
        opened.connect(("127.0.0.1", own_api.settings.api_port))
        mine = opened.getsockname()
        with suppress(BrokenPipeError, ConnectionResetError):
            opened.sendall(request * asked)
        # The server runs in this process, and so has its end of the connection here.
        wait_for(
            lambda: not any(one.raddr == mine for one in psutil.Process().net_connections("tcp")),
            "the server has closed the connection",
            30,
        )
        try:
            received = until_closed(opened)
        except TimeoutError:
            pytest.fail("the connection is still open")
    assert received.count(b"HTTP/1.1 200") < asked
    assert own_api.anonymous.get("/healthz").status_code == 200


def test_a_statement_that_takes_too_long_is_ended(database_url: str) -> None:
    database = Database(database_url, statement_seconds=1)
    try:
        with pytest.raises(UnavailableError), database.transaction() as session:
            session.execute(text("SELECT pg_sleep(30)"))
        with pytest.raises(UnavailableError), database.reading() as reading:
            reading.execute(text("SELECT pg_sleep(30)"))
    finally:
        database.close()


# Size and number.


@pytest.mark.parametrize(
    "head",
    [
        b"X-Filler: " + b"x" * 100_000,
        b"\r\n".join(b"X-Filler-%d: x" % number for number in range(150)),
    ],
    ids=["one field", "many fields"],
)
def test_a_head_that_is_too_large_is_refused(api: Any, head: bytes) -> None:
    with connection(api) as opened:
        opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        assert until_closed(opened).startswith(b"HTTP/1.1 400")
    assert api.anonymous.get("/healthz").status_code == 200


def test_a_target_that_is_too_long_is_refused(api: Any) -> None:
    with connection(api) as opened:
        opened.sendall(b"GET /healthz?" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert until_closed(opened)[:12] in {b"HTTP/1.1 400", b""}
    answer = api.admin.get(DATASETS, params={"tag": "x" * 10_000})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"] == {"query": "Longer than 8192 bytes"}


@pytest.mark.parametrize("page", ["0", "-1", "9" * 12, "9" * 30, "9" * 5000, "1e9", "0x10", "१"])
def test_a_page_that_is_none_is_refused_however_large(api: Any, page: str) -> None:
    """C-31: in every list."""
    for path in (DATASETS, "/v1/dataops/operations", f"{DATASETS}/{new_id()}/records"):
        answer = api.admin.get(path, params={"page": page})
        assert answer.status_code == 400, answer.text
        assert list(answer.json()["error"]["details"]) == ["page"]


@pytest.mark.parametrize(
    "change",
    [
        {"dataset_types": ["confluence_pages"] * 10_000},
        {"metadata": {"tags": ["x"] * 10_000}},
        {"metadata": {"custom_fields": {str(number): "x" for number in range(10_000)}}},
        {"template_overrides": {str(number): str(UUID(int=number)) for number in range(5_000)}},
        {"generation": {"seed": 10**400}},
        {"generation": {"record_count": 10**18}},
        {"generation": {"locale": "x" * 100_000}},
        {"endpoint_url": "http://169.254.169.254/latest"},
        {"metadata": {"connector_url": "http://169.254.169.254/latest"}},
    ],
    ids=lambda change: str(change)[:40],
)
def test_a_body_that_holds_too_much_or_what_it_may_not_is_refused(api: Any, change: dict[str, Any]) -> None:
    """C-5, C-40: nothing is made, and no error repeats what was sent."""
    body = {
        "journey_id": str(new_id()),
        "client_id": str(new_id()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
    } | change
    answer = api.admin.post(DATASETS, json=body)
    assert answer.status_code == 400, answer.text
    assert len(answer.content) < 20_000
    assert api.admin.get(DATASETS, params={"client_id": body["client_id"]}).json()["datasets"] == []


# Injection.


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_in_a_query_is_a_value_like_any_other_or_refused(api: Any, hostile: str) -> None:
    """C-5, C-30: in every filter of every list."""
    document = api.anonymous.get("/openapi.json").json()
    tried = 0
    for path, methods in document["paths"].items():
        if "{" in path or "get" not in methods or "security" not in methods["get"]:
            continue
        for parameter in (one["name"] for one in methods["get"]["parameters"] if one["in"] == "query"):
            answer = api.admin.get(path, params={parameter: hostile})
            assert answer.status_code in {200, 400}, (path, parameter, answer.text)
            if answer.status_code == 200 and "pagination" in answer.json():
                assert answer.json()["pagination"]["total_count"] == 0, (path, parameter)
            assert "set-cookie" not in answer.headers
            tried += 1
    assert tried > 10
    with api.database.reading() as reading:
        assert reading.scalar(text("SELECT count(*) FROM api_clients")) > 0


@pytest.mark.parametrize(
    "path", [*HOSTILE, "%2e%2e%2f%2e%2e%2fsecret_key", "%2e%2e", "%00", "\u202e", "a" * 5_000, "{dataset_id}"]
)
def test_hostile_text_in_a_path_leads_nowhere(api: Any, path: str) -> None:
    """C-36."""
    for prefix in (f"{DATASETS}/", "/v1/dataops/operations/", "/v1/dataops/templates/", "/docs/assets/"):
        answer = api.admin.get(httpx.URL(api.url).copy_with(raw_path=(prefix + escaped(path)).encode()))
        assert answer.status_code in {400, 404}, (prefix, answer.text)
        assert answer.json()["error"]["code"] in {"INVALID_REQUEST", "NOT_FOUND"}
        assert "root:" not in answer.text


def escaped(path: str) -> str:
    """Percent-encoded where a URL could not hold it; what is encoded already stays as it is."""
    return "".join(
        character
        if character.isascii() and character.isprintable() and character not in ' "<>\\^`{|}?#'
        else encode(character)
        for character in path
    )


def encode(character: str) -> str:
    return "".join(f"%{byte:02x}" for byte in character.encode())


def test_an_answer_is_made_from_settings_and_never_from_the_host_that_was_asked_for(api: Any) -> None:
    """C-33: a poisoned Host leads no client elsewhere."""
    dataset_id = api.ready()
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    for path in (f"{DATASETS}/{dataset_id}", "/.well-known/oauth-authorization-server", "/docs", "/openapi.json"):
        answer = api.admin.get(path, headers=headers)
        assert answer.status_code == 200
        assert "evil.example" not in answer.text + str(answer.headers)


# Addresses.


class _Redirecting(BaseHTTPRequestHandler):
    def _redirect(self) -> None:
        self.send_response(307)
        self.send_header("Location", self.server.elsewhere)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _redirect  # noqa: N815  names of the standard library

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class _Trap(BaseHTTPRequestHandler):
    def _caught(self) -> None:
        self.server.caught.set_result(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    do_GET = do_POST = _caught  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler], **state: Any) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), handler)
    vars(server).update(state)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_redirect_is_not_followed_by_anything_that_asks_for_us() -> None:
    """SSRF: a connector service or a Dagster that was taken over sends us nowhere."""
    caught: Future[str] = Future()
    with listening(_Trap, caught=caught) as trap, listening(_Redirecting, elsewhere=f"{trap}/secret") as redirecting:
        transport = Transport(redirecting, timeout=5)
        reply = transport.send("GET", new_id(), "", token="a token that must not travel")
        transport.close()
        assert reply.status_code == 307
        gateway = DagsterGateway.from_settings(Settings(dagster_url=redirecting))
        assert gateway.health().webserver is not None
        gateway.close()
    assert not caught.done()


@pytest.mark.parametrize("address", ["file:///etc/passwd", "gopher://127.0.0.1", "127.0.0.1:80", "ftp://x"])
def test_the_operators_addresses_are_http_and_nothing_else(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DATAOPS_CONNECTOR_URL", address)
    with pytest.raises(ConfigurationError, match="DATAOPS_CONNECTOR_URL"):
        Settings.load()
