"""Clients of a real HTTP server that does as it is told."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from a_domain_sdk import DataOpsClient
from tests.sdks.conformance.server import FaultServer


@pytest.fixture
def secret() -> str:
    return "s3cret-of-the-api-client"


@pytest.fixture
def connect(server: FaultServer, secret: str) -> Iterator[Callable[..., DataOpsClient]]:
    """Makes clients of the server, closed at the end."""
    clients = []

    def make(**arguments: Any) -> DataOpsClient:
        given: dict[str, Any] = {"client_id": "an-api-client", "client_secret": secret, "base_url": server.base_url}
        # Nothing here is encrypted: certificates, which take long to load, stay unread.
        given["transport"] = httpx.HTTPTransport(verify=False)
        clients.append(DataOpsClient(**(given | arguments)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., DataOpsClient]) -> DataOpsClient:
    return connect()
