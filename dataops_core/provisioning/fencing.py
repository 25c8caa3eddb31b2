"""Fencing: a run may change a dataset only while it carries the dataset's active operation.

Every step claims its dataset first and holds the claim again in the very transaction that writes. An old run that is
rerun, a second run launched by a race, or a run that was given up and lives after all, finds that it is not the one
and ends in one sentence, having changed nothing (design: "one active operation, held by the database"; C-37, C-87).
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dataops_core.acting import for_operation
from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, DataOpsError, StaleRunError
from dataops_core.lifecycle import CheckType, DatasetStatus, Environment, OperationStatus, OperationType, Outcome
from dataops_core.provisioning.reopening import WORKABLE, reopen
from dataops_core.registry import datasets, heartbeats, operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Customer, Dataset, Operation, OperationDataset

#: How often a step shows that it lives.
BEAT_SECONDS = 5.0


#: The three rows of a claim.
_WORK = (
    select(Operation, OperationDataset, Dataset)
    .join(OperationDataset, OperationDataset.operation_id == Operation.operation_id)
    .join(Dataset, Dataset.dataset_id == OperationDataset.dataset_id)
    .execution_options(populate_existing=True)
)
#: Of an operation that the run carries still one part and its dataset, locked in the order of everywhere: of any other
#: nothing, so that nobody waits for a run that has lost its claim. Here and below, what every step asks is written out
#: once (``operations.find_locked``).
_HELD = _WORK.where(
    Operation.operation_id == bindparam("held"),
    Operation.run_id == bindparam("carrier"),
    Operation.attempt == bindparam("tried"),
    Operation.status == OperationStatus.IN_PROGRESS,
    OperationDataset.dataset_id == bindparam("worked_on"),
).with_for_update(of=(Operation, OperationDataset, Dataset))
#: What a run works on of one type, and the locale of its customer. Nothing is locked.
_CARRIED = (
    _WORK.add_columns(Customer.locale)
    .join(Customer, Customer.client_id == Dataset.client_id)
    .where(Operation.run_id == bindparam("carrier"), OperationDataset.dataset_type == bindparam("of_type"))
    .order_by(Operation.created_at.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Who asks: the run, the operation and the trace that its tags name, and the run that it repeats.

    ``checks``: those of each dataset type, where the run does nothing but check.
    """

    run_id: str
    operation_id: UUID | None = None
    parent_run_id: str | None = None
    traceparent: str | None = None
    checks: Mapping[str, tuple[CheckType, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of a claim, locked for the transaction where :func:`hold` gives them; and the locale of the customer,
    where it was asked for.
    """

    operation: Operation
    part: OperationDataset
    dataset: Dataset
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to change one dataset, as long as :func:`hold` finds it still true.

    ``found`` are the rows as they were claimed, to be read as the step begins: what it writes, it holds first.
    """

    operation_id: UUID
    operation_type: OperationType
    attempt: int
    run_id: str
    dataset_id: UUID
    found: Held = field(repr=False, compare=False)
    #: The request that the operation comes from.
    request_id: str | None = None


def claim(
    session: Session,
    run: RunIdentity,
    *,
    environment: Environment,
    dataset_type: str,
    kinds: Collection[OperationType],
    step: int | None,
) -> Claim:
    """Claims the dataset of this type in this environment for a step (1 is the first) of the run's operation.

    ``kinds`` are the types of operation that the step belongs to; with no ``step`` the progress stays as it is.

    The first run to come carries a pending operation. A repeated run goes on with an operation that failed or was
    cancelled, and makes a new one of an operation that completed; a run of no operation's (somebody materializes or
    checks by hand) works on the live dataset. Raises StaleRunError with one sentence in every other case.
    """
    claimed = _claimed_before(session, run, dataset_type=dataset_type, kinds=kinds, step=step)
    if claimed is not None:
        return claimed
    operation = _operation_of(session, run, dataset_type)
    if operation is None or operation.status is OperationStatus.COMPLETED:
        if operation is not None:
            _must_repeat(run, operation)
        operation, part = _adopt(session, run, environment, dataset_type, like=operation)
        return _claimed(session, operation, part, run_id=run.run_id, kinds=kinds, step=step)
    with for_operation(operation.operation_id, request_id=operation.request_id):
        _carry(session, run, operation)
        part = _part_of(session, operation, run, environment, dataset_type)
        return _claimed(session, operation, part, run_id=run.run_id, kinds=kinds, step=step)


def _claimed_before(
    session: Session, run: RunIdentity, *, dataset_type: str, kinds: Collection[OperationType], step: int | None
) -> Claim | None:
    """The claim of a step that finds everything as the step before has left it: one look, and nothing to write.

    None where that is not so. That it was so a moment ago is all that any claim can say (:func:`hold`).
    """
    found = session.execute(_CARRIED, {"carrier": run.run_id, "of_type": dataset_type}).one_or_none()
    if found is None:
        return None
    operation, part, dataset, locale = found
    if (
        operation.status is not OperationStatus.IN_PROGRESS
        or operation.operation_type not in kinds
        or not part.active
        or dataset.status not in WORKABLE[operation.operation_type]
        or part.steps_done < _steps_before(operation, step)
        or not heartbeats.is_fresh(operation)
    ):
        return None
    return _claim(run.run_id, Held(operation, part, dataset, locale))


def _steps_before(operation: Operation, step: int | None) -> int:
    """How many steps are done where this one begins."""
    return 0 if step is None else min(step, operation.total_steps) - 1


def _claim(run_id: str, found: Held) -> Claim:
    operation = found.operation
    return Claim(
        operation.operation_id,
        operation.operation_type,
        operation.attempt,
        run_id,
        found.part.dataset_id,
        found,
        operation.request_id,
    )


def _carry(session: Session, run: RunIdentity, operation: Operation) -> None:
    """Has the run carry an operation that is not completed."""
    if operation.status.is_terminal:
        _must_repeat(run, operation)
        try:
            reopen(session, operation, run_id=run.run_id)
        except ConflictError as error:
            raise StaleRunError(f"{error.message}; the run changes nothing.") from None
    elif operation.run_id is None or operation.run_id == run.run_id:
        _start(operation, run)
    else:
        raise StaleRunError(
            f"Operation {operation.operation_id} is carried out by run {operation.run_id}; not by this run."
        )


def _claimed(
    session: Session,
    operation: Operation,
    part: OperationDataset,
    *,
    run_id: str,
    kinds: Collection[OperationType],
    step: int | None,
) -> Claim:
    """The right to change the dataset of this part, which its operation's run has come to."""
    if operation.operation_type not in kinds:
        raise StaleRunError(
            f"Operation {operation.operation_id} is a {operation.operation_type}, which has no such step."
        )
    dataset = session.get(Dataset, part.dataset_id, with_for_update=True, populate_existing=True)
    found = _workable(operation, part, dataset)
    part.steps_done = max(part.steps_done, _steps_before(operation, step))
    session.flush()
    heartbeats.show_progress(session, operation.operation_id)
    return _claim(run_id, found)


def hold(session: Session, claim: Claim) -> Held:
    """The claim's rows, locked until the transaction ends. Raises StaleRunError where it is lost."""
    asked = {
        "held": claim.operation_id,
        "carrier": claim.run_id,
        "tried": claim.attempt,
        "worked_on": claim.dataset_id,
    }
    found = session.execute(_HELD, asked).one_or_none()
    if found is None:
        operation = operations.find_locked(session, claim.operation_id)
        if operation is not None and _is_carried(operation, claim):
            raise StaleRunError(f"Dataset {claim.dataset_id} is gone; the run changes nothing more.")
        raise StaleRunError(f"Operation {claim.operation_id} has moved on without this run; it changes nothing more.")
    operation, part, dataset = found
    return _workable(operation, part, dataset, claim.found.locale)


def _is_carried(operation: Operation, claim: Claim) -> bool:
    """Whether the claim's run carries the operation still, in the claim's attempt."""
    return (operation.run_id, operation.attempt, operation.status) == (
        claim.run_id,
        claim.attempt,
        OperationStatus.IN_PROGRESS,
    )


def step_done(session: Session, held: Held, step: int) -> None:
    """Notes that a dataset has finished a step (1 is the first), in the transaction that wrote its result."""
    held.part.steps_done = max(held.part.steps_done, step)
    session.flush()
    heartbeats.show_progress(session, held.operation.operation_id)


@contextmanager
def beating(database: Database, claim: Claim) -> Iterator[None]:
    """Shows every few seconds that the step lives, for as long as the block runs."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            try:
                with database.transaction() as session:
                    if not heartbeats.beat(session, claim.operation_id, run_id=claim.run_id, attempt=claim.attempt):
                        return
            except DataOpsError:
                # The database is away for a moment: the next beat says the same.
                continue

    thread = threading.Thread(target=beat, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _operation_of(session: Session, run: RunIdentity, dataset_type: str) -> Operation | None:
    """The operation that the run carries, else the one that its parent carried, else the one that its tags name."""
    for operation_id in operations.carried_by(session, run.run_id, dataset_type=dataset_type):
        return operations.get(session, operation_id, lock=True)
    # Steps of a run come at once: the first of them makes its operation, or takes it over, and the others find it.
    operations.lock_run(session, run.run_id)
    for operation_id in operations.carried_by(session, run.run_id, dataset_type=dataset_type):
        return operations.get(session, operation_id, lock=True)
    for operation_id in operations.carried_by(session, run.run_id):
        operation = operations.get(session, operation_id, lock=True)
        # One that the run made by itself and that has ended takes no more types in.
        if not operation.status.is_terminal or operation.request.get("origin") != "dagster":
            return operation
    # The tags of a run that repeats a repetition name the first operation still.
    if run.parent_run_id is not None:
        for operation_id in operations.carried_by(session, run.parent_run_id, dataset_type=dataset_type):
            return operations.get(session, operation_id, lock=True)
    if run.operation_id is not None:
        named = operations.find_locked(session, run.operation_id)
        if named is None:
            raise StaleRunError(f"There is no operation {run.operation_id}: it was removed since this run was made.")
        return named
    return None


def _must_repeat(run: RunIdentity, operation: Operation) -> None:
    if run.parent_run_id is None or operation.run_id == run.run_id:
        raise StaleRunError(
            f"Operation {operation.operation_id} is {operation.status} already; this run comes too late."
        )


def _start(operation: Operation, run: RunIdentity) -> None:
    operation.run_id = run.run_id
    if operation.status is OperationStatus.PENDING:
        operation.status = OperationStatus.IN_PROGRESS
        operation.current_step = 1
        operation.started_at = operation.started_at or utcnow()


def _adopt(
    session: Session, run: RunIdentity, environment: Environment, dataset_type: str, *, like: Operation | None
) -> tuple[Operation, OperationDataset]:
    """An operation for a run that has none of its own: started by hand, or repeating a completed one (``like``)."""
    dataset = datasets.holder_of(
        session, client_id=environment.client_id, stage=environment.stage, dataset_type=dataset_type
    )
    if dataset is None or (like is not None and not _is_about(session, like, dataset)):
        raise StaleRunError(_nothing_to_do(session, environment, dataset_type, like=like, holder=dataset))
    if like is not None and like.operation_type is not OperationType.VALIDATION:
        newest = operations.newest_change_of(session, dataset.dataset_id)
        if newest != like.operation_id:
            raise StaleRunError(
                f"Dataset {dataset.dataset_id} has moved on since: operation {newest} came after this one."
            )
    if dataset.status is not DatasetStatus.READY:
        raise StaleRunError(f"Dataset {dataset.dataset_id} is {dataset.status}: it can be made again once it is ready.")
    operation_type, request = _asked_of(run, like)
    try:
        with session.begin_nested():
            operation = operations.create(
                session,
                operation_type=operation_type,
                client_id=dataset.client_id,
                stage=dataset.stage,
                datasets=[(dataset.dataset_id, dataset.dataset_type)],
                request=request | {"origin": "dagster"},
                rerun_of=like.operation_id if like is not None else None,
                run_id=run.run_id,
                checks=len(request.get("checks", CheckType)),
            )
    except IntegrityError:
        raise StaleRunError(
            f"Dataset {dataset.dataset_id} is in the hands of operation "
            f"{operations.active_of(session, dataset.dataset_id)}: try again when that has ended."
        ) from None
    return operation, session.get_one(OperationDataset, (operation.operation_id, dataset.dataset_id))


def _asked_of(run: RunIdentity, like: Operation | None) -> tuple[OperationType, dict[str, Any]]:
    """What a run that has no operation of its own does: what ``like`` did, or only as much of it as are its checks."""
    request = dict(like.request) if like is not None else {}
    if run.checks is None:
        return like.operation_type if like is not None else OperationType.PROVISIONING, request
    every = [check for check in CheckType if any(check in checks for checks in run.checks.values())]
    return OperationType.VALIDATION, request | {
        "checks": [check.value for check in every],
        "checks_of": {kind: [check.value for check in checks] for kind, checks in run.checks.items()},
    }


def _is_about(session: Session, operation: Operation, dataset: Dataset) -> bool:
    return session.get(OperationDataset, (operation.operation_id, dataset.dataset_id)) is not None


def _nothing_to_do(
    session: Session, environment: Environment, dataset_type: str, *, like: Operation | None, holder: Dataset | None
) -> str:
    """Why a run finds no dataset to work on."""
    if like is None:
        return (
            f"There is no live {dataset_type} dataset in {environment.partition_key}: "
            "create one through the API first (POST /v1/dataops/datasets)."
        )
    if holder is not None:
        return f"Dataset {holder.dataset_id} took the place since; operation {like.operation_id} has nothing to repeat."
    parts = operations.parts_of(session, like.operation_id)
    worked_on = next((part.dataset_id for part in parts if part.dataset_type == dataset_type), None)
    dataset = session.get(Dataset, worked_on) if worked_on is not None else None
    now = f"is {dataset.status}" if dataset is not None else "is gone"
    return f"Dataset {worked_on} {now}; operation {like.operation_id} has nothing to repeat."


def _part_of(
    session: Session, operation: Operation, run: RunIdentity, environment: Environment, dataset_type: str
) -> OperationDataset:
    part = session.scalars(
        select(OperationDataset).where(
            OperationDataset.operation_id == operation.operation_id, OperationDataset.dataset_type == dataset_type
        ),
        # It may have been looked at before the operation was locked.
        execution_options={"populate_existing": True},
    ).one_or_none()
    if part is not None:
        return part
    if operation.request.get("origin") != "dagster":
        raise StaleRunError(f"Operation {operation.operation_id} has no {dataset_type} dataset.")
    # A run started by hand for several types: each joins the run's one operation at its first step.
    dataset = datasets.holder_of(
        session, client_id=environment.client_id, stage=environment.stage, dataset_type=dataset_type
    )
    if dataset is None or dataset.status is not DatasetStatus.READY:
        raise StaleRunError(
            f"There is no ready {dataset_type} dataset in {environment.partition_key} for run {run.run_id}."
        )
    count = session.scalar(
        select(func.count())
        .select_from(OperationDataset)
        .where(OperationDataset.operation_id == operation.operation_id)
    )
    try:
        with session.begin_nested():
            return operations.add_dataset(
                session, operation, dataset_id=dataset.dataset_id, dataset_type=dataset_type, position=count or 0
            )
    except IntegrityError:
        raise StaleRunError(f"Dataset {dataset.dataset_id} is in the hands of another operation.") from None


def _workable(operation: Operation, part: OperationDataset, dataset: Dataset | None, locale: str | None = None) -> Held:
    """The rows, where this operation may work on the dataset."""
    if dataset is None:
        raise StaleRunError(f"Dataset {part.dataset_id} is gone; the run changes nothing.")
    if not part.active and part.outcome in {Outcome.READY, Outcome.ARCHIVED}:
        raise StaleRunError(
            f"Operation {operation.operation_id} has left dataset {part.dataset_id} {part.outcome}; "
            "the run leaves it as it is."
        )
    if not part.active:
        raise StaleRunError(
            f"Dataset {part.dataset_id} is no longer part of operation {operation.operation_id} ({part.outcome}); "
            "the run changes nothing."
        )
    if dataset.status not in WORKABLE[operation.operation_type]:
        raise StaleRunError(f"Dataset {part.dataset_id} is {dataset.status}; the run changes nothing.")
    return Held(operation, part, dataset, locale)
