"""Answers about quality, built as plain objects (``docs/contract.md`` C-60 … C-64)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from dataops_api import links
from dataops_core.clock import rfc3339
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import THRESHOLD, WEIGHTS
from dataops_core.registry.quality import Quality
from dataops_core.registry.tables import Operation, QualityResult


def quality(dataset_id: UUID, found: Quality) -> dict[str, Any]:
    """A dataset's quality: before a check's first verdict it is pending; one that could not tell keeps its score."""
    return {
        "dataset_id": str(dataset_id),
        "overall_score": float(found.overall) if found.overall is not None else None,
        "meets_threshold": found.meets_threshold,
        "threshold": float(THRESHOLD),
        "calculated_at": rfc3339(found.calculated_at) if found.calculated_at is not None else None,
        "checks": {check.value: _check(check, found) for check in CheckType},
        "_links": {
            "dataset": links.dataset(dataset_id),
            "revalidate": links.validate(dataset_id),
            "history": links.history(dataset_id),
        },
    }


def validation(operation: Operation, dataset_id: UUID) -> dict[str, Any]:
    """The answer to a request to validate (C-63), whether there is anything left to do or not."""
    return {
        "operation_id": str(operation.operation_id),
        "status": "validating",
        "message": "Quality validation started",
        "estimated_completion": rfc3339(operation.completed_at or operation.estimated_completion),
        "_links": {"status": links.operation(operation.operation_id), "results": links.quality(dataset_id)},
    }


def history(dataset_id: UUID, found: Sequence[QualityResult], *, older: str | None) -> dict[str, Any]:
    """What the checks said over time, oldest first (C-64); ``older`` is where there is more."""
    return {
        "dataset_id": str(dataset_id),
        "history": [
            {
                "check_id": str(result.check_id),
                "check_type": result.check_type.value,
                "score": float(result.score) if result.score is not None else None,
                "status": result.status.value,
                "executed_at": rfc3339(result.executed_at),
                "duration_ms": result.duration_ms,
                "details": result.details,
                "operation_id": str(result.operation_id),
            }
            for result in found
        ],
        "_links": {"dataset": links.dataset(dataset_id)} | ({"older": older} if older is not None else {}),
    }


def _check(check: CheckType, found: Quality) -> dict[str, Any]:
    result, verdict = found.newest.get(check), found.checks.get(check)
    if result is None:
        return {
            "score": None,
            "weight": float(WEIGHTS[check]),
            "status": CheckStatus.PENDING.value,
            "details": None,
            "executed_at": None,
            "metrics": {},
        }
    return {
        "score": float(verdict.score) if verdict is not None and verdict.score is not None else None,
        "weight": float(WEIGHTS[check]),
        "status": result.status.value,
        "details": result.details,
        "executed_at": rfc3339(result.executed_at),
        "metrics": result.metrics,
    }
