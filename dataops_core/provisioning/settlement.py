"""How an operation ends: for each of its datasets, and then as a whole. Idempotent; terminal success is final.

Called by the run's own steps as they end, by the run-status sensors, and by the API where somebody polls: so nothing
depends on any one of them (C-86). Files are not touched here: what a failed try left is removed by the next one.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from dataops_core.acting import for_operation
from dataops_core.clock import utcnow
from dataops_core.errors import CheckInconclusiveError
from dataops_core.lifecycle import CheckStatus, DatasetStatus, OperationStatus, OperationType, Outcome
from dataops_core.provisioning.gate import gate_closed
from dataops_core.registry import connectors, datasets, heartbeats, operations, quality, stops
from dataops_core.registry.tables import Dataset, Operation, OperationDataset
from dataops_core.watching.standing import review


class RunEnding(StrEnum):
    """How a run ended, as Dagster or the silence of its steps says."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELED = "canceled"
    #: It ended without a word: process killed, machine gone.
    LOST = "lost"


_CODES = {
    RunEnding.SUCCESS: "RUN_INCOMPLETE",
    RunEnding.FAILURE: "RUN_FAILED",
    RunEnding.CANCELED: "CANCELLED",
    RunEnding.LOST: "RUN_LOST",
}
_SENTENCES = {
    RunEnding.SUCCESS: "The run ended without publishing this dataset.",
    RunEnding.FAILURE: "The run failed before this dataset was finished.",
    RunEnding.CANCELED: "The operation was cancelled.",
    RunEnding.LOST: "The run stopped without a word: its process was killed or its machine went away.",
}


def finish_dataset(
    session: Session,
    operation: Operation,
    part: OperationDataset,
    outcome: Outcome,
    *,
    quality_score: Decimal | None = None,
    error: dict[str, Any] | None = None,
    cancelled: bool = False,
) -> None:
    """Ends one dataset's part, and the operation with the last of them. The caller holds the operation's row lock.

    A dataset that is ready then is judged anew: only whole operations count, never half a validation.

    ``cancelled``: it is the operation that is being cancelled, whatever became of its other datasets.
    """
    part.active = False
    part.outcome = outcome
    part.quality_score = quality_score
    part.error = error
    session.flush()
    review(session, part.dataset_id)
    _close_if_done(session, operation, cancelled=cancelled)


def fail_dataset(
    session: Session,
    operation: Operation,
    part: OperationDataset,
    *,
    code: str,
    message: str,
    details: dict[str, Any] | None = None,
    cancelled: bool = False,
) -> None:
    """Ends one dataset's part without success, and leaves the dataset where the next try finds it (C-35, C-84).

    A provisioning leaves it failed, a validation or rerun ready, a teardown in teardown, a restore archived.
    """
    dataset = session.get(Dataset, part.dataset_id, with_for_update=True, populate_existing=True)
    if dataset is not None and dataset.status in {DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING}:
        if operation.operation_type is OperationType.RESTORE:
            _archive_again(session, dataset)
        else:
            datasets.move(session, dataset.dataset_id, DatasetStatus.FAILED, error_code=code, error_message=message)
    error = {"code": code, "message": message} | ({"details": details} if details else {})
    finish_dataset(
        session,
        operation,
        part,
        Outcome.CANCELLED if cancelled else Outcome.FAILED,
        quality_score=dataset.quality_score if dataset is not None else None,
        error=error,
        cancelled=cancelled,
    )


def abandon_dataset(session: Session, dataset: Dataset) -> None:
    """Frees the place of a dataset on its way that no operation works on: failed, or archived again if it was restored.

    The caller holds its row lock.
    """
    if dataset.archived_at is not None:
        _archive_again(session, dataset)
        return
    datasets.move(
        session,
        dataset.dataset_id,
        DatasetStatus.FAILED,
        error_code=_CODES[RunEnding.LOST],
        error_message="No operation works on this dataset any more.",
    )


def _archive_again(session: Session, dataset: Dataset) -> None:
    """A restore came to nothing: the dataset is archived since when it was, and what it was to be served by is not."""
    now = utcnow()
    connector = connectors.of_dataset(session, dataset.dataset_id)
    if connector is not None:
        connectors.disconnect(session, connector.connector_id, now=now)
    datasets.move(session, dataset.dataset_id, DatasetStatus.ARCHIVED, archived_at=dataset.archived_at or now)


def end_validation(session: Session, operation: Operation, part: OperationDataset) -> None:
    """Ends a validation by what its checks said: completed where each gave a verdict, else failed (C-63, C-81).

    A check that could not tell makes CHECK_ERROR, one not evaluated RUN_INCOMPLETE. The dataset stays as it is.
    """
    dataset = session.get(Dataset, part.dataset_id)
    made = quality.of_operation(session, dataset_id=part.dataset_id, operation_id=operation.operation_id)
    asked = operations.checks_of(operation, part.dataset_type)
    unclear = [check for check in asked if check in made and made[check].status is CheckStatus.ERROR]
    missing = [check for check in asked if check not in made]
    if not unclear and not missing:
        score = dataset.quality_score if dataset is not None else None
        finish_dataset(session, operation, part, Outcome.READY, quality_score=score)
    elif unclear:
        said = "; ".join(f"{check}: {made[check].details}" for check in unclear)
        fail_dataset(
            session,
            operation,
            part,
            code=CheckInconclusiveError.code,
            message=f"A quality check could not tell ({said}).",
            details={"failed_checks": [check.value for check in unclear]},
        )
    else:
        fail_dataset(
            session,
            operation,
            part,
            code=_CODES[RunEnding.SUCCESS],
            message=f"The run ended without evaluating {', '.join(missing)}.",
            details={"missing_checks": [check.value for check in missing]},
        )


def settle(session: Session, operation_id: UUID, ending: RunEnding, *, run_id: str, message: str | None = None) -> bool:
    """Ends whatever the run left open. Does nothing where the run is not the operation's, or all has ended already.

    ``message`` says more than the ending's own sentence where somebody knows more. Returns whether it changed anything.
    """
    operation = operations.get(session, operation_id, lock=True)
    if operation.status.is_terminal or operation.run_id != run_id:
        return False
    _settle_locked(session, operation, ending, message)
    return True


def settle_unlaunchable(session: Session, operation_id: UUID, message: str) -> bool:
    """Ends a pending operation that Dagster refuses to launch however often it is asked."""
    operation = operations.get(session, operation_id, lock=True)
    if operation.status is not OperationStatus.PENDING or operation.run_id is not None:
        return False
    _settle_locked(session, operation, RunEnding.FAILURE, message)
    return True


def settle_cancelled(session: Session, operation: Operation) -> None:
    """Ends an open operation because its owner wants it ended. The caller holds the operation's row lock."""
    _settle_locked(session, operation, RunEnding.CANCELED, None)


def settle_silent(session: Session, operation_id: UUID, *, last_beat: datetime) -> bool:
    """Ends an operation whose run has not beaten since: under any launcher, such a run lives no more (C-86).

    How long ago that must be is ``silence.py``'s to say. Dagster may believe in the run still, so it is asked to stop.
    """
    operation = operations.get(session, operation_id, lock=True)
    if (
        operation.status is not OperationStatus.IN_PROGRESS
        or operation.run_id is None
        or operation.beat_at != last_beat
    ):
        return False
    stops.ask_to_stop(session, operation.run_id, operation_id)
    _settle_locked(session, operation, RunEnding.LOST, None)
    return True


def _settle_locked(session: Session, operation: Operation, ending: RunEnding, message: str | None) -> None:
    with for_operation(operation.operation_id, request_id=operation.request_id):
        _settle_parts(session, operation, ending, message)


def _settle_parts(session: Session, operation: Operation, ending: RunEnding, message: str | None) -> None:
    open_parts = [part for part in operations.parts_of(session, operation.operation_id) if part.active]
    for part in open_parts:
        dataset = session.get(Dataset, part.dataset_id)
        if operation.operation_type is OperationType.VALIDATION and (
            ending is RunEnding.SUCCESS or (ending is not RunEnding.CANCELED and _all_told(session, operation, part))
        ):
            # A rerun of some checks: those of earlier attempts count as well.
            end_validation(session, operation, part)
        elif ending is RunEnding.SUCCESS and dataset is not None and dataset.status is DatasetStatus.READY:
            # A run started by hand for one asset of a ready dataset: all that it was asked for is done.
            finish_dataset(session, operation, part, Outcome.READY, quality_score=dataset.quality_score)
        else:
            # A rerun of the checks that had failed, and fail again: the reason is theirs, not the run's.
            failing = ending is RunEnding.FAILURE and operation.operation_type is not OperationType.VALIDATION
            closed = gate_closed(session, operation, dataset) if failing and dataset is not None else None
            fail_dataset(
                session,
                operation,
                part,
                code=closed.code if closed is not None else _CODES[ending],
                message=closed.message if closed is not None else message or _SENTENCES[ending],
                details=closed.details if closed is not None else None,
                cancelled=ending is RunEnding.CANCELED,
            )
    if not open_parts:
        _close_if_done(session, operation, cancelled=ending is RunEnding.CANCELED)


def _all_told(session: Session, operation: Operation, part: OperationDataset) -> bool:
    """Whether every check that a validation asks for has given its verdict, in this attempt or an earlier one."""
    made = quality.of_operation(session, dataset_id=part.dataset_id, operation_id=operation.operation_id)
    return all(
        check in made and made[check].status is not CheckStatus.ERROR
        for check in operations.checks_of(operation, part.dataset_type)
    )


def preempt(session: Session, operation: Operation, part: OperationDataset) -> None:
    """A teardown takes the dataset out of its operation; the others go on (C-37). The caller moves the dataset.

    With none left to go on, the run is asked to stop.
    """
    finish_dataset(
        session,
        operation,
        part,
        Outcome.CANCELLED,
        error={"code": "CANCELLED", "message": "The dataset was torn down before the operation had finished with it."},
    )
    if operation.status.is_terminal and operation.run_id is not None:
        stops.ask_to_stop(session, operation.run_id, operation.operation_id)


def _close_if_done(session: Session, operation: Operation, *, cancelled: bool = False) -> None:
    parts = operations.parts_of(session, operation.operation_id)
    if operation.status.is_terminal or any(part.active for part in parts):
        heartbeats.show_progress(session, operation.operation_id)
        return
    outcomes = {part.outcome for part in parts}
    now = utcnow()
    values: dict[str, Any] = {"completed_at": now, "beat_at": now}
    failed = {str(part.dataset_id): part.error for part in parts if part.outcome is Outcome.FAILED}
    if cancelled:
        values |= {
            "status": OperationStatus.CANCELLED,
            "error": {
                "code": _CODES[RunEnding.CANCELED],
                "message": _SENTENCES[RunEnding.CANCELED],
                "details": failed,
            },
        }
    elif failed:
        first = next(part.error for part in parts if part.outcome is Outcome.FAILED and part.error is not None)
        message = first["message"] if len(failed) == 1 else f"{len(failed)} of {len(parts)} datasets failed."
        values |= {
            "status": OperationStatus.FAILED,
            "error": {"code": first["code"], "message": message, "details": failed},
        }
    elif Outcome.CANCELLED in outcomes and outcomes <= {Outcome.CANCELLED}:
        first = next(part.error for part in parts if part.error is not None)
        values |= {"status": OperationStatus.CANCELLED, "error": {**first, "details": {}}}
    else:
        # One that came to its end without a run began with it; one that only failed or was cancelled never began.
        values |= {
            "status": OperationStatus.COMPLETED,
            "error": None,
            "current_step": operation.total_steps,
            "started_at": operation.started_at or now,
        }
    session.execute(
        update(Operation)
        .where(Operation.operation_id == operation.operation_id)
        .values(values)
        .execution_options(synchronize_session="fetch")
    )
    session.refresh(operation)
