"""Runs of validations on a real Dagster instance: what a verdict, a doubt and a rerun make of the operation (C-63)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import AssetCheckKey, AssetKey, DagsterInstance, DagsterRun
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.lifecycle import CheckStatus, CheckType, ConnectorStatus, DatasetStatus, OperationStatus
from dataops_core.provisioning.launching import run_ended
from dataops_core.provisioning.services import Services
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.provisioning.validating import accept_validation
from dataops_core.registry import connectors, operations, quality
from dataops_core.registry.quality import Quality
from dataops_core.registry.tables import Connector, Operation
from dataops_core.runs import launch_request
from tests.dataops_pipeline.test_runs import TYPE, WHOLE, Pipeline

pytestmark = pytest.mark.long

SCHEMA, CONNECTOR = CheckType.SCHEMA_VALIDATION, CheckType.CONNECTOR_HEALTH
COMPLETENESS = CheckType.DATA_COMPLETENESS


@pytest.fixture
def pipeline(instance: DagsterInstance, services: Services) -> Pipeline:
    """A customer's sandbox with a ready dataset."""
    made = Pipeline(instance, services)
    made.ready()
    return made


@pytest.fixture
def unreachable(pipeline: Pipeline) -> Callable[[bool], None]:
    """Takes the connector service away from the checks, and gives it back."""
    whole = pipeline.services

    def set_to(away: bool) -> None:
        nowhere = EmbeddedConnector("http://127.0.0.1:9", whole.keyring)
        pipeline.services = replace(whole, connector=nowhere) if away else whole

    return set_to


def accept(pipeline: Pipeline, *checks: CheckType) -> Operation:
    with pipeline.services.database.transaction() as session:
        return accept_validation(
            session, pipeline.dataset().dataset_id, checks=checks, force=True, fresh=timedelta(minutes=5)
        )


def rerun(
    pipeline: Pipeline, operation: Operation, of: DagsterRun, checks: Sequence[CheckType], job: str = "validate"
) -> DagsterRun:
    """What the UI does where a person has a run's checks done again."""
    with pipeline.services.database.transaction() as session:
        view = operations.find_view(session, operation.operation_id)
        assert view is not None
        tags = launch_request(view).tags
    keys = frozenset(AssetCheckKey(AssetKey([TYPE, "index"]), check.value) for check in checks)
    return pipeline.run(job, tags, assets=frozenset(), checks=keys, repeats=of)


def state(pipeline: Pipeline) -> tuple[Quality, Connector]:
    dataset_id = pipeline.dataset().dataset_id
    with pipeline.services.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset_id)
        assert connector is not None
        return quality.current(session, dataset_id), connector


def index_of(pipeline: Pipeline) -> Path:
    _, connector = state(pipeline)
    (index,) = (pipeline.services.settings.data_path / "connectors" / str(connector.connector_id)).glob("*.db")
    return index


def test_a_check_that_does_not_pass_fails_the_run_and_completes_the_operation(pipeline: Pipeline) -> None:
    """C-63, C-81, C-35: score and connector follow, the dataset stays ready; C-83: a step per check."""
    before, _ = state(pipeline)
    index_of(pipeline).unlink()
    operation = accept(pipeline, SCHEMA, CONNECTOR)

    run = pipeline.launch(operation)

    assert run.is_failure
    ended = pipeline.operation(operation.operation_id)
    assert (ended.status, ended.error) == (OperationStatus.COMPLETED, None)
    assert (ended.current_step, ended.total_steps) == (2, 2)
    run_ended(pipeline.services.database, run.run_id, RunEnding.FAILURE)
    assert pipeline.operation(operation.operation_id).status is OperationStatus.COMPLETED
    after, connector = state(pipeline)
    assert after.checks[CONNECTOR].status is CheckStatus.FAILED
    assert after.overall is not None
    assert before.overall is not None
    assert after.overall < before.overall
    assert not after.meets_threshold
    assert connector.status is ConnectorStatus.UNHEALTHY
    dataset = pipeline.dataset()
    assert (dataset.status, dataset.quality_score) == (DatasetStatus.READY, after.overall)
    # Only what was asked for was evaluated.
    untouched = CheckType.DATA_COMPLETENESS
    assert after.checks[untouched].check_id == before.checks[untouched].check_id


def test_records_that_were_lost_are_failed_checks_and_shown_as_such(pipeline: Pipeline) -> None:
    """C-35, C-62: where records are judged, in the UI too; the operation says that the other checks could not tell."""
    services = pipeline.services
    Path(services.storage.path(f"{pipeline.dataset().records_path}/records.parquet")).unlink()
    operation = accept(pipeline, *CheckType)

    assert pipeline.launch(operation).is_failure

    ended, (after, connector) = pipeline.operation(operation.operation_id), state(pipeline)
    assert (ended.status, ended.error and ended.error["code"]) == (OperationStatus.FAILED, "CHECK_ERROR")
    dataset = pipeline.dataset()
    assert (dataset.status, dataset.below_since is None, connector.status) == (
        DatasetStatus.READY,
        False,
        ConnectorStatus.HEALTHY,
    )
    assert (after.meets_threshold, after.overall) == (False, dataset.quality_score)
    judged = [AssetCheckKey(AssetKey([TYPE, "index"]), check.value) for check in (SCHEMA, COMPLETENESS)]
    partition = PartitionKeyFilter(key=f"sandbox:{pipeline.client_id}")
    shown = pipeline.instance.event_log_storage.get_latest_asset_check_execution_by_key(judged, partition)
    assert [shown[key].status for key in judged] == [AssetCheckExecutionRecordStatus.FAILED] * 2


def test_a_connector_that_nobody_reaches_takes_no_score(
    pipeline: Pipeline, unreachable: Callable[[bool], None]
) -> None:
    """C-62, C-63: the check is ``error``, the score before it stays, the operation says CHECK_ERROR."""
    before, _ = state(pipeline)
    unreachable(True)
    operation = accept(pipeline, SCHEMA, CONNECTOR)

    assert pipeline.launch(operation).is_failure

    ended = pipeline.operation(operation.operation_id)
    assert ended.status is OperationStatus.FAILED
    assert ended.error is not None
    assert ended.error["code"] == "CHECK_ERROR"
    assert "connector_health" in ended.error["message"]
    after, connector = state(pipeline)
    assert (after.overall, after.checks[CONNECTOR].check_id) == (before.overall, before.checks[CONNECTOR].check_id)
    assert after.newest[CONNECTOR].status is CheckStatus.ERROR
    assert connector.status is ConnectorStatus.DEGRADED
    dataset = pipeline.dataset()
    assert (dataset.status, dataset.quality_score) == (DatasetStatus.READY, before.overall)


def test_only_the_check_that_could_not_tell_is_repeated_and_completes_the_operation(
    pipeline: Pipeline, unreachable: Callable[[bool], None]
) -> None:
    """C-87: a rerun from the failure in the UI; the verdicts of the first attempt count with the second's."""
    unreachable(True)
    operation = accept(pipeline, SCHEMA, CONNECTOR)
    first = pipeline.launch(operation)
    unreachable(False)

    again = rerun(pipeline, operation, first, [CONNECTOR])

    assert again.is_success
    run_ended(pipeline.services.database, again.run_id, RunEnding.SUCCESS)
    ended = pipeline.operation(operation.operation_id)
    assert (ended.status, ended.attempt, ended.error) == (OperationStatus.COMPLETED, 2, None)
    found, connector = state(pipeline)
    assert (found.meets_threshold, connector.status) == (True, ConnectorStatus.HEALTHY)


def test_a_run_that_left_a_check_out_does_not_complete_the_operation(
    pipeline: Pipeline, unreachable: Callable[[bool], None]
) -> None:
    """C-81: each check must have given a verdict."""
    unreachable(True)
    operation = accept(pipeline, SCHEMA, CONNECTOR)
    first = pipeline.launch(operation)
    unreachable(False)

    again = rerun(pipeline, operation, first, [SCHEMA])

    run_ended(pipeline.services.database, again.run_id, RunEnding.SUCCESS)
    ended = pipeline.operation(operation.operation_id)
    assert ended.status is OperationStatus.FAILED
    assert ended.error is not None
    assert ended.error["code"] == "CHECK_ERROR"
    assert pipeline.dataset().status is DatasetStatus.READY


def test_a_completed_validation_is_repeated_by_a_new_one(pipeline: Pipeline) -> None:
    """C-87."""
    operation = accept(pipeline, SCHEMA)
    first = pipeline.launch(operation)

    again = rerun(pipeline, operation, first, [SCHEMA])

    assert again.is_success
    newest = pipeline.operation(pipeline.dataset().operation_id)
    assert (newest.rerun_of, newest.operation_type) == (operation.operation_id, operation.operation_type)
    assert (newest.status, newest.total_steps) == (OperationStatus.COMPLETED, 1)


def test_a_validation_does_not_keep_what_made_the_dataset_from_being_repeated(pipeline: Pipeline) -> None:
    """C-87: looking at a dataset moves it nowhere."""
    made = pipeline.operation(pipeline.dataset().operation_id)
    assert pipeline.launch(accept(pipeline, SCHEMA)).is_success
    first = pipeline.instance.get_run_by_id(made.run_id or "")
    assert first is not None
    with pipeline.services.database.transaction() as session:
        view = operations.find_view(session, made.operation_id)
        assert view is not None
        request = launch_request(view)

    again = pipeline.run("provision", request.tags, assets=WHOLE, repeats=first)

    assert again.is_success
    newest = pipeline.operation(pipeline.dataset().operation_id)
    assert (newest.rerun_of, newest.status) == (made.operation_id, OperationStatus.COMPLETED)
