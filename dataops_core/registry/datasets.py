"""Datasets in the registry: reading, making, and the one guarded function that moves their status.

All SQL on the table ``datasets`` is here. Functions take a session and never commit.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, NotFoundError
from dataops_core.lifecycle import ALLOWED_MOVES, LIVE_STATUSES, DatasetStatus, Environment, Stage
from dataops_core.registry.tables import Dataset


def get(session: Session, dataset_id: UUID, *, lock: bool = False) -> Dataset:
    """The dataset's row, locked for the transaction where asked. Raises NotFoundError."""
    dataset = session.get(Dataset, dataset_id, with_for_update=lock, populate_existing=lock)
    if dataset is None:
        raise NotFoundError("Dataset not found", details={"dataset_id": str(dataset_id)})
    return dataset


def get_visible(session: Session, dataset_id: UUID, *, customers: Sequence[UUID] | None, lock: bool = False) -> Dataset:
    """The dataset's row where it exists for these customers (None: for all). Raises NotFoundError."""
    dataset = get(session, dataset_id, lock=lock)
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


def say(session: Session, dataset_id: UUID, metadata: dict[str, Any]) -> None:
    """Puts this metadata in place of what was said before (C-50), which the caller has read under a lock."""
    # A statement of its own: the mapper takes true for 1 and would leave one in place of the other.
    session.execute(update(Dataset).where(Dataset.dataset_id == dataset_id).values(meta=metadata, updated_at=utcnow()))


def take_place(session: Session, dataset: Dataset, **values: Any) -> Dataset:
    """Moves a failed or archived dataset to provisioning, into its place. Raises ConflictError where that is held.

    Of a move and a request for a new dataset at once one wins: the partial unique index holds the place.
    """
    place: dict[str, Any] = {
        "client_id": dataset.client_id,
        "stage": dataset.stage,
        "dataset_type": dataset.dataset_type,
    }
    holder = holder_of(session, **place)
    if holder is None:
        try:
            with session.begin_nested():
                return move(session, dataset.dataset_id, DatasetStatus.PROVISIONING, source=dataset.status, **values)
        except IntegrityError:
            holder = holder_of(session, **place)
    taken = {"existing_dataset_id": str(holder.dataset_id)} if holder is not None else {}
    raise ConflictError(
        f"The place of dataset {dataset.dataset_id} is taken since",
        details={"dataset_id": str(dataset.dataset_id)}
        | taken
        | {"conflict": f"Dataset of type '{dataset.dataset_type}' already exists for client/stage"},
    )


def move(
    session: Session, dataset_id: UUID, to: DatasetStatus, *, source: DatasetStatus | None = None, **values: Any
) -> Dataset:
    """Moves a dataset's status by compare-and-set, along the one table of allowed moves, with other columns beside it.

    Every status change of the product is this function. With ``source`` it moves from there alone. Raises ConflictError
    where the dataset stands somewhere from which there is no such move, and IntegrityError where another dataset took
    its place (the partial unique index).
    """
    sources = [one for one, targets in ALLOWED_MOVES.items() if to in targets and source in {None, one}]
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
