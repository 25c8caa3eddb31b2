"""The three jobs: ``provision`` and ``validate`` select assets and checks, ``teardown`` is four ops in a row.

The API launches each for one operation and subsets the first two to what the operation asks for. A teardown removes
what assets stand for, so it is made of ops; it starts through the API only. Here, too, is how steps are executed: one
after the other in the run's process, since each is short; run config selects a process per step for datasets so large
that one must not take the others down with it (``execution: {config: {multiprocess: {}}}``).
"""

from collections.abc import Callable, Mapping

from dagster import (
    AssetSelection,
    ExecutorDefinition,
    Field,
    In,
    JobDefinition,
    Nothing,
    OpExecutionContext,
    ResourceParam,
    Selector,
    define_asset_job,
    job,
    multi_or_in_process_executor,
    op,
)
from dagster._core.definitions.executor_definition import IN_PROC_CONFIG, MULTI_PROC_CONFIG
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dataops_core.lifecycle import OperationType
from dataops_core.provisioning import teardown as steps
from dataops_core.provisioning.services import StepContext
from dataops_core.provisioning.teardown import TeardownStep
from dataops_core.runs import JOBS
from dataops_pipeline.partitions import environments
from dataops_pipeline.resources import DataOps, clear_failures, operation_of

executor = ExecutorDefinition(
    name="in_process_or_multiprocess",
    description="All steps in the run's process, unless the run's config asks for a process per step.",
    config_schema=Field(
        Selector({"in_process": IN_PROC_CONFIG, "multiprocess": MULTI_PROC_CONFIG}),  # type: ignore[no-untyped-call]
        default_value={"in_process": {}},
    ),
    requirements=multi_or_in_process_executor.get_requirements,
    executor_creation_fn=multi_or_in_process_executor.executor_creation_fn,
)


def provision_job(selection: AssetSelection) -> UnresolvedAssetJobDefinition:
    """Materializes the assets of the dataset types asked for, and evaluates their checks."""
    return define_asset_job(
        JOBS[OperationType.PROVISIONING],
        selection=selection,
        executor_def=executor,
        description="Makes datasets: template, connector, records, index, four quality checks, publication.",
    )


def validate_job(selection: AssetSelection) -> UnresolvedAssetJobDefinition:
    """Evaluates the checks asked for on the datasets as they are served now."""
    return define_asset_job(
        JOBS[OperationType.VALIDATION],
        selection=AssetSelection.all_asset_checks() & selection,
        executor_def=executor,
        description="Evaluates quality checks on ready datasets. A check that does not pass changes no status.",
    )


def teardown_job(resources: Mapping[str, object]) -> JobDefinition:
    """Disconnect, archive, delete, update the registry: for the datasets of one operation.

    Bound to its resources here: a job that Dagster binds later makes it rebuild the sensors, with a warning of its own.
    """
    disconnect = _op("disconnect_connector", "Connectors refuse everybody; their indexes are gone.")
    archive = _op("archive_records", "The archive is written and read back, where one is wanted.")
    delete = _op("delete_records", "Records and queries are gone from storage.")
    update = _op("update_registry", "The datasets are archived, or their rows gone; their places are free.")

    @job(
        name=JOBS[OperationType.TEARDOWN],
        partitions_def=environments,
        executor_def=executor,
        resource_defs=resources,
        description="Tears datasets down. Starts through the API: DELETE /v1/dataops/datasets/{dataset_id}.",
    )
    def teardown() -> None:
        update(delete(archive(disconnect())))

    return teardown


_STEPS: dict[str, Callable[[StepContext], TeardownStep]] = {
    "disconnect_connector": steps.disconnect_connector,
    "archive_records": steps.archive_records,
    "delete_records": steps.delete_records,
    "update_registry": steps.update_registry,
}


def _op(name: str, description: str) -> Callable[..., object]:
    first = name == next(iter(_STEPS))

    @op(
        name=name, description=description, ins={} if first else {"after": In(Nothing)}, tags={"dagster/kind": "python"}
    )
    def run_step(context: OpExecutionContext, dataops: ResourceParam[DataOps]) -> None:
        with clear_failures():
            with dataops.services.database.transaction() as session:
                dataset_types = steps.dataset_types_of(session, operation_of(context.run.tags))
            done = [_STEPS[name](dataops.step(context, dataset_type)) for dataset_type in dataset_types]
        context.add_output_metadata({entry.dataset_type: f"{entry.dataset_id}: {entry.done}" for entry in done})

    return run_step
