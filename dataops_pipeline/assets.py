"""The assets of a dataset type: template, connector, records, index, dataset; one partition is one client's stage.

Each calls one function of ``dataops_core.provisioning.steps`` and shows what a person wants to see of its result. The
factory makes the same five for every type, under the key prefix ``<type>/``. Checks are in ``checks.py``.
"""

from collections.abc import Callable, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    DataVersion,
    MaterializeResult,
    MetadataValue,
    ResourceParam,
    asset,
)

from dataops_core.dataset_types.base import DatasetType
from dataops_core.provisioning import proving, steps
from dataops_core.runs import ASSETS
from dataops_pipeline.partitions import environments
from dataops_pipeline.previews import plots, sample_table
from dataops_pipeline.resources import DataOps, clear_failures

OWNERS = ("team:dataops",)


def asset_key(dataset_type: str, name: str) -> AssetKey:
    """``<type>/<name>``."""
    return AssetKey([dataset_type, name])


def assets_of(dataset_type: DatasetType) -> list[AssetsDefinition]:
    """The five assets of a dataset type, in the order of a run."""
    kind, label = dataset_type.name, dataset_type.label

    @_asset(
        kind,
        "template",
        kinds={"yaml"},
        description=f"""\
The template that the {label} dataset is made from, and the fictional company that it speaks of.

Also removes what a replaced dataset or an earlier try left behind.""",
    )
    def template(context: AssetExecutionContext, dataops: ResourceParam[DataOps]) -> MaterializeResult[None]:
        with clear_failures():
            resolved = steps.resolve_template(dataops.step(context, kind))
        chosen = resolved.template
        return MaterializeResult(
            data_version=DataVersion(f"{chosen.template_id}:{chosen.version}"),
            metadata={
                "dataset_id": str(resolved.dataset_id),
                "name": resolved.dataset_name,
                "template": f"{chosen.name}, version {chosen.version}",
                "template_id": str(chosen.template_id),
                "description": chosen.description,
                "industry": chosen.industry.value,
                "use_case": chosen.use_case,
                "topics": MetadataValue.md("\n".join(f"- {topic.title}" for topic in chosen.topics)),
                "company": f"{resolved.company.name} ({resolved.company.domain})",
                "people": len(resolved.company.people),
                "records_asked_for": resolved.record_count,
                "seed": str(resolved.seed),
            },
        )

    @_asset(
        kind,
        "connector",
        after=("template",),
        kinds={"glean"},
        description=f"""\
The search connector of the {label} dataset, registered with its data source. It serves nothing before `index`.""",
    )
    def connector(context: AssetExecutionContext, dataops: ResourceParam[DataOps]) -> MaterializeResult[None]:
        with clear_failures():
            created = steps.create_connector(dataops.step(context, kind))
        return MaterializeResult(
            data_version=DataVersion(str(created.spec.connector_id)),
            metadata={
                "dataset_id": str(created.dataset_id),
                "connector_id": str(created.spec.connector_id),
                "datasource": created.spec.datasource,
                "object_type": created.spec.object_type,
                "facets": ", ".join(created.spec.facets),
                "endpoint": MetadataValue.url(created.endpoint_url),
            },
        )

    @_asset(
        kind,
        "records",
        after=("template", "connector"),
        kinds={"parquet", "pandas"},
        description=f"""\
The {label} records as Parquet.

The same template, company and seed give the same bytes on every rerun.""",
    )
    def records(context: AssetExecutionContext, dataops: ResourceParam[DataOps]) -> MaterializeResult[None]:
        with clear_failures():
            populated = steps.populate_records(dataops.step(context, kind))
        report = populated.report
        return MaterializeResult(
            data_version=DataVersion(report.content_sha256),
            metadata={
                "dataset_id": str(populated.dataset_id),
                "dagster/row_count": report.record_count,
                "dagster/partition_row_count": report.record_count,
                "incomplete_records": report.incomplete_count,
                "size_mib": round(report.size_bytes / 2**20, 2),
                "sha256": report.sha256,
                "pictures": plots(populated.figures),
                "sample": sample_table(populated.sample, dataset_type),
            },
        )

    @_asset(
        kind,
        "index",
        after=("connector", "records"),
        kinds={"glean", "search"},
        description=f"""\
The {label} records in the connector's index: pushed over HTTP, published there in one go; and the ten sample queries
that are drawn from them meanwhile.

The four quality checks stand on it: `dataset` follows only when all of them pass.""",
    )
    def index(context: AssetExecutionContext, dataops: ResourceParam[DataOps]) -> MaterializeResult[None]:
        with clear_failures():
            indexed = steps.index_records(dataops.step(context, kind))
        report = indexed.report
        return MaterializeResult(
            data_version=DataVersion(report.manifest.id_digest),
            metadata={
                "dataset_id": str(indexed.dataset_id),
                "dagster/row_count": report.manifest.document_count,
                "dagster/partition_row_count": report.manifest.document_count,
                "upload_id": report.upload_id,
                "pages": report.pages,
                "index_mib": round(report.index_bytes / 2**20, 2),
                "id_digest": report.manifest.id_digest,
                "sample_queries": indexed.query_count,
                "endpoint": MetadataValue.url(indexed.endpoint_url),
            },
        )

    @_asset(
        kind,
        "dataset",
        after=("records", "index"),
        kinds={"dataset"},
        description=f"""\
The {label} dataset, published: status ready, with its quality score, served by its connector.""",
    )
    def dataset(context: AssetExecutionContext, dataops: ResourceParam[DataOps]) -> MaterializeResult[None]:
        with clear_failures():
            published = proving.publish(dataops.step(context, kind))
        return MaterializeResult(
            data_version=DataVersion(published.records_sha256),
            metadata={
                "dataset_id": str(published.dataset_id),
                "name": published.name,
                "dagster/row_count": published.record_count,
                "dagster/partition_row_count": published.record_count,
                "size_mib": round(published.size_bytes / 2**20, 2),
                "quality_score": published.quality_score,
                "dataset": MetadataValue.url(published.self_url),
                "connector": MetadataValue.url(published.endpoint_url),
            },
        )

    return [template, connector, records, index, dataset]


def _asset(
    dataset_type: str, name: str, *, description: str, kinds: set[str], after: Sequence[str] = ()
) -> Callable[[Callable[..., Any]], AssetsDefinition]:
    return asset(
        key=asset_key(dataset_type, name),
        deps=[asset_key(dataset_type, upstream) for upstream in after],
        partitions_def=environments,
        group_name=dataset_type,
        description=description,
        kinds=kinds,
        owners=list(OWNERS),
        tags={"dataops/dataset_type": dataset_type, "dataops/step": str(_STEPS[name])},
        op_tags=_FIRST if name in ("template", "connector") else None,
    )


#: Of all types, templates and connectors come before any records: what they are short of is known soon, and the
#: progress of C-83, which is that of the type that is least far, does not stand at the first step until the last type.
_FIRST = {"dagster/priority": "1"}
#: The step of C-83 that an asset is; between index and dataset lies the fifth, the checks.
_STEPS = {name: number for number, name in zip((1, 2, 3, 4, 6), ASSETS, strict=True)}
