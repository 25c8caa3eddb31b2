"""The sensors against a real Dagster instance and registry: launch what waits, settle what ended or went silent."""

from dataclasses import dataclass
from datetime import timedelta
from signal import SIGKILL
from time import monotonic
from uuid import UUID, uuid4

import pytest
from dagster import (
    AssetKey,
    DagsterEvent,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    SensorEvaluationContext,
    build_run_status_sensor_context,
    build_sensor_context,
)
from dagster._core.definitions.run_request import RunRequest
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.test_utils import create_run_for_test
from dagster._utils import get_run_crash_explanation
from sqlalchemy import update

from dataops_core.clock import utcnow
from dataops_core.lifecycle import CheckType, OperationStatus, OperationType, Stage
from dataops_core.provisioning import steering
from dataops_core.provisioning.launching import STOP_PATIENCE
from dataops_core.provisioning.services import Services
from dataops_core.provisioning.silence import ONE_MORE_BEAT
from dataops_core.registry import operations, stops
from dataops_core.registry.tables import Operation, RunStop
from dataops_core.runs import TAG_ATTEMPT, TAG_LOST, TAG_OPERATION
from dataops_pipeline.definitions import build_defs
from dataops_pipeline.resources import DataOps

TYPE = "confluence_pages"


@dataclass
class Watch:
    """The sensors, and operations for them to look after."""

    instance: DagsterInstance
    services: Services

    def settle(self, sensor: str, run_id: str) -> None:
        """What a run-status sensor does when it sees this run."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        resources = {"dataops": DataOps(lambda: self.services)}
        definition = build_defs(resource_overrides=resources).get_repository_def().get_sensor_def(sensor)
        with build_run_status_sensor_context(
            sensor_name=sensor,
            dagster_event=DagsterEvent(event_type_value=f"PIPELINE_{run.status.value}", job_name=run.job_name),
            dagster_instance=self.instance,
            dagster_run=run,
            resources=resources,
        ) as context:
            definition(context)

    def begin(self, kind: OperationType = OperationType.PROVISIONING, *, age: timedelta = timedelta(seconds=5)) -> UUID:
        """An accepted operation, as old as said."""
        request = {"checks": [CheckType.DATA_COMPLETENESS.value]} if kind is OperationType.VALIDATION else {}
        with self.services.database.transaction() as session:
            operation = operations.create(
                session,
                operation_type=kind,
                client_id=uuid4(),
                stage=Stage.PILOT,
                datasets=[(uuid4(), TYPE)],
                request=request,
            )
        self.change(operation.operation_id, beat_at=utcnow() - age)
        return operation.operation_id

    def change(self, operation_id: UUID, **values: object) -> None:
        with self.services.database.transaction() as session:
            session.execute(update(Operation).where(Operation.operation_id == operation_id).values(values))

    def operation(self, operation_id: UUID) -> Operation:
        with self.services.database.transaction() as session:
            return operations.get(session, operation_id)

    def tick(self, name: str) -> SensorExecutionData:
        resources = {"dataops": DataOps(lambda: self.services)}
        repository = build_defs(resource_overrides=resources).get_repository_def()
        context: SensorEvaluationContext = build_sensor_context(
            instance=self.instance, repository_def=repository, sensor_name=name, resources=resources
        )
        with context:
            return repository.get_sensor_def(name).evaluate_tick(context)

    def launches(self) -> list[RunRequest]:
        return list(self.tick("launch_pending_operations").run_requests or [])

    def run(self, operation_id: UUID, status: DagsterRunStatus) -> DagsterRun:
        tags = {TAG_OPERATION: str(operation_id), TAG_ATTEMPT: "1"}
        run: DagsterRun = create_run_for_test(self.instance, job_name="provision", status=status, tags=tags)
        return run


@pytest.fixture
def watch(instance: DagsterInstance, services: Services) -> Watch:
    return Watch(instance, services)


def test_a_waiting_operation_is_launched_with_its_assets_tags_and_environment(watch: Watch) -> None:
    operation_id = watch.begin()
    operation = watch.operation(operation_id)

    ticked = watch.tick("launch_pending_operations")

    (request,) = ticked.run_requests or []
    assert request.job_name == "provision"
    assert request.asset_selection == [
        AssetKey([TYPE, name]) for name in ("template", "connector", "records", "index", "dataset")
    ]
    assert request.asset_check_keys is None
    assert request.tags[TAG_OPERATION] == str(operation_id)
    key = f"pilot:{operation.client_id}"
    assert request.tags["dagster/partition"] == key
    (added,) = ticked.dynamic_partitions_requests or []
    assert (added.partitions_def_name, list(added.partition_keys)) == ("environments", [key])


def test_it_is_launched_once_and_again_only_where_that_came_to_nothing(watch: Watch) -> None:
    operation_id = watch.begin()
    assert len(watch.launches()) == 1
    assert watch.launches() == []

    run = watch.run(operation_id, DagsterRunStatus.STARTING)
    watch.change(operation_id, launch_lease_until=utcnow() - timedelta(seconds=1))
    assert watch.launches() == []
    assert watch.operation(operation_id).run_id == run.run_id


def test_a_run_that_died_before_its_first_step_does_not_stand_in_the_way(watch: Watch) -> None:
    operation_id = watch.begin()
    watch.launches()
    watch.run(operation_id, DagsterRunStatus.FAILURE)
    watch.change(operation_id, launch_lease_until=utcnow() - timedelta(seconds=1))
    assert [request.tags[TAG_OPERATION] for request in watch.launches()] == [str(operation_id)]


def test_an_operation_just_accepted_is_left_to_the_api(watch: Watch) -> None:
    watch.begin(age=timedelta(0))
    assert watch.launches() == []


def test_a_validation_is_launched_with_its_checks_and_a_teardown_with_its_ops(watch: Watch) -> None:
    watch.begin(OperationType.VALIDATION)
    (validation,) = watch.launches()
    assert (validation.job_name, validation.asset_selection) == ("validate", None)
    assert [check.name for check in validation.asset_check_keys or []] == ["data_completeness"]

    watch.begin(OperationType.TEARDOWN)
    (teardown,) = watch.launches()
    assert (teardown.job_name, teardown.asset_selection, teardown.asset_check_keys) == ("teardown", None, None)


@pytest.mark.parametrize(
    ("sensor", "status", "expected"),
    [
        ("settle_failure", DagsterRunStatus.FAILURE, OperationStatus.FAILED),
        ("settle_canceled", DagsterRunStatus.CANCELED, OperationStatus.CANCELLED),
        ("settle_success", DagsterRunStatus.SUCCESS, OperationStatus.FAILED),
    ],
)
def test_an_operation_that_its_run_left_open_is_settled_c81(
    watch: Watch, sensor: str, status: DagsterRunStatus, expected: OperationStatus
) -> None:
    operation_id = watch.begin()
    run = watch.run(operation_id, status)
    watch.change(operation_id, run_id=run.run_id, status=OperationStatus.IN_PROGRESS)
    watch.settle(sensor, run.run_id)

    operation = watch.operation(operation_id)
    assert operation.status is expected
    assert operation.error is not None


@pytest.mark.parametrize("seen_by", ["the run host", "Dagster's own launcher", "nobody"])
def test_an_operation_whose_run_was_killed_says_how_c86(watch: Watch, seen_by: str) -> None:
    operation_id = watch.begin()
    run = watch.run(operation_id, DagsterRunStatus.FAILURE)
    watch.change(operation_id, run_id=run.run_id, status=OperationStatus.IN_PROGRESS)
    said = f"The run process 4711 ended with signal {SIGKILL.value} (SIGKILL)."
    if seen_by == "the run host":
        watch.instance.add_run_tags(run.run_id, {TAG_LOST: said})
    elif seen_by == "Dagster's own launcher":
        said = get_run_crash_explanation(prefix=f"Run execution process for {run.run_id}", exit_code=-SIGKILL)
        watch.instance.report_engine_event(said, run)
        watch.instance.report_engine_event("Something else.", run)
    else:
        said = "The run stopped without a word: its process was killed or its machine went away."
    watch.settle("settle_failure", run.run_id)
    error = watch.operation(operation_id).error
    assert error is not None
    assert error["code"] == "RUN_LOST"
    assert said in (error["message"], *(one["message"] for one in error["details"].values()))


def test_a_run_that_went_silent_is_ended_in_the_registry_and_in_dagster_c86(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation_id = watch.begin()
    run = watch.run(operation_id, DagsterRunStatus.STARTED)
    watch.change(operation_id, run_id=run.run_id, status=OperationStatus.IN_PROGRESS, beat_at=utcnow())
    watch.tick("settle_lost_operations")
    assert watch.operation(operation_id).status is OperationStatus.IN_PROGRESS

    silence = timedelta(seconds=watch.services.settings.run_lost_after_seconds + 1)
    watch.change(operation_id, beat_at=utcnow() - silence)
    assert watch.tick("settle_lost_operations").skip_message == "No run is silent."
    later = monotonic() + ONE_MORE_BEAT.total_seconds()
    monkeypatch.setattr("dataops_core.provisioning.silence.monotonic", lambda: later)
    ticked = watch.tick("settle_lost_operations")

    assert ticked.skip_message == "1 run(s) given up."
    operation = watch.operation(operation_id)
    assert operation.status is OperationStatus.FAILED
    assert operation.error is not None
    assert operation.error["code"] == "RUN_LOST"
    ended = watch.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is DagsterRunStatus.FAILURE


def test_a_sensor_with_nothing_to_do_says_so(watch: Watch) -> None:
    assert watch.tick("launch_pending_operations").skip_message == "Every operation has its run."
    assert watch.tick("settle_lost_operations").skip_message == "No run is silent."


def test_a_run_that_goes_on_after_its_operation_was_cancelled_is_stopped(watch: Watch) -> None:
    """C-84: Dagster was down when the API asked; no process of the run is left to be found here."""
    operation_id = watch.begin()
    run = watch.run(operation_id, DagsterRunStatus.STARTED)
    watch.change(operation_id, run_id=run.run_id)
    with watch.services.database.transaction() as session:
        steering.cancel(session, operation_id)

    assert "1 run(s) asked to stop" in (watch.tick("stop_cancelled_runs").skip_message or "")
    with watch.services.database.transaction() as session:
        session.execute(update(RunStop).values(asked_at=utcnow() - STOP_PATIENCE - timedelta(seconds=1)))
    watch.tick("stop_cancelled_runs")

    ended = watch.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is DagsterRunStatus.CANCELED
    assert "No unwanted run goes on" in (watch.tick("stop_cancelled_runs").skip_message or "")
    with watch.services.database.transaction() as session:
        assert stops.runs_to_stop(session) == []
    assert watch.operation(operation_id).status is OperationStatus.CANCELLED
