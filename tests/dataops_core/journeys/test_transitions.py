"""A stage transition: the next stage first, the old one only when that is ready (C-92). Runs are played."""

import json

import pytest
from sqlalchemy import update

from dataops_core.lifecycle import JourneyEventPhase, JourneyEventStatus, OperationStatus, OperationType, Stage
from dataops_core.provisioning.steering import cancel, retry
from dataops_core.registry import audit, datasets
from dataops_core.registry.tables import Dataset

SANDBOX, PILOT, PRODUCTION = Stage.SANDBOX, Stage.PILOT, Stage.PRODUCTION
PAGES, REPOS = "confluence_pages", "github_repos"
Status = JourneyEventStatus


def test_the_next_stage_is_provisioned_and_only_when_it_is_ready_the_old_one_torn_down(trip):
    """C-92, C-51."""
    trip.settled(SANDBOX, PAGES, REPOS)
    event_id = trip.to(PILOT)

    provisioning = trip.tick_once()
    assert (provisioning.operation_type, provisioning.stage) == (OperationType.PROVISIONING, PILOT)
    assert (provisioning.request_id, provisioning.status) == ("req-told", OperationStatus.PENDING)
    event = trip.event(event_id)
    assert (event.status, event.phase) == (Status.IN_PROGRESS, JourneyEventPhase.PROVISIONING)
    assert trip.tick() == []
    assert trip.standing()[:2] == ["sandbox confluence_pages ready", "sandbox github_repos ready"]

    trip.succeed(provisioning.operation_id)
    teardowns = trip.tick()
    assert [one.operation_type for one in teardowns] == [OperationType.TEARDOWN] * 2
    assert {json.dumps(one.request, sort_keys=True) for one in teardowns} == {
        '{"archive": true, "reason": "stage_transition"}'
    }
    assert trip.event(event_id).phase is JourneyEventPhase.TEARDOWN
    trip.succeed(teardowns[0].operation_id)
    assert trip.tick() == []
    assert trip.status(event_id) is Status.IN_PROGRESS
    trip.succeed(teardowns[1].operation_id)
    assert trip.tick() == []

    event = trip.event(event_id)
    assert (event.status, event.phase, event.error) == (Status.COMPLETED, None, None)
    assert event.received_at <= event.started_at <= event.completed_at
    assert sorted(trip.standing()) == [
        "pilot confluence_pages ready",
        "pilot github_repos ready",
        "sandbox confluence_pages archived",
        "sandbox github_repos archived",
    ]
    assert trip.ended_at() is None


def test_the_next_stage_has_the_same_templates_and_what_was_said_of_the_datasets(trip):
    """C-92, C-34, C-50: with the record count and the seed of its own stage."""
    trip.settled(SANDBOX, PAGES, REPOS)
    was = {row.dataset_type: row for row in trip.rows()}
    with trip.database.transaction() as session:
        more = {"tags": ["kept"], "owner": "Ana", "requested_by": "john.doe@acme.com"}
        datasets.say(session, was[PAGES].dataset_id, was[PAGES].meta | more)
    trip.to(PILOT)
    made = trip.tick()
    # Of the two datasets different things are said since.
    assert len(made) == 2
    for dataset_type in (PAGES, REPOS):
        old, new = trip.one(SANDBOX, dataset_type), trip.one(PILOT, dataset_type)
        assert new.template_id == old.template_id
        assert new.meta == old.meta | {"reason": "stage_transition"}
        assert new.name == old.name.replace("Sandbox", "Pilot")
        assert new.seed != old.seed
        assert new.requested_count > old.requested_count
    assert trip.one(PILOT, PAGES).meta["owner"] == "Ana"


def test_given_types_are_what_the_next_stage_has_and_the_whole_old_stage_goes(trip):
    """C-92: a type that is new to the journey is recommended a template."""
    trip.settled(SANDBOX, PAGES)
    event_id = trip.to(PILOT, REPOS)
    provisioning = trip.tick_once()
    assert trip.standing() == ["sandbox confluence_pages ready", "pilot github_repos provisioning"]
    new = trip.one(PILOT, REPOS)
    assert (new.name, new.meta["industry"]) == ("ACME-Pilot-GitHub", "fintech")
    trip.succeed(provisioning.operation_id)
    trip.succeed(trip.tick_once().operation_id)
    trip.tick()
    assert trip.status(event_id) is Status.COMPLETED
    assert trip.standing() == ["sandbox confluence_pages archived", "pilot github_repos ready"]


def test_a_stage_may_be_left_out(trip):
    """C-92."""
    trip.settled(SANDBOX)
    trip.to(PRODUCTION)
    trip.succeed(trip.tick_once().operation_id)
    trip.succeed(trip.tick_once().operation_id)
    trip.tick()
    assert trip.standing() == ["sandbox confluence_pages archived", "production confluence_pages ready"]


@pytest.mark.parametrize("ending", ["lost", "cancelled"])
def test_a_failure_leaves_the_old_stage_up_and_says_so(trip, ending):
    """C-92, C-82: what is ready of the next stage stays, too, and a later event goes on from there."""
    trip.settled(SANDBOX, PAGES, REPOS)
    trip.settled(PILOT, PAGES)
    event_id = trip.to(PILOT)
    provisioning = trip.tick_once()
    if ending == "lost":
        trip.fail(provisioning.operation_id)
    else:
        with trip.database.transaction() as session:
            cancel(session, provisioning.operation_id)
    assert trip.tick() == []
    code, message = trip.error(event_id)
    assert code == "STAGE_NOT_READY"
    assert message.endswith("what was there before stays.")
    failed = trip.one(PILOT, REPOS)
    assert trip.event(event_id).error["details"] == {
        str(failed.dataset_id): {"code": failed.error_code, "message": failed.error_message}
    }
    assert trip.standing() == [
        "sandbox confluence_pages ready",
        "sandbox github_repos ready",
        "pilot confluence_pages ready",
        "pilot github_repos failed",
    ]

    again = trip.to(PILOT)
    anew = trip.tick_once()
    assert trip.datasets_of(anew) == [trip.one(PILOT, REPOS).dataset_id]
    trip.succeed(anew.operation_id)
    for teardown in trip.tick():
        trip.succeed(teardown.operation_id)
    trip.tick()
    assert trip.status(again) is Status.COMPLETED
    assert sum("ready" in one for one in trip.standing()) == 2


def test_a_provisioning_that_is_retried_in_time_is_waited_for(trip):
    """C-92, C-84."""
    trip.settled()
    event_id = trip.to(PILOT)
    provisioning = trip.tick_once()
    trip.fail(provisioning.operation_id)
    with trip.database.transaction() as session:
        retry(session, provisioning.operation_id)
    assert trip.tick() == []
    assert trip.status(event_id) is Status.IN_PROGRESS
    trip.succeed(provisioning.operation_id)
    assert trip.tick_once().operation_type is OperationType.TEARDOWN


def test_a_next_stage_that_is_torn_down_meanwhile_is_a_failure(trip):
    """C-92."""
    trip.settled()
    event_id = trip.to(PILOT)
    provisioning = trip.tick_once()
    trip.succeed(provisioning.operation_id)
    trip.tear_down(trip.one(PILOT).dataset_id)
    trip.tick()
    assert trip.error(event_id) == (
        "STAGE_NOT_READY",
        "The datasets of pilot are not ready (The dataset was torn down meanwhile.); what was there before stays.",
    )
    assert trip.one(SANDBOX).status == "ready"


def test_an_old_dataset_that_somebody_tears_down_meanwhile_is_waited_for_or_gone(trip):
    """C-92, C-52: a teardown under way is joined as it is, without an archive too."""
    trip.settled(SANDBOX, PAGES, REPOS)
    event_id = trip.to(PILOT)
    provisioning = trip.tick_once()
    pages, repos = trip.one(SANDBOX, PAGES), trip.one(SANDBOX, REPOS)
    trip.succeed(trip.tear_down(pages.dataset_id))
    by_hand = trip.tear_down(repos.dataset_id, archive=False)
    trip.succeed(provisioning.operation_id)
    assert [one.operation_id for one in trip.tick()] == [by_hand]
    trip.succeed(by_hand)
    assert trip.tick() == []
    assert trip.status(event_id) is Status.COMPLETED
    assert trip.operation(by_hand).request["reason"] == "manual"


def test_a_teardown_that_fails_is_said_and_a_later_event_goes_on_with_it(trip):
    """C-92, C-52."""
    trip.settled()
    event_id = trip.to(PILOT)
    trip.succeed(trip.tick_once().operation_id)
    teardown = trip.tick_once()
    trip.fail(teardown.operation_id)
    trip.tick()
    code, message = trip.error(event_id)
    assert (code, "1 of 1 teardowns failed" in message) == ("TEARDOWN_FAILED", True)
    assert trip.event(event_id).error["details"][str(trip.one(SANDBOX).dataset_id)]["code"] == "RUN_LOST"
    assert trip.standing() == ["sandbox confluence_pages teardown", "pilot confluence_pages ready"]

    again = trip.to(PILOT)
    going_on = trip.tick_once()
    assert (going_on.operation_id, going_on.attempt) == (teardown.operation_id, 2)
    trip.succeed(going_on.operation_id)
    trip.tick()
    assert trip.status(again) is Status.COMPLETED


def test_a_failed_old_dataset_is_taken_over_and_torn_down_like_the_others(trip):
    """C-92, C-35."""
    trip.fail(trip.provision(SANDBOX, PAGES))
    trip.to(PILOT)
    trip.succeed(trip.tick_once().operation_id)
    trip.succeed(trip.tick_once().operation_id)
    trip.tick()
    assert trip.standing() == ["sandbox confluence_pages archived", "pilot confluence_pages ready"]


def test_a_journey_without_datasets_has_nothing_to_take_over(trip):
    """C-92."""
    event_id = trip.to(PILOT)
    assert trip.tick() == []
    assert trip.error(event_id)[0] == "NO_DATASETS"
    trip.settled(SANDBOX)
    trip.succeed(trip.tear_down(trip.one(SANDBOX).dataset_id))
    event_id = trip.to(PILOT)
    trip.tick()
    assert trip.error(event_id)[0] == "NO_DATASETS"


def test_an_event_with_types_begins_a_journey_without_datasets(trip):
    """C-92."""
    event_id = trip.to(PILOT, PAGES)
    trip.succeed(trip.tick_once().operation_id)
    assert trip.tick() == []
    assert trip.status(event_id) is Status.COMPLETED
    assert trip.standing() == ["pilot confluence_pages ready"]


def test_a_transition_to_the_stage_where_the_journey_is_finds_nothing_to_do(trip):
    """C-92."""
    trip.settled(PILOT, PAGES)
    before = len(trip.operations())
    event_id = trip.to(PILOT)
    assert trip.tick() == []
    assert trip.status(event_id) is Status.COMPLETED
    assert (len(trip.operations()), trip.standing()) == (before, ["pilot confluence_pages ready"])


def test_a_type_that_the_same_stage_lacks_is_provisioned_there(trip):
    """C-92."""
    trip.settled(PILOT, PAGES)
    event_id = trip.to(PILOT, PAGES, REPOS)
    trip.succeed(trip.tick_once().operation_id)
    trip.tick()
    assert trip.status(event_id) is Status.COMPLETED
    assert trip.standing() == ["pilot confluence_pages ready", "pilot github_repos ready"]


def test_a_journey_does_not_go_back(trip):
    """C-92."""
    trip.settled(PILOT, PAGES)
    event_id = trip.to(SANDBOX)
    assert trip.tick() == []
    code, message = trip.error(event_id)
    assert code == "STAGE_NOT_AHEAD"
    assert message == "The journey has datasets in pilot, which comes after sandbox; nothing was changed."
    assert trip.standing() == ["pilot confluence_pages ready"]


def test_a_transition_during_a_transition_waits_and_goes_on_from_where_that_one_ends(trip):
    """C-92."""
    trip.settled(SANDBOX)
    first = trip.to(PILOT, minutes_ago=2)
    provisioning = trip.tick_once()
    second = trip.to(PRODUCTION, minutes_ago=1)
    assert trip.tick() == []
    trip.succeed(provisioning.operation_id)
    teardown = trip.tick_once()
    assert trip.status(second) is Status.PENDING
    trip.succeed(teardown.operation_id)
    trip.tick()
    assert trip.status(first) is Status.COMPLETED
    assert trip.tick_once().stage is PRODUCTION
    assert trip.status(second) is Status.IN_PROGRESS


def test_after_a_transition_that_failed_the_waiting_one_goes_on_from_the_old_stage(trip):
    """C-92: and what was left of the failed one goes with it."""
    trip.settled(SANDBOX)
    first = trip.to(PILOT, minutes_ago=2)
    provisioning = trip.tick_once()
    second = trip.to(PRODUCTION, minutes_ago=1)
    trip.fail(provisioning.operation_id)
    trip.tick()
    assert trip.error(first)[0] == "STAGE_NOT_READY"
    trip.succeed(trip.tick_once().operation_id)
    for teardown in trip.tick():
        trip.succeed(teardown.operation_id)
    trip.tick()
    assert trip.status(second) is Status.COMPLETED
    assert trip.standing() == [
        "sandbox confluence_pages archived",
        "pilot confluence_pages archived",
        "production confluence_pages ready",
    ]


def test_of_a_next_stage_that_is_there_already_nothing_is_provisioned(trip):
    """C-92, C-44: what is on its way is waited for."""
    trip.settled(SANDBOX, PAGES, REPOS)
    trip.settled(PILOT, PAGES)
    on_its_way = trip.provision(PILOT, REPOS)
    event_id = trip.to(PILOT)
    assert trip.tick() == []
    assert trip.event(event_id).phase is JourneyEventPhase.PROVISIONING
    trip.succeed(on_its_way)
    assert {one.operation_type for one in trip.tick()} == {OperationType.TEARDOWN}


def test_a_place_that_another_journey_holds_is_a_conflict(trip, another):
    """C-92, C-44."""
    trip.settled(SANDBOX, PAGES, REPOS)
    other = another(client_id=trip.client_id).settled(PILOT, REPOS)
    event_id = trip.to(PILOT)
    assert trip.tick() == []
    assert trip.error(event_id) == ("CONFLICT", "Dataset of type 'github_repos' already exists for client/stage")
    assert trip.event(event_id).error["details"]["existing_dataset_id"] == str(other.one(PILOT, REPOS).dataset_id)
    # Nothing of it was made: neither the other type nor an operation.
    assert sum("pilot" in one for one in trip.standing()) == 1
    assert len(trip.operations()) == 2


def test_a_place_that_is_being_torn_down_is_waited_for(trip):
    """C-92, C-44."""
    trip.settled(SANDBOX).settled(PILOT)
    teardown = trip.tear_down(trip.one(PILOT).dataset_id)
    event_id = trip.to(PILOT)
    assert trip.tick() == []
    assert trip.tick() == []
    assert trip.status(event_id) is Status.PENDING
    trip.succeed(teardown)
    assert trip.tick_once().stage is PILOT
    assert trip.event(event_id).phase is JourneyEventPhase.PROVISIONING


def test_a_place_whose_teardown_failed_is_not_waited_for(trip):
    """C-92."""
    trip.settled(SANDBOX).settled(PILOT)
    teardown = trip.tear_down(trip.one(PILOT).dataset_id)
    event_id = trip.to(PILOT)
    trip.tick()
    trip.fail(teardown)
    trip.tick()
    code, message = trip.error(event_id)
    assert (code, "its teardown failed" in message) == ("CONFLICT", True)
    assert trip.one(SANDBOX).status == "ready"


def test_a_template_that_the_catalog_lost_is_a_failure_that_names_it(trip):
    """C-92."""
    trip.settled(SANDBOX)
    with trip.database.transaction() as session:
        session.execute(update(Dataset).values(template_id=trip.journey_id))
    event_id = trip.to(PILOT)
    assert trip.tick() == []
    assert trip.error(event_id) == (
        "INVALID_REQUEST",
        "The datasets of pilot cannot be provisioned: There is no template with this id.",
    )
    assert trip.standing() == ["sandbox confluence_pages ready"]


def test_another_journey_of_the_customer_and_another_customers_of_that_id_stay_as_they_are(trip, another):
    """C-92, C-8."""
    trip.settled(SANDBOX, PAGES)
    of_customer = another(client_id=trip.client_id).settled(SANDBOX, REPOS)
    of_another = another(journey_id=trip.journey_id).settled(SANDBOX, PAGES)
    trip.to(PILOT)
    trip.succeed(trip.tick_once().operation_id)
    trip.succeed(trip.tick_once().operation_id)
    trip.tick()
    assert of_customer.one(SANDBOX, REPOS).status == "ready"
    assert of_another.standing() == ["sandbox confluence_pages ready"]


def test_what_is_done_for_an_event_is_in_the_audit_log_under_the_request_that_told_of_it(trip):
    """C-24, C-92."""
    trip.settled(SANDBOX)
    event_id = trip.to(PILOT)
    trip.tick()
    with trip.database.reading() as connection:
        noted = audit.entries(connection, {"request_id": "req-told"}, after=None, limit=100)
        of_event = audit.entries(connection, {"resource_type": "journey_event"}, after=None, limit=100)
    assert [entry.resource_type for entry in reversed(noted)] == ["dataset", "operation", "journey_event"]
    assert {entry.client_id for entry in [*noted, *of_event]} == {trip.client_id}
    assert {entry.resource_id for entry in of_event} == {str(event_id)}
    assert of_event[0].after == {
        "status": "in_progress",
        "phase": "provisioning",
        "started_at": of_event[0].after["started_at"],
    }
