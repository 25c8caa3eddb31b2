"""Notifications to be delivered: an outbox, written in the transaction that makes the change that they tell of.

All SQL on ``notifications``. Whoever delivers one takes it first for a while; one whose deliverer dies is due again
when that is over. Of a dataset's notifications the oldest goes first, so that a recovery never overtakes the fall.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, select, update
from sqlalchemy.orm import Session, aliased

from dataops_core.clock import rfc3339
from dataops_core.ids import new_id
from dataops_core.registry.tables import Notification


def add(
    session: Session, event: str, data: Mapping[str, Any], *, dataset_id: UUID, client_id: UUID, now: datetime
) -> UUID:
    """Writes a notification, due at once. Its text is made here, so that each try sends the same bytes."""
    body = json.dumps({"type": event, "timestamp": rfc3339(now), "data": data}, ensure_ascii=False)
    row = Notification(
        notification_id=new_id(),
        event=event,
        dataset_id=dataset_id,
        client_id=client_id,
        body=body,
        created_at=now,
        due_at=now,
        attempts=0,
    )
    session.add(row)
    session.flush()
    return row.notification_id


def take_due(session: Session, *, now: datetime, lease: timedelta, limit: int) -> Sequence[Notification]:
    """Takes notifications that are due, the oldest of each dataset, for as long as said; each counts as a try.

    What another transaction is taking at this moment is passed over.
    """
    earlier = aliased(Notification)
    due = (
        select(Notification.notification_id)
        .where(
            _waiting(Notification),
            Notification.due_at <= now,
            ~exists().where(
                earlier.dataset_id == Notification.dataset_id,
                earlier.number < Notification.number,
                _waiting(earlier),
            ),
        )
        .order_by(Notification.number)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(
        update(Notification)
        .where(Notification.notification_id.in_(due))
        .values(due_at=now + lease, attempts=Notification.attempts + 1)
        .returning(Notification)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()


def delivered(session: Session, notification_id: UUID, *, now: datetime) -> None:
    """Notes that it was taken by its receiver."""
    session.execute(
        update(Notification)
        .where(Notification.notification_id == notification_id, Notification.delivered_at.is_(None))
        .values(delivered_at=now, given_up_at=None, last_error=None)
    )


def put_back(session: Session, taken: Notification, *, due_at: datetime, error: str) -> None:
    """Notes that a try came to nothing, and when the next one is; unless somebody else has tried since."""
    session.execute(update(Notification).where(_is_mine(taken)).values(due_at=due_at, last_error=error))


def give_up(session: Session, taken: Notification, *, now: datetime, error: str) -> bool:
    """Ends a notification without delivery, unless somebody else has tried since. Says whether it did."""
    ended = session.scalars(
        update(Notification)
        .where(_is_mine(taken))
        .values(given_up_at=now, last_error=error)
        .returning(Notification.notification_id)
    )
    return ended.one_or_none() is not None


def give_up_old(session: Session, *, before: datetime, now: datetime, reason: str) -> int:
    """Ends without delivery all that wait since before then. Says how many."""
    ended = session.scalars(
        update(Notification)
        .where(_waiting(Notification), Notification.created_at <= before)
        .values(given_up_at=now, last_error=reason)
        .returning(Notification.notification_id)
    )
    return len(ended.all())


def _waiting(table: type[Notification]) -> ColumnElement[bool]:
    return and_(table.delivered_at.is_(None), table.given_up_at.is_(None))


def _is_mine(taken: Notification) -> ColumnElement[bool]:
    """Whether it waits still and nobody has taken it since."""
    return and_(
        Notification.notification_id == taken.notification_id,
        Notification.attempts == taken.attempts,
        _waiting(Notification),
    )
