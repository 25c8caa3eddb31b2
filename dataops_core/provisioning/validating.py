"""A request to check a ready dataset again: answered by what is fresh, by what is under way, or by a new operation.

One call, in the caller's one transaction. The checks themselves are run by ``proving.run_check``, as in a provisioning.
Source: ``docs/contract.md`` C-35, C-37, C-63.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError
from dataops_core.lifecycle import CheckStatus, CheckType, DatasetStatus, OperationType, Outcome
from dataops_core.provisioning import steering
from dataops_core.provisioning.settlement import finish_dataset
from dataops_core.registry import datasets, operations, quality
from dataops_core.registry.tables import Operation


def accept_validation(
    session: Session,
    dataset_id: UUID,
    *,
    checks: Sequence[CheckType],
    force: bool,
    fresh: timedelta,
    customers: Sequence[UUID] | None = None,
    api_client_id: UUID | None = None,
    request_id: str | None = None,
    scheduled: bool = False,
) -> Operation:
    """The operation that answers the request: a new one, the one under way, or one that has ended already.

    A validation under way answers where it covers the checks asked for and nothing is forced. Where every check asked
    for has a verdict younger than ``fresh``, and nothing is forced, the operation is completed as it is made. One that
    the clock began is cancelled for one that somebody asks for and that covers its checks.
    ``scheduled``: the clock asks, and nobody else. Raises NotFoundError, and ConflictError where the dataset is not
    ready or in another operation's hands.
    """
    datasets.get_visible(session, dataset_id, customers=customers)
    dataset, active = operations.lock_with_active(session, dataset_id)
    if active is not None and _answers(active, checks, force):
        return active
    if dataset.status is not DatasetStatus.READY:
        raise ConflictError(
            f"Dataset is not ready: it is {dataset.status}",
            details={"dataset_id": str(dataset_id), "status": dataset.status.value}
            | ({"operation_id": str(active.operation_id)} if active is not None else {}),
        )
    if active is not None:
        if not _gives_way(active, checks):
            raise _busy(active.operation_id)
        steering.cancel(session, active.operation_id)
    try:
        with session.begin_nested():
            operation = operations.create(
                session,
                operation_type=OperationType.VALIDATION,
                client_id=dataset.client_id,
                stage=dataset.stage,
                datasets=[(dataset_id, dataset.dataset_type)],
                request={"checks": [check.value for check in checks]}
                | ({"origin": operations.SCHEDULE} if scheduled else {}),
                checks=len(checks),
                api_client_id=api_client_id,
                request_id=request_id,
            )
    except IntegrityError:
        # A run that somebody started by hand took the dataset between the look and the write.
        raise _busy(operations.active_of(session, dataset_id)) from None
    # What gave way was begun for a reason: its checks are evaluated, however fresh they are.
    if not force and active is None and _all_fresh(session, dataset_id, checks, fresh):
        operation = operations.get(session, operation.operation_id, lock=True)
        (part,) = operations.parts_of(session, operation.operation_id)
        part.steps_done = len(checks)
        finish_dataset(session, operation, part, Outcome.READY, quality_score=dataset.quality_score)
    return operation


def _answers(active: Operation, checks: Sequence[CheckType], force: bool) -> bool:
    if active.operation_type is not OperationType.VALIDATION or force:
        return False
    return set(checks) <= set(operations.checks_of(active))


def _gives_way(active: Operation, checks: Sequence[CheckType]) -> bool:
    """Whether it is the clock's own validation, of checks that are asked for now: nobody is told to wait for that."""
    if active.operation_type is not OperationType.VALIDATION or not operations.is_scheduled(active):
        return False
    return set(operations.checks_of(active)) <= set(checks)


def _all_fresh(session: Session, dataset_id: UUID, checks: Sequence[CheckType], fresh: timedelta) -> bool:
    """Whether every check was evaluated lately and could tell: an ``error`` is worth another try at once."""
    newest = quality.current(session, dataset_id).newest
    now = utcnow()
    # What was evaluated in a time yet to come was so before the clock was set back: nobody knows how long ago.
    return all(
        check in newest
        and newest[check].status is not CheckStatus.ERROR
        and now - fresh < newest[check].executed_at <= now
        for check in checks
    )


def _busy(operation_id: UUID | None) -> ConflictError:
    return ConflictError(
        "Another operation works on the dataset",
        details={"operation_id": str(operation_id) if operation_id is not None else None},
    )
