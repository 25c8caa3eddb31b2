"""What is measured of the registry as a whole, for who watches it (docs/operating.md, Watching it).

One cheap question for each figure; nothing here names a customer. Does not belong here: the form in which it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, case, func, select

from dataops_core.clock import utcnow
from dataops_core.lifecycle import DatasetStatus, OperationStatus
from dataops_core.registry.tables import Dataset, Operation


@dataclass(frozen=True, slots=True)
class Figures:
    """The registry at one moment."""

    #: Status, type and how many.
    operations: Sequence[tuple[str, str, int]]
    #: How long the oldest pending operation has waited; 0 where none waits.
    oldest_pending_seconds: float
    #: Status, type and how many.
    datasets: Sequence[tuple[str, str, int]]
    #: Quality scores of the ready datasets, each with how many have it.
    scores: Sequence[tuple[Decimal, int]]


def figures(connection: Connection) -> Figures:
    """Looks at everything once."""
    return Figures(
        operations=_counted(connection, Operation.status, Operation.operation_type),
        oldest_pending_seconds=_oldest_pending(connection),
        datasets=_counted(connection, Dataset.status, Dataset.dataset_type),
        scores=[
            (score, count)
            for score, count in connection.execute(
                select(Dataset.quality_score, func.count())
                .where(Dataset.status == DatasetStatus.READY, Dataset.quality_score.is_not(None))
                .group_by(Dataset.quality_score)
            )
        ],
    )


def _counted(connection: Connection, status: Any, kind: Any) -> list[tuple[str, str, int]]:
    rows = connection.execute(select(status, kind, func.count()).group_by(status, kind))
    return [(str(state), str(of_type), count) for state, of_type, count in rows]


def _oldest_pending(connection: Connection) -> float:
    # An operation that was put back in line has waited since then.
    since = case((Operation.attempt == 1, Operation.created_at), else_=Operation.beat_at)
    oldest = connection.scalar(select(func.min(since)).where(Operation.status == OperationStatus.PENDING))
    return max(0.0, (utcnow() - oldest).total_seconds()) if oldest is not None else 0.0
