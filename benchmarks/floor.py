"""The floor under a provisioning: the same job with steps that do nothing, as a code location of its own.

Only benchmarks load it, beside the product's location: ``dagster api grpc -m benchmarks.floor --location-name floor``.
Same partitions, blocking checks and number of steps for a type (nine), all of them in the run's process by Dagster's
own executor, one after the other, launched by the same request, so that what a provisioning takes beyond it is the
product's own. That holds for imports too: this module must import nothing but Dagster and what is as light as an
enumeration, or its runs would load the product.
"""

import warnings
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetsDefinition,
    AssetSelection,
    Definitions,
    DynamicPartitionsDefinition,
    MaterializeResult,
    PreviewWarning,
    asset,
    asset_check,
    define_asset_job,
    in_process_executor,
)

from dataops_core.lifecycle import CheckType

LOCATION_NAME = "floor"
JOB_NAME = "provision"
#: As in ``dataops_core.runs``, which loads the registry.
ASSETS = ("template", "connector", "records", "index", "dataset")
CHECKED_ASSET = "index"
PARTITIONS_NAME = "environments"
#: Each stands for a dataset type: nine steps.
TYPES = tuple(f"floor_{number}" for number in range(1, 9))

environments = DynamicPartitionsDefinition(name=PARTITIONS_NAME)


def empty_assets(dataset_type: str) -> list[AssetsDefinition]:
    """The five assets of a type, each after the one before, doing nothing."""

    def empty(name: str, after: list[list[str]]) -> AssetsDefinition:
        @asset(key=[dataset_type, name], deps=after, partitions_def=environments, group_name=dataset_type)
        def nothing() -> MaterializeResult[None]:
            return MaterializeResult(metadata={"dagster/row_count": 0})

        return nothing

    upstream = [None, *ASSETS[:-1]]
    return [
        empty(name, [[dataset_type, before]] if before else []) for name, before in zip(ASSETS, upstream, strict=True)
    ]


def empty_checks(dataset_type: str) -> list[AssetChecksDefinition]:
    """The four blocking checks of a type, passing at once."""

    def empty(check: CheckType) -> AssetChecksDefinition:
        options: dict[str, Any] = {"blocking": True, "partitions_def": environments}

        @asset_check(asset=[dataset_type, CHECKED_ASSET], name=check.value, **options)
        def nothing() -> AssetCheckResult:
            return AssetCheckResult(passed=True)

        return nothing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PreviewWarning)
        return [empty(check) for check in CheckType]


defs = Definitions(
    assets=[one for dataset_type in TYPES for one in empty_assets(dataset_type)],
    asset_checks=[one for dataset_type in TYPES for one in empty_checks(dataset_type)],
    jobs=[define_asset_job(JOB_NAME, AssetSelection.groups(*TYPES), executor_def=in_process_executor)],
    executor=in_process_executor,
)
