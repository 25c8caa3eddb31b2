"""What is no HTTP request is answered like any other error: envelope, id, headers, a line in the log (C-2, C-3)."""

import json
import logging
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest

from dataops_core.ids import new_id
from tests.waiting import wait_for

DATASETS = "/v1/dataops/datasets"
NO_HOST = {"Host": "Must be given, and once"}
NO_HTTP = {"request": "Is not valid HTTP/1.1"}
TOO_LARGE = {"head": "Larger than 64 KiB, or of more than 100 fields"}
SLOW = b"GET /v1/dataops/operations/%b?wait=2 HTTP/1.1\r\nHost: x\r\nAuthorization: %b\r\n\r\n"


@contextmanager
def connection(api: Any) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", api.settings.api_port), timeout=20)) as opened:
        yield opened


def until_closed(opened: socket.socket) -> bytes:
    received = b""
    try:
        while chunk := opened.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def answers_to(api: Any, *sent: bytes) -> list[tuple[int, dict[str, str], Any]]:
    """Status, headers and body of every answer on one connection, which the server must close."""
    with connection(api) as opened:
        for part in sent:
            opened.sendall(part)
        received = until_closed(opened)
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *fields = head.decode("ascii").split("\r\n")
        headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        size = int(headers["content-length"])
        found.append((int(status.split()[1]), headers, json.loads(rest[:size])))
        received = rest[size:]
    return found


@pytest.mark.parametrize(
    ("sent", "details"),
    [
        (b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n", {"method": "There is no such method"}),
        (b"GARBAGE\r\n\r\n", {"method": "There is no such method"}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {"method": "There is no such method"}),
        (b"GET /d\xc3\xa9j\xc3\xa0 HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET no-slash HTTP/1.1\r\nHost: x\r\n\r\n", None),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", NO_HTTP),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", NO_HTTP),
        (b"GET / HTTP/1.1\r\n\r\n", NO_HOST),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", NO_HOST),
        (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", NO_HTTP),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", NO_HTTP),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Filler: " + b"x" * 70_000 + b"\r\n\r\n", TOO_LARGE),
        (b"GET / HTTP/1.1\r\n" + b"X-Filler: x\r\n" * 150 + b"\r\n", TOO_LARGE),
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", None),
    ],
    ids=[
        "method",
        "no request",
        "tls",
        "raw path",
        "no path",
        "version",
        "version of frames",
        "no host",
        "two hosts",
        "field",
        "length",
        "large head",
        "many fields",
        "connect",
    ],
)
def test_a_request_that_is_none_gets_the_envelope(api: Any, sent: bytes, details: dict[str, str] | None) -> None:
    """C-2, C-3: and the connection ends, for nobody knows where its next request begins."""
    [(status, headers, body)] = answers_to(api, sent)
    error = body["error"]
    assert list(error) == ["code", "message", "details", "request_id", "timestamp"]
    assert (status, error["code"], error["message"]) == (400, "INVALID_REQUEST", "Request validation failed")
    assert error["details"] == details or details is None
    assert error["request_id"] == headers["x-request-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", error["timestamp"])
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_its_id_is_that_which_was_given_where_it_came_before_the_fault(api: Any) -> None:
    """C-3."""
    [(_, headers, body)] = answers_to(
        api, b"GET / HTTP/1.1\r\nX-Request-ID: req-of-none\r\nHost: x\r\nbad field\r\n\r\n"
    )
    assert headers["x-request-id"] == body["error"]["request_id"] == "req-of-none"


def test_it_has_a_line_in_the_log(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    """C-3."""
    with caplog.at_level(logging.INFO, logger="dataops.access"):
        [(_, headers, _)] = answers_to(api, b"FOO /some/path HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: any(record.name == "dataops.access" for record in caplog.records), "its line")
    (line,) = (record for record in caplog.records if record.name == "dataops.access")
    assert (line.status, line.method) == (400, "_OTHER")
    assert headers["x-request-id"]


def test_at_the_token_endpoint_it_is_refused_in_rfc_6749s_form(api: Any) -> None:
    """C-2."""
    [(status, headers, body)] = answers_to(api, b"POST /token HTTP/1.1\r\nHost x\r\n\r\n")
    assert (status, body["error"], headers["cache-control"]) == (400, "invalid_request", "no-store")
    assert "Is not valid HTTP/1.1" in body["error_description"]


def test_at_a_connector_it_is_refused_in_gleans_form(api: Any) -> None:
    """C-2, C-3."""
    sent = b"POST /connectors/x/search HTTP/1.1\r\nX-Request-ID: req-glean\r\nHost: x\r\nbad field\r\n\r\n"
    [(status, headers, body)] = answers_to(api, sent)
    assert (status, headers["content-type"], body["code"]) == (400, "application/problem+json", "invalid_request")
    assert headers["x-request-id"] == body["request_id"] == "req-glean"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_body_that_is_no_http_ends_its_request(api: Any) -> None:
    """C-2: one answer, and nothing is done."""
    token = api.admin.headers["authorization"].encode()
    head = (
        b"POST " + DATASETS.encode() + b" HTTP/1.1\r\nHost: x\r\nAuthorization: " + token + b"\r\n"
        b"X-Request-ID: req-chunks\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    [(status, headers, body)] = answers_to(api, head, b"2\r\n{}\r\nzz\r\n")
    assert (status, body["error"]["details"]) == (400, NO_HTTP)
    assert headers["x-request-id"] == "req-chunks"


def test_what_follows_a_request_under_way_does_not_come_before_its_answer(api: Any) -> None:
    """C-2: an answer is never taken for another request's."""
    operation_id = api.provision()["operation_id"].encode()
    token = api.admin.headers["authorization"].encode()
    [(status, _, body)] = answers_to(api, SLOW % (operation_id, token), b"GARBAGE\r\n\r\n")
    assert (status, body["operation_id"]) == (200, operation_id.decode())


def test_what_follows_an_answer_is_answered_by_itself(api: Any) -> None:
    """C-2."""
    with connection(api) as opened:
        opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert opened.recv(65536).startswith(b"HTTP/1.1 200")
        opened.sendall(b"GARBAGE\r\n\r\n")
        assert until_closed(opened).startswith(b"HTTP/1.1 400")


def test_a_client_that_goes_on_after_the_refusal_is_read_no_more(api: Any) -> None:
    answers = answers_to(api, b"FOO / HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [status for status, _, _ in answers] == [400]
    assert api.anonymous.get("/healthz").status_code == 200


def raw(api: Any, target: str) -> httpx.Response:
    """The answer to a GET of this target, which is sent as it stands."""
    url = httpx.URL(api.url).copy_with(raw_path=target.encode())
    return httpx.get(url, headers={"Authorization": api.admin.headers["authorization"]}, trust_env=False)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/dataops/datasets%2F{id}", 404),
        ("/v1%2fdataops/datasets", 404),
        ("/v1/dataops/datasets/{id}%2Fusage", 400),
        ("/v1/dataops/datasets/{id}%2fconnector%2Ftokens", 400),
        ("/v1/dataops/operations/{id}%2Fevents", 400),
        ("/v1/dataops/templates%2Frecommend", 404),
        ("/docs%2Fassets/swagger-ui.css", 404),
        ("/%2Fhealthz", 404),
    ],
)
def test_an_encoded_slash_is_part_of_a_name_and_leads_to_no_other_route(api: Any, path: str, status: int) -> None:
    """C-36: /datasets/a%2Fb is the dataset called a/b, of which there is none."""
    target = path.format(id=api.ready() if "{id}" in path else new_id())
    answer = raw(api, target)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == ("NOT_FOUND" if status == 404 else "INVALID_REQUEST")


def test_an_encoded_slash_leads_past_no_connector(api: Any) -> None:
    """C-90."""
    answer = raw(api, f"/connectors/{new_id()}%2Fhealth")
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")
