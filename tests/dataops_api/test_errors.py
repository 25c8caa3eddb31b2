"""Every error has one form, every answer a request id, every body a limit (C-2, C-3, C-5, C-6)."""

import re
import socket
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from psycopg2 import sql

DATASETS = "/v1/dataops/datasets"
#: No dataset's id; fixed, since the processes of the suite must all collect the same tests.
UNKNOWN = "00000000-0000-4000-8000-000000000000"
QUERY = "Must be percent-encoded UTF-8, with at most 100 parameters"


def error_of(answer: httpx.Response) -> dict[str, Any]:
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message", "details", "request_id", "timestamp"]
    assert body["error"]["request_id"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["error"]["timestamp"])
    error: dict[str, Any] = body["error"]
    return error


def test_the_references_404(api: Any) -> None:
    """C-2, C-36."""
    dataset_id = str(uuid4())
    answer = api.admin.get(f"{DATASETS}/{dataset_id}", headers={"X-Request-ID": "req-123"})
    assert answer.status_code == 404
    error = error_of(answer)
    assert error["code"] == "NOT_FOUND"
    assert error["message"] == "Dataset not found"
    assert error["details"] == {"dataset_id": dataset_id}
    assert error["request_id"] == "req-123"


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1/dataops", "/v1/dataops/datasets/", "/v1/dataops/nothing/%00"])
def test_a_path_that_is_none_is_404_in_the_envelope(api: Any, path: str) -> None:
    """C-2."""
    answer = api.anonymous.get(path)
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", DATASETS, "GET, POST"),
        ("POST", f"{DATASETS}/{UNKNOWN}", "DELETE, GET, PATCH"),
        ("GET", f"{DATASETS}/{UNKNOWN}/teardown", "POST"),
        ("DELETE", "/v1/dataops/templates", "GET"),
        ("GET", "/v1/dataops/templates/recommend", "POST"),
        ("POST", "/healthz", "GET"),
    ],
)
def test_a_method_that_is_none_is_405_and_names_all_that_are(api: Any, method: str, path: str, allowed: str) -> None:
    """C-2, C-6."""
    answer = api.admin.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert error_of(answer)["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    "request_id", ["req-123", "a", "!" * 128, "5b3c2a1e-0000-4000-8000-000000000000", "~weird/but=visible;"]
)
def test_a_usable_request_id_is_echoed(api: Any, request_id: str) -> None:
    """C-3."""
    assert api.anonymous.get("/healthz", headers={"X-Request-ID": request_id}).headers["x-request-id"] == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 129, "two words", "tab\tbed", "é".encode()])
def test_another_request_id_is_replaced(api: Any, request_id: str | bytes) -> None:
    """C-3."""
    made = api.anonymous.get("/healthz", headers={"X-Request-ID": request_id}).headers["x-request-id"]
    assert UUID(made).version == 4


def test_request_ids_reach_the_mounted_connectors(api: Any) -> None:
    """C-3."""
    answer = api.anonymous.get(f"/connectors/{uuid4()}", headers={"X-Request-ID": "req-123"})
    assert answer.status_code == 401
    assert answer.headers["x-request-id"] == "req-123"


def test_a_body_beyond_one_mebibyte_is_refused_declared_or_not(api: Any) -> None:
    """C-5."""
    large = b'{"journey_id": "' + b"x" * 2**20 + b'"}'
    headers = {"Content-Type": "application/json"}
    declared = api.admin.post(DATASETS, content=large, headers=headers)
    chunked = api.admin.post(DATASETS, content=iter([large[:1000], large[1000:]]), headers=headers)
    for answer in (declared, chunked):
        assert answer.status_code == 413
        assert error_of(answer)["code"] == "PAYLOAD_TOO_LARGE"


GZIP = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def test_a_body_that_is_not_json_is_unsupported(api: Any) -> None:
    """C-2."""
    for headers in ({"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {}, GZIP):
        answer = api.admin.post(DATASETS, content=b"{}", headers=headers)
        assert answer.status_code == 415
        assert error_of(answer)["code"] == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b"", "body", "A JSON body is required"),
        (b"{", "body", "Not valid JSON"),
        (b"nonsense", "body", "Not valid JSON"),
        (b'{"a": 1, "b": 3, "a": 2}', "body", "an object has the name a twice"),
        (b'\xef\xbb\xbf{"a": 1}', "body", "it begins with a byte order mark"),
        (b'{"a": ' + b"1" * 5000 + b"}", "body", "a number has more than 1000 digits"),
        (b'{"generation": {"seed": NaN}}', "body", "NaN is no JSON number"),
        (b'{"generation": {"seed": 1e999}}', "generation.seed", "The number is too large"),
        (b'{"generation": {"seed": ' + b"9" * 5000 + b"}}", "body", "Not valid JSON"),
        (b'{"stage": "\xff"}', "body", "Must be UTF-8"),
        (b'{"metadata": {"reason": "\\u0000"}}', "metadata.reason", "Must not contain NUL"),
        (b'{"metadata": {"custom_fields": {"a": ["\\ud800"]}}}', "metadata.custom_fields.a.0", "Must be valid Unicode"),
        (b'{"metadata": {"custom_fields": {"\\u0000": 1}}}', "metadata.custom_fields.\\0", "Must not contain NUL"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "a.a.a…", "Nested deeper than 32 levels"),
        (b"[" * 100_000, "body", "Nested deeper than 32 levels"),
        (b"[]", "body", "Must be an object"),
        (b"null", "body", ""),
    ],
)
def test_a_body_that_is_no_clean_json_object_is_invalid(api: Any, body: bytes, field: str, reason: str) -> None:
    """C-5."""
    answer = api.admin.post(DATASETS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    error = error_of(answer)
    assert error["code"] == "INVALID_REQUEST"
    assert error["message"] == "Request validation failed"
    assert reason in error["details"][field]


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("colour=red", {"colour": "There is no such query parameter"}),
        ("page=1&page=2", {"page": "Given more than once"}),
        ("tag=%00", {"tag": "Must not contain NUL"}),
        ("tag=%FF", {"query": "Must be percent-encoded UTF-8, with at most 100 parameters"}),
        (
            "&".join(f"a{n}=1" for n in range(101)),
            {"query": "Must be percent-encoded UTF-8, with at most 100 parameters"},
        ),
    ],
)
def test_a_query_that_the_route_does_not_know_is_invalid(api: Any, query: str, details: dict[str, str]) -> None:
    """C-5."""
    answer = api.admin.get(f"{DATASETS}?{query}")
    assert answer.status_code == 400
    assert error_of(answer)["details"] == details


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/docs/assets/start.js",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/v1/dataops/datasets",
    ],
)
def test_no_route_takes_a_query_parameter_that_it_does_not_know(api: Any, path: str) -> None:
    """C-5: those that need no token neither."""
    answer = api.admin.get(path, params={"colour": "red"})
    assert answer.status_code == 400
    assert error_of(answer)["details"] == {"colour": "There is no such query parameter"}
    assert api.admin.get(path).status_code == 200


def test_a_bug_tells_nothing_of_its_inside(own_api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C-2."""

    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("dataops_core.registry.reading.find_dataset", explode)
    answer = own_api.admin.get(f"{DATASETS}/{uuid4()}", headers={"X-Request-ID": "req-of-the-bug"})
    assert answer.status_code == 500
    error = error_of(answer)
    assert error["code"] == "INTERNAL_ERROR"
    assert error["request_id"] == "req-of-the-bug"
    assert "swordfish" not in answer.text


def test_a_database_that_is_away_is_503_with_retry_after(
    own_api: Any, administer: Callable[[sql.Composable], None]
) -> None:
    """C-2."""
    name = sql.Identifier(own_api.database.engine.url.database)
    administer(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
    administer(
        sql.SQL("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = {}").format(
            sql.Literal(name.string)
        )
    )
    answer = own_api.admin.get(f"{DATASETS}/{uuid4()}")
    administer(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(name))
    assert answer.status_code == 503
    assert error_of(answer)["code"] == "SERVICE_UNAVAILABLE"
    assert int(answer.headers["retry-after"]) > 0
    assert own_api.admin.get(f"{DATASETS}/{uuid4()}").status_code == 404


def test_a_request_that_is_no_http_leaves_the_service_up(api: Any) -> None:
    """C-2."""
    address = httpx.URL(api.url)
    with socket.create_connection((address.host, address.port or 80), timeout=10) as connection:
        connection.sendall(b"GARBAGE\r\n\r\n")
        assert b"400" in connection.recv(1000)
    assert api.anonymous.get("/healthz").status_code == 200
