"""Going on with an operation that ended without success: the same operation, as its next attempt.

A retry through the API, a second DELETE and a rerun in Dagster all come here. What failed or was cancelled is done
again; a dataset that ended well stays as it is. Source: ``docs/contract.md`` C-35, C-52, C-84, C-87.
"""

from sqlalchemy.orm import Session

from dataops_core.acting import for_operation
from dataops_core.errors import ConflictError
from dataops_core.lifecycle import DatasetStatus, OperationType, Outcome
from dataops_core.registry import datasets, operations
from dataops_core.registry.tables import Dataset, Operation, OperationDataset

#: The statuses in which a dataset can be worked on by an operation of a kind.
WORKABLE = {
    OperationType.PROVISIONING: {DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING, DatasetStatus.READY},
    OperationType.RESTORE: {DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING},
    OperationType.VALIDATION: {DatasetStatus.READY},
    OperationType.TEARDOWN: {DatasetStatus.TEARDOWN, DatasetStatus.ARCHIVED},
}

#: Where a try that came to nothing leaves a dataset that must take its place again first.
_LEFT_AT = {OperationType.PROVISIONING: DatasetStatus.FAILED, OperationType.RESTORE: DatasetStatus.ARCHIVED}


def reopen(session: Session, operation: Operation, *, run_id: str | None = None) -> None:
    """Puts the operation back in line; with ``run_id`` that run carries it at once. The caller holds its row lock.

    A dataset that a teardown took out of the operation is left out, unless nothing else is left to do. Raises
    ConflictError where a dataset is gone, has moved on, or has lost its place: then the transaction must end.
    """
    again = [
        (part, session.get(Dataset, part.dataset_id, with_for_update=True, populate_existing=True))
        for part in operations.parts_of(session, operation.operation_id)
        if part.outcome in {Outcome.FAILED, Outcome.CANCELLED}
    ]
    open_still = [(part, row) for part, row in again if part.outcome is Outcome.FAILED or _is_ours(operation, row)]
    chosen = open_still or again
    with for_operation(operation.operation_id):
        for part, dataset in chosen:
            _take_up(session, operation, part, dataset)
        operations.next_attempt(session, operation, [part for part, _ in chosen], run_id=run_id)


def _is_ours(operation: Operation, dataset: Dataset | None) -> bool:
    return dataset is not None and dataset.operation_id == operation.operation_id


def _take_up(session: Session, operation: Operation, part: OperationDataset, dataset: Dataset | None) -> None:
    details = {"operation_id": str(operation.operation_id), "dataset_id": str(part.dataset_id)}
    if dataset is None:
        raise ConflictError(f"Dataset {part.dataset_id} is gone since", details=details)
    if not _is_ours(operation, dataset):
        raise ConflictError(
            f"Dataset {part.dataset_id} has moved on since: operation {dataset.operation_id} came after this one",
            details=details,
        )
    if dataset.status is _LEFT_AT.get(operation.operation_type):
        kept_times = {}
        if operation.operation_type is OperationType.RESTORE:
            if dataset.archive_path is None:
                raise ConflictError(f"No archive of dataset {part.dataset_id} is kept any more", details=details)
            kept_times = {"archived_at": dataset.archived_at}
        datasets.take_place(session, dataset, **kept_times)
    elif dataset.status not in WORKABLE[operation.operation_type]:
        raise ConflictError(f"Dataset {part.dataset_id} is {dataset.status} since", details=details)
