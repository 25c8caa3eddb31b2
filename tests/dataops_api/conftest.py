"""A real API on a real PostgreSQL behind a real HTTP server; Dagster alone is played, by a switchboard of ours."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn

from dataops_api.app import create_app
from dataops_core.clock import utcnow
from dataops_core.errors import UnavailableError
from dataops_core.ids import new_id
from dataops_core.registry import api_clients, installation
from dataops_core.registry.api_clients import NewApiClient
from dataops_core.registry.database import Database
from dataops_core.runs import LaunchRequest, RunState
from dataops_core.scopes import Scope
from dataops_core.security import Keyring
from dataops_core.settings import Settings

SECRET = "a secret for tests, long enough for anybody"


@dataclass
class Switchboard:
    """Dagster as the API sees it: launches that are noted, runs that a test makes end, and a plug to pull."""

    down: bool = False
    launched: list[LaunchRequest] = field(default_factory=list)
    runs: dict[str, RunState] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    first_launch: "Future[LaunchRequest]" = field(default_factory=Future)

    def launch(self, request: LaunchRequest) -> str:
        self._answers()
        run_id = str(new_id())
        self.runs[run_id] = RunState(run_id=run_id, status="QUEUED")
        self.launched.append(request)
        if not self.first_launch.done():
            self.first_launch.set_result(request)
        return run_id

    def run_of(self, operation_id: UUID, *, attempt: int | None = None) -> RunState | None:  # noqa: ARG002
        self._answers()
        return None

    def run_state(self, run_id: str) -> RunState | None:
        self.questions.append(run_id)
        self._answers()
        return self.runs.get(run_id)

    def is_alive(self) -> bool:
        return not self.down

    def close(self) -> None:
        pass

    def _answers(self) -> None:
        if self.down:
            raise UnavailableError("Dagster does not answer.", details={"sent": False})


@dataclass(frozen=True)
class Api:
    """A running API: its parts for a test to look behind the answers, and clients to ask it with."""

    url: str
    settings: Settings
    database: Database
    keyring: Keyring
    dagster: Switchboard
    #: Asks with no token.
    anonymous: httpx.Client
    #: Asks as administrator.
    admin: httpx.Client
    new_client: Callable[..., NewApiClient]

    @contextmanager
    def asking(self, *scopes: Scope, customers: list[UUID] | None = None) -> Iterator[httpx.Client]:
        """A client whose API client has these scopes."""
        made = self.new_client(*scopes, customers=customers)
        with httpx.Client(base_url=self.url, timeout=30) as client:
            client.headers["Authorization"] = f"Bearer {token_of(client, made)}"
            yield client


def token_of(client: httpx.Client, made: NewApiClient, **more: Any) -> str:
    """An access token of the API client."""
    answer = client.post(
        "/token",
        json={
            "client_id": str(made.api_client_id),
            "client_secret": made.client_secret,
            "grant_type": "client_credentials",
        }
        | more,
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


@contextmanager
def serving(settings: Settings, database: Database, dagster: Switchboard) -> Iterator[None]:
    """The API behind uvicorn, on the settings' port, until the block ends."""
    app = create_app(settings, database=database, gateway=dagster)
    ready: Future[None] = Future()

    class Started(uvicorn.Server):
        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set_result(None)

    server = Started(
        uvicorn.Config(app, host=settings.api_host, port=settings.api_port, log_level="error", access_log=False)
    )
    thread = Thread(target=server.run, name="uvicorn")
    thread.start()
    try:
        ready.result(timeout=20)
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_api(database_url: str, home: Path, **change: Any) -> Iterator[Api]:
    """An API with an empty registry, until the block ends."""
    usual = {
        "home": home,
        "api_port": free_port(),
        "database_url": database_url,
        "secret_key": SECRET,
        "token_successes_per_minute": 1000,
    }
    settings = Settings(**(usual | change))
    keyring = Keyring.load(settings)
    database = Database(database_url, pool_size=20)
    dagster = Switchboard()
    with database.transaction() as session:
        installation.ensure(session, keyring)

    def new_client(*scopes: Scope, customers: list[UUID] | None = None) -> NewApiClient:
        with database.transaction() as session:
            return api_clients.create(session, keyring, name="test", scopes=scopes, customers=customers, now=utcnow())

    url = f"http://127.0.0.1:{settings.api_port}"
    with (
        serving(settings, database, dagster),
        httpx.Client(base_url=url, timeout=30) as anonymous,
        httpx.Client(base_url=url, timeout=30) as admin,
    ):
        admin.headers["Authorization"] = f"Bearer {token_of(anonymous, new_client(Scope.ADMIN))}"
        yield Api(url, settings, database, keyring, dagster, anonymous, admin, new_client)
    database.close()


@pytest.fixture(scope="session")
def api(
    new_database: Callable[..., tuple[str, Callable[[], None]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """One API for all tests: each has customers of its own, and breaks nothing."""
    url, drop = new_database(migrated=True)
    with running_api(url, tmp_path_factory.mktemp("api")) as running:
        yield running
    drop()


@pytest.fixture
def settings_change() -> dict[str, Any]:
    """Settings of a test's own API, given by parametrization."""
    return {}


@pytest.fixture
def own_api(database_url: str, tmp_path: Path, settings_change: dict[str, Any]) -> Iterator[Api]:
    """An API for one test, which may break it."""
    with running_api(database_url, tmp_path / "home", **settings_change) as running:
        yield running
