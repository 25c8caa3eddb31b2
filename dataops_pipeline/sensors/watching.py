"""The sensors that look after ready datasets: is each connector well, is each dataset still as good as it was?

Each calls one function of ``dataops_core.watching``, which decides. A status that moves is shown in the UI as an
observation of the asset ``connector`` in the environment's partition; its check is evaluated by a run, since Dagster
1.13 takes a second evaluation without a run in a partition for a duplicate, and fails the tick. Source:
``docs/contract.md`` C-35, C-63, C-90.
"""

from dagster import (
    AssetObservation,
    DefaultSensorStatus,
    MetadataValue,
    ResourceParam,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from dataops_core.settings import Settings
from dataops_core.watching.connectors import Change, watch_connectors
from dataops_core.watching.delivery import Delivered, deliver_due
from dataops_core.watching.revalidation import revalidate_due
from dataops_pipeline.assets import asset_key
from dataops_pipeline.resources import DataOps

#: A sensor ticks this many times in the interval of a watch, so that few connectors come at once.
_LOOKS_IN_AN_INTERVAL = 10
#: Seconds between two ticks, whatever the interval is.
_QUICKEST, _SLOWEST = 5, 30


def between_looks(watch_seconds: float) -> int:
    """Seconds between two ticks where each connector is looked at every ``watch_seconds`` (0: never)."""
    if watch_seconds <= 0:
        return _SLOWEST
    return round(min(max(watch_seconds / _LOOKS_IN_AN_INTERVAL, _QUICKEST), _SLOWEST))


def watching_sensors() -> list[SensorDefinition]:
    """All of them, ticking by the setting that says how often a connector is looked at."""
    often = between_looks(Settings.load().connector_watch_seconds)
    return [_connectors(often), _revalidation(often * 2), _deliveries((often + 1) // 2)]


def _connectors(seconds: int) -> SensorDefinition:
    @sensor(
        name="watch_connectors",
        minimum_interval_seconds=seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Looks at the connector of each ready dataset every five minutes, and moves its status.",
    )
    def watch(_context: SensorEvaluationContext, dataops: ResourceParam[DataOps]) -> SensorResult:
        watched = watch_connectors(dataops.services)
        moved = f"{len(watched.changes)} moved" if watched.changes else "none moved"
        return SensorResult(
            asset_events=[_observation(change) for change in watched.changes],
            skip_reason=SkipReason(
                f"{watched.looks} connector(s) looked at, {moved}." if watched.looks else "It is no connector's turn."
            ),
        )

    return watch


def _revalidation(seconds: int) -> SensorDefinition:
    @sensor(
        name="revalidate_datasets",
        minimum_interval_seconds=seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Validates each ready dataset again once a day, and one whose connector has moved at once.",
    )
    def revalidate(_context: SensorEvaluationContext, dataops: ResourceParam[DataOps]) -> SkipReason:
        begun = revalidate_due(dataops.services.database, dataops.services.settings)
        return SkipReason(f"{len(begun)} validation(s) begun." if begun else "It is no dataset's turn.")

    return revalidate


def _deliveries(seconds: int) -> SensorDefinition:
    @sensor(
        name="deliver_notifications",
        minimum_interval_seconds=seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description="Tells the webhook, where one is set, of datasets that fell or recovered.",
    )
    def deliver(_context: SensorEvaluationContext, dataops: ResourceParam[DataOps]) -> SkipReason:
        done = deliver_due(dataops.services.database, dataops.services.settings)
        if done == Delivered():
            return SkipReason("Nobody is to be told anything.")
        return SkipReason(f"{done.delivered} delivered, {done.failed} put back, {done.given_up} given up.")

    return deliver


def _observation(change: Change) -> AssetObservation:
    """The change as the UI shows it."""
    return AssetObservation(
        asset_key=asset_key(change.dataset_type, "connector"),
        partition=change.environment.partition_key,
        description=f"Connector {change.after}" + (f": {change.reason}" if change.reason else ""),
        metadata={
            "dataset_id": str(change.dataset_id),
            "connector_id": str(change.connector_id),
            "status": change.after.value,
            "status_before": change.before.value,
            "reason": change.reason or MetadataValue.null(),
        },
    )
