"""What happens by the clock: every hour what is too old is removed, and what nobody owns is looked for.

Each job is one op that calls one function of ``dataops_core.upkeep``, which decides what goes. Safe at any time: a
second daemon (``dagster dev`` beside a running ``up``) or a run by hand does the same work once.
"""

from collections.abc import Mapping

from dagster import (
    DefaultScheduleStatus,
    Field,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    ResourceParam,
    ScheduleDefinition,
    job,
    op,
)

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.upkeep.orphans.model import Report
from dataops_core.upkeep.orphans.sweep import look_for_orphans as search
from dataops_core.upkeep.retention import clean_up as remove_what_is_too_old
from dataops_pipeline.environment_keys import InstanceKeys
from dataops_pipeline.executor import executor
from dataops_pipeline.resources import DataOps, clear_failures
from dataops_pipeline.run_history import InstanceRuns

#: Name and hours of each schedule; they share a job's name.
HOURLY = {"clean_up": "0 * * * *", "look_for_orphans": "30 * * * *"}
#: Findings that a run shows; the log has all.
MOST_SHOWN = 200


def clean_up_job(resources: Mapping[str, object]) -> JobDefinition:
    """Removes what is too old. Bound to its resources here, as the teardown is and for its reason."""

    @op(description="Removes what is too old, and says how much of each kind.", tags={"dagster/kind": "python"})
    def remove_expired(context: OpExecutionContext, dataops: ResourceParam[DataOps]) -> None:
        with clear_failures(), acting(Acting(ActorKind.RUN, context.run_id)):
            removed = remove_what_is_too_old(dataops.services, InstanceRuns(context.instance))
        context.add_output_metadata(removed)

    @job(
        name="clean_up",
        executor_def=executor,
        resource_defs=resources,
        description="Removes what is too old: idempotency keys, archives, ended tokens, evaluations, operations, "
        "events of journeys, days of usage, entries of the audit log, runs and what else Dagster noted. How old is a "
        "setting for each (docs/operating.md).",
    )
    def clean_up() -> None:
        remove_expired()

    return clean_up


def orphans_job(resources: Mapping[str, object]) -> JobDefinition:
    """Finds what nobody owns. Bound to its resources here, as the teardown is and for its reason."""

    @op(
        name="find_and_mend",
        description="Finds what nobody owns, mends what is due. A dry run changes nothing and shows what it would do.",
        config_schema={"dry_run": Field(bool, default_value=False, description="Change nothing; show what is due.")},
        tags={"dagster/kind": "python"},
    )
    def find_and_mend(context: OpExecutionContext, dataops: ResourceParam[DataOps]) -> None:
        with clear_failures(), acting(Acting(ActorKind.RUN, context.run_id)):
            report = search(dataops.services, InstanceKeys(context.instance), dry_run=context.op_config["dry_run"])
        context.add_output_metadata(
            {"dry_run": report.dry_run, **report.counts(), "findings": MetadataValue.md(_table(report))}
        )

    @job(
        name="look_for_orphans",
        executor_def=executor,
        resource_defs=resources,
        description="Finds datasets, files, index files, tokens, partitions and operations that nobody owns; repairs "
        "what is safe, tears down and removes after a grace, and reports. For a dry run launch it with "
        "`ops: {find_and_mend: {config: {dry_run: true}}}`.",
    )
    def look_for_orphans() -> None:
        find_and_mend()

    return look_for_orphans


def _table(report: Report) -> str:
    if not report.told:
        return "Everything is somebody's."
    rows = ["| verdict | kind | what | remedy |", "|---|---|---|---|"]
    for one in report.told[:MOST_SHOWN]:
        said = one.finding.says if one.why is None else f"{one.finding.says} {one.why}"
        rows.append(f"| {one.verdict} | {one.finding.kind} | {said} | {one.finding.remedy or ''} |")
    if len(report.told) > MOST_SHOWN:
        rows.append(f"| | | and {len(report.told) - MOST_SHOWN} more | |")
    return "\n".join(rows)


def schedules_of(*jobs: JobDefinition) -> list[ScheduleDefinition]:
    """All schedules: one for each of these jobs, under its name."""
    return [
        ScheduleDefinition(
            name=one.name,
            job=one,
            cron_schedule=HOURLY[one.name],
            execution_timezone="UTC",
            default_status=DefaultScheduleStatus.RUNNING,
            description=f"Every hour. {one.description}",
        )
        for one in jobs
    ]
