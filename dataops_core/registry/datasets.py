"""Datasets in the registry: reading, making, and the one guarded function that moves their status.

All SQL on the table ``datasets`` is here. Functions take a session and never commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select, update
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, NotFoundError
from dataops_core.lifecycle import ALLOWED_MOVES, LIVE_STATUSES, DatasetStatus, Environment, Stage
from dataops_core.registry.tables import Connector, Dataset, OperationDataset


class DatasetSort(StrEnum):
    """Orders of a list (C-30); ties go by dataset_id."""

    OLDEST = "created_at"
    NEWEST = "-created_at"
    NAME = "name"
    SCORE = "quality_score"


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """Which datasets (C-30); None does not restrict. ``customers`` is what an API client is bound to (C-8)."""

    client_id: UUID | None = None
    journey_id: UUID | None = None
    stage: Stage | None = None
    status: DatasetStatus | None = None
    dataset_type: str | None = None
    operation_id: UUID | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    tag: str | None = None
    customers: Sequence[UUID] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as SQL."""
        wanted: list[ColumnElement[bool]] = [
            getattr(Dataset, name) == value
            for name in ("client_id", "journey_id", "stage", "status", "dataset_type")
            if (value := getattr(self, name)) is not None
        ]
        if self.operation_id is not None:
            part = select(OperationDataset.dataset_id).where(OperationDataset.operation_id == self.operation_id)
            wanted.append(Dataset.dataset_id.in_(part))
        if self.created_from is not None:
            wanted.append(Dataset.created_at >= self.created_from)
        if self.created_to is not None:
            wanted.append(Dataset.created_at < self.created_to)
        if self.tag is not None:
            wanted.append(Dataset.meta["tags"].contains([self.tag]))
        if self.customers is not None:
            wanted.append(Dataset.client_id.in_(self.customers))
        return wanted


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset as the API shows it: the row, its newest connector, and its active operation."""

    dataset: Dataset
    connector: Connector | None
    active_operation_id: UUID | None


def _views() -> Select[tuple[Dataset, Connector, UUID]]:
    """Datasets with their newest connector and active operation, both null where there is none."""
    newest = (
        select(Connector.connector_id)
        .where(Connector.dataset_id == Dataset.dataset_id)
        .order_by(Connector.created_at.desc())
        .limit(1)
        .correlate(Dataset)
        .scalar_subquery()
    )
    active = (
        select(OperationDataset.operation_id)
        .where(OperationDataset.dataset_id == Dataset.dataset_id, OperationDataset.active)
        .correlate(Dataset)
        .scalar_subquery()
    )
    return select(Dataset, Connector, active).outerjoin(Connector, Connector.connector_id == newest)


def find_view(session: Session, dataset_id: UUID, *, customers: Sequence[UUID] | None = None) -> DatasetView | None:
    """One dataset with what belongs to it, or None where it does not exist for these customers."""
    statement = _views().where(Dataset.dataset_id == dataset_id, *DatasetFilter(customers=customers).conditions())
    row = session.execute(statement).one_or_none()
    return DatasetView(*row) if row is not None else None


def list_views(
    session: Session, wanted: DatasetFilter, *, sort: DatasetSort, offset: int, limit: int
) -> tuple[list[DatasetView], int]:
    """A page of datasets and how many there are in all."""
    conditions = wanted.conditions()
    total = session.scalar(select(func.count()).select_from(Dataset).where(*conditions)) or 0
    order: dict[DatasetSort, Any] = {
        DatasetSort.OLDEST: (Dataset.created_at, Dataset.dataset_id),
        DatasetSort.NEWEST: (Dataset.created_at.desc(), Dataset.dataset_id),
        DatasetSort.NAME: (Dataset.name.collate("C"), Dataset.dataset_id),
        DatasetSort.SCORE: (Dataset.quality_score.nulls_first(), Dataset.dataset_id),
    }
    if offset >= total:
        return [], total
    rows = session.execute(_views().where(*conditions).order_by(*order[sort]).offset(offset).limit(limit)).all()
    return [DatasetView(*row) for row in rows], total


def get(session: Session, dataset_id: UUID, *, lock: bool = False) -> Dataset:
    """The dataset's row, locked for the transaction where asked. Raises NotFoundError."""
    dataset = session.get(Dataset, dataset_id, with_for_update=lock, populate_existing=lock)
    if dataset is None:
        raise NotFoundError("Dataset not found", details={"dataset_id": str(dataset_id)})
    return dataset


def get_visible(session: Session, dataset_id: UUID, *, customers: Sequence[UUID] | None) -> Dataset:
    """The dataset's row where it exists for these customers (None: for all). Raises NotFoundError."""
    dataset = get(session, dataset_id)
    if customers is not None and dataset.client_id not in customers:
        raise NotFoundError("Dataset not found", details={"dataset_id": str(dataset_id)})
    return dataset


def holder_of(session: Session, *, client_id: UUID, stage: Stage, dataset_type: str) -> Dataset | None:
    """The live dataset that holds this client/stage/type, or None where the place is free (C-44)."""
    return session.scalars(
        select(Dataset).where(
            Dataset.client_id == client_id,
            Dataset.stage == stage,
            Dataset.dataset_type == dataset_type,
            Dataset.status.in_(LIVE_STATUSES),
        )
    ).one_or_none()


def failed_of(session: Session, *, client_id: UUID, stage: Stage, dataset_type: str) -> Dataset | None:
    """The failed dataset of this place, which a new request replaces (C-44)."""
    return session.scalars(
        select(Dataset)
        .where(
            Dataset.client_id == client_id,
            Dataset.stage == stage,
            Dataset.dataset_type == dataset_type,
            Dataset.status == DatasetStatus.FAILED,
        )
        .order_by(Dataset.created_at.desc())
        .limit(1)
    ).one_or_none()


def newest_of_customer(session: Session, client_id: UUID) -> Dataset | None:
    """The customer's newest dataset: what ``auto`` learns industry and use case from (C-41)."""
    return session.scalars(
        select(Dataset).where(Dataset.client_id == client_id).order_by(Dataset.created_at.desc()).limit(1)
    ).one_or_none()


def remains_of_place(session: Session, *, client_id: UUID, stage: Stage, dataset_type: str) -> Sequence[Dataset]:
    """Archived datasets of this place of which files or an index may still be there (replaced ones)."""
    return session.scalars(
        select(Dataset).where(
            Dataset.client_id == client_id,
            Dataset.stage == stage,
            Dataset.dataset_type == dataset_type,
            Dataset.status == DatasetStatus.ARCHIVED,
            Dataset.has_remains,
        )
    ).all()


def environment_in_use(session: Session, environment: Environment) -> bool:
    """Whether any dataset of this client and stage is not archived."""
    statement = select(
        exists().where(
            Dataset.client_id == environment.client_id,
            Dataset.stage == environment.stage,
            Dataset.status != DatasetStatus.ARCHIVED,
        )
    )
    return bool(session.scalar(statement))


def move(session: Session, dataset_id: UUID, to: DatasetStatus, **values: Any) -> Dataset:
    """Moves a dataset's status by compare-and-set, along the one table of allowed moves, with other columns beside it.

    Every status change of the product is this function. Raises ConflictError where the dataset stands somewhere from
    which there is no such move, and IntegrityError where another dataset took its place (the partial unique index).
    """
    sources = [source for source, targets in ALLOWED_MOVES.items() if to in targets]
    now = utcnow()
    times: dict[str, Any] = {"updated_at": now}
    if to is DatasetStatus.READY:
        times["ready_at"] = now
    elif to is DatasetStatus.ARCHIVED:
        times["archived_at"] = now
    elif to is DatasetStatus.PROVISIONING:
        times |= {"archived_at": None, "error_code": None, "error_message": None}
    moved = session.scalars(
        update(Dataset)
        .where(Dataset.dataset_id == dataset_id, Dataset.status.in_(sources))
        .values({"status": to} | times | values)
        .returning(Dataset)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if moved is None:
        current = get(session, dataset_id)
        raise ConflictError(
            f"The dataset is {current.status}; it cannot become {to}.",
            details={"dataset_id": str(dataset_id), "status": str(current.status)},
        )
    return moved
