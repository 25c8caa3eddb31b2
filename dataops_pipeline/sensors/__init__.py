"""Every sensor of the code location; one module for each kind of thing that they look after.

Each gathers what Dagster knows and calls one function of ``dataops_core``, which decides. All are idempotent, so that a
second daemon (``dagster dev`` beside a running ``up``) does no harm.
"""

from collections.abc import Sequence

from dagster import SensorDefinition
from dagster._core.definitions.target import ExecutableDefinition

from dataops_pipeline.sensors.journeys import journey_sensors
from dataops_pipeline.sensors.operations import operation_sensors
from dataops_pipeline.sensors.watching import watching_sensors


def sensors_of(jobs: Sequence[ExecutableDefinition]) -> list[SensorDefinition]:
    """All sensors; some launch these jobs."""
    return [*operation_sensors(jobs), *journey_sensors(jobs), *watching_sensors()]
