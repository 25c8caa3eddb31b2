"""Answers about operations, built as plain objects (``docs/contract.md`` C-80 … C-85)."""

from typing import Any

from dataops_api import links
from dataops_core.clock import rfc3339
from dataops_core.lifecycle import OperationStatus, steps_of
from dataops_core.registry.operations import OperationView
from dataops_core.registry.tables import Operation


def operation(view: OperationView, *, run_url: str | None) -> dict[str, Any]:
    """An operation as the API shows it; ``run_url`` for those who may see it (C-85)."""
    row = view.operation
    ended = row.status.is_terminal
    seconds = _duration(row)
    shown = {"self": links.operation(row.operation_id)}
    if ended:
        shown["datasets"] = links.datasets_of_operation(row.operation_id)
    return {
        "operation_id": str(row.operation_id),
        "operation_type": row.operation_type.value,
        "status": row.status.value,
        "progress": _progress(row),
        "started_at": rfc3339(row.started_at) if row.started_at is not None else None,
        "estimated_completion": rfc3339(row.estimated_completion) if not ended else None,
        "completed_at": rfc3339(row.completed_at) if row.completed_at is not None else None,
        "duration_minutes": round(seconds / 60, 2) if seconds is not None else None,
        "duration_seconds": round(seconds, 3) if seconds is not None else None,
        "result": _result(view) if ended else None,
        "error": _error(row),
        "attempt": row.attempt,
        "rerun_of": str(row.rerun_of) if row.rerun_of is not None else None,
        "run_id": row.run_id,
        "run_url": run_url,
        "_links": shown,
    }


def _progress(row: Operation) -> dict[str, Any]:
    done = row.status is OperationStatus.COMPLETED
    step = row.total_steps if done else row.current_step
    description = None if done or step == 0 else steps_of(row.operation_type, row.total_steps)[step - 1]
    percent = 100 if done else min(99, step * 100 // row.total_steps)
    return {
        "current_step": step,
        "total_steps": row.total_steps,
        "step_description": description,
        "percent_complete": percent,
    }


def _duration(row: Operation) -> float | None:
    if row.completed_at is None:
        return None
    return max(0.0, (row.completed_at - (row.started_at or row.created_at)).total_seconds())


def _result(view: OperationView) -> dict[str, Any]:
    return {
        "datasets": [
            {
                "dataset_id": str(part.dataset_id),
                "dataset_type": part.dataset_type,
                "status": part.outcome.value,
                "quality_score": float(part.quality_score) if part.quality_score is not None else None,
            }
            for part, _ in view.parts
            if part.outcome is not None
        ]
    }


def _error(row: Operation) -> dict[str, Any] | None:
    if row.error is None:
        return None
    return {
        "code": row.error["code"],
        "message": row.error["message"],
        "details": row.error.get("details", {}),
    }
