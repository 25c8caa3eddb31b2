"""Operations and datasets as the API's requests make them, on a real PostgreSQL; and what steps work with.

``journey`` makes rows alone; ``accept`` makes a request whose steps are run on real files and a real connector service.
``ready`` and ``archived`` are what comes of one, put back for tests that only begin with it.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn

from dataops_api.connectors.app import create_connector_app
from dataops_core.clock import utcnow
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.lifecycle import CheckType, DatasetStatus, Environment, OperationType, Stage, TeardownReason
from dataops_core.provisioning import fencing, proving, restoring, steps, teardown
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.fencing import Claim, RunIdentity
from dataops_core.provisioning.requests import accept_provisioning, accept_teardown
from dataops_core.provisioning.services import Services, StepContext
from dataops_core.registry import customers, datasets, operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset, Operation, OperationDataset
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.storage import Storage
from dataops_core.templates.loader import load_catalog
from tests.stored_state import State

SECRET = "a secret of the tests of the steps"
TYPE = "confluence_pages"


@dataclass
class Journey:
    """One customer's sandbox with an operation on some datasets."""

    database: Database
    client_id: UUID = field(default_factory=uuid4)
    operation_id: UUID = field(default_factory=uuid4)

    @property
    def environment(self) -> Environment:
        return Environment(Stage.SANDBOX, self.client_id)

    def begin(self, *dataset_types: str, kind: OperationType = OperationType.PROVISIONING) -> "Journey":
        """Makes the datasets and their operation, as one accepted request."""
        with self.database.transaction() as session:
            customers.ensure(session, client_id=self.client_id, locale="en_US", company_name="Acme Works", now=utcnow())
            rows = [self.dataset_row(name) for name in dataset_types]
            session.add_all(rows)
            session.flush()
            operations.create(
                session,
                operation_id=self.operation_id,
                operation_type=kind,
                client_id=self.client_id,
                stage=Stage.SANDBOX,
                datasets=[(row.dataset_id, row.dataset_type) for row in rows],
            )
        return self

    def dataset_row(self, dataset_type: str, status: DatasetStatus = DatasetStatus.PROVISIONING) -> Dataset:
        now = utcnow()
        return Dataset(
            dataset_id=uuid4(),
            name=f"ACME-Sandbox-{dataset_type}",
            dataset_type=dataset_type,
            stage=Stage.SANDBOX,
            client_id=self.client_id,
            journey_id=uuid4(),
            status=status,
            created_at=now,
            updated_at=now,
            template_id=uuid4(),
            template_version=1,
            template_name="A template",
            seed=1,
            requested_count=20,
            meta={"tags": []},
            operation_id=self.operation_id,
            has_remains=False,
        )

    def claim(self, run: RunIdentity, dataset_type: str = "confluence_pages", step: int | None = 1) -> Claim:
        with self.database.transaction() as session:
            return fencing.claim(
                session,
                run,
                environment=self.environment,
                dataset_type=dataset_type,
                kinds=tuple(OperationType),
                step=step,
            )

    def run(self, run_id: str = "run-1", parent: str | None = None) -> RunIdentity:
        return RunIdentity(run_id, self.operation_id, parent)

    def operation(self, operation_id: UUID | None = None) -> Operation:
        with self.database.transaction() as session:
            return operations.get(session, operation_id or self.operation_id)

    def part(self, dataset_type: str = "confluence_pages", operation_id: UUID | None = None) -> OperationDataset:
        with self.database.transaction() as session:
            parts = operations.parts_of(session, operation_id or self.operation_id)
            return next(part for part in parts if part.dataset_type == dataset_type)

    def dataset(self, dataset_type: str = "confluence_pages") -> Dataset:
        with self.database.transaction() as session:
            return datasets.get(session, self.part(dataset_type).dataset_id)

    def move(self, *path: DatasetStatus, dataset_type: str = "confluence_pages") -> None:
        with self.database.transaction() as session:
            for status in path:
                datasets.move(session, self.part(dataset_type).dataset_id, status)


@pytest.fixture
def journey(database: Database) -> Callable[..., Journey]:
    """Begins a journey of a customer of its own."""
    return lambda *types, **options: Journey(database).begin(*(types or ("confluence_pages",)), **options)


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Services]:
    settings = Settings(home=tmp_path / "home", secret_key=SECRET)
    app = create_connector_app(settings, database=database)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    keyring = Keyring(SECRET)
    client = EmbeddedConnector(url, keyring)
    yield Services(
        settings=settings.model_copy(update={"connector_url": url}),
        database=database,
        keyring=keyring,
        storage=Storage.from_settings(settings),
        catalog=load_catalog(),
        connector=client,
    )
    client.close()
    server.should_exit = True
    thread.join(10)
    listener.close()
    assert not thread.is_alive()  # it would work on the database of the next test


@dataclass
class Case:
    """One accepted request and the run that carries it out."""

    services: Services
    request: ProvisioningRequest
    operation: Operation

    @classmethod
    def accept(cls, services: Services, *types: str, client_id: UUID | None = None, record_count: int = 60) -> "Case":
        request = ProvisioningRequest(
            journey_id=uuid4(),
            client_id=client_id or uuid4(),
            stage=Stage.SANDBOX,
            dataset_types=types or (TYPE,),
            record_count=record_count,
            metadata={"custom_fields": {"industry": "fintech", "use_case": "developer_productivity"}},
        )
        with services.database.transaction() as session:
            operation = accept_provisioning(session, services.catalog, request, max_record_count=1000)
        return cls(services, request, operation)

    def context(self, run_id: str = "run-0001", *, parent: str | None = None, dataset_type: str = TYPE) -> StepContext:
        return StepContext(
            self.services,
            RunIdentity(run_id, self.operation.operation_id, parent),
            Environment(Stage.SANDBOX, self.request.client_id),
            dataset_type,
        )

    def dataset(self, dataset_type: str = TYPE) -> Dataset:
        with self.services.database.transaction() as session:
            view = operations.find_view(session, self.operation.operation_id)
            assert view is not None
            return next(row for part, row in view.parts if part.dataset_type == dataset_type and row is not None)

    def now(self) -> Operation:
        with self.services.database.transaction() as session:
            return operations.get(session, self.operation.operation_id)

    def provision(self, run_id: str = "run-0001", **options: str) -> None:
        """All steps but the last in order, each check whatever the others said, then the last."""
        context = self.context(run_id, **options)
        for step in (steps.resolve_template, steps.create_connector, steps.populate_records, steps.index_records):
            step(context)
        for check in CheckType:
            proving.run_check(context, check)
        proving.publish(context)

    def tear_down(self, *, archive: bool = True) -> "Case":
        with self.services.database.transaction() as session:
            operation = accept_teardown(
                session, self.dataset().dataset_id, reason=TeardownReason.MANUAL, archive=archive
            )
        return Case(self.services, self.request, operation)

    def run_teardown(self, run_id: str = "run-down") -> None:
        context = self.context(run_id)
        for step in (
            teardown.disconnect_connector,
            teardown.archive_records,
            teardown.delete_records,
            teardown.update_registry,
        ):
            step(context)

    def restore(self) -> "Case":
        with self.services.database.transaction() as session:
            operation = restoring.accept_restore(session, self.dataset().dataset_id)
        return Case(self.services, self.request, operation)

    def run_restore(self, run_id: str = "run-back", **options: str) -> None:
        context = self.context(run_id, **options)
        for step in (
            restoring.restore_records,
            restoring.create_connector,
            restoring.validate_quality,
            restoring.publish_dataset,
        ):
            step(context)

    def folder(self) -> Path:
        return Path(self.services.storage.path(self.dataset().records_path or ""))


@pytest.fixture
def accept(services: Services) -> Callable[..., Case]:
    return lambda *types, **options: Case.accept(services, *types, **options)


class Beginnings:
    """Cases that were carried out once, and what they left: put back for every other test that begins with one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, tuple[Case, State]] = {}

    def case(self, name: str, services: Services, carry_out: Callable[[Case], None]) -> Case:
        """The case of this name, on services that have nothing yet."""
        if name not in self._made:
            case = Case.accept(services)
            carry_out(case)
            self._made[name] = case, State.of(services, self._folder / name)
            return case
        made, state = self._made[name]
        # The connector service sweeps its folder as it starts: an answer says that it has done so.
        httpx.get(f"{services.settings.connector_url}/{uuid4()}")
        state.put(services)
        with services.database.transaction() as session:
            return Case(services, made.request, operations.get(session, made.operation.operation_id))


@pytest.fixture(scope="session")
def beginnings(tmp_path_factory: pytest.TempPathFactory) -> Beginnings:
    return Beginnings(tmp_path_factory.mktemp("beginnings"))


@pytest.fixture
def ready(services: Services, beginnings: Beginnings) -> Case:
    """A ready dataset; the case is that of its provisioning."""
    return beginnings.case("ready", services, Case.provision)


@pytest.fixture
def archived(services: Services, beginnings: Beginnings) -> Case:
    """A dataset that was ready, archived; the case is that of its provisioning."""

    def provision_and_tear_down(case: Case) -> None:
        case.provision()
        case.tear_down().run_teardown()

    return beginnings.case("archived", services, provision_and_tear_down)
