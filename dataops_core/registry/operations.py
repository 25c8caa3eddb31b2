"""Operations in the registry: making them, reading them, and opening them again.

Functions take a session and never commit. Does not belong here: the launch of their runs (``launches.py``), signs of
life (``heartbeats.py``), runs that must end (``stops.py``), fencing (``provisioning/fencing.py``) and the way an
operation ends (``provisioning/settlement.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.orm import Session

from dataops_core import tracing
from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, NotFoundError
from dataops_core.ids import new_id
from dataops_core.lifecycle import CheckType, Environment, OperationStatus, OperationType, Stage, steps_of
from dataops_core.registry import datasets as dataset_rows
from dataops_core.registry import environments
from dataops_core.registry.tables import Dataset, Operation, OperationDataset

OPEN = (OperationStatus.PENDING, OperationStatus.IN_PROGRESS)

#: The ``origin`` in the request of an operation that the product makes of itself, by the clock.
SCHEDULE = "schedule"

_DEFAULT_ESTIMATE = timedelta(seconds=60)
_ESTIMATE_SAMPLE = 20
#: Sets the runs' advisory locks apart from any other use of that number space.
_LOCK_CLASS = 0x72756E73
_LOCK_RUN = text("SELECT pg_advisory_xact_lock(:class, hashtext(:run))")
#: How often a dataset that changes hands is looked at again before its requester is told to.
_LOOKS = 3


@dataclass(frozen=True, slots=True)
class OperationView:
    """An operation as the API shows it: the row and its datasets in the order asked for, each with its status now."""

    operation: Operation
    parts: Sequence[tuple[OperationDataset, Dataset | None]]


def create(
    session: Session,
    *,
    operation_type: OperationType,
    client_id: UUID,
    stage: Stage,
    datasets: Sequence[tuple[UUID, str]],
    operation_id: UUID | None = None,
    request: dict[str, Any] | None = None,
    api_client_id: UUID | None = None,
    request_id: str | None = None,
    rerun_of: UUID | None = None,
    run_id: str | None = None,
    checks: int = len(CheckType),
) -> Operation:
    """A new operation on these datasets (id and type, in order), the active one of each.

    Raises IntegrityError where one of them has an active operation already (the partial unique index).
    """
    environments.share(session, Environment(stage, client_id))
    now = utcnow()
    operation = Operation(
        operation_id=operation_id or new_id(),
        operation_type=operation_type,
        status=OperationStatus.PENDING if run_id is None else OperationStatus.IN_PROGRESS,
        client_id=client_id,
        stage=stage,
        request=request or {},
        attempt=1,
        current_step=0 if run_id is None else 1,
        total_steps=len(steps_of(operation_type, checks)),
        created_at=now,
        started_at=None if run_id is None else now,
        beat_at=now,
        estimated_completion=now + estimate(session, operation_type),
        run_id=run_id,
        launch_attempts=0,
        rerun_of=rerun_of,
        api_client_id=api_client_id,
        request_id=request_id,
        traceparent=tracing.traceparent(),
    )
    session.add(operation)
    session.flush()
    for position, (dataset_id, dataset_type) in enumerate(datasets):
        add_dataset(session, operation, dataset_id=dataset_id, dataset_type=dataset_type, position=position)
    session.flush()
    return operation


def add_dataset(
    session: Session, operation: Operation, *, dataset_id: UUID, dataset_type: str, position: int
) -> OperationDataset:
    """Makes the operation the active one of a dataset."""
    part = OperationDataset(
        operation_id=operation.operation_id,
        dataset_id=dataset_id,
        dataset_type=dataset_type,
        position=position,
        active=True,
        steps_done=0,
    )
    session.add(part)
    session.flush()
    session.execute(update(Dataset).where(Dataset.dataset_id == dataset_id).values(operation_id=operation.operation_id))
    return part


def estimate(session: Session, operation_type: OperationType) -> timedelta:
    """How long such an operation takes: the median of the newest completed ones, a minute before there are any."""
    newest = (
        select(Operation.started_at, Operation.completed_at)
        .where(
            Operation.operation_type == operation_type,
            Operation.status == OperationStatus.COMPLETED,
            # One that had nothing to do says nothing about the others.
            Operation.run_id.is_not(None),
        )
        .order_by(Operation.completed_at.desc())
        .limit(_ESTIMATE_SAMPLE)
        .subquery()
    )
    seconds = func.extract("epoch", newest.c.completed_at - newest.c.started_at)
    median = session.scalar(select(func.percentile_cont(0.5).within_group(seconds)))
    return timedelta(seconds=max(1.0, float(median))) if median is not None else _DEFAULT_ESTIMATE


#: Here and below, what every step of a run asks is written out once: SQLAlchemy takes longer to put a statement
#: together than PostgreSQL to answer it.
_LOCKED = (
    select(Operation)
    .where(Operation.operation_id == bindparam("sought"))
    .with_for_update()
    .execution_options(populate_existing=True)
)


def find_locked(session: Session, operation_id: UUID) -> Operation | None:
    """The operation's row as it is now, locked for the transaction; None where there is none."""
    return session.scalars(_LOCKED, {"sought": operation_id}).one_or_none()


def get(session: Session, operation_id: UUID, *, lock: bool = False) -> Operation:
    """The operation's row, locked for the transaction where asked. Raises NotFoundError."""
    operation = find_locked(session, operation_id) if lock else session.get(Operation, operation_id)
    if operation is None:
        raise NotFoundError("Operation not found", details={"operation_id": str(operation_id)})
    return operation


def get_visible(session: Session, operation_id: UUID, *, customers: Sequence[UUID] | None) -> Operation:
    """The operation's row where it exists for these customers (None: for all). Raises NotFoundError."""
    operation = get(session, operation_id)
    if customers is not None and operation.client_id not in customers:
        raise NotFoundError("Operation not found", details={"operation_id": str(operation_id)})
    return operation


def find_view(session: Session, operation_id: UUID, *, customers: Sequence[UUID] | None = None) -> OperationView | None:
    """One operation with its datasets, or None where it does not exist for these customers."""
    operation = session.get(Operation, operation_id)
    if operation is None or (customers is not None and operation.client_id not in customers):
        return None
    rows = session.execute(
        select(OperationDataset, Dataset)
        .outerjoin(Dataset, Dataset.dataset_id == OperationDataset.dataset_id)
        .where(OperationDataset.operation_id == operation_id)
        .order_by(OperationDataset.position)
    ).all()
    return OperationView(operation, [(part, dataset) for part, dataset in rows])


def parts_of(session: Session, operation_id: UUID) -> Sequence[OperationDataset]:
    """The operation's datasets, in the order asked for."""
    return session.scalars(
        select(OperationDataset)
        .where(OperationDataset.operation_id == operation_id)
        .order_by(OperationDataset.position)
        .execution_options(populate_existing=True)
    ).all()


def active_of(session: Session, dataset_id: UUID) -> UUID | None:
    """The dataset's active operation, or None."""
    return session.scalar(
        select(OperationDataset.operation_id).where(OperationDataset.dataset_id == dataset_id, OperationDataset.active)
    )


def newest_change_of(session: Session, dataset_id: UUID) -> UUID | None:
    """The newest operation that made the dataset what it is: a validation only looks at it."""
    return session.scalar(
        select(Operation.operation_id)
        .join(OperationDataset, OperationDataset.operation_id == Operation.operation_id)
        .where(OperationDataset.dataset_id == dataset_id, Operation.operation_type != OperationType.VALIDATION)
        .order_by(Operation.created_at.desc())
        .limit(1)
    )


_CARRIED = (
    select(Operation.operation_id).where(Operation.run_id == bindparam("carrier")).order_by(Operation.created_at.desc())
)
_CARRIED_OF_TYPE = _CARRIED.join(OperationDataset, OperationDataset.operation_id == Operation.operation_id).where(
    OperationDataset.dataset_type == bindparam("of_type")
)


def carried_by(session: Session, run_id: str, *, dataset_type: str | None = None) -> Sequence[UUID]:
    """The operations that this run carries or carried, newest first; of those that work on this type, where given."""
    if dataset_type is None:
        return session.scalars(_CARRIED, {"carrier": run_id}).all()
    return session.scalars(_CARRIED_OF_TYPE, {"carrier": run_id, "of_type": dataset_type}).all()


def lock_run(session: Session, run_id: str) -> None:
    """From now until the transaction ends no other step of this run looks for what it carries."""
    session.execute(_LOCK_RUN, {"class": _LOCK_CLASS, "run": run_id})


def lock_with_active(session: Session, dataset_id: UUID) -> tuple[Dataset, Operation | None]:
    """The dataset and its active operation, both locked until the transaction ends.

    Locks go operation first, dataset second, everywhere (a journey's before both), also in the run's steps. A dataset
    that got another operation meanwhile is let go and looked at again. Raises NotFoundError, and ConflictError where it
    changes hands again and again.
    """
    for _ in range(_LOOKS):
        look = session.begin_nested()
        active_id = active_of(session, dataset_id)
        active = get(session, active_id, lock=True) if active_id is not None else None
        dataset = dataset_rows.get(session, dataset_id, lock=True)
        if active_of(session, dataset_id) == active_id:
            look.commit()
            return dataset, active
        look.rollback()
    raise ConflictError(
        "The dataset is changing hands at this moment; try again.", details={"dataset_id": str(dataset_id)}
    )


def checks_of(operation: Operation, dataset_type: str | None = None) -> tuple[CheckType, ...]:
    """The checks that a validation evaluates, in the order asked for; of this dataset type, or of any.

    Types differ where somebody chose checks of several by hand.
    """
    every = operation.request.get("checks", list(CheckType))
    chosen = every if dataset_type is None else operation.request.get("checks_of", {}).get(dataset_type, every)
    return tuple(CheckType(name) for name in chosen)


def is_scheduled(operation: Operation) -> bool:
    """Whether the clock asked for it, and nobody else."""
    return operation.request.get("origin") == SCHEDULE


def newest_teardown_of(session: Session, dataset_id: UUID, *, lock: bool = False) -> Operation | None:
    """The newest teardown of a dataset, ended or not: what a second DELETE goes on with (C-52)."""
    statement = (
        select(Operation)
        .join(OperationDataset, OperationDataset.operation_id == Operation.operation_id)
        .where(OperationDataset.dataset_id == dataset_id, Operation.operation_type == OperationType.TEARDOWN)
        .order_by(Operation.created_at.desc())
        .limit(1)
    )
    if lock:
        statement = statement.with_for_update(of=Operation).execution_options(populate_existing=True)
    return session.scalars(statement).one_or_none()


def next_attempt(
    session: Session, operation: Operation, parts: Sequence[OperationDataset], *, run_id: str | None
) -> None:
    """Opens these parts of an ended operation again: pending, or carried by ``run_id`` from now on.

    The caller holds the operation's row lock and has put the datasets where they can be worked on.
    """
    environments.share(session, Environment(operation.stage, operation.client_id))
    for part in parts:
        part.active, part.outcome, part.error, part.steps_done = True, None, None, 0
    now = utcnow()
    operation.attempt += 1
    operation.status = OperationStatus.PENDING if run_id is None else OperationStatus.IN_PROGRESS
    operation.current_step = 0 if run_id is None else 1
    operation.started_at = None if run_id is None else now
    operation.run_id = run_id
    operation.launch_lease_until = None
    operation.launch_attempts = 0
    operation.traceparent = tracing.traceparent()
    operation.beat_at = now
    operation.estimated_completion = now + estimate(session, operation.operation_type)
    operation.completed_at = None
    operation.error = None
    session.flush()
