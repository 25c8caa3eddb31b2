"""Who may launch an operation's run: one at a time, by a lease in the operation's row (C-81).

Functions take a session and never commit. Deciding when to launch is ``provisioning/launching.py``'s.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.lifecycle import OperationStatus
from dataops_core.registry.tables import Operation

#: So long a launch is one caller's. Who needs longer renews it; then another may try.
LAUNCH_LEASE = timedelta(seconds=20)
#: No lease is longer, whatever was taken together.
LONGEST_LEASE = timedelta(seconds=120)


def lease_launch(session: Session, operation_id: UUID, *, lease: timedelta | None = None) -> int | None:
    """Takes the right to launch a pending operation's run, for so long (:data:`LAUNCH_LEASE` unless said).

    Returns which try at launching this is (1: nobody tried before, so no run can exist yet), or None where there is
    nothing to launch or another holds the lease.
    """
    now = utcnow()
    return session.scalar(
        update(Operation)
        .where(
            Operation.operation_id == operation_id,
            Operation.status == OperationStatus.PENDING,
            Operation.run_id.is_(None),
            _nobody_launches(now),
        )
        .values(
            launch_lease_until=now + min(lease or LAUNCH_LEASE, LONGEST_LEASE),
            launch_attempts=Operation.launch_attempts + 1,
        )
        .returning(Operation.launch_attempts)
        .execution_options(synchronize_session=False)
    )


def _nobody_launches(now: datetime) -> ColumnElement[bool]:
    """That no lease is held: a lease that ends later than any can was taken before the clock was set back."""
    lease = Operation.launch_lease_until
    return or_(lease.is_(None), lease < now, lease > now + LONGEST_LEASE)


def renew_launch(session: Session, operation_id: UUID, *, tries: int) -> bool:
    """Goes on with the lease of this try for another :data:`LAUNCH_LEASE`. False: it is another's, or has its run."""
    renewed = session.scalar(
        update(Operation)
        .where(
            Operation.operation_id == operation_id,
            Operation.status == OperationStatus.PENDING,
            Operation.run_id.is_(None),
            Operation.launch_attempts == tries,
        )
        .values(launch_lease_until=utcnow() + LAUNCH_LEASE)
        .returning(Operation.operation_id)
        .execution_options(synchronize_session=False)
    )
    return renewed is not None


def release_launch(session: Session, operation_id: UUID) -> None:
    """Gives the lease back after a launch that surely did not happen, so that the next try need not wait."""
    session.execute(
        update(Operation)
        .where(Operation.operation_id == operation_id, Operation.run_id.is_(None))
        .values(launch_lease_until=None)
        .execution_options(synchronize_session=False)
    )


def record_launch(session: Session, operation_id: UUID, run_id: str, *, attempt: int) -> bool:
    """Notes which run was launched for an attempt, unless one has claimed the operation already or the attempt is over.

    Says whether it was noted.
    """
    noted = session.scalar(
        update(Operation)
        .where(
            Operation.operation_id == operation_id,
            Operation.status == OperationStatus.PENDING,
            Operation.run_id.is_(None),
            Operation.attempt == attempt,
        )
        .values(run_id=run_id, beat_at=utcnow())
        .returning(Operation.operation_id)
        .execution_options(synchronize_session=False)
    )
    return noted is not None


def awaiting_launch(session: Session, *, limit: int = 50) -> Sequence[Operation]:
    """Pending operations that nobody is launching, oldest first."""
    now = utcnow()
    return session.scalars(
        select(Operation)
        .where(
            Operation.status == OperationStatus.PENDING,
            Operation.run_id.is_(None),
            _nobody_launches(now),
        )
        .order_by(Operation.created_at)
        .limit(limit)
    ).all()
