"""Signs of life of the runs that carry operations, and how far they have come (C-83, C-86).

Functions take a session and never commit. Judging a silence is ``provisioning/silence.py``'s.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, and_, bindparam, cast, func, select, update
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus
from dataops_core.registry.operations import OPEN
from dataops_core.registry.tables import Operation, OperationDataset

#: Far less than the time between the beats of a step, so that a silence is hardly longer for it.
_FRESH = timedelta(seconds=1)

#: Written out once: SQLAlchemy takes longer to put it together than PostgreSQL to do it, and every step shows it twice.
_PROGRESS = (
    update(Operation)
    .where(Operation.operation_id == bindparam("shown"), Operation.status == OperationStatus.IN_PROGRESS)
    .values(
        current_step=func.greatest(
            Operation.current_step,
            func.least(
                Operation.total_steps,
                cast(
                    select(func.min(OperationDataset.steps_done))
                    .where(OperationDataset.operation_id == bindparam("shown"), OperationDataset.active)
                    .scalar_subquery(),
                    Integer,
                )
                + 1,
            ),
        ),
        beat_at=bindparam("moment"),
    )
    .execution_options(synchronize_session=False)
)


def beat(session: Session, operation_id: UUID, *, run_id: str, attempt: int) -> bool:
    """A sign of life of the run that carries the operation. False: it is not that run any more."""
    alive = session.scalar(
        update(Operation)
        .where(
            Operation.operation_id == operation_id,
            Operation.run_id == run_id,
            Operation.attempt == attempt,
            Operation.status == OperationStatus.IN_PROGRESS,
        )
        .values(beat_at=utcnow())
        .returning(Operation.operation_id)
        .execution_options(synchronize_session=False)
    )
    return alive is not None


def is_fresh(operation: Operation) -> bool:
    """Whether its last sign of life is so new that another one would say nothing."""
    return abs(utcnow() - operation.beat_at) < _FRESH


def silent_for(session: Session, time: timedelta, *, limit: int = 50) -> Sequence[Operation]:
    """Open operations with a run, of which nothing was heard for so long: candidates for settling.

    A last beat that is as far in the time to come was written before the clock was set back, and is one of them.
    """
    now = utcnow()
    heard = Operation.beat_at.between(now - time, now + time)
    return session.scalars(
        select(Operation)
        .where(Operation.status.in_(OPEN), Operation.run_id.is_not(None), ~heard)
        .order_by(Operation.beat_at)
        .limit(limit)
    ).all()


def run_begun(session: Session, operation_id: UUID, *, run_id: str) -> bool:
    """Notes that a pending operation's run has begun, before a step of it could. False: it is not pending any more."""
    now = utcnow()
    begun = session.scalar(
        update(Operation)
        .where(_waiting_for(operation_id, run_id))
        .values(
            status=OperationStatus.IN_PROGRESS,
            current_step=1,
            started_at=func.coalesce(Operation.started_at, now),
            beat_at=now,
        )
        .returning(Operation.operation_id)
        .execution_options(synchronize_session=False)
    )
    return begun is not None


def run_waits(session: Session, operation_id: UUID, *, run_id: str) -> None:
    """Notes that a pending operation's run has not begun yet, but will: nobody need ask about it for a while."""
    session.execute(
        update(Operation)
        .where(_waiting_for(operation_id, run_id))
        .values(beat_at=utcnow())
        .execution_options(synchronize_session=False)
    )


def _waiting_for(operation_id: UUID, run_id: str) -> ColumnElement[bool]:
    return and_(
        Operation.operation_id == operation_id,
        Operation.run_id == run_id,
        Operation.status == OperationStatus.PENDING,
    )


def show_progress(session: Session, operation_id: UUID) -> None:
    """Sets the operation's step to the lowest one not finished by every dataset that has not failed (C-83).

    Never falls within an attempt: a step that is done twice moves nothing.
    """
    session.execute(_PROGRESS, {"shown": operation_id, "moment": utcnow()})
