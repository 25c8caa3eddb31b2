"""The Dagster code location ``dataops``: everything that is loaded."""

from collections.abc import Mapping
from typing import Any

from dagster import AssetSelection, Definitions, JobDefinition
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dataops_core.loading import permanently

with permanently():
    from dataops_core.dataset_types.known import DATASET_TYPES
    from dataops_pipeline.assets import assets_of
    from dataops_pipeline.checks import checks_of
    from dataops_pipeline.executor import executor
    from dataops_pipeline.jobs import provision_job, restore_job, teardown_job, validate_job
    from dataops_pipeline.resources import DataOps
    from dataops_pipeline.schedules import clean_up_job, orphans_job, schedules_of
    from dataops_pipeline.sensors import sensors_of


def build_defs(*, resource_overrides: Mapping[str, Any] | None = None) -> Definitions:
    """All definitions; a test or a tool may put resources of its own in place of the product's."""
    resources = {"dataops": DataOps(), **(resource_overrides or {})}
    selection = AssetSelection.groups(*DATASET_TYPES)
    jobs: list[JobDefinition | UnresolvedAssetJobDefinition] = [
        provision_job(selection),
        validate_job(selection),
        teardown_job(resources),
        restore_job(resources),
    ]
    upkeep = [clean_up_job(resources), orphans_job(resources)]
    return Definitions(
        assets=[asset for dataset_type in DATASET_TYPES.values() for asset in assets_of(dataset_type)],
        asset_checks=[check for dataset_type in DATASET_TYPES.values() for check in checks_of(dataset_type)],
        jobs=[*jobs, *upkeep],
        sensors=sensors_of(jobs),
        schedules=schedules_of(*upkeep),
        resources=resources,
        executor=executor,
    )


with permanently():
    defs = build_defs()
