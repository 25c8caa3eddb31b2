"""Answers about quality, built as plain objects (``docs/contract.md`` C-60)."""

from typing import Any
from uuid import UUID

from dataops_api import links
from dataops_core.clock import rfc3339
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import THRESHOLD, WEIGHTS
from dataops_core.registry.quality import Quality
from dataops_core.registry.tables import QualityResult


def quality(dataset_id: UUID, found: Quality) -> dict[str, Any]:
    """A dataset's quality: before a check's first verdict it is pending."""
    return {
        "dataset_id": str(dataset_id),
        "overall_score": float(found.overall) if found.overall is not None else None,
        "meets_threshold": found.meets_threshold,
        "threshold": float(THRESHOLD),
        "calculated_at": rfc3339(found.calculated_at) if found.calculated_at is not None else None,
        "checks": {check.value: _check(check, found.checks.get(check)) for check in CheckType},
        "_links": {"dataset": links.dataset(dataset_id)},
    }


def _check(check: CheckType, result: QualityResult | None) -> dict[str, Any]:
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
        "score": float(result.score) if result.score is not None else None,
        "weight": float(WEIGHTS[check]),
        "status": result.status.value,
        "details": result.details,
        "executed_at": rfc3339(result.executed_at),
        "metrics": result.metrics,
    }
