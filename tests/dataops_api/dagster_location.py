"""A code location with the product's names and none of its work: runs that succeed, fail and wait as a test needs.

Loaded by file in a process of its own, beside a real webserver (``test_dagster_gateway.py``). The dataset types here
are ``quick``, ``slow`` (its records never end) and ``doubtful`` (one of its checks does not pass).
"""

import threading
import warnings
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetsDefinition,
    AssetSelection,
    Definitions,
    MaterializeResult,
    OpExecutionContext,
    PreviewWarning,
    asset,
    asset_check,
    job,
    op,
)

from dataops_core.lifecycle import CheckType
from dataops_core.runs import ASSETS, CHECKED_ASSET
from dataops_pipeline.jobs import executor, provision_job, validate_job
from dataops_pipeline.partitions import environments

TYPES = ("quick", "slow", "doubtful")


def _asset(dataset_type: str, name: str, before: str | None) -> AssetsDefinition:
    deps = [[dataset_type, before]] if before else []

    @asset(key=[dataset_type, name], deps=deps, partitions_def=environments, group_name=dataset_type)
    def work() -> MaterializeResult[None]:
        if (dataset_type, name) == ("slow", "records"):
            threading.Event().wait()
        return MaterializeResult()

    return work


def _check(dataset_type: str, check: CheckType) -> AssetChecksDefinition:
    options: dict[str, Any] = {"blocking": True, "partitions_def": environments}

    @asset_check(asset=[dataset_type, CHECKED_ASSET], name=check.value, **options)
    def judge() -> AssetCheckResult:
        return AssetCheckResult(passed=dataset_type != "doubtful" or check is not CheckType.DATA_COMPLETENESS)

    return judge


@op
def say_operation(context: OpExecutionContext) -> None:
    """An op that wants to be told its operation."""
    context.add_output_metadata({"operation": context.run.tags["dataops/operation_id"]})


@job(name="teardown", partitions_def=environments, executor_def=executor)
def teardown() -> None:
    """A teardown of nothing."""
    say_operation()


with warnings.catch_warnings():
    warnings.simplefilter("ignore", PreviewWarning)
    _checks = [_check(dataset_type, check) for dataset_type in TYPES for check in CheckType]

defs = Definitions(
    assets=[
        _asset(dataset_type, name, before)
        for dataset_type in TYPES
        for before, name in zip([None, *ASSETS], ASSETS, strict=False)
    ],
    asset_checks=_checks,
    jobs=[provision_job(AssetSelection.groups(*TYPES)), validate_job(AssetSelection.groups(*TYPES)), teardown],
    executor=executor,
)
