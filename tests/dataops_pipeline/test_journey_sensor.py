"""The sensor of journeys against a real Dagster instance and registry (C-92)."""

from uuid import UUID, uuid4

import pytest
from dagster import AssetKey, DagsterInstance

from dataops_core.clock import utcnow
from dataops_core.journeys.accepting import ToldEvent, accept_event
from dataops_core.lifecycle import JourneyEventStatus, JourneyEventType, OperationStatus, Stage
from dataops_core.provisioning.services import Services
from dataops_core.registry import journeys
from dataops_core.runs import TAG_OPERATION
from tests.dataops_pipeline.test_sensors import Watch

NAME = "advance_journeys"


@pytest.fixture
def watch(instance: DagsterInstance, services: Services) -> Watch:
    return Watch(instance, services)


def tell(watch: Watch, client_id: UUID) -> UUID:
    """An event that begins a journey of this customer."""
    told = ToldEvent(
        journey_id=client_id,
        client_id=client_id,
        event_id=uuid4(),
        event=JourneyEventType.STAGE_TRANSITION,
        occurred_at=utcnow(),
        to_stage=Stage.PILOT,
        dataset_types=["confluence_pages"],
    )
    with watch.services.database.transaction() as session:
        return accept_event(session, told).event_id


def test_an_event_is_acted_on_and_what_it_begins_is_launched_at_once(watch: Watch) -> None:
    """C-92: by this sensor, and not by the one for pending operations as well."""
    client_id = uuid4()
    event_id = tell(watch, client_id)

    ticked = watch.tick(NAME)

    (request,) = ticked.run_requests or []
    assert request.job_name == "provision"
    assert request.asset_selection is not None
    assert AssetKey(["confluence_pages", "dataset"]) in request.asset_selection
    key = f"pilot:{client_id}"
    assert request.tags["dagster/partition"] == key
    (added,) = ticked.dynamic_partitions_requests or []
    assert list(added.partition_keys) == [key]
    operation = watch.operation(UUID(request.tags[TAG_OPERATION]))
    assert (operation.status, operation.launch_attempts) == (OperationStatus.PENDING, 1)
    with watch.services.database.transaction() as session:
        event = journeys.find_event(session, client_id=client_id, event_id=event_id)
    assert event is not None
    assert event.status is JourneyEventStatus.IN_PROGRESS
    assert watch.launches() == []


def test_it_skips_where_there_is_nothing_to_begin(watch: Watch) -> None:
    """C-92."""
    ticked = watch.tick(NAME)
    assert (ticked.run_requests, ticked.skip_message) == ([], "Nothing is to be launched for any journey.")
