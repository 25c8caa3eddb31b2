"""Real datasets in real indexes behind real HTTP, for faults to be put into; all four checks as a run puts them."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
import uvicorn

from dataops_api.connectors.app import create_connector_app
from dataops_api.connectors.service import ConnectorService
from dataops_core.clock import utcnow
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.protocol import ConnectorSpec
from dataops_core.dataset_types.base import Document
from dataops_core.generation.pieces import KeptRecords
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, Stage
from dataops_core.provisioning.evaluation import Verdict, evaluate
from dataops_core.registry import connectors as registry
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Customer, Dataset
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from tests.each_type import EACH_TYPE
from tests.faults.quality.material import RECORDS, SEED, Material, generated

SECRET = "a secret of the fault tests"


@dataclass(frozen=True)
class Service:
    """The running connector service."""

    url: str
    secret: str
    database: Database
    service: ConnectorService

    def new_spec(self, material: Material) -> ConnectorSpec:
        """A connector of a dataset of its own, registered but empty."""
        now, connector_id = utcnow(), uuid4()
        client_id, dataset_id = uuid4(), uuid4()
        kind = material.dataset_type
        with self.database.transaction() as session:
            session.add(Customer(client_id=client_id, locale="en_US", company_name="ACME", created_at=now))
            session.flush()
            session.add(
                Dataset(
                    dataset_id=dataset_id,
                    name=f"ACME-Sandbox-{kind.label}",
                    dataset_type=kind.name,
                    stage=Stage.SANDBOX,
                    client_id=client_id,
                    journey_id=uuid4(),
                    status=DatasetStatus.PROVISIONING,
                    created_at=now,
                    updated_at=now,
                    template_id=material.spec.template.template_id,
                    template_version=1,
                    template_name=material.spec.template.name,
                    seed=SEED,
                    requested_count=RECORDS,
                    meta={},
                    operation_id=uuid4(),
                )
            )
            session.flush()
            registry.create_connector(session, connector_id=connector_id, dataset_id=dataset_id, now=now)
        return ConnectorSpec(
            connector_id=connector_id,
            name=f"ACME-Sandbox-{kind.label}",
            object_type=kind.object_type,
            category=kind.category,
            url_regex=kind.url_pattern(material.spec.company),
            facets=kind.facets,
        )


@dataclass(frozen=True)
class Judgement:
    """What all four checks said."""

    verdicts: dict[CheckType, Verdict]

    @property
    def unpassed(self) -> dict[CheckType, CheckStatus]:
        """The checks that did not pass."""
        statuses = {check: verdict.result.status for check, verdict in self.verdicts.items()}
        return {check: status for check, status in statuses.items() if status is not CheckStatus.PASSED}

    def details(self, check: CheckType) -> str:
        return self.verdicts[check].result.details


@dataclass(frozen=True)
class Indexed:
    """A dataset with its connector, loaded as ``first``."""

    material: Material
    service: Service
    adapter: EmbeddedConnector
    spec: ConnectorSpec

    @property
    def file(self) -> Path:
        """The index file, which nobody has read so far."""
        return self.service.service.files.index(self.spec.connector_id, "first")

    def judge(
        self, *, adapter: EmbeddedConnector | None = None, table: pa.Table | None = None, requested: int | None = None
    ) -> Judgement:
        """Puts all four checks, as a run does.

        ``adapter`` is another way to the connector, ``table`` other records, ``requested`` another number of them.
        """
        return Judgement(
            {
                check: evaluate(
                    check,
                    records=KeptRecords(self.material.table if table is None else table),
                    dataset_type=self.material.dataset_type,
                    requested=requested or self.material.spec.record_count,
                    incomplete_planned=self.material.incomplete,
                    adapter=adapter or self.adapter,
                    spec=self.spec,
                    upload_id="first",
                    queries=self.material.queries,
                )
                for check in CheckType
            }
        )


@pytest.fixture(scope="session")
def service(
    new_database: Callable[..., tuple[str, Callable[[], None]]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    url, drop = new_database(migrated=True)
    database = Database(url)
    app = create_connector_app(Settings(home=tmp_path_factory.mktemp("faults"), secret_key=SECRET), database=database)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    yield Service(f"http://127.0.0.1:{listener.getsockname()[1]}", SECRET, database, app.state.service)
    server.should_exit = True
    thread.join(10)
    listener.close()
    database.close()
    drop()


@pytest.fixture(scope="session")
def adapter(service: Service) -> Iterator[EmbeddedConnector]:
    with closing(EmbeddedConnector(service.url, Keyring(SECRET))) as client:
        yield client


@pytest.fixture(scope="session")
def make_material(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Material]:
    """Generates a dataset of small records, writes it and reads it back."""
    folder = tmp_path_factory.mktemp("records")

    def make(type_name: str, **members: Any) -> Material:
        return generated(folder, type_name, **members)

    return make


@pytest.fixture(scope="session", params=EACH_TYPE)
def material(request: pytest.FixtureRequest, make_material: Callable[..., Material]) -> Material:
    return make_material(request.param)


@pytest.fixture(scope="session")
def pages(make_material: Callable[..., Material]) -> Material:
    """Pages, for faults that need not be tried on every type."""
    return make_material("confluence_pages")


@pytest.fixture(scope="session")
def load(service: Service, adapter: EmbeddedConnector) -> Callable[..., Indexed]:
    """Loads a dataset into a connector of its own: its documents, or others (``documents``, ``upload_id``)."""

    def make(material: Material, *, documents: list[Document] | None = None, upload_id: str = "first") -> Indexed:
        spec = service.new_spec(material)
        adapter.provision(spec)
        adapter.load(spec, material.documents if documents is None else documents, upload_id=upload_id)
        return Indexed(material, service, adapter, spec)

    return make
