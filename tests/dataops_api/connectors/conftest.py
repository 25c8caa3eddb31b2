"""A connector service as it runs: real PostgreSQL, real HTTP, index files in a folder of their own."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from glean.api_client import Glean

from dataops_api.connectors.app import create_connector_app
from dataops_api.connectors.service import ConnectorService
from dataops_core.clock import utcnow
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.dataset_types.base import Document
from dataops_core.lifecycle import DatasetStatus, Stage, TokenKind
from dataops_core.registry import connectors as registry
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Customer, Dataset
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from tests.waiting import wait_for

SECRET = "a secret of the connector tests"


@dataclass(frozen=True)
class LiveConnector:
    """A connector with its tokens and clients."""

    spec: ConnectorSpec
    dataset_id: UUID
    url: str
    search_token: str
    index_token: str
    http: httpx.Client

    @property
    def connector_id(self) -> UUID:
        return self.spec.connector_id

    def indexing(self) -> Glean:
        """Glean's own client with the index token."""
        return Glean(api_token=self.index_token, server_url=self.url)

    def searching(self) -> Glean:
        """Glean's own client with the search token."""
        return Glean(api_token=self.search_token, server_url=self.url)

    def post(self, path: str, body: Any = None, *, token: str | None = None, **options: Any) -> httpx.Response:
        """A plain POST; the token is the one that the path needs unless given."""
        chosen = token if token is not None else (self.index_token if "/index/" in path else self.search_token)
        return self.http.post(self.url + path, json=body, headers={"Authorization": f"Bearer {chosen}"}, **options)

    def get(self, path: str = "", *, token: str | None = None) -> httpx.Response:
        chosen = token if token is not None else self.search_token
        return self.http.get(self.url + path, headers={"Authorization": f"Bearer {chosen}"})

    def definition(self, number: int, **members: Any) -> dict[str, Any]:
        """A valid DocumentDefinition."""
        definition: dict[str, Any] = {
            "datasource": self.spec.datasource,
            "objectType": self.spec.object_type,
            "id": f"doc-{number}",
            "title": f"Page number {number}",
            "body": {"mimeType": "text/plain", "textContent": f"marker{number} settles batches of the ledger"},
            "viewURL": f"https://wiki.acme.example/pages/{number}",
            "permissions": {"allowAnonymousAccess": True},
        }
        definition.update(members)
        return definition

    def page(self, upload_id: str, numbers: range, **flags: bool) -> dict[str, Any]:
        """The body of one page of a bulk upload."""
        return {
            "uploadId": upload_id,
            "datasource": self.spec.datasource,
            "documents": [self.definition(number) for number in numbers],
            **flags,
        }

    def upload(self, upload_id: str, numbers: range, **flags: bool) -> httpx.Response:
        """A whole upload in one page."""
        body = self.page(upload_id, numbers, isFirstPage=True, isLastPage=True, **flags)
        return self.post("/api/index/v1/bulkindexdocuments", body)

    def count(self) -> int:
        """The documents that are served."""
        return int(self.get().json()["document_count"])

    def hits(self, query: str, **members: Any) -> list[dict[str, Any]]:
        """The results of a search."""
        response = self.post("/api/search", {"query": query, **members})
        assert response.status_code == 200, response.text
        results: list[dict[str, Any]] = response.json()["results"]
        return results


@dataclass(frozen=True)
class LiveService:
    """The running service, and what a test needs to look behind it."""

    url: str
    settings: Settings
    keyring: Keyring
    database: Database
    service: ConnectorService
    http: httpx.Client

    def folder(self, connector_id: UUID) -> Path:
        return self.service.files.folder(connector_id)

    def files(self, connector_id: UUID) -> list[str]:
        """Names of the files that the connector has on disk, once none of them is being written."""
        folder = self.folder(connector_id)
        if not folder.is_dir():
            return []

        def look() -> list[list[str]]:
            names = sorted(entry.name for entry in folder.iterdir())
            return [] if any(name.endswith("-journal") for name in names) else [names]

        return wait_for(look, f"nothing is written in {folder}")[0]

    def token(
        self, connector_id: UUID, kind: TokenKind, *, lifetime: timedelta = timedelta(hours=1)
    ) -> registry.IssuedToken:
        with self.database.transaction() as session:
            return registry.issue_token(
                session, self.keyring, connector_id=connector_id, kind=kind, lifetime=lifetime, now=utcnow()
            )

    def disconnect(self, connector_id: UUID) -> None:
        with self.database.transaction() as session:
            registry.disconnect(session, connector_id, utcnow())


@pytest.fixture(scope="session")
def database(new_database: Callable[..., tuple[str, Callable[[], None]]]) -> Iterator[Database]:
    """The registry, one for all tests of the service: each has connectors of its own."""
    url, drop = new_database(migrated=True)
    database = Database(url)
    yield database
    database.close()
    drop()


@pytest.fixture(scope="session")
def live_service(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveService]:
    settings = Settings(home=tmp_path_factory.mktemp("connectors"), secret_key=SECRET)
    app = create_connector_app(settings, database=database)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(timeout=30) as client:
        yield LiveService(url, settings, Keyring(SECRET), database, app.state.service, client)
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def adapter(live_service: LiveService) -> Iterator[EmbeddedConnector]:
    """The product's own client of the service."""
    client = EmbeddedConnector(live_service.url, live_service.keyring)
    yield client
    client.close()


@pytest.fixture
def make_dataset(database: Database) -> Callable[[], UUID]:
    """Makes the row of a dataset, which a connector belongs to."""

    def make() -> UUID:
        now = utcnow()
        client_id, dataset_id = uuid4(), uuid4()
        with database.transaction() as session:
            session.add(Customer(client_id=client_id, locale="en_US", company_name="ACME", created_at=now))
            session.flush()
            session.add(
                Dataset(
                    dataset_id=dataset_id,
                    name="ACME-Sandbox-Confluence",
                    dataset_type="confluence_pages",
                    stage=Stage.SANDBOX,
                    client_id=client_id,
                    journey_id=uuid4(),
                    status=DatasetStatus.PROVISIONING,
                    created_at=now,
                    updated_at=now,
                    template_id=uuid4(),
                    template_version=1,
                    template_name="A template",
                    seed=1,
                    requested_count=20,
                    meta={},
                    operation_id=uuid4(),
                )
            )
        return dataset_id

    return make


@pytest.fixture
def new_connector(live_service: LiveService, make_dataset: Callable[[], UUID]) -> Callable[[], LiveConnector]:
    """Makes a connector of a new dataset, with a token of each kind, and no data source yet."""

    def make() -> LiveConnector:
        dataset_id, connector_id = make_dataset(), uuid4()
        with live_service.database.transaction() as session:
            registry.create_connector(session, connector_id=connector_id, dataset_id=dataset_id, now=utcnow())
        return LiveConnector(
            spec=ConnectorSpec(
                connector_id=connector_id,
                name="ACME-Sandbox-Confluence",
                object_type="Page",
                category="KNOWLEDGE_HUB",
                url_regex=r"^https://wiki\.acme\.example/.*",
                facets=("labels", "space"),
            ),
            dataset_id=dataset_id,
            url=f"{live_service.url}/{connector_id}",
            search_token=live_service.token(connector_id, TokenKind.SEARCH).token,
            index_token=live_service.token(connector_id, TokenKind.INDEX).token,
            http=live_service.http,
        )

    return make


@pytest.fixture
def connector(adapter: EmbeddedConnector, new_connector: Callable[[], LiveConnector]) -> LiveConnector:
    """A connector whose data source is registered."""
    made = new_connector()
    adapter.provision(made.spec)
    return made


@pytest.fixture
def make_documents() -> Callable[[int], list[Document]]:
    """Documents of a dataset, as a dataset type gives them."""

    def make(count: int) -> list[Document]:
        return [
            Document(
                id=f"{100000 + number}",
                title=f"Runbook {number} for settlement",
                body=f"<h1>Runbook {number}</h1><p>Operators reconcile ledger item{number} &amp; close the day.</p>",
                mime_type="text/html",
                view_url=f"https://wiki.acme.example/pages/{number}",
                author_email=f"person{number % 7}@acme.example",
                author_name=f"Person {number % 7}",
                owner_email=None,
                owner_name=None,
                container=f"SPACE{number % 3}",
                created_at=1_760_000_000 + number,
                updated_at=1_765_000_000 + number,
                status="current",
                properties={"labels": ("runbook", f"team-{number % 5}"), "space": f"SPACE{number % 3}"},
            )
            for number in range(count)
        ]

    return make
