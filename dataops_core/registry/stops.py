"""Runs that must end: noted with the change that makes them unwanted, until Dagster says that they have (C-84).

Functions take a session and never commit.
"""

from uuid import UUID

from sqlalchemy import and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus
from dataops_core.registry.tables import Operation, RunStop


def ask_to_stop(session: Session, run_id: str, operation_id: UUID) -> None:
    """Notes that a run must end. Idempotent."""
    session.execute(
        insert(RunStop)
        .values(run_id=run_id, operation_id=operation_id, asked_at=utcnow())
        .on_conflict_do_nothing(index_elements=[RunStop.run_id])
    )


def runs_to_stop(session: Session, *, limit: int = 50) -> list[tuple[RunStop, OperationStatus | None]]:
    """The runs that must end and of which nobody has said yet that they have, longest waiting first.

    With each the status of its operation, None where another run carries that by now.
    """
    rows = session.execute(
        select(RunStop, Operation.status)
        .outerjoin(Operation, and_(Operation.operation_id == RunStop.operation_id, Operation.run_id == RunStop.run_id))
        .order_by(RunStop.asked_at)
        .limit(limit)
    )
    return [(row, status) for row, status in rows]


def stop_heard(session: Session, run_id: str) -> None:
    """Notes that a run was there to be asked to end: it has some time for that from now on."""
    session.execute(update(RunStop).where(RunStop.run_id == run_id).values(asked_at=utcnow()))


def run_stopped(session: Session, run_id: str) -> None:
    """Notes that a run has ended: nobody need stop it any more."""
    session.execute(delete(RunStop).where(RunStop.run_id == run_id))
