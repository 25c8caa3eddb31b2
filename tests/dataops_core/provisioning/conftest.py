"""Operations and datasets as the API's requests make them, on a real PostgreSQL."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from dataops_core.clock import utcnow
from dataops_core.lifecycle import DatasetStatus, Environment, OperationType, Stage
from dataops_core.provisioning import fencing
from dataops_core.provisioning.fencing import Claim, RunIdentity
from dataops_core.registry import customers, datasets, operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset, Operation, OperationDataset


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
