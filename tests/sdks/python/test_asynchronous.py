"""What only the asynchronous client can get wrong (C-4, C-45, C-95); all else it shares with the blocking one."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable

import httpx
import pytest

from a_domain_sdk import APIConnectionError, AsyncDataOpsClient, DataOpsError
from tests.sdks.conformance.server import FaultServer, Reply, envelope
from tests.sdks.conformance.suite import DATASET, IN_PROGRESS, OPERATION

GET = f"GET /operations/{OPERATION}"
SECRET = "s3cret-of-the-api-client"
LINES = "application/x-ndjson"


def run(server: FaultServer, work: Callable[[AsyncDataOpsClient], Awaitable[None]], **options: float) -> None:
    """Does the work with a client of the server."""

    async def with_client() -> None:
        transport = httpx.AsyncHTTPTransport(verify=False)
        async with AsyncDataOpsClient("id", SECRET, base_url=server.base_url, transport=transport, **options) as client:
            await work(client)

    asyncio.run(with_client())


def test_one_token_serves_all_tasks(server: FaultServer) -> None:
    server.tell(GET, Reply(body=IN_PROGRESS))

    async def work(client: AsyncDataOpsClient) -> None:
        found = await asyncio.gather(*(client.operations.get(OPERATION) for _ in range(8)))
        assert [operation.status for operation in found] == ["in_progress"] * 8

    run(server, work)
    assert len(server.token_requests) == 1


def test_waiting_can_be_cancelled(server: FaultServer) -> None:
    server.tell(GET, Reply(hang=True))

    async def work(client: AsyncDataOpsClient) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.operations.wait(OPERATION), 0.2)

    run(server, work)


def test_a_stream_that_is_left_early_lets_go_of_its_connection(server: FaultServer) -> None:
    server.tell(f"GET /datasets/{DATASET}/records", Reply(text='{"id":"1"}\n' * 3, content_type=LINES, stall=True))
    server.tell(GET, Reply(body=IN_PROGRESS))

    async def work(client: AsyncDataOpsClient) -> None:
        async for record in client.datasets.records(DATASET):
            assert record == {"id": "1"}
            break
        assert (await client.operations.get(OPERATION)).status == "in_progress"

    run(server, work)


@pytest.mark.parametrize(
    "reply",
    [Reply(500, envelope("INTERNAL_ERROR", "Something went wrong on our side")), Reply(drop=True), Reply(hang=True)],
    ids=["failed", "dropped", "hanging"],
)
@pytest.mark.parametrize("place", ["the token endpoint", "the API"])
def test_no_secret_is_in_a_traceback_with_local_variables(server: FaultServer, place: str, reply: Reply) -> None:
    if place == "the API":
        server.tell(GET, reply)
    else:
        server.tell_token(reply)

    async def work(client: AsyncDataOpsClient) -> None:
        with pytest.raises(DataOpsError) as caught:
            await client.operations.get(OPERATION)
        # Of the SDK's own frames, not of those of this test, which hold the secret.
        assert caught.value.__traceback__ is not None
        inner = caught.value.with_traceback(caught.value.__traceback__.tb_next)
        shown = "".join(traceback.TracebackException.from_exception(inner, capture_locals=True).format())
        assert SECRET not in shown
        assert "token-1" not in shown

    run(server, work, timeout=0.2, max_retries=0)


def test_a_stream_of_events_that_says_nothing_is_given_up(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.tell(f"GET /operations/{OPERATION}/events", Reply(text=": nothing\n\n", content_type="text/event-stream"))
    pauses: list[float] = []

    async def pause(_self: object, seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("a_domain_sdk._async.session.AsyncSession.pause", pause)

    async def work(client: AsyncDataOpsClient) -> None:
        with pytest.raises(APIConnectionError, match="told no more"):
            _ = [seen async for seen in client.operations.watch(OPERATION)]

    run(server, work)
    assert pauses == [0.5, 1, 2, 4, 8]
