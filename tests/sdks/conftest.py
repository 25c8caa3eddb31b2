"""A real HTTP server that does as it is told, for the tests of every SDK."""

from collections.abc import Iterator

import pytest

from tests.sdks.conformance.server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    server = FaultServer()
    yield server
    server.close()
