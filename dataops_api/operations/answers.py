"""Answers about operations, built as plain objects (``docs/contract.md`` C-80 … C-85)."""

from datetime import timedelta
from typing import Any

from dataops_api import links
from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus, OperationType, steps_of
from dataops_core.registry.looking import Row
from dataops_core.registry.tables import Operation


def operation(row: Row, *, run_url: str | None) -> dict[str, Any]:
    """An operation as the API shows it, from a row of ``registry.reading``; ``run_url`` for who may see it (C-85)."""
    status = OperationStatus(row.status)
    seconds = _duration(row)
    path = f"{links.OPERATIONS}/{row.operation_id}"
    shown: dict[str, str | None] = {"self": path}
    if status.is_terminal:
        shown["datasets"] = f"{links.DATASETS}?operation_id={row.operation_id}"
    shown |= {
        "events": f"{path}/events",
        "cancel": f"{path}/cancel" if _can_be_cancelled(row, status) else None,
        "retry": f"{path}/retry" if status in {OperationStatus.FAILED, OperationStatus.CANCELLED} else None,
    }
    return {
        "operation_id": row.operation_id,
        "operation_type": row.operation_type,
        "status": row.status,
        "progress": _progress(row, status),
        "started_at": row.started_at,
        "estimated_completion": max(row.estimated_completion, utcnow()) if not status.is_terminal else None,
        "completed_at": row.completed_at,
        "duration_minutes": round(seconds / 60, 2) if seconds is not None else None,
        "duration_seconds": round(seconds, 3) if seconds is not None else None,
        "result": {"datasets": [_part(part) for part in row.parts or ()]} if status.is_terminal else None,
        "error": _error(row.error),
        "attempt": row.attempt,
        "rerun_of": row.rerun_of,
        "run_id": row.run_id,
        "run_url": run_url,
        "_links": shown,
    }


def accepted(operation: Operation, message: str) -> dict[str, Any]:
    """The answer to a cancellation or a retry (C-84)."""
    return {
        "operation_id": str(operation.operation_id),
        "status": operation.status.value,
        "message": message,
        "estimated_completion": operation.estimated_completion if not operation.status.is_terminal else None,
        "_links": {"status": links.operation(operation.operation_id)},
    }


def _can_be_cancelled(row: Row, status: OperationStatus) -> bool:
    return not status.is_terminal and row.operation_type != OperationType.TEARDOWN


def _progress(row: Row, status: OperationStatus) -> dict[str, Any]:
    done = status is OperationStatus.COMPLETED
    step = row.total_steps if done else row.current_step
    steps = steps_of(OperationType(row.operation_type), row.total_steps)
    return {
        "current_step": step,
        "total_steps": row.total_steps,
        "step_description": None if done or step == 0 else steps[step - 1],
        "percent_complete": 100 if done else min(99, step * 100 // row.total_steps),
    }


def _duration(row: Row) -> float | None:
    if row.completed_at is None or row.started_at is None:
        return None
    lasted: timedelta = row.completed_at - row.started_at
    return max(0.0, lasted.total_seconds())


def _part(part: dict[str, Any]) -> dict[str, Any]:
    return {name: part[name] for name in ("dataset_id", "dataset_type", "status", "quality_score")}


def _error(stored: dict[str, Any] | None) -> dict[str, Any] | None:
    if stored is None:
        return None
    return {"code": stored["code"], "message": stored["message"], "details": stored.get("details", {})}
