"""Answers about datasets, built as plain objects (a model's validation would cost more than the query)."""

from collections.abc import Mapping, Sequence
from typing import Any

from dataops_api import links
from dataops_core.lifecycle import DatasetStatus
from dataops_core.registry.looking import Row
from dataops_core.registry.tables import Connector, Operation, OperationDataset, UsageDay
from dataops_core.registry.tables import Dataset as DatasetRow
from dataops_core.registry.usage import Totals
from dataops_core.settings import Settings

#: The order in which known metadata is shown; the rest follows by name.
_METADATA = ("industry", "use_case", "tags", "requested_by", "reason", "custom_fields")


def dataset(row: Row, settings: Settings) -> dict[str, Any]:
    """A dataset as the API shows it (C-33), from a row of ``registry.reading``."""
    path = f"{links.DATASETS}/{row.dataset_id}"
    has_connector, is_ready = row.connector_id is not None, row.status == DatasetStatus.READY
    return {
        "dataset_id": row.dataset_id,
        "name": row.name,
        "dataset_type": row.dataset_type,
        "stage": row.stage,
        "client_id": row.client_id,
        "journey_id": row.journey_id,
        "status": row.status,
        "created_at": row.created_at,
        "ready_at": row.ready_at,
        "archived_at": row.archived_at,
        "data_source": "mock_template",
        "record_count": row.record_count,
        "size_bytes": row.size_bytes,
        "quality_score": float(row.quality_score) if row.quality_score is not None else None,
        "connector": {
            "connector_id": row.connector_id,
            "name": row.name,
            "status": row.connector_status,
            "endpoint_url": links.endpoint_url(settings, row.connector_id),
        }
        if has_connector
        else None,
        "template": {"template_id": row.template_id, "name": row.template_name, "version": row.template_version},
        "metadata": _metadata(row.meta),
        "updated_at": row.updated_at,
        "operation_id": row.operation_id,
        "active_operation_id": row.active_operation_id,
        "seed": row.seed,
        "error": {"code": row.error_code, "message": row.error_message} if row.error_code is not None else None,
        "_links": {
            "self": path,
            "quality": f"{path}/quality",
            "usage": f"{path}/usage",
            "teardown": f"{path}/teardown" if _can_be_torn_down(row) else None,
            "connector": f"{path}/connector" if has_connector else None,
            "records": f"{path}/records" if is_ready else None,
            "ground_truth": f"{path}/ground-truth" if is_ready else None,
            "restore": f"{path}/restore" if _can_be_restored(row) else None,
        },
    }


def provisioning(operation: Operation, parts: Sequence[OperationDataset], journey: str) -> dict[str, Any]:
    """The answer to a request for datasets (C-42); ``journey`` is the link to the journey's datasets."""
    return {
        "operation_id": str(operation.operation_id),
        "status": "provisioning",
        "message": "Dataset provisioning started",
        "datasets": [
            {"dataset_id": str(part.dataset_id), "dataset_type": part.dataset_type, "status": "provisioning"}
            for part in parts
        ],
        "estimated_completion": operation.estimated_completion,
        "_links": {"status": links.operation(operation.operation_id), "datasets": journey},
    }


def teardown(operation: Operation) -> dict[str, Any]:
    """The answer to a request to tear a dataset down (C-51)."""
    return {
        "operation_id": str(operation.operation_id),
        "status": "tearing_down",
        "message": "Dataset teardown initiated",
        "estimated_completion": operation.estimated_completion,
        "_links": {"status": links.operation(operation.operation_id)},
    }


def restore(operation: Operation) -> dict[str, Any]:
    """The answer to a request to restore a dataset (C-54)."""
    return {
        "operation_id": str(operation.operation_id),
        "status": "restoring",
        "message": "Dataset restore started",
        "estimated_completion": operation.estimated_completion,
        "_links": {"status": links.operation(operation.operation_id)},
    }


def _can_be_torn_down(row: Row) -> bool:
    """What is archived can be asked to go: where its archive is kept, or is being purged already."""
    return row.status != DatasetStatus.ARCHIVED or row.has_archive or row.active_operation_id is not None


def _can_be_restored(row: Row) -> bool:
    return row.status == DatasetStatus.ARCHIVED and row.has_archive and row.active_operation_id is None


def usage(
    row: DatasetRow,
    connector: Connector | None,
    *,
    totals: Totals,
    shown: Sequence[UsageDay],
    storage_bytes: int,
) -> dict[str, Any]:
    """A dataset's usage (C-55): the totals of its whole life, and the days asked for."""
    return {
        "dataset_id": str(row.dataset_id),
        "queries_total": totals.queries,
        "documents_served": totals.documents,
        "last_accessed_at": totals.last_accessed_at,
        "storage_bytes": storage_bytes,
        "index_bytes": connector.index_bytes if connector is not None else 0,
        "daily": [{"date": day.day.isoformat(), "queries": day.queries, "documents": day.documents} for day in shown],
        "_links": {"self": links.usage(row.dataset_id), "dataset": links.dataset(row.dataset_id)},
    }


def _metadata(stored: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: stored[name] for name in _METADATA if name in stored}
    if len(known) == len(stored):
        return known
    return known | {name: stored[name] for name in sorted(stored.keys() - known.keys())}
