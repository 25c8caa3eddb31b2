"""The sensor of journeys: what they were told of is acted on (``docs/contract.md`` C-92).

``dataops_core.journeys.advancing`` decides. The operations that it begins are launched right here; what a crash keeps
from that is left to ``launch_pending_operations``. Two daemons at once double nothing.
"""

from collections.abc import Sequence

from dagster import (
    DefaultSensorStatus,
    ResourceParam,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)
from dagster._core.definitions.target import ExecutableDefinition

from dataops_core.journeys.advancing import advance_events
from dataops_core.provisioning.launching import take_launches
from dataops_pipeline.resources import DataOps
from dataops_pipeline.sensors.operations import SOON, launching, run_finder


def journey_sensors(jobs: Sequence[ExecutableDefinition]) -> list[SensorDefinition]:
    """The sensor of journeys, which launches these jobs."""

    @sensor(
        name="advance_journeys",
        jobs=jobs,
        minimum_interval_seconds=SOON,
        default_status=DefaultSensorStatus.RUNNING,
        description="Acts on events of journeys: provisions the next stage, then tears the old one down.",
    )
    def advance_journeys(
        context: SensorEvaluationContext, dataops: ResourceParam[DataOps]
    ) -> SensorResult | SkipReason:
        services = dataops.services
        begun = advance_events(services.database, services.catalog, max_record_count=services.settings.max_record_count)
        requests = take_launches(services.database, begun, run_finder(context.instance))
        return launching(requests) if requests else SkipReason("Nothing is to be launched for any journey.")

    return [advance_journeys]
