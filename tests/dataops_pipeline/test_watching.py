"""The sensors that look after ready datasets, on a real Dagster instance: what moves shows in the partition."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import AssetCheckKey, AssetKey, AssetRecordsFilter, DagsterInstance, build_sensor_context
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from pydantic import SecretStr
from sqlalchemy import update

from dataops_core.clock import utcnow
from dataops_core.lifecycle import CheckType, DatasetStatus, OperationStatus
from dataops_core.provisioning.services import Services
from dataops_core.registry import quality
from dataops_core.registry.tables import Connector, Operation, QualityResult
from dataops_pipeline.definitions import build_defs
from dataops_pipeline.resources import DataOps
from dataops_pipeline.sensors.watching import between_looks
from tests.dataops_core.watching.receiver import SECRET, receiving
from tests.dataops_pipeline.test_runs import TYPE, Pipeline


@dataclass
class Watch:
    """A ready dataset, the sensors, and what the UI knows of its checks."""

    pipeline: Pipeline

    def tick(self, name: str) -> SensorExecutionData:
        """One evaluation, and what the daemon does with its result."""
        services = self.pipeline.services
        resources = {"dataops": DataOps(lambda: services)}
        repository = build_defs(resource_overrides=resources).get_repository_def()
        context = build_sensor_context(
            instance=self.pipeline.instance, repository_def=repository, sensor_name=name, resources=resources
        )
        with context:
            ticked = repository.get_sensor_def(name).evaluate_tick(context)
        for event in ticked.asset_events:
            self.pipeline.instance.report_runless_asset_event(event)
        return ticked

    def shown(self) -> list[tuple[str | None, object]]:
        """What was observed of the connector in this environment's partition, newest first."""
        found = self.pipeline.instance.fetch_observations(
            AssetRecordsFilter(AssetKey([TYPE, "connector"]), asset_partitions=[f"sandbox:{self.pipeline.client_id}"]),
            limit=10,
        )
        seen = [record.asset_observation for record in found.records]
        return [(one.description, one.metadata["status"].value) for one in seen if one is not None]

    def index(self) -> Path:
        (path,) = (self.pipeline.services.settings.data_path / "connectors").glob("*/*.db")
        return path

    def due(self) -> None:
        """Nobody has looked at the connector for long."""
        with self.pipeline.services.database.transaction() as session:
            session.execute(update(Connector).values(last_checked_at=None))


@pytest.fixture
def watch(instance: DagsterInstance, services: Services) -> Watch:
    made = Pipeline(instance, services)
    made.ready()
    return Watch(made)


def test_a_connector_that_falls_and_recovers_is_shown_in_its_partition_c90(watch: Watch) -> None:
    """C-35, C-90."""
    assert watch.shown() == []
    path, aside = watch.index(), watch.index().with_suffix(".aside")
    path.rename(aside)
    watch.due()
    assert watch.tick("watch_connectors").skip_message == "1 connector(s) looked at, 1 moved."
    fallen = ("Connector unhealthy: doc_parity: the index is damaged", "unhealthy")
    assert watch.shown() == [fallen]

    aside.rename(path)
    for expected in ("none moved", "1 moved"):
        watch.due()
        assert (watch.tick("watch_connectors").skip_message or "").endswith(f"{expected}.")
    assert watch.shown() == [("Connector healthy", "healthy"), fallen]


def test_the_sensor_says_when_there_is_nothing_to_do(watch: Watch) -> None:
    watch.tick("watch_connectors")
    assert watch.tick("watch_connectors").skip_message == "It is no connector's turn."


def test_a_dataset_whose_turn_it_is_is_validated_by_an_ordinary_run(watch: Watch) -> None:
    """C-63, C-81: the sensor makes the operation, another launches it, and its checks show in the partition."""
    services = watch.pipeline.services
    with services.database.transaction() as session:
        session.execute(update(QualityResult).values(executed_at=utcnow() - timedelta(days=2)))
    assert watch.tick("revalidate_datasets").skip_message == "1 validation(s) begun."
    operation = watch.pipeline.operation(watch.pipeline.dataset().operation_id)
    assert watch.pipeline.launch(operation).is_success
    assert watch.pipeline.operation(operation.operation_id).status is OperationStatus.COMPLETED
    assert watch.tick("revalidate_datasets").skip_message == "It is no dataset's turn."


@pytest.mark.long
def test_a_connector_that_fell_is_checked_by_a_run_and_the_score_follows(watch: Watch) -> None:
    """C-62, C-63, C-90: of the asset's health in the UI an evaluated check decides."""
    services = watch.pipeline.services
    watch.index().rename(watch.index().with_suffix(".aside"))
    watch.due()
    watch.tick("watch_connectors")
    assert watch.tick("revalidate_datasets").skip_message == "1 validation(s) begun."
    operation = watch.pipeline.operation(watch.pipeline.dataset().operation_id)
    watch.pipeline.launch(operation)

    dataset = watch.pipeline.dataset()
    assert dataset.status is DatasetStatus.READY
    with services.database.transaction() as session:
        assert not quality.current(session, dataset.dataset_id).meets_threshold
    key = AssetCheckKey(AssetKey([TYPE, "index"]), CheckType.CONNECTOR_HEALTH.value)
    partition = PartitionKeyFilter(key=f"sandbox:{watch.pipeline.client_id}")
    newest = watch.pipeline.instance.event_log_storage.get_latest_asset_check_execution_by_key([key], partition)[key]
    assert newest.status is AssetCheckExecutionRecordStatus.FAILED


@pytest.mark.long
def test_a_fall_and_a_recovery_reach_the_webhook_once_each(watch: Watch) -> None:
    """C-35, C-62, C-63, C-90: the whole way, from the connector to the receiver and back."""
    pipeline = watch.pipeline

    def tick_all() -> None:
        watch.due()
        watch.tick("watch_connectors")
        if watch.tick("revalidate_datasets").skip_message == "1 validation(s) begun.":
            pipeline.launch(pipeline.operation(pipeline.dataset().operation_id))
        watch.tick("deliver_notifications")

    with receiving() as receiver:
        settings = pipeline.services.settings.model_copy(
            update={"webhook_url": SecretStr(receiver.url), "webhook_secret": SecretStr(SECRET)}
        )
        pipeline.services = replace(pipeline.services, settings=settings)
        tick_all()
        assert receiver.events == []
        path, aside = watch.index(), watch.index().with_suffix(".aside")
        path.rename(aside)
        tick_all()
        tick_all()
        assert receiver.events == ["dataset.below_threshold"]
        with pipeline.services.database.transaction() as session:
            session.execute(update(Operation).values(created_at=utcnow() - timedelta(minutes=6)))
        aside.rename(path)
        tick_all()
        assert receiver.events == ["dataset.below_threshold"]
        tick_all()
        tick_all()
        assert receiver.events == ["dataset.below_threshold", "dataset.recovered"]
    assert all(message.is_genuine() for message in receiver.messages)
    assert {message.content["data"]["dataset_id"] for message in receiver.messages} == {
        str(pipeline.dataset().dataset_id)
    }
    assert pipeline.dataset().below_since is None


@pytest.mark.parametrize(("interval", "ticks"), [(300.0, 30), (5.0, 5), (120.0, 12), (0.0, 30), (86_400.0, 30)])
def test_the_sensors_tick_ten_times_an_interval_within_bounds(interval: float, ticks: int) -> None:
    """C-90: a shorter watch needs no other setting to be a shorter one."""
    assert between_looks(interval) == ticks
