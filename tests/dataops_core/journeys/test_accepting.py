"""What is told of a journey: once, in any order, and what the order makes of it (C-91)."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from dataops_core.clock import utcnow
from dataops_core.errors import ConflictError, DataOpsError, InvalidRequestError
from dataops_core.lifecycle import JourneyEventStatus, JourneyEventType, Stage

PILOT, PRODUCTION = Stage.PILOT, Stage.PRODUCTION
Status = JourneyEventStatus
TRANSITION, COMPLETED = JourneyEventType.STAGE_TRANSITION, JourneyEventType.JOURNEY_COMPLETED


def test_an_event_is_pending_until_it_is_acted_on(trip):
    """C-91: whatever is known of its journey."""
    event = trip.event(trip.to(PILOT))
    assert (event.status, event.phase, event.started_at, event.completed_at) == (Status.PENDING, None, None, None)
    assert (event.to_stage, event.dataset_types, event.request_id) == (PILOT, None, "req-told")


def test_the_same_event_again_is_the_same_event(trip):
    """C-91: also when it has ended since."""
    told = {"event_id": uuid4(), "event": TRANSITION, "to_stage": PILOT, "occurred_at": utcnow()}
    first, again = trip.tell(**told), trip.tell(**told)
    assert (again.received_at, again.status) == (first.received_at, Status.PENDING)
    trip.tick()
    assert trip.tell(**told).status is Status.FAILED
    assert trip.tick() == []


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"to_stage": PRODUCTION}, ["to_stage"]),
        ({"dataset_types": ["github_repos"]}, ["dataset_types"]),
        ({"event": COMPLETED, "to_stage": None}, ["event", "to_stage"]),
        ({"occurred_at": utcnow() - timedelta(days=1)}, ["occurred_at"]),
        ({"journey_id": uuid4()}, ["journey_id"]),
    ],
    ids=["stage", "types", "event", "moment", "journey"],
)
def test_another_content_under_the_same_id_is_refused_and_changes_nothing(trip, change, differs):
    """C-91: a contradicting event."""
    told = {"event_id": uuid4(), "event": TRANSITION, "to_stage": PILOT, "occurred_at": utcnow()}
    trip.tell(**told)
    with pytest.raises(ConflictError) as caught:
        trip.tell(**(told | change))
    assert caught.value.details == {"event_id": str(told["event_id"]), "differs": differs}
    event = trip.event(told["event_id"])
    assert (event.status, event.to_stage, event.journey_id) == (Status.PENDING, PILOT, trip.journey_id)


def test_one_event_id_belongs_to_one_customer_alone(trip, another):
    """C-8, C-91: nobody learns by a conflict which ids another customer uses."""
    event_id = trip.to(PILOT)
    other = another(journey_id=trip.journey_id)
    other.to(PRODUCTION, event_id=event_id)
    assert (trip.event(event_id).to_stage, other.event(event_id).to_stage) == (PILOT, PRODUCTION)


def test_a_newer_event_takes_the_place_of_one_that_waits(trip):
    """C-91: two events pending."""
    older = trip.to(PILOT, minutes_ago=2)
    newer = trip.to(PRODUCTION, minutes_ago=1)
    event = trip.event(older)
    assert (event.status, event.superseded_by) == (Status.SUPERSEDED, newer)
    assert event.completed_at is not None
    assert trip.status(newer) is Status.PENDING


def test_of_two_events_of_one_moment_the_one_told_later_is_the_newer(trip):
    """C-91."""
    moment = utcnow()
    first, second = trip.to(PILOT, occurred_at=moment), trip.to(PRODUCTION, occurred_at=moment)
    assert (trip.status(first), trip.status(second)) == (Status.SUPERSEDED, Status.PENDING)


@pytest.mark.parametrize("acted_on", [False, True], ids=["pending", "acted on"])
def test_an_older_event_that_arrives_late_is_written_down_and_never_acted_on(trip, acted_on):
    """C-91: a late event, a completion as well."""
    trip.settled()
    newer = trip.to(PILOT, minutes_ago=1)
    if acted_on:
        trip.tick()
    late, late_end = trip.to(PRODUCTION, minutes_ago=3), trip.complete(minutes_ago=2)
    for event in (trip.event(late), trip.event(late_end)):
        assert (event.status, event.superseded_by) == (Status.SUPERSEDED, newer)
    assert trip.status(newer) is (Status.IN_PROGRESS if acted_on else Status.PENDING)
    trip.tick()
    assert trip.ended_at() is None


def test_a_transition_after_the_end_of_the_journey_has_failed_when_it_is_told(trip):
    """C-91: a contradicting event. An older one is late, as ever."""
    end = trip.complete(minutes_ago=2)
    trip.tick()
    assert trip.error(trip.to(PILOT, minutes_ago=1))[0] == "JOURNEY_COMPLETED"
    assert trip.status(trip.to(PILOT, minutes_ago=3)) is Status.SUPERSEDED
    assert trip.status(end) is Status.COMPLETED


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"to_stage": None}, "to_stage", "required"),
        ({"event": COMPLETED}, "to_stage", "absent"),
        ({"event": COMPLETED, "to_stage": None, "dataset_types": ["github_repos"]}, "dataset_types", "absent"),
        ({"dataset_types": ["wikis"]}, "dataset_types.0", "one of confluence_pages"),
        ({"dataset_types": ["github_repos", "github_repos"]}, "dataset_types", "twice"),
        ({"occurred_at": utcnow() + timedelta(days=1)}, "occurred_at", "5 minutes ahead"),
    ],
    ids=["no stage", "stage", "types", "unknown type", "type twice", "future"],
)
def test_an_event_that_breaks_a_rule_names_the_field_and_leaves_nothing(trip, change, field, says):
    """C-91, C-43."""
    told = {"event_id": uuid4(), "event": TRANSITION, "to_stage": PILOT}
    with pytest.raises(InvalidRequestError) as caught:
        trip.tell(**(told | change))
    assert says in caught.value.details[field]
    assert trip.ended_at() is None
    trip.tell(**told)


def at_once(number, tell):
    """Calls from so many threads; gives what each got."""
    gate, results = threading.Barrier(number), []

    def call(index):
        gate.wait(10)
        try:
            results.append(tell(index).status)
        except DataOpsError as error:
            results.append(error.code)

    threads = [threading.Thread(target=call, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_one_event_told_by_many_at_once_is_one(trip):
    """C-91."""
    told = {"event_id": uuid4(), "event": TRANSITION, "to_stage": PILOT, "occurred_at": utcnow()}
    assert at_once(8, lambda _: trip.tell(**told)) == [Status.PENDING] * 8


def test_of_many_events_told_at_once_the_newest_alone_waits(trip):
    """C-91: in whatever order they are written down."""
    ids = [uuid4() for _ in range(8)]
    at_once(8, lambda index: trip.tell(ids[index], minutes_ago=index, event=TRANSITION, to_stage=PILOT))
    assert [trip.status(event_id) for event_id in ids] == [Status.PENDING] + [Status.SUPERSEDED] * 7


def test_one_id_for_two_journeys_at_once_is_one_event(trip):
    """C-91."""
    journeys, event_id = [uuid4() for _ in range(4)], uuid4()
    told = {"event": TRANSITION, "to_stage": PILOT, "occurred_at": utcnow()}
    results = at_once(4, lambda index: trip.tell(event_id, journey_id=journeys[index], **told))
    assert sorted(results) == ["CONFLICT"] * 3 + [Status.PENDING]
