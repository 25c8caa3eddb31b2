"""Faults of a server and of the way to it, and what the SDK makes of them (C-2, C-4, C-13, C-45)."""

import threading
import time
import traceback
from collections.abc import Callable

import httpx
import pytest

from a_domain_sdk import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    DataOpsClient,
    DataOpsError,
    InvalidRequestError,
    RateLimitedError,
    ServiceUnavailableError,
    UnauthorizedError,
    UnexpectedAnswerError,
)
from tests.sdks.python.fault_server import FaultServer, Reply, envelope

OPERATION = "990e8400-e29b-41d4-a716-446655440004"
DATASET = "550e8400-e29b-41d4-a716-446655440005"
IN_PROGRESS = {"operation_id": OPERATION, "operation_type": "dataset_provisioning", "status": "in_progress"}
ACCEPTED = {"operation_id": OPERATION, "status": "tearing_down", "message": "Dataset teardown initiated"}
GET = f"GET /operations/{OPERATION}"
DELETE = f"DELETE /datasets/{DATASET}"
LIMITED = Reply(429, envelope("RATE_LIMITED", "Too many requests"), {"Retry-After": "0"})
UNAVAILABLE = Reply(503, envelope("SERVICE_UNAVAILABLE", "Not now"), {"Retry-After": "0"})


def test_a_read_waits_as_long_as_retry_after_says(server: FaultServer, client: DataOpsClient) -> None:
    limited = Reply(429, envelope("RATE_LIMITED", "Too many requests"), {"Retry-After": "1"})
    server.tell(GET, limited, Reply(body=IN_PROGRESS))

    began = time.monotonic()
    assert client.operations.get(OPERATION).status == "in_progress"

    assert time.monotonic() - began >= 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_is_repeated_after_a_passing_status(server: FaultServer, client: DataOpsClient, status: int) -> None:
    server.tell(GET, Reply(status, "busy", {"Retry-After": "0"}), Reply(body=IN_PROGRESS))

    assert client.operations.get(OPERATION).status == "in_progress"

    assert len({seen.headers["x-request-id"] for seen in server.requests}) == 1


def test_a_wait_longer_than_two_minutes_is_left_to_the_caller(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(GET, Reply(429, envelope("RATE_LIMITED", "Too many requests"), {"Retry-After": "3600"}))

    with pytest.raises(RateLimitedError) as caught:
        client.operations.get(OPERATION)

    assert caught.value.retry_after == 3600
    assert len(server.requests) == 1


@pytest.mark.parametrize("refusal", [LIMITED, UNAVAILABLE])
def test_a_change_that_was_refused_for_now_is_repeated_with_the_same_idempotency_key(
    server: FaultServer, client: DataOpsClient, refusal: Reply
) -> None:
    server.tell(DELETE, refusal, refusal, Reply(202, ACCEPTED))

    assert client.datasets.delete(DATASET).operation_id == OPERATION

    assert len(server.requests) == 3
    assert len({seen.headers["idempotency-key"] for seen in server.requests}) == 1


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


def test_the_error_comes_when_the_repetitions_are_used_up(
    server: FaultServer, connect: Callable[..., DataOpsClient]
) -> None:
    server.tell(GET, UNAVAILABLE)

    with pytest.raises(ServiceUnavailableError):
        connect(max_retries=2).operations.get(OPERATION)

    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_an_answer_that_will_not_change_is_not_asked_for_again(
    server: FaultServer, client: DataOpsClient, status: int
) -> None:
    server.tell(GET, Reply(status, envelope("CODE", "No")))

    with pytest.raises(APIStatusError):
        client.operations.get(OPERATION)

    assert len(server.requests) == 1


def test_a_read_survives_a_dropped_connection(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(GET, Reply(drop=True), Reply(body=IN_PROGRESS))

    assert client.operations.get(OPERATION).status == "in_progress"


def test_a_change_on_a_dropped_connection_is_not_made_twice(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(DELETE, Reply(drop=True), Reply(202, ACCEPTED))

    with pytest.raises(APIConnectionError, match="broke") as caught:
        client.datasets.delete(DATASET)

    assert [seen.headers["x-request-id"] for seen in server.requests] == [caught.value.request_id]


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


def test_an_answer_that_does_not_come_is_a_timeout(server: FaultServer, connect: Callable[..., DataOpsClient]) -> None:
    server.tell(DELETE, Reply(hang=True))

    with pytest.raises(APITimeoutError, match="in time"):
        connect(timeout=0.2).datasets.delete(DATASET)

    assert len(server.requests) == 1


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


def test_a_refused_token_is_renewed_once(server: FaultServer, client: DataOpsClient) -> None:
    expired = Reply(401, envelope("UNAUTHORIZED", "The access token has expired"))
    server.tell(DELETE, expired, Reply(202, ACCEPTED))

    assert client.datasets.delete(DATASET).operation_id == OPERATION

    assert [seen.headers["authorization"] for seen in server.requests] == ["Bearer token-1", "Bearer token-2"]
    assert len({seen.headers["idempotency-key"] for seen in server.requests}) == 1


def test_a_new_token_that_is_refused_too_is_an_error(server: FaultServer, client: DataOpsClient) -> None:
    server.tell(GET, Reply(401, envelope("UNAUTHORIZED", "The access token is not valid")))

    with pytest.raises(UnauthorizedError):
        client.operations.get(OPERATION)

    assert len(server.requests) == len(server.token_requests) == 2


def test_a_token_is_renewed_before_it_expires(server: FaultServer, client: DataOpsClient) -> None:
    server.expires_in = 0
    server.tell(GET, Reply(body=IN_PROGRESS))

    client.operations.get(OPERATION)
    client.operations.get(OPERATION)

    assert [seen.headers["authorization"] for seen in server.requests] == ["Bearer token-1", "Bearer token-2"]


def test_wrong_credentials_are_told_in_the_words_of_the_token_endpoint(
    server: FaultServer, client: DataOpsClient
) -> None:
    refusal = {"error": "invalid_client", "error_description": "The client is unknown or its secret is wrong"}
    server.tell_token(Reply(401, refusal))

    with pytest.raises(UnauthorizedError, match="secret is wrong") as caught:
        client.templates.list()

    assert caught.value.code == "invalid_client"
    assert server.requests == []


def test_a_scope_that_cannot_be_had_is_an_invalid_request(server: FaultServer, client: DataOpsClient) -> None:
    server.tell_token(Reply(400, {"error": "invalid_scope", "error_description": "None of the scopes"}))

    with pytest.raises(InvalidRequestError) as caught:
        client.access_token()

    assert caught.value.code == "invalid_scope"


def test_a_token_is_asked_for_again_after_a_passing_fault(server: FaultServer, client: DataOpsClient) -> None:
    server.tell_token(
        Reply(429, {"error": "temporarily_unavailable"}, {"Retry-After": "0"}), UNAVAILABLE, Reply(drop=True)
    )

    assert client.access_token() == "token-4"


def test_what_is_no_token_endpoint_is_named(server: FaultServer, client: DataOpsClient) -> None:
    server.tell_token(Reply(200, b"<html>", content_type="text/html"))

    with pytest.raises(UnexpectedAnswerError, match="is it a token endpoint"):
        client.access_token()


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(200, b"<html>", content_type="text/html"), "content type is text/html"),
        (Reply(200, b'{"operation_id": '), "JSON is broken"),
        (Reply(200, {"greeting": "hello"}), "do not fit: operation_id, status"),
        (Reply(307, None, {"Location": "https://elsewhere.example/"}), "HTTP 307"),
    ],
)
def test_an_answer_that_is_not_of_this_api_is_named_as_that(
    server: FaultServer, client: DataOpsClient, reply: Reply, why: str
) -> None:
    server.tell(GET, reply)

    with pytest.raises(UnexpectedAnswerError, match=why) as caught:
        client.operations.get(OPERATION)

    assert caught.value.status == reply.status
    assert len(server.requests) == 1


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
