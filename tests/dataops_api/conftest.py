"""A real API on a real PostgreSQL behind a real HTTP server; Dagster alone is played, by a switchboard of ours."""

import functools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from queue import SimpleQueue
from socket import socket
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
import jsonschema
import pytest
import uvicorn

from dataops_api.app import create_app
from dataops_api.dagster_health import DagsterHealth
from dataops_api.patience import PatientProtocol
from dataops_core.clock import utcnow
from dataops_core.errors import UnavailableError
from dataops_core.ids import new_id
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, OperationStatus, Outcome
from dataops_core.provisioning.settlement import finish_dataset
from dataops_core.quality.model import CheckResult
from dataops_core.registry import api_clients, connectors, datasets, installation, operations, quality
from dataops_core.registry.api_clients import NewApiClient
from dataops_core.registry.database import Database
from dataops_core.runs import LaunchRequest, RunState
from dataops_core.scopes import Scope
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from tests.ports import free_port

DATASETS = "/v1/dataops/datasets"
#: Those that a client may act by: what an answer has of them is described.
HEADERS = ("ETag", "Idempotency-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID")
SECRET = "a secret for tests, long enough for anybody"


@dataclass
class Switchboard:
    """Dagster as the API sees it: launches that are noted, runs that a test makes end, and a plug to pull."""

    down: bool = False
    launched: list[LaunchRequest] = field(default_factory=list)
    runs: dict[str, RunState] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    stopped: "SimpleQueue[str]" = field(default_factory=SimpleQueue)
    first_launch: "Future[LaunchRequest]" = field(default_factory=Future)
    #: Told of each launch, with the run's id: a test that carries runs out begins here.
    on_launch: Callable[[str, LaunchRequest], None] | None = None

    def launch(self, request: LaunchRequest) -> str:
        self._answers()
        run_id = str(new_id())
        self.runs[run_id] = RunState(run_id=run_id, status="QUEUED")
        self.launched.append(request)
        if not self.first_launch.done():
            self.first_launch.set_result(request)
        if self.on_launch is not None:
            self.on_launch(run_id, request)
        return run_id

    def run_of(self, operation_id: UUID, *, attempt: int | None = None) -> RunState | None:  # noqa: ARG002
        self._answers()
        return None

    def run_state(self, run_id: str) -> RunState | None:
        self.questions.append(run_id)
        self._answers()
        return self.runs.get(run_id)

    def terminate(self, run_id: str) -> bool:
        self._answers()
        self.stopped.put(run_id)
        return True

    def health(self) -> DagsterHealth:
        fault = "Dagster's webserver does not answer" if self.down else None
        return DagsterHealth(fault, fault, fault)

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
        """A client whose API client has these scopes, and exists for these customers alone."""
        made = self.new_client(*scopes, customers=customers)
        with client_of(self.url) as client:
            client.headers["Authorization"] = f"Bearer {token_of(client, made)}"
            yield client

    def provision(self, **change: Any) -> dict[str, Any]:
        """Asks for datasets (of a new customer, unless told) and gives the body of the 202."""
        answer = self.admin.post(DATASETS, json=new_datasets(**change))
        assert answer.status_code == 202, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def publish(self, accepted: dict[str, Any], *, run_id: str = "run") -> list[UUID]:
        """What a run does to the registry, without the run: the accepted datasets become ready. Gives their ids."""
        operation_id = UUID(accepted["operation_id"])
        now = utcnow()
        with self.database.transaction() as session:
            operation = operations.get(session, operation_id, lock=True)
            operation.run_id, operation.status, operation.started_at = run_id, OperationStatus.IN_PROGRESS, now
            for part in operations.parts_of(session, operation_id):
                connectors.create_connector(session, connector_id=new_id(), dataset_id=part.dataset_id, now=now)
                datasets.move(session, part.dataset_id, DatasetStatus.VALIDATING)
                for number, check in enumerate(CheckType):
                    quality.add(
                        session,
                        CheckResult(
                            check, CheckStatus.PASSED, Decimal("98.00") if number == 1 else Decimal("100.00"), "Fine"
                        ),
                        dataset_id=part.dataset_id,
                        operation_id=operation_id,
                        attempt=1,
                        executed_at=now,
                        duration_ms=12,
                    )
                values = {"record_count": 500, "size_bytes": 15728640, "quality_score": Decimal("99.4")}
                datasets.move(session, part.dataset_id, DatasetStatus.READY, **values)
                finish_dataset(session, operation, part, Outcome.READY, quality_score=Decimal("99.4"))
        return [UUID(made["dataset_id"]) for made in accepted["datasets"]]

    def ready(self, **change: Any) -> UUID:
        """A ready dataset of confluence_pages."""
        return self.publish(self.provision(**({"dataset_types": ["confluence_pages"]} | change)))[0]

    def archive(self, dataset_id: UUID, *, archive_path: str | None = "archives/x") -> None:
        """What a teardown does to the registry, without the run."""
        answer = self.admin.delete(f"{DATASETS}/{dataset_id}", params={"archive": archive_path is not None})
        assert answer.status_code == 202, answer.text
        with self.database.transaction() as session:
            operation = operations.get(session, UUID(answer.json()["operation_id"]), lock=True)
            (part,) = operations.parts_of(session, operation.operation_id)
            datasets.move(session, dataset_id, DatasetStatus.ARCHIVED, archive_path=archive_path)
            finish_dataset(session, operation, part, Outcome.ARCHIVED)


def new_datasets(**change: Any) -> dict[str, Any]:
    """A request for two datasets of a new customer."""
    return {
        "journey_id": str(new_id()),
        "client_id": str(new_id()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages", "github_repos"],
    } | change


def client_of(url: str) -> httpx.Client:
    """An HTTP client that holds every answer against the OpenAPI description, and to carry a request id (C-3)."""
    return httpx.Client(base_url=url, timeout=30, event_hooks={"response": [conforms]})


@functools.cache
def described() -> tuple[dict[str, Any], list[tuple[re.Pattern[str], str]]]:
    """The description, and a pattern for each of its paths."""
    document = create_app(Settings(secret_key=SECRET, database_url="postgresql://nobody@localhost/nothing")).openapi()
    patterns = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in document["paths"]]
    return document, sorted(patterns, key=lambda one: one[1].count("{"))


def conforms(response: httpx.Response) -> None:
    """Fails the test where an answer is not as described: status, media type, and every field of it."""
    assert response.headers["x-request-id"]
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return  # it has no end yet
    response.read()
    if response.request.url.path.startswith("/connectors"):
        return
    document, patterns = described()
    path = next((path for pattern, path in patterns if pattern.fullmatch(response.request.url.path)), None)
    operation = document["paths"].get(path, {}).get(response.request.method.lower())
    if operation is None:
        return
    answer = operation["responses"].get(str(response.status_code))
    assert answer is not None, f"{response.status_code} is not described: {response.text}"
    undescribed = {name for name in HEADERS if name.lower() in response.headers} - answer.get("headers", {}).keys()
    assert not undescribed, f"{undescribed} of {response.status_code} is not described"
    if "content" not in answer:
        assert not response.content
        return
    media_type = response.headers["content-type"]
    assert media_type in answer["content"]
    if media_type != "application/json":
        return
    schema = answer["content"]["application/json"]["schema"] | {"components": document["components"]}
    jsonschema.validate(
        response.json(), schema, jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker()
    )


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
        uvicorn.Config(
            app,
            host=settings.api_host,
            port=settings.api_port,
            http=PatientProtocol,
            ws="none",
            log_level="critical",
            access_log=False,
            server_header=False,
        )
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


@pytest.fixture
def unused_port() -> int:
    """A port for a process of the test's own."""
    return free_port()


@contextmanager
def running_api(database: Database, home: Path, **change: Any) -> Iterator[Api]:
    """An API with an empty registry, until the block ends."""
    usual = {
        "home": home,
        "api_port": free_port(),
        "database_url": database.engine.url.render_as_string(hide_password=False),
        "secret_key": SECRET,
        "token_successes_per_minute": 1000,
        "api_requests_per_second": 100_000,
        "api_requests_burst": 100_000,
        "api_failures_per_minute": 100_000,
    }
    settings = Settings(**(usual | change))
    keyring = Keyring.load(settings)
    dagster = Switchboard()
    with database.transaction() as session:
        installation.ensure(session, keyring)

    def new_client(*scopes: Scope, customers: list[UUID] | None = None) -> NewApiClient:
        with database.transaction() as session:
            return api_clients.create(session, keyring, name="test", scopes=scopes, customers=customers, now=utcnow())

    url = f"http://127.0.0.1:{settings.api_port}"
    with (
        serving(settings, database, dagster),
        client_of(url) as anonymous,
        client_of(url) as admin,
    ):
        admin.headers["Authorization"] = f"Bearer {token_of(anonymous, new_client(Scope.ADMIN))}"
        yield Api(url, settings, database, keyring, dagster, anonymous, admin, new_client)


@pytest.fixture(scope="session")
def api(
    new_database: Callable[..., tuple[str, Callable[[], None]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """One API for all tests: each has customers of its own, and breaks nothing."""
    url, drop = new_database(migrated=True)
    with (
        closing(Database(url, pool_size=20)) as database,
        running_api(database, tmp_path_factory.mktemp("api")) as running,
    ):
        yield running
    drop()


@pytest.fixture(scope="module")
def module_api(
    new_database: Callable[..., tuple[str, Callable[[], None]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """An API for the tests of one module, which may leave anything behind in it."""
    url, drop = new_database(migrated=True)
    with (
        closing(Database(url, pool_size=20)) as database,
        running_api(database, tmp_path_factory.mktemp("api")) as running,
    ):
        yield running
    drop()


@pytest.fixture
def settings_change() -> dict[str, Any]:
    """Settings of a test's own API, given by parametrization."""
    return {}


@pytest.fixture
def own_api(large_database: Database, tmp_path: Path, settings_change: dict[str, Any]) -> Iterator[Api]:
    """An API for one test, which may break it."""
    with running_api(large_database, tmp_path / "home", **settings_change) as running:
        yield running
