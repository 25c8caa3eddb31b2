"""The log: one JSON object a line, with the request's id and nothing secret (C-3)."""

import json
import logging
import socket
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from dataops_core.lifecycle import TokenKind
from dataops_core.logs import JsonFormatter
from dataops_core.scopes import Scope
from tests.waiting import wait_for


class Kept(logging.Handler):
    """Keeps every line as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def of(self, request_id: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.lines) if line.get("request_id") == request_id]


@pytest.fixture
def log() -> Iterator[Kept]:
    kept, logger = Kept(), logging.getLogger("dataops")
    before = logger.level
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    yield kept
    logger.removeHandler(kept)
    logger.setLevel(before)


def test_a_request_is_one_line_that_says_who_asked_what_and_how_it_went(api: Any, log: Kept) -> None:
    """C-3: and the line has no query string, where a client may have put anything."""
    with api.asking(Scope.TEMPLATES_READ) as client:
        client.get("/v1/dataops/templates?use_case=swordfish", headers={"X-Request-ID": "req-logged"})
    api.anonymous.get("/healthz")  # whose line comes after: the one before has been written
    (line,) = log.of("req-logged")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/dataops/templates", 200)
    assert line["message"] == "GET /v1/dataops/templates 200"
    assert line["duration_ms"] >= 0
    assert len(line["api_client_id"]) == 36
    assert not any("swordfish" in one for one in log.lines)


def test_who_hangs_up_before_the_request_is_whole_is_no_bug(api: Any, log: Kept) -> None:
    """C-2: nobody raises an alarm by going away, and least of all without a token."""
    for rest in (b"Content-Length: 50\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n"):
        head = b"POST /token HTTP/1.1\r\nHost: here\r\nX-Request-ID: req-gone\r\nContent-Type: application/json\r\n"
        with socket.create_connection((api.anonymous.base_url.host, api.anonymous.base_url.port), timeout=30) as gone:
            gone.sendall(head + rest)
            gone.shutdown(socket.SHUT_WR)
            while gone.recv(4096):
                pass
    wait_for(lambda: len(log.of("req-gone")) == 2, "both are logged")
    assert [(line["level"], line["status"]) for line in log.of("req-gone")] == [("INFO", 400)] * 2


def test_what_the_product_looks_at_of_itself_is_a_line_only_where_it_does_not_go_well(api: Any, log: Kept) -> None:
    """C-90: the watch asks thousands of times a day."""
    dataset_id = api.ready()
    connector_id = api.admin.get(f"/v1/dataops/datasets/{dataset_id}/connector").json()["connector_id"]
    mine = {"Authorization": f"Bearer {api.keyring.service_token(UUID(connector_id), TokenKind.INDEX)}"}
    path = f"/connectors/{connector_id}"
    assert api.anonymous.get(path, headers=mine | {"X-Request-ID": "req-look"}).status_code == 200
    assert api.anonymous.get(f"{path}/health", headers={"X-Request-ID": "req-look"}).status_code == 200
    wrong = {"Authorization": "Bearer wrong", "X-Request-ID": "req-wrong"}
    assert api.anonymous.get(path, headers=wrong).status_code == 401
    api.anonymous.get("/healthz")  # whose line comes after: those before have been written
    assert log.of("req-look") == []
    assert [line["status"] for line in log.of("req-wrong")] == [401]


def test_a_bug_is_logged_with_its_traceback_and_the_requests_id(
    own_api: Any, log: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-2, C-3."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("dataops_core.registry.reading.list_datasets", explode)
    assert own_api.admin.get("/v1/dataops/datasets", headers={"X-Request-ID": "req-bug"}).status_code == 500
    own_api.anonymous.get("/healthz")
    error, access = log.of("req-bug")
    assert error["level"] == "ERROR"
    assert "RuntimeError: a bug" in error["traceback"]
    assert access["status"] == 500


def test_tokens_and_secrets_are_in_no_line(api: Any, log: Kept) -> None:
    """C-15."""
    made = api.new_client(Scope.DATASETS_READ)
    body = {
        "client_id": str(made.api_client_id),
        "client_secret": made.client_secret,
        "grant_type": "client_credentials",
    }
    token = api.anonymous.post("/token", json=body).json()["access_token"]
    api.anonymous.get("/v1/dataops/datasets", headers={"Authorization": f"Bearer {token}"})
    api.anonymous.get("/healthz")
    assert len(log.lines) >= 2
    assert not any(made.client_secret in line or token in line for line in log.lines)


def test_a_secret_that_a_client_put_into_a_path_is_not_written_down(api: Any, log: Kept) -> None:
    """C-3."""
    made = api.new_client(Scope.TEMPLATES_READ)
    signed = api.keyring.service_token(made.api_client_id, TokenKind.SEARCH)
    for secret in (made.client_secret, signed, f"dol_i_{made.client_secret.removeprefix('dosec_')}"):
        api.anonymous.get(f"/v1/dataops/{secret}", headers={"X-Request-ID": "req-careless"})
        api.anonymous.get("/healthz")
        assert not any(secret in line for line in log.lines)
    assert [line["path"] for line in log.of("req-careless")] == ["/v1/dataops/(secret)"] * 3
