"""Both clients of the Python SDK against the recorded faults that every SDK is held to (C-2, C-4, C-13, C-45, C-95)."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from a_domain_sdk import AsyncDataOpsClient, AsyncOperation, DataOpsClient, DataOpsError, Operation
from tests.sdks.conformance.server import FaultServer
from tests.sdks.conformance.suite import Case, each_case


def arguments(server: FaultServer, case: Case) -> dict[str, Any]:
    """What a client of the server is made with."""
    return {"client_id": "an-api-client", "client_secret": "s3cret", "base_url": server.base_url, **case.options}


def told(error: DataOpsError) -> dict[str, Any]:
    """All that an error tells."""
    return {**vars(error), "kind": type(error).__name__}


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, Operation | AsyncOperation):
        return plain(value.state)
    return value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value


def blocking(client: Any, case: Case) -> Any:
    method, positional, named = case.call
    resource, name = method.split(".")
    value = getattr(getattr(client, resource), name)(*positional, **named)
    return (
        [plain(item) for item in value]
        if hasattr(value, "__iter__") and not isinstance(value, BaseModel)
        else plain(value)
    )


async def awaited(client: Any, case: Case) -> Any:
    method, positional, named = case.call
    resource, name = method.split(".")
    value = getattr(getattr(client, resource), name)(*positional, **named)
    if hasattr(value, "__await__"):
        value = await value
    if hasattr(value, "__aiter__"):
        return [plain(item) async for item in value]
    return plain(value)


@pytest.mark.long
@pytest.mark.parametrize(**each_case())
def test_the_client_does_as_every_sdk(server: FaultServer, case: Case) -> None:
    case.prepare(server)
    began = time.monotonic()
    with DataOpsClient(**arguments(server, case), transport=httpx.HTTPTransport(verify=False)) as client:
        try:
            outcome = {"value": blocking(client, case)}
        except DataOpsError as error:
            outcome = {"error": told(error)}

    case.check(outcome, time.monotonic() - began, server)


@pytest.mark.parametrize(**each_case())
def test_the_asynchronous_client_does_as_every_sdk(server: FaultServer, case: Case) -> None:
    async def run() -> dict[str, Any]:
        transport = httpx.AsyncHTTPTransport(verify=False)
        async with AsyncDataOpsClient(**arguments(server, case), transport=transport) as client:
            try:
                return {"value": await awaited(client, case)}
            except DataOpsError as error:
                return {"error": told(error)}

    case.prepare(server)
    began = time.monotonic()
    outcome = asyncio.run(run())

    case.check(outcome, time.monotonic() - began, server)
