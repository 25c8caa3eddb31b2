"""Journeys on a real PostgreSQL: told of as by the API, carried on as by the sensor, operations ended as by runs."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from dataops_core.clock import utcnow
from dataops_core.journeys.accepting import ToldEvent, accept_event
from dataops_core.journeys.advancing import advance_events
from dataops_core.lifecycle import (
    DatasetStatus,
    JourneyEventStatus,
    JourneyEventType,
    OperationStatus,
    OperationType,
    Outcome,
    Stage,
    TeardownReason,
)
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.requests import accept_provisioning, accept_teardown
from dataops_core.provisioning.settlement import RunEnding, finish_dataset, settle
from dataops_core.registry import datasets, journeys, operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset, JourneyEvent, Operation, OperationDataset
from dataops_core.templates.loader import Catalog, load_catalog

PAGES, REPOS = "confluence_pages", "github_repos"
TOLD_OF = {"industry": "fintech", "use_case": "developer_productivity", "client_name": "ACME"}


@functools.cache
def catalog() -> Catalog:
    """The product's own templates, read once."""
    return load_catalog()


@dataclass
class Trip:
    """One journey of a customer of its own."""

    database: Database
    client_id: UUID = field(default_factory=uuid4)
    journey_id: UUID = field(default_factory=uuid4)

    # What clients of the API do.

    def tell(self, event_id: UUID | None = None, *, minutes_ago: float = 0, **more: Any) -> JourneyEvent:
        """Tells of an event that occurred so long ago."""
        values = {"journey_id": self.journey_id, "client_id": self.client_id, "request_id": "req-told"}
        occurred_at = {"occurred_at": utcnow() - timedelta(minutes=minutes_ago)}
        with self.database.transaction() as session:
            return accept_event(session, ToldEvent(event_id=event_id or uuid4(), **(values | occurred_at | more)))

    def to(self, stage: Stage, *types: str, **more: Any) -> UUID:
        """Tells of a transition. Gives its id."""
        told = {"event": JourneyEventType.STAGE_TRANSITION, "to_stage": stage, "dataset_types": types or None}
        return self.tell(**(told | more)).event_id

    def complete(self, **more: Any) -> UUID:
        """Tells that the journey is completed."""
        return self.tell(event=JourneyEventType.JOURNEY_COMPLETED, **more).event_id

    def provision(self, stage: Stage = Stage.SANDBOX, *types: str, **more: Any) -> UUID:
        """Asks for datasets. Gives the operation."""
        request = ProvisioningRequest(
            **({"journey_id": self.journey_id, "client_id": self.client_id, "stage": stage} | more),
            dataset_types=types or (PAGES,),
            **({} if "metadata" in more else {"metadata": {"custom_fields": TOLD_OF}}),
        )
        with self.database.transaction() as session:
            return accept_provisioning(session, catalog(), request, max_record_count=1000).operation_id

    def settled(self, stage: Stage = Stage.SANDBOX, *types: str, **more: Any) -> "Trip":
        """Has ready datasets in a stage."""
        self.succeed(self.provision(stage, *types, **more))
        return self

    def tear_down(self, dataset_id: UUID, *, archive: bool = True) -> UUID:
        with self.database.transaction() as session:
            return accept_teardown(session, dataset_id, reason=TeardownReason.MANUAL, archive=archive).operation_id

    # What the sensor does.

    def advance(self) -> list[UUID]:
        """One tick of the sensor, and nothing else."""
        return advance_events(self.database, catalog(), max_record_count=1000)

    def tick(self) -> list[Operation]:
        """One tick of the sensor. Gives the operations that it began."""
        return [self.operation(operation_id) for operation_id in self.advance()]

    def tick_once(self) -> Operation:
        """A tick that begins one operation."""
        (operation,) = self.tick()
        return operation

    # What runs do to the registry.

    def succeed(self, operation_id: UUID) -> None:
        """The operation's run carries out all that is open in it."""
        with self.database.transaction() as session:
            operation = operations.get(session, operation_id, lock=True)
            operation.run_id, operation.status = str(uuid4()), OperationStatus.IN_PROGRESS
            operation.started_at = utcnow()
            for part in operations.parts_of(session, operation_id):
                if not part.active:
                    continue
                if operation.operation_type is OperationType.TEARDOWN:
                    datasets.move(session, part.dataset_id, DatasetStatus.ARCHIVED, archive_path="archives/x")
                    finish_dataset(session, operation, part, Outcome.ARCHIVED)
                else:
                    datasets.move(session, part.dataset_id, DatasetStatus.VALIDATING)
                    datasets.move(session, part.dataset_id, DatasetStatus.READY)
                    finish_dataset(session, operation, part, Outcome.READY)

    def fail(self, operation_id: UUID) -> None:
        """The operation's run is lost."""
        with self.database.transaction() as session:
            operations.get(session, operation_id, lock=True).run_id = "lost"
            settle(session, operation_id, RunEnding.LOST, run_id="lost")

    # What is seen.

    def event(self, event_id: UUID) -> JourneyEvent:
        with self.database.transaction() as session:
            found = journeys.find_event(session, client_id=self.client_id, event_id=event_id)
        assert found is not None
        return found

    def status(self, event_id: UUID) -> JourneyEventStatus:
        return self.event(event_id).status

    def error(self, event_id: UUID) -> tuple[str, str]:
        """Code and message of a failed event."""
        event = self.event(event_id)
        assert (event.status, event.phase) == (JourneyEventStatus.FAILED, None)
        assert event.completed_at is not None
        assert event.error is not None
        return event.error["code"], event.error["message"]

    def ended_at(self) -> datetime | None:
        with self.database.transaction() as session:
            return journeys.ended_at(session, client_id=self.client_id, journey_id=self.journey_id)

    def rows(self) -> list[Dataset]:
        with self.database.transaction() as session:
            wanted = select(Dataset).where(Dataset.client_id == self.client_id).order_by(Dataset.created_at)
            return list(session.scalars(wanted))

    def standing(self) -> list[str]:
        """Where each dataset stands, oldest first: ``sandbox confluence_pages ready``."""
        return [f"{row.stage} {row.dataset_type} {row.status}" for row in self.rows()]

    def one(self, stage: Stage, dataset_type: str = PAGES) -> Dataset:
        """The newest dataset of a place."""
        return [row for row in self.rows() if (row.stage, row.dataset_type) == (stage, dataset_type)][-1]

    def operation(self, operation_id: UUID) -> Operation:
        with self.database.transaction() as session:
            return operations.get(session, operation_id)

    def operations(self) -> list[Operation]:
        with self.database.transaction() as session:
            wanted = select(Operation).where(Operation.client_id == self.client_id).order_by(Operation.created_at)
            return list(session.scalars(wanted))

    def datasets_of(self, operation: Operation) -> list[UUID]:
        with self.database.transaction() as session:
            wanted = select(OperationDataset).where(OperationDataset.operation_id == operation.operation_id)
            return [part.dataset_id for part in session.scalars(wanted.order_by(OperationDataset.position))]


@pytest.fixture
def trip(database: Database) -> Trip:
    """A journey that nothing is known of yet."""
    return Trip(database)


@pytest.fixture
def another(database: Database) -> Callable[..., Trip]:
    """Another journey, of the same customer where one is given."""
    return lambda **known: Trip(database, **known)
