"""Journeys and their events: SQL on ``journeys``, ``journey_events`` and ``journey_event_datasets``.

Whatever changes an event holds its journey's row locked, so that the events of one journey take turns. That lock is
taken before any of operations and datasets. Functions take a session and never commit. Does not belong here: what an
event means (``dataops_core/journeys``). Source: ``docs/contract.md`` C-91 … C-93.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from dataops_core.lifecycle import (
    DatasetStatus,
    EventRole,
    JourneyEventPhase,
    JourneyEventStatus,
    JourneyEventType,
)
from dataops_core.registry.operations import OPEN
from dataops_core.registry.tables import (
    Dataset,
    Journey,
    JourneyEvent,
    JourneyEventDataset,
    Operation,
    OperationDataset,
)

_Status = JourneyEventStatus

#: Datasets in these are on their way to ready.
UNDER_WAY = (DatasetStatus.PROVISIONING, DatasetStatus.VALIDATING)


@dataclass(frozen=True, slots=True)
class DueEvent:
    """An event that can be carried on: where it is found, and the request that told of it."""

    client_id: UUID
    journey_id: UUID
    event_id: UUID
    request_id: str | None


def lock_or_make(session: Session, *, client_id: UUID, journey_id: UUID, now: datetime) -> Journey:
    """The journey's row, made where there is none, locked for the transaction."""
    session.execute(
        insert(Journey).values(client_id=client_id, journey_id=journey_id, created_at=now).on_conflict_do_nothing()
    )
    return session.scalars(_locked(client_id, journey_id)).one()


def lock_if_free(session: Session, *, client_id: UUID, journey_id: UUID) -> Journey | None:
    """The journey's row, locked for the transaction; None where another holds it at this moment."""
    return session.scalars(_locked(client_id, journey_id, skip_locked=True)).one_or_none()


def ended_at(session: Session, *, client_id: UUID, journey_id: UUID) -> datetime | None:
    """When the journey ended, None while it goes on. It cannot end before this transaction has."""
    return session.scalar(
        select(Journey.ended_at)
        .where(Journey.journey_id == journey_id, Journey.client_id == client_id)
        .with_for_update(read=True, key_share=True)
    )


def find_event(session: Session, *, client_id: UUID, event_id: UUID) -> JourneyEvent | None:
    """The customer's event of this id, as it is now."""
    return session.get(JourneyEvent, (client_id, event_id), populate_existing=True)


def add_event(session: Session, values: dict[str, Any]) -> JourneyEvent | None:
    """A new event of these columns. None where another transaction has used its id meanwhile."""
    made = session.scalars(
        insert(JourneyEvent)
        .values(**values)
        .on_conflict_do_nothing(index_elements=[JourneyEvent.client_id, JourneyEvent.event_id])
        .returning(JourneyEvent)
    )
    return made.one_or_none()


def newest_after(session: Session, journey: Journey, moment: datetime) -> JourneyEvent | None:
    """The newest event of the journey that occurred after this moment."""
    return session.scalars(
        select(JourneyEvent)
        .where(_of(journey), JourneyEvent.occurred_at > moment)
        .order_by(JourneyEvent.occurred_at.desc(), JourneyEvent.received_at.desc())
        .limit(1)
    ).one_or_none()


def with_status(session: Session, journey: Journey, status: JourneyEventStatus) -> JourneyEvent | None:
    """The one event of the journey that is pending, or that is in progress."""
    return session.scalars(select(JourneyEvent).where(_of(journey), JourneyEvent.status == status)).one_or_none()


def due(session: Session, *, limit: int) -> Sequence[DueEvent]:
    """Open events that have nothing to wait for, longest known first.

    A pending one waits for the event in progress before it (a completion only for another completion) and for teardowns
    in its way; one in progress for the datasets or the teardowns of its phase.
    """
    before = aliased(JourneyEvent)
    in_its_way = exists().where(
        before.journey_id == JourneyEvent.journey_id,
        before.client_id == JourneyEvent.client_id,
        before.status == _Status.IN_PROGRESS,
        or_(
            JourneyEvent.event == JourneyEventType.STAGE_TRANSITION,
            before.event == JourneyEventType.JOURNEY_COMPLETED,
        ),
    )
    leaving = _has_part(
        EventRole.LEAVING,
        exists().where(OperationDataset.dataset_id == JourneyEventDataset.dataset_id, OperationDataset.active),
    )
    provisioning = _has_part(
        EventRole.NEXT,
        exists().where(Dataset.dataset_id == JourneyEventDataset.dataset_id, Dataset.status.in_(UNDER_WAY)),
    )
    tearing_down = _has_part(
        EventRole.OLD,
        exists().where(Operation.operation_id == JourneyEventDataset.operation_id, Operation.status.in_(OPEN)),
    )
    open_ = JourneyEvent.status.in_([_Status.PENDING, _Status.IN_PROGRESS])
    phases = JourneyEventPhase
    can_go_on = or_(
        and_(JourneyEvent.status == _Status.PENDING, ~in_its_way, ~leaving),
        and_(JourneyEvent.phase == phases.PROVISIONING, ~provisioning),
        and_(JourneyEvent.phase == phases.TEARDOWN, ~tearing_down),
    )
    rows = session.execute(
        select(JourneyEvent.client_id, JourneyEvent.journey_id, JourneyEvent.event_id, JourneyEvent.request_id)
        .where(open_, can_go_on)
        .order_by(JourneyEvent.received_at)
        .limit(limit)
    )
    return [DueEvent(*row) for row in rows]


def datasets_of(session: Session, *, client_id: UUID, journey_id: UUID) -> Sequence[Dataset]:
    """All datasets of the journey that are not archived, oldest first."""
    return session.scalars(
        select(Dataset)
        .where(
            Dataset.journey_id == journey_id,
            Dataset.client_id == client_id,
            Dataset.status != DatasetStatus.ARCHIVED,
        )
        .order_by(Dataset.created_at, Dataset.dataset_id)
        .execution_options(populate_existing=True)
    ).all()


def add_parts(
    session: Session, event: JourneyEvent, role: EventRole, parts: Iterable[tuple[UUID, UUID | None]]
) -> None:
    """Notes what datasets are to an event, each with the operation begun on it; in place of what was noted before."""
    for dataset_id, operation_id in parts:
        values = {"role": role, "operation_id": operation_id}
        session.execute(
            insert(JourneyEventDataset)
            .values(client_id=event.client_id, event_id=event.event_id, dataset_id=dataset_id, **values)
            .on_conflict_do_update(
                index_elements=[
                    JourneyEventDataset.client_id,
                    JourneyEventDataset.event_id,
                    JourneyEventDataset.dataset_id,
                ],
                set_=values,
            )
        )


def clear_parts(session: Session, event: JourneyEvent) -> None:
    """Forgets what datasets were to the event: it is looked at anew."""
    session.execute(delete(JourneyEventDataset).where(_part_of(event)))


def parts_of(
    session: Session, event: JourneyEvent, role: EventRole, *, hold: bool = False
) -> Sequence[tuple[JourneyEventDataset, Dataset | None]]:
    """The event's datasets in this role, each with its row, None where that is gone.

    ``hold``: no dataset among them changes before the transaction ends.
    """
    if hold:
        wanted = select(JourneyEventDataset.dataset_id).where(_part_of(event), JourneyEventDataset.role == role)
        session.execute(
            select(Dataset.dataset_id)
            .where(Dataset.dataset_id.in_(wanted))
            .order_by(Dataset.dataset_id)
            .with_for_update(read=True)
        )
    rows = session.execute(
        select(JourneyEventDataset, Dataset)
        .outerjoin(Dataset, Dataset.dataset_id == JourneyEventDataset.dataset_id)
        .where(_part_of(event), JourneyEventDataset.role == role)
        .order_by(JourneyEventDataset.dataset_id)
        .execution_options(populate_existing=True)
    )
    return [(part, dataset) for part, dataset in rows]


def _of(journey: Journey) -> ColumnElement[bool]:
    return and_(JourneyEvent.journey_id == journey.journey_id, JourneyEvent.client_id == journey.client_id)


def _part_of(event: JourneyEvent) -> ColumnElement[bool]:
    return and_(JourneyEventDataset.client_id == event.client_id, JourneyEventDataset.event_id == event.event_id)


def _has_part(role: EventRole, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        JourneyEventDataset.client_id == JourneyEvent.client_id,
        JourneyEventDataset.event_id == JourneyEvent.event_id,
        JourneyEventDataset.role == role,
        condition,
    )


def _locked(client_id: UUID, journey_id: UUID, *, skip_locked: bool = False) -> Select[tuple[Journey]]:
    return (
        select(Journey)
        .where(Journey.journey_id == journey_id, Journey.client_id == client_id)
        .with_for_update(skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    )
