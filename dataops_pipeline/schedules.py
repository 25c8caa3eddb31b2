"""What happens by the clock: the schedule ``clean_up`` removes what is too old, every hour.

Its job is one op that calls one function of ``dataops_core.upkeep``, which decides what goes. Safe at any time: a
second daemon (``dagster dev`` beside a running ``up``) or a run by hand removes what is too old and nothing else.
"""

from collections.abc import Mapping

from dagster import (
    DefaultScheduleStatus,
    JobDefinition,
    OpExecutionContext,
    ResourceParam,
    ScheduleDefinition,
    job,
    op,
)

from dataops_core.upkeep.retention import clean_up as remove_what_is_too_old
from dataops_pipeline.jobs import executor
from dataops_pipeline.resources import DataOps, clear_failures
from dataops_pipeline.run_history import InstanceRuns

HOURLY = "0 * * * *"


def clean_up_job(resources: Mapping[str, object]) -> JobDefinition:
    """Removes what is too old. Bound to its resources here, as the teardown is and for its reason."""

    @op(description="Removes what is too old, and says how much of each kind.", tags={"dagster/kind": "python"})
    def remove_expired(context: OpExecutionContext, dataops: ResourceParam[DataOps]) -> None:
        with clear_failures():
            removed = remove_what_is_too_old(dataops.services, InstanceRuns(context.instance))
        context.add_output_metadata(removed)

    @job(
        name="clean_up",
        executor_def=executor,
        resource_defs=resources,
        description="Removes what is too old: idempotency keys, archives, ended tokens, evaluations, operations, "
        "entries of the audit log, runs. How old is a setting for each (docs/operating.md).",
    )
    def clean_up() -> None:
        remove_expired()

    return clean_up


def schedules_of(cleaning: JobDefinition) -> list[ScheduleDefinition]:
    """All schedules."""
    return [
        ScheduleDefinition(
            name="clean_up",
            job=cleaning,
            cron_schedule=HOURLY,
            execution_timezone="UTC",
            default_status=DefaultScheduleStatus.RUNNING,
            description="Every hour.",
        )
    ]
