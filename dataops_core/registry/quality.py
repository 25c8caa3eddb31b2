"""Evaluations of the quality checks. Every one is kept; a dataset's quality is the newest verdict of each check.

An evaluation that could not tell (status ``error``) is kept too, but takes nothing from the score before it (C-62).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dataops_core.ids import new_id
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult, meets_threshold, overall_score
from dataops_core.registry.tables import QualityResult


@dataclass(frozen=True, slots=True)
class Quality:
    """A dataset's quality as it stands (C-60)."""

    checks: Mapping[CheckType, QualityResult]
    overall: Decimal | None
    meets_threshold: bool
    calculated_at: datetime | None


def add(
    session: Session,
    result: CheckResult,
    *,
    dataset_id: UUID,
    operation_id: UUID,
    attempt: int,
    executed_at: datetime,
    duration_ms: int,
) -> QualityResult:
    """Keeps one evaluation."""
    row = QualityResult(
        check_id=new_id(),
        dataset_id=dataset_id,
        operation_id=operation_id,
        attempt=attempt,
        check_type=result.check_type,
        status=result.status,
        score=result.score,
        details=result.details,
        metrics=dict(result.metrics),
        executed_at=executed_at,
        duration_ms=duration_ms,
    )
    session.add(row)
    session.flush()
    return row


def of_operation(session: Session, *, dataset_id: UUID, operation_id: UUID) -> dict[CheckType, QualityResult]:
    """The newest evaluation of each check made by this operation, whatever it said."""
    rows = session.scalars(
        select(QualityResult)
        .distinct(QualityResult.check_type)
        .where(QualityResult.dataset_id == dataset_id, QualityResult.operation_id == operation_id)
        .order_by(QualityResult.check_type, QualityResult.executed_at.desc())
    )
    return {row.check_type: row for row in rows}


def current(session: Session, dataset_id: UUID) -> Quality:
    """The dataset's quality: the newest verdict of each check."""
    rows = session.scalars(
        select(QualityResult)
        .distinct(QualityResult.check_type)
        .where(QualityResult.dataset_id == dataset_id, QualityResult.status != CheckStatus.ERROR)
        .order_by(QualityResult.check_type, QualityResult.executed_at.desc())
    )
    return summarize({row.check_type: row for row in rows})


def summarize(checks: Mapping[CheckType, QualityResult]) -> Quality:
    """The score that these evaluations make."""
    overall = overall_score({check: row.score for check, row in checks.items() if row.score is not None})
    return Quality(
        checks=checks,
        overall=overall,
        meets_threshold=meets_threshold(overall, {check: row.status for check, row in checks.items()}),
        calculated_at=max((row.executed_at for row in checks.values()), default=None),
    )


def all_of(session: Session, dataset_id: UUID) -> Sequence[QualityResult]:
    """Every evaluation of the dataset, oldest first: what the archive keeps."""
    return session.scalars(
        select(QualityResult)
        .where(QualityResult.dataset_id == dataset_id)
        .order_by(QualityResult.executed_at, QualityResult.check_id)
    ).all()
