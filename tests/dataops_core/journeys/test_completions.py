"""A completed journey is torn down whole, whatever was under way in it (C-92). Runs are played."""

import pytest

from dataops_core.errors import ConflictError
from dataops_core.lifecycle import JourneyEventPhase, JourneyEventStatus, OperationStatus, OperationType, Stage
from dataops_core.provisioning.restoring import accept_restore

SANDBOX, PILOT, PRODUCTION = Stage.SANDBOX, Stage.PILOT, Stage.PRODUCTION
PAGES, REPOS = "confluence_pages", "github_repos"
Status = JourneyEventStatus


def test_all_of_a_journey_is_torn_down(trip, another):
    """C-92, C-37, C-51: ready, failed and on its way; another journey's datasets stay."""
    trip.settled(SANDBOX, PAGES, REPOS)
    trip.fail(trip.provision(PILOT, PAGES))
    provisioning = trip.provision(PILOT, REPOS)
    other = another(client_id=trip.client_id).settled(PRODUCTION)
    event_id = trip.complete()

    teardowns = trip.tick()
    assert {one.operation_type for one in teardowns} == {OperationType.TEARDOWN}
    assert {one.request["reason"] for one in teardowns} == {"journey_completed"}
    assert len(teardowns) == 4
    assert trip.operation(provisioning).status is OperationStatus.CANCELLED
    event = trip.event(event_id)
    assert (event.status, event.phase) == (Status.IN_PROGRESS, JourneyEventPhase.TEARDOWN)
    assert trip.ended_at() is not None
    for teardown in teardowns[:3]:
        trip.succeed(teardown.operation_id)
    assert trip.tick() == []
    assert trip.status(event_id) is Status.IN_PROGRESS
    trip.succeed(teardowns[3].operation_id)
    trip.tick()
    assert trip.status(event_id) is Status.COMPLETED
    assert {one.split()[-1] for one in trip.standing() if "production" not in one} == {"archived"}
    assert other.one(PRODUCTION).status == "ready"


def test_a_journey_without_datasets_is_completed_at_once(trip):
    """C-92."""
    event_id = trip.complete()
    assert trip.tick() == []
    assert trip.status(event_id) is Status.COMPLETED
    assert trip.ended_at() is not None


@pytest.mark.parametrize("phase", ["provisioning", "teardown"])
def test_a_completion_takes_the_place_of_the_transition_under_way(trip, phase):
    """C-92: nothing is waited for that would be torn down then."""
    trip.settled(SANDBOX)
    transition = trip.to(PILOT, minutes_ago=2)
    provisioning, begun = trip.tick_once(), []
    if phase == "teardown":
        trip.succeed(provisioning.operation_id)
        begun = [trip.tick_once().operation_id]
    completion = trip.complete(minutes_ago=1)
    # Until it is acted on, the transition goes on.
    assert trip.event(transition).phase == phase

    teardowns = trip.tick()
    event = trip.event(transition)
    assert (event.status, event.phase, event.superseded_by) == (Status.SUPERSEDED, None, completion)
    assert set(begun) <= {one.operation_id for one in teardowns}
    assert len(teardowns) == 2
    for teardown in teardowns:
        trip.succeed(teardown.operation_id)
    trip.tick()
    assert trip.status(completion) is Status.COMPLETED
    assert trip.standing() == ["sandbox confluence_pages archived", "pilot confluence_pages archived"]


def test_a_completion_that_waits_is_taken_back_by_a_newer_transition_and_one_begun_is_not(trip):
    """C-91, C-92."""
    trip.settled(SANDBOX)
    first = trip.complete(minutes_ago=4)
    transition = trip.to(PILOT, minutes_ago=3)
    assert trip.event(first).superseded_by == transition
    trip.succeed(trip.tick_once().operation_id)
    assert trip.ended_at() is None
    second = trip.complete(minutes_ago=2)
    trip.tick()
    assert trip.error(trip.to(PRODUCTION, minutes_ago=1))[0] == "JOURNEY_COMPLETED"
    assert trip.status(second) is Status.IN_PROGRESS


def test_a_journey_that_has_ended_gets_no_datasets(trip):
    """C-92, C-44."""
    trip.settled(SANDBOX)
    trip.complete()
    trip.provision(PILOT)  # before the end was acted on
    trip.tick()
    with pytest.raises(ConflictError) as caught:
        trip.provision(PRODUCTION)
    assert caught.value.message == "Journey has ended"
    assert caught.value.details["journey_id"] == str(trip.journey_id)
    assert trip.standing() == ["sandbox confluence_pages teardown", "pilot confluence_pages teardown"]


def test_what_is_restored_while_a_journey_ends_is_torn_down_as_well(trip):
    """C-92, C-54."""
    trip.settled(SANDBOX, PAGES, REPOS)
    event_id = trip.complete()
    first, second = trip.tick()
    trip.succeed(first.operation_id)
    (restored,) = trip.datasets_of(first)
    with trip.database.transaction() as session:
        accept_restore(session, restored)
    trip.succeed(second.operation_id)
    again = trip.tick_once()
    assert trip.datasets_of(again) == [restored]
    assert trip.status(event_id) is Status.IN_PROGRESS
    trip.succeed(again.operation_id)
    trip.tick()
    assert trip.status(event_id) is Status.COMPLETED


def test_a_teardown_that_fails_is_said_and_a_completion_told_anew_goes_on_with_it(trip):
    """C-92, C-52."""
    trip.settled(SANDBOX, PAGES, REPOS)
    event_id = trip.complete(minutes_ago=1)
    lost, done = trip.tick()
    trip.fail(lost.operation_id)
    trip.succeed(done.operation_id)
    trip.tick()
    assert trip.error(event_id)[0] == "TEARDOWN_FAILED"
    assert list(trip.event(event_id).error["details"]) == [str(one) for one in trip.datasets_of(lost)]

    again = trip.complete()
    going_on = trip.tick_once()
    assert (going_on.operation_id, going_on.attempt) == (lost.operation_id, 2)
    trip.succeed(going_on.operation_id)
    trip.tick()
    assert trip.status(again) is Status.COMPLETED


def test_a_second_completion_waits_for_the_first(trip):
    """C-92: and finds nothing to do."""
    trip.settled(SANDBOX)
    first = trip.complete(minutes_ago=1)
    teardown = trip.tick_once()
    second = trip.complete()
    assert trip.tick() == []
    assert trip.status(second) is Status.PENDING
    trip.succeed(teardown.operation_id)
    trip.tick()
    trip.tick()
    assert (trip.status(first), trip.status(second)) == (Status.COMPLETED, Status.COMPLETED)
    assert len(trip.operations()) == 2
