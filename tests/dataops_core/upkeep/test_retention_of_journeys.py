"""Journeys and what was told of them go where nobody can need them any more."""

from uuid import uuid4

from sqlalchemy import func, select

from dataops_core.clock import utcnow
from dataops_core.lifecycle import EventRole, JourneyEventStatus, JourneyEventType, Stage
from dataops_core.registry import journeys
from dataops_core.registry.tables import Journey, JourneyEvent, JourneyEventDataset
from tests.dataops_core.upkeep.cleaning import DAY, change, cleaned


def tell(services, journey, kind=JourneyEventType.STAGE_TRANSITION, *, days, status=JourneyEventStatus.COMPLETED):
    """An event that was told of and ended so long ago; its id."""
    moment, event_id = utcnow() - days * DAY, uuid4()
    with services.database.transaction() as session:
        row = journeys.lock_or_make(session, client_id=journey[0], journey_id=journey[1], now=moment)
        if kind is JourneyEventType.JOURNEY_COMPLETED:
            row.ended_at = moment
        open_ = status in {JourneyEventStatus.PENDING, JourneyEventStatus.IN_PROGRESS}
        session.add(
            JourneyEvent(
                client_id=journey[0],
                event_id=event_id,
                journey_id=journey[1],
                event=kind,
                to_stage=Stage.PILOT if kind is JourneyEventType.STAGE_TRANSITION else None,
                occurred_at=moment,
                received_at=moment,
                status=status,
                completed_at=None if open_ else moment,
            )
        )
        session.flush()
        parts = [(uuid4(), None)]
        journeys.add_parts(session, session.get_one(JourneyEvent, (journey[0], event_id)), EventRole.OLD, parts)
    return event_id


def told_of(services) -> tuple[set, set]:
    """The journeys and the events that are left."""
    with services.database.transaction() as session:
        return set(session.scalars(select(Journey.journey_id))), set(session.scalars(select(JourneyEvent.event_id)))


def test_of_a_journey_with_datasets_old_events_go_but_never_the_newest_nor_the_one_that_ended_it(accept, services):
    """C-91, C-93: a late event is known to be late, and a journey to have ended, however long ago that was."""
    case = accept()
    one = (case.request.client_id, case.request.journey_id)
    tell(services, one, days=900)
    tell(services, one, days=800, status=JourneyEventStatus.SUPERSEDED)
    waiting = tell(services, one, days=700, status=JourneyEventStatus.PENDING)
    ended = tell(services, one, JourneyEventType.JOURNEY_COMPLETED, days=600)
    newest = tell(services, one, days=500, status=JourneyEventStatus.FAILED)
    assert cleaned(services, keep_journeys_days=0) == {}
    assert cleaned(services, keep_journeys_days=850) == {"journey_events": 1}
    assert cleaned(services, keep_journeys_days=365) == {"journey_events": 1}
    assert told_of(services) == ({one[1]}, {waiting, ended, newest})
    with services.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(JourneyEventDataset)) == 3


def test_a_journey_without_datasets_goes_with_its_last_event_and_is_as_new_afterwards(services):
    """C-91."""
    old, recent, ended_since, busy = ((uuid4(), uuid4()) for _ in range(4))
    tell(services, old, days=500)
    tell(services, old, JourneyEventType.JOURNEY_COMPLETED, days=400)
    tell(services, recent, days=500)
    tell(services, recent, days=300)
    tell(services, ended_since, JourneyEventType.JOURNEY_COMPLETED, days=400)
    change(services, Journey, Journey.journey_id == ended_since[1], ended_at=utcnow() - DAY)
    tell(services, busy, days=400, status=JourneyEventStatus.IN_PROGRESS)
    assert cleaned(services) == {"journey_events": 2, "journeys": 1}
    assert told_of(services)[0] == {recent[1], ended_since[1], busy[1]}
    assert cleaned(services) == {}
    with services.database.transaction() as session:
        assert journeys.ended_at(session, client_id=old[0], journey_id=old[1]) is None


def test_a_journey_of_which_somebody_tells_at_this_moment_stays(services):
    """C-91."""
    old = (uuid4(), uuid4())
    tell(services, old, days=500)
    with services.database.transaction() as session:
        journeys.lock_or_make(session, client_id=old[0], journey_id=old[1], now=utcnow())
        assert cleaned(services) == {}
    assert cleaned(services) == {"journeys": 1}
