"""Faults that the Python SDK meets in a way of its own: threads, transports, tracebacks (C-4, C-13, C-45).

What every SDK does with faults is in ``tests/sdks/conformance``.
"""

import pickle
import threading
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from a_domain_sdk import (
    APIConnectionError,
    APIStatusError,
    ConfigurationError,
    DataOpsClient,
    DataOpsError,
    InvalidRequestError,
    OperationFailedError,
)
from tests.sdks.conformance.server import FaultServer, Reply, envelope

OPERATION = "990e8400-e29b-41d4-a716-446655440004"
DATASET = "550e8400-e29b-41d4-a716-446655440005"
IN_PROGRESS = {"operation_id": OPERATION, "operation_type": "dataset_provisioning", "status": "in_progress"}
ACCEPTED = {"operation_id": OPERATION, "status": "tearing_down", "message": "Dataset teardown initiated"}
GET = f"GET /operations/{OPERATION}"
DELETE = f"DELETE /datasets/{DATASET}"
LIMITED = Reply(429, envelope("RATE_LIMITED", "Too many requests"), {"Retry-After": "0"})
UNAVAILABLE = Reply(503, envelope("SERVICE_UNAVAILABLE", "Not now"), {"Retry-After": "0"})


def test_two_changes_have_two_idempotency_keys_and_a_read_has_none(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(DELETE, Reply(202, ACCEPTED))
    server.tell(GET, Reply(body=IN_PROGRESS))

    client.datasets.delete(DATASET)
    client.datasets.delete(DATASET)
    client.datasets.delete(DATASET, idempotency_key="mine")
    client.operations.get(OPERATION)

    keys = [seen.headers.get("idempotency-key") for seen in server.requests]
    assert len(set(keys)) == 4
    assert keys[2:] == ["mine", None]


class NobodyThere(httpx.HTTPTransport):
    """The way to the API, where nobody listens at first. The way to the token endpoint is open."""

    def __init__(self, *, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/token" and self.refusals > 0:
            self.refusals -= 1
            # The discard port, on which no machine of today listens: a real refused connection.
            return super().handle_request(httpx.Request(request.method, "http://127.0.0.1:9/"))
        return super().handle_request(request)


def test_a_change_that_reached_nobody_is_repeated(server: FaultServer, connect: Callable[..., DataOpsClient]) -> None:
    server.tell(DELETE, Reply(202, ACCEPTED))
    way = NobodyThere(refusals=2)

    assert connect(transport=way).datasets.delete(DATASET).operation_id == OPERATION

    assert way.refusals == 0
    assert len(server.requests) == 1


def test_an_api_that_cannot_be_reached_is_named(connect: Callable[..., DataOpsClient]) -> None:
    way = NobodyThere(refusals=5)

    with pytest.raises(APIConnectionError, match=r"cannot be reached: .*refused"):
        connect(transport=way, max_retries=1).datasets.get(DATASET)

    assert way.refusals == 3


def test_one_token_serves_all_threads(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(GET, Reply(body=IN_PROGRESS))
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait()
        client.operations.get(OPERATION)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(server.requests) == 8
    assert len(server.token_requests) == 1


def test_the_token_is_asked_for_as_the_reference_prints_it(
    server: FaultServer, connect: Callable[..., DataOpsClient], secret: str
) -> None:
    connect(scope=["dataops:datasets:write", "dataops:datasets:read"]).access_token()

    assert server.token_requests[0].body == {
        "client_id": "an-api-client",
        "client_secret": secret,
        "grant_type": "client_credentials",
        "scope": "dataops:datasets:write dataops:datasets:read",
    }


def test_a_scope_that_cannot_be_had_is_an_invalid_request(server: FaultServer, client: DataOpsClient) -> None:
    server.tell_token(Reply(400, {"error": "invalid_scope", "error_description": "None of the scopes"}))

    with pytest.raises(InvalidRequestError) as caught:
        client.access_token()

    assert caught.value.code == "invalid_scope"


def traceback_of(error: BaseException) -> str:
    """What is printed of an error with the local variables of all frames but the test's own."""
    assert error.__traceback__ is not None
    error = error.with_traceback(error.__traceback__.tb_next)
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, {"error": "invalid_client", "error_description": "No"}),
        Reply(200, b"<html>", content_type="text/html"),
        Reply(drop=True),
        Reply(hang=True),
    ],
    ids=["refused", "no token", "dropped", "hanging"],
)
def test_no_secret_is_in_a_traceback_with_local_variables_nor_in_the_log(
    server: FaultServer,
    connect: Callable[..., DataOpsClient],
    reply: Reply,
    secret: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.tell_token(reply)
    client = connect(timeout=0.2, max_retries=0)

    with caplog.at_level("DEBUG"), pytest.raises(Exception, match=r".") as caught:
        client.access_token()

    assert secret not in traceback_of(caught.value) + caplog.text + repr(client) + str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "api.example"}, {"token_url": "https://"}, {"client_id": None}],
    ids=["base_url", "token_url", "client_id"],
)
def test_no_secret_is_in_a_traceback_of_what_cannot_be_set_up(
    wrong: dict[str, Any], secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATAOPS_CLIENT_ID", raising=False)
    for given in (secret, None):
        monkeypatch.setenv("DATAOPS_CLIENT_SECRET", secret)
        known = {"client_id": "id", "base_url": "https://api.example/v1/dataops", **wrong}
        with pytest.raises(ConfigurationError) as caught:
            DataOpsClient(client_secret=given, **known)
        assert secret not in traceback_of(caught.value)


@pytest.mark.parametrize(
    "reply",
    [Reply(500, envelope("INTERNAL_ERROR", "Something went wrong on our side")), Reply(drop=True), Reply(hang=True)],
    ids=["failed", "dropped", "hanging"],
)
def test_no_access_token_is_in_a_traceback_with_local_variables(
    server: FaultServer, connect: Callable[..., DataOpsClient], reply: Reply
) -> None:
    server.tell(GET, reply)

    with pytest.raises(DataOpsError) as caught:
        connect(timeout=0.2, max_retries=0).operations.get(OPERATION)

    assert server.requests[0].headers["authorization"] == "Bearer token-1"
    assert "token-1" not in traceback_of(caught.value)


def test_an_id_cannot_lead_to_another_path(server: FaultServer, client: DataOpsClient) -> None:
    with pytest.raises(APIStatusError):
        client.datasets.get("../templates?page=2")
    for nothing in ("", "..", "."):
        with pytest.raises(ValueError, match="must not be empty"):
            client.datasets.get(nothing)

    assert [(seen.path, seen.query) for seen in server.requests] == [
        ("/v1/dataops/datasets/..%2Ftemplates%3Fpage%3D2", "")
    ]


def test_an_error_can_be_handed_to_another_process() -> None:
    for error in (
        InvalidRequestError("no", status=400, code="INVALID_REQUEST", details={"stage": "odd"}, request_id="r"),
        OperationFailedError("failed", operation_id=OPERATION, code="INTERNAL_ERROR"),
        APIConnectionError("broke", request_id="r"),
    ):
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
