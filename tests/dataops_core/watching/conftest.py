"""Ready datasets with real files and a real connector service, whose line a test may disturb."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from dataops_core.clock import utcnow
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.provisioning.services import Services
from dataops_core.registry import connectors
from dataops_core.registry.tables import Connector
from dataops_core.watching.connectors import Watched, watch_connectors
from tests.dataops_core.provisioning.conftest import Beginnings, Case, accept, beginnings, journey, services

__all__ = ["accept", "beginnings", "journey", "services"]

Disturbance = Callable[[httpx.Request], httpx.Response | None]


class Line(httpx.HTTPTransport):
    """The line to the connector service: it may answer in its place, and notes what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.disturb: Disturbance = lambda _request: None
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.disturb(request) or super().handle_request(request)


@dataclass
class Watch:
    """A ready dataset, and looks at its connector at moments of the test's own."""

    case: Case
    services: Services
    line: Line
    #: The next look is due by then: each is noted at the time it really is.
    now: datetime

    def look(self) -> Watched:
        return watch_connectors(self.services, now=self.now)

    def connector(self) -> Connector:
        with self.services.database.transaction() as session:
            found = connectors.of_dataset(session, self.case.dataset().dataset_id)
            assert found is not None
            return found

    def index(self) -> Path:
        (path,) = (self.services.settings.data_path / "connectors" / str(self.connector().connector_id)).glob("*.db")
        return path


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def disturbed(services: Services, line: Line) -> Iterator[Services]:
    """The services, behind the line that a test may disturb; nobody waits between tries."""
    url = services.settings.connector_url
    assert url is not None
    client = EmbeddedConnector(url, services.keyring, transport=line, pause=lambda _seconds: None)
    yield replace(services, connector=client)
    client.close()


@pytest.fixture
def watch(services: Services, beginnings: Beginnings, disturbed: Services, line: Line) -> Watch:
    case = beginnings.case("ready", services, Case.provision)
    return Watch(case, disturbed, line, utcnow() + timedelta(minutes=10))
