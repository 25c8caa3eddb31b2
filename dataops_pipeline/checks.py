"""The four quality checks of a dataset type, as blocking asset checks on its index.

Each calls ``dataops_core.provisioning.proving.run_check``; what a check means is in ``dataops_core/quality``. A check
that does not pass blocks ``dataset``; the other checks still run. Source: ``docs/contract.md`` C-60 … C-62.
"""

import warnings

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    PreviewWarning,
    ResourceParam,
    asset_check,
)

from dataops_core.dataset_types.base import DatasetType
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.provisioning import proving
from dataops_core.quality.model import WEIGHTS
from dataops_core.runs import CHECKED_ASSET
from dataops_pipeline.assets import asset_key
from dataops_pipeline.partitions import environments
from dataops_pipeline.previews import completeness_plot
from dataops_pipeline.resources import DataOps, clear_failures

_DESCRIPTIONS = {
    CheckType.SCHEMA_VALIDATION: "Every record matches the pandera schema of its type.",
    CheckType.DATA_COMPLETENESS: "More than 95 % of the records are fully populated, and none asked for is missing.",
    CheckType.CONNECTOR_HEALTH: "The connector connects, refuses a wrong token, and answers within 5 seconds.",
    CheckType.SAMPLE_QUERY_SUCCESS: "All ten sample queries find what they must.",
}


def checks_of(dataset_type: DatasetType) -> list[AssetChecksDefinition]:
    """The four checks of a dataset type."""
    return [_check(dataset_type.name, check) for check in CheckType]


def _check(dataset_type: str, check: CheckType) -> AssetChecksDefinition:
    with warnings.catch_warnings():
        # Partitioned checks are a preview in Dagster 1.13; without them an evaluation would not say whose it is.
        warnings.simplefilter("ignore", PreviewWarning)

        @asset_check(
            asset=asset_key(dataset_type, CHECKED_ASSET),
            name=check.value,
            description=f"{_DESCRIPTIONS[check]} Weight {WEIGHTS[check]} of the score.",
            blocking=True,
            partitions_def=environments,
        )
        def evaluate(context: AssetCheckExecutionContext, dataops: ResourceParam[DataOps]) -> AssetCheckResult:
            with clear_failures():
                result = proving.run_check(dataops.step(context, dataset_type), check)
            return AssetCheckResult(
                passed=result.status is CheckStatus.PASSED,
                severity=AssetCheckSeverity.ERROR,
                description=result.details,
                metadata={
                    "status": result.status.value,
                    "score": float(result.score) if result.score is not None else MetadataValue.null(),
                    "weight": float(WEIGHTS[check]),
                    "details": result.details,
                    "metrics": MetadataValue.json(dict(result.metrics)),
                    **({"fields": completeness_plot(result.metrics)} if "fields" in result.metrics else {}),
                },
            )

    return evaluate
