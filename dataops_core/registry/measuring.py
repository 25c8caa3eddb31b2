"""What is measured of the registry as a whole, for who watches it (docs/operating.md, Watching it).

One cheap question for each figure; nothing here names a customer. Does not belong here: the form in which it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, case, func, select

from dataops_core.clock import utcnow
from dataops_core.lifecycle import ConnectorStatus, DatasetStatus, JourneyEventStatus, OperationStatus
from dataops_core.registry.tables import (
    Connector,
    Dataset,
    DatasetCount,
    JourneyEvent,
    Notification,
    Operation,
    OperationCount,
    OrphanSearch,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The registry at one moment."""

    #: Status, type and how many.
    operations: Sequence[tuple[str, str, int]]
    #: How long the oldest pending operation has waited; 0 where none waits.
    oldest_pending_seconds: float
    #: Status, type and how many.
    datasets: Sequence[tuple[str, str, int]]
    #: Of events of journeys that are not done yet: status, event and how many.
    journey_events: Sequence[tuple[str, str, int]]
    #: How long the oldest of them has been known; 0 where there is none.
    oldest_journey_event_seconds: float
    #: Quality scores of the ready datasets, each with how many have it.
    scores: Sequence[tuple[Decimal, int]]
    #: Ready datasets that are not as good as they must be (C-62).
    below: int
    #: Status and how many of the ready datasets' connectors have it.
    connectors: Sequence[tuple[str, int]]
    #: ``waiting``, ``delivered``, ``given_up``, ``untold`` (given up untried) and how many notifications are.
    notifications: Sequence[tuple[str, int]]
    #: Of the newest search for orphans: verdict, kind and how many findings.
    orphans: Sequence[tuple[str, str, int]]
    #: How long ago that was; None where there was none yet.
    orphan_search_seconds: float | None


def figures(connection: Connection) -> Figures:
    """Looks at everything once."""
    search = connection.execute(select(OrphanSearch.searched_at, OrphanSearch.findings)).one_or_none()
    return Figures(
        operations=_kept(connection, OperationCount.status, OperationCount.operation_type, OperationCount.operations),
        oldest_pending_seconds=_oldest_pending(connection),
        datasets=_kept(connection, DatasetCount.status, DatasetCount.dataset_type, DatasetCount.datasets),
        journey_events=_open_events(connection),
        oldest_journey_event_seconds=_age(connection.scalar(_OLDEST_EVENT)),
        scores=[
            (score, count)
            for score, count in connection.execute(
                select(Dataset.quality_score, func.count())
                .where(Dataset.status == DatasetStatus.READY, Dataset.quality_score.is_not(None))
                .group_by(Dataset.quality_score)
            )
        ],
        below=connection.scalar(
            select(func.count()).where(Dataset.status == DatasetStatus.READY, Dataset.below_since.is_not(None))
        )
        or 0,
        connectors=[
            (str(status), count)
            for status, count in connection.execute(
                select(Connector.status, func.count())
                .join(Dataset, Dataset.dataset_id == Connector.dataset_id)
                .where(Dataset.status == DatasetStatus.READY, Connector.status != ConnectorStatus.DISCONNECTED)
                .group_by(Connector.status)
            )
        ],
        notifications=_notifications(connection),
        orphans=[
            (verdict, kind, count)
            for kind, verdicts in (search.findings if search is not None else {}).items()
            for verdict, count in verdicts.items()
        ],
        orphan_search_seconds=_age(search.searched_at) if search is not None else None,
    )


def _notifications(connection: Connection) -> list[tuple[str, int]]:
    state = case(
        (Notification.delivered_at.is_not(None), "delivered"),
        # Nobody tried: no webhook was set, and that one was not reached is no news.
        (and_(Notification.given_up_at.is_not(None), Notification.attempts == 0), "untold"),
        (Notification.given_up_at.is_not(None), "given_up"),
        else_="waiting",
    )
    known = {str(one): count for one, count in connection.execute(select(state, func.count()).group_by(state))}
    return [(name, known.get(name, 0)) for name in ("waiting", "delivered", "given_up", "untold")]


def _kept(connection: Connection, status: Any, kind: Any, parts: Any) -> list[tuple[str, str, int]]:
    """How many there are of each status and type, as a trigger keeps it."""
    total = func.sum(parts)
    rows = connection.execute(select(status, kind, total).group_by(status, kind).having(total != 0))
    return [(str(state), str(of_type), int(count)) for state, of_type, count in rows]


def _oldest_pending(connection: Connection) -> float:
    # An operation that was put back in line has waited since then.
    since = case((Operation.attempt == 1, Operation.created_at), else_=Operation.beat_at)
    return _age(connection.scalar(select(func.min(since)).where(Operation.status == OperationStatus.PENDING)))


_OPEN_EVENT = JourneyEvent.status.in_([JourneyEventStatus.PENDING, JourneyEventStatus.IN_PROGRESS])
_OLDEST_EVENT = select(func.min(JourneyEvent.received_at)).where(_OPEN_EVENT)


def _open_events(connection: Connection) -> list[tuple[str, str, int]]:
    by = (JourneyEvent.status, JourneyEvent.event)
    rows = connection.execute(select(*by, func.count()).where(_OPEN_EVENT).group_by(*by))
    return [(str(status), str(event), count) for status, event, count in rows]


def _age(moment: datetime | None) -> float:
    return max(0.0, (utcnow() - moment).total_seconds()) if moment is not None else 0.0
