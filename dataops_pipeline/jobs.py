"""The four jobs: ``provision`` and ``validate`` select assets and checks, ``teardown`` and ``restore`` are made of ops.

The API launches each for one operation and subsets the first two to what the operation asks for. A teardown removes
what assets stand for and a restore brings it back, so they are ops in a row, and start through the API only. How
steps are executed is in ``executor.py``.
"""

from collections.abc import Callable, Mapping
from typing import Any

from dagster import (
    AssetSelection,
    In,
    JobDefinition,
    MetadataValue,
    Nothing,
    OpExecutionContext,
    ResourceParam,
    define_asset_job,
    job,
    op,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from dataops_core.lifecycle import OperationType
from dataops_core.provisioning import restoring
from dataops_core.provisioning import teardown as steps
from dataops_core.provisioning.particulars import dataset_types_of
from dataops_core.provisioning.services import StepContext
from dataops_core.provisioning.step import DATABASE_PATIENCE_SECONDS
from dataops_core.provisioning.teardown import TeardownStep
from dataops_core.registry.database import waiting_for_server
from dataops_core.runs import JOBS
from dataops_pipeline.executor import executor
from dataops_pipeline.partitions import environments
from dataops_pipeline.resources import DataOps, clear_failures, operation_of


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

    def step(name: str, description: str, work: Callable[[StepContext], TeardownStep]) -> Callable[..., Any]:
        def metadata(context: StepContext) -> Mapping[str, Any]:
            done = work(context)
            return {done.dataset_type: f"{done.dataset_id}: {done.done}"}

        return _op(name, description, metadata, begin="DELETE /v1/dataops/datasets/{dataset_id}")

    disconnect = step(
        "disconnect_connector", "Connectors refuse everybody; their indexes are gone.", steps.disconnect_connector
    )
    archive = step(
        "archive_records", "The archive is written and read back, where one is wanted.", steps.archive_records
    )
    delete = step("delete_records", "Records and queries are gone from storage.", steps.delete_records)
    update = step(
        "update_registry",
        "The datasets are archived, or their rows gone; their places are free.",
        steps.update_registry,
    )

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


def restore_job(resources: Mapping[str, object]) -> JobDefinition:
    """Records, connector, checks, publication: of one archived dataset. Bound to its resources as a teardown is."""
    begin = "POST /v1/dataops/datasets/{dataset_id}/restore"
    records = _op(
        "restore_records",
        "The archived records and queries, found whole by their digests, are the dataset's again. The archive stays.",
        _restored_records,
        begin=begin,
    )
    connector = _op(
        "restore_connector",
        "A new connector with tokens of its own, and the records in its index.",
        _restored_connector,
        begin=begin,
    )
    validate = _op(
        "validate_quality",
        "The four quality checks, as in a provisioning. All of them run; all of them must pass.",
        _validated,
        begin=begin,
    )
    publish = _op("publish_dataset", "The dataset is ready again.", _published, begin=begin)

    @job(
        name=JOBS[OperationType.RESTORE],
        partitions_def=environments,
        executor_def=executor,
        resource_defs=resources,
        description=f"Makes an archived dataset ready again, from its archive. Starts through the API: {begin}.",
    )
    def restore() -> None:
        publish(validate(connector(records())))

    return restore


def _restored_records(context: StepContext) -> Mapping[str, Any]:
    restored = restoring.restore_records(context)
    return {
        "dataset_id": str(restored.dataset_id),
        "dataset_type": context.dataset_type,
        "records": restored.record_count,
        "size_mib": round(restored.size_bytes / 2**20, 2),
        "sha256": restored.sha256,
        "archived_at": restored.archived_at,
    }


def _restored_connector(context: StepContext) -> Mapping[str, Any]:
    made = restoring.create_connector(context)
    return {
        "dataset_id": str(made.dataset_id),
        "connector_id": str(made.spec.connector_id),
        "datasource": made.spec.datasource,
        "documents": made.report.manifest.document_count,
        "index_mib": round(made.report.index_bytes / 2**20, 2),
        "upload_id": made.report.upload_id,
        "endpoint": MetadataValue.url(made.endpoint_url),
    }


def _validated(context: StepContext) -> Mapping[str, Any]:
    results = restoring.validate_quality(context)
    return {result.check_type.value: f"{result.status.value}: {result.details}" for result in results}


def _published(context: StepContext) -> Mapping[str, Any]:
    published = restoring.publish_dataset(context)
    return {
        "dataset_id": str(published.dataset_id),
        "name": published.name,
        "records": published.record_count,
        "quality_score": published.quality_score,
        "dataset": MetadataValue.url(published.self_url),
        "connector": MetadataValue.url(published.endpoint_url),
    }


def _op(
    name: str, description: str, work: Callable[[StepContext], Mapping[str, Any]], *, begin: str
) -> Callable[..., Any]:
    """An op that does one step for each dataset of the run's operation, and shows what the step says of it.

    ``begin``: how such an operation begins, for whoever starts the job by hand.
    """
    first = name in {"disconnect_connector", "restore_records"}

    @op(
        name=name, description=description, ins={} if first else {"after": In(Nothing)}, tags={"dagster/kind": "python"}
    )
    def run_step(context: OpExecutionContext, dataops: ResourceParam[DataOps]) -> None:
        shown: dict[str, Any] = {}
        with clear_failures():
            services = dataops.services_of(context.run)
            with waiting_for_server(DATABASE_PATIENCE_SECONDS), services.database.transaction() as session:
                dataset_types = dataset_types_of(session, operation_of(context.run.tags), begin=begin)
            for dataset_type in dataset_types:
                shown |= work(dataops.step(context, dataset_type))
        context.add_output_metadata(shown)

    return run_step
