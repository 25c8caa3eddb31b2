"""Evaluations of the quality checks. A dataset's quality is the newest verdict of each check, which is always kept.

An evaluation that could not tell (status ``error``) is kept too, but takes nothing from the score before it (C-62).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    bindparam,
    column,
    func,
    literal,
    select,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from dataops_core.ids import new_id
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult, meets_threshold, overall_score
from dataops_core.registry.tables import QualityResult

#: The database keeps no shorter time.
_LATER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Quality:
    """A dataset's quality as it stands (C-60).

    ``checks`` are the newest verdicts, which make the score; ``newest`` the newest evaluations, whatever they said.
    """

    checks: Mapping[CheckType, QualityResult]
    newest: Mapping[CheckType, QualityResult]
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
    """Keeps one evaluation, as the newest of its check: also where the clock was set back since the one before."""
    before = session.scalar(
        select(func.max(QualityResult.executed_at)).where(
            QualityResult.dataset_id == dataset_id, QualityResult.check_type == result.check_type
        )
    )
    if before is not None and executed_at < before:
        executed_at = before + _LATER
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
        .order_by(QualityResult.check_type, QualityResult.executed_at.desc(), QualityResult.check_id.desc())
    )
    return {row.check_type: row for row in rows}


def _newest_where(*conditions: ColumnElement[bool]) -> Select[tuple[QualityResult]]:
    # An array and no VALUES, which SQLAlchemy would write out anew each time.
    named = literal([check.value for check in CheckType], ARRAY(String))
    checks = func.unnest(named).table_valued(column("check_type", String)).render_derived(name="checks")
    newest = (
        select(QualityResult)
        .where(
            QualityResult.dataset_id == bindparam("of_dataset"),
            type_coerce(QualityResult.check_type, String) == checks.c.check_type,
            *conditions,
        )
        .order_by(QualityResult.executed_at.desc(), QualityResult.check_id.desc())
        .limit(1)
        .lateral("newest")
    )
    return select(aliased(QualityResult, newest)).select_from(checks).join(newest, true())


#: Written out once, for every check of a run asks for it.
_NEWEST = _newest_where()


def current(session: Session, dataset_id: UUID) -> Quality:
    """The dataset's quality: the score of each check's newest verdict, and what its newest evaluation said."""
    newest = _newest(session, dataset_id)
    checks = newest
    if any(row.status is CheckStatus.ERROR for row in newest.values()):
        checks = _newest(session, dataset_id, QualityResult.status != CheckStatus.ERROR)
    overall = overall_score({check: row.score for check, row in checks.items() if row.score is not None})
    return Quality(
        checks=checks,
        newest=newest,
        overall=overall,
        meets_threshold=meets_threshold(overall, {check: row.status for check, row in newest.items()}),
        calculated_at=max((row.executed_at for row in checks.values()), default=None),
    )


def _newest(session: Session, dataset_id: UUID, *conditions: ColumnElement[bool]) -> dict[CheckType, QualityResult]:
    """The newest evaluation of each check: one look at the index for each, however many there are."""
    statement = _newest_where(*conditions) if conditions else _NEWEST
    rows = session.scalars(statement, {"of_dataset": dataset_id})
    return {row.check_type: row for row in rows}


def history(
    session: Session,
    dataset_id: UUID,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    check_type: CheckType | None = None,
    before: QualityResult | None = None,
    limit: int,
) -> tuple[Sequence[QualityResult], bool]:
    """The newest ``limit`` evaluations of a range, oldest first, and whether the range holds older ones (C-64).

    ``since`` is inclusive, ``until`` exclusive. ``before`` goes on where an earlier answer began: its oldest entry, so
    that of evaluations at one moment none is lost and none comes twice.
    """
    place = tuple_(QualityResult.executed_at, QualityResult.check_id)
    found = session.scalars(
        select(QualityResult)
        .where(
            QualityResult.dataset_id == dataset_id,
            QualityResult.executed_at >= since if since is not None else true(),
            QualityResult.executed_at < until if until is not None else true(),
            QualityResult.check_type == check_type if check_type is not None else true(),
            place < (before.executed_at, before.check_id) if before is not None else true(),
        )
        .order_by(QualityResult.executed_at.desc(), QualityResult.check_id.desc())
        .limit(limit + 1)
    ).all()
    return list(reversed(found[:limit])), len(found) > limit


def find(session: Session, dataset_id: UUID, check_id: UUID) -> QualityResult | None:
    """One evaluation of this dataset, or None."""
    return session.scalars(
        select(QualityResult).where(QualityResult.dataset_id == dataset_id, QualityResult.check_id == check_id)
    ).one_or_none()


def all_of(session: Session, dataset_id: UUID) -> Sequence[QualityResult]:
    """Every evaluation of the dataset, oldest first: what the archive keeps."""
    return session.scalars(
        select(QualityResult)
        .where(QualityResult.dataset_id == dataset_id)
        .order_by(QualityResult.executed_at, QualityResult.check_id)
    ).all()
