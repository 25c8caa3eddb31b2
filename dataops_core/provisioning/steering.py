"""What a client may do with an operation under way or ended: cancel it, or have it tried again (C-84).

Both change the registry alone, in the caller's one transaction. Fencing makes that the end of a cancelled run's power
at once; stopping its process is asked of Dagster afterwards, and by the sensor ``stop_cancelled_runs`` until it is so.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from dataops_core.errors import ConflictError
from dataops_core.lifecycle import OperationStatus, OperationType
from dataops_core.provisioning.reopening import reopen
from dataops_core.provisioning.settlement import settle_cancelled
from dataops_core.registry import operations, stops
from dataops_core.registry.tables import Operation


def cancel(session: Session, operation_id: UUID) -> Operation:
    """Ends the operation now. Raises ConflictError for one that has ended, and for a teardown."""
    operation = operations.get(session, operation_id, lock=True)
    if operation.status.is_terminal:
        raise _refusal(operation, f"The operation is {operation.status} already")
    if operation.operation_type is OperationType.TEARDOWN:
        raise _refusal(operation, "A teardown cannot be cancelled")
    if operation.run_id is not None:
        stops.ask_to_stop(session, operation.run_id, operation_id)
    settle_cancelled(session, operation)
    return operation


def retry(session: Session, operation_id: UUID) -> Operation:
    """Puts the operation back in line, as its next attempt, for what failed in it.

    Raises ConflictError for one that neither failed nor was cancelled, and where a dataset has moved on since.
    """
    operation = operations.get(session, operation_id, lock=True)
    if operation.status not in {OperationStatus.FAILED, OperationStatus.CANCELLED}:
        raise _refusal(
            operation, f"The operation is {operation.status}; only one that failed or was cancelled can be retried"
        )
    reopen(session, operation)
    return operation


def _refusal(operation: Operation, message: str) -> ConflictError:
    return ConflictError(
        message, details={"operation_id": str(operation.operation_id), "status": str(operation.status)}
    )
