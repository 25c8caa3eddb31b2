"""Runs of the real jobs on a real Dagster instance, registry and connector: what operations and datasets become."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from dagster import (
    AssetCheckKey,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    JobDefinition,
    MarkdownMetadataValue,
    TableMetadataValue,
)
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.lifecycle import CheckType, DatasetStatus, OperationStatus, OperationType, Stage, TeardownReason
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.launching import run_ended
from dataops_core.provisioning.prepared import Preparations, Prepared
from dataops_core.provisioning.requests import accept_provisioning, accept_teardown
from dataops_core.provisioning.restoring import accept_restore
from dataops_core.provisioning.services import Services
from dataops_core.provisioning.settlement import RunEnding
from dataops_core.registry import datasets, launches, operations, quality
from dataops_core.registry.tables import Dataset, Operation
from dataops_core.runs import ASSETS, TAG_PARTITION, launch_request
from dataops_core.security import without_secrets
from dataops_pipeline.definitions import build_defs
from dataops_pipeline.resources import DataOps

TYPE = "confluence_pages"
RECORDS = 60
#: What the provisioning of one type materializes.
WHOLE = frozenset(AssetKey([TYPE, name]) for name in ASSETS)


@dataclass
class Pipeline:
    """One customer's sandbox, and a way to run jobs on it as the API, a rerun or a person does."""

    instance: DagsterInstance
    services: Services
    client_id: UUID = field(default_factory=uuid4)
    dataset_types: tuple[str, ...] = (TYPE,)
    records: int = RECORDS

    def job(self, name: str) -> JobDefinition:
        resource = DataOps(lambda: self.services)
        repository = build_defs(resource_overrides={"dataops": resource}).get_repository_def()
        return repository.get_job(name)

    def accept(self) -> Operation:
        request = ProvisioningRequest(
            journey_id=uuid4(),
            client_id=self.client_id,
            stage=Stage.SANDBOX,
            dataset_types=self.dataset_types,
            record_count=self.records,
            metadata={"custom_fields": {"industry": "fintech", "use_case": "developer_productivity"}},
        )
        with self.services.database.transaction() as session:
            return accept_provisioning(session, self.services.catalog, request, max_record_count=1000)

    def launch(self, operation: Operation) -> DagsterRun:
        """What the gateway and the webserver do, in this process."""
        with self.services.database.transaction() as session:
            view = operations.find_view(session, operation.operation_id)
            assert view is not None
            request = launch_request(view)
        assets, checks = request.assets, request.asset_checks
        return self.run(
            request.job,
            request.tags,
            assets=frozenset(AssetKey(list(key)) for key in assets) if assets is not None else None,
            checks=frozenset(AssetCheckKey(AssetKey(list(key)), name) for key, name in checks) if checks else None,
        )

    def run(
        self,
        job: str,
        tags: Mapping[str, str],
        *,
        assets: frozenset[AssetKey] | None = None,
        checks: frozenset[AssetCheckKey] | None = None,
        repeats: DagsterRun | None = None,
    ) -> DagsterRun:
        if TAG_PARTITION in tags:
            self.instance.add_dynamic_partitions("environments", [tags[TAG_PARTITION]])
        definition = self.job(job)
        if assets is not None:
            definition = definition.get_subset(asset_selection=assets, asset_check_selection=checks)
        run = self.instance.create_run_for_job(
            definition,
            tags=dict(tags),
            parent_run_id=repeats.run_id if repeats else None,
            root_run_id=repeats.run_id if repeats else None,
        )
        execute_run(InMemoryJob(definition), run, self.instance)
        ended = self.instance.get_run_by_id(run.run_id)
        assert ended is not None
        return ended

    def by_hand(self, *names: str, checks: Sequence[CheckType] = ()) -> DagsterRun:
        """What the UI does where a person materializes assets: no tag of the product's, but the partition."""
        keys = frozenset(AssetKey([TYPE, name]) for name in names)
        chosen = frozenset(AssetCheckKey(AssetKey([TYPE, "index"]), check.value) for check in checks)
        return self.run("__ASSET_JOB", {TAG_PARTITION: f"sandbox:{self.client_id}"}, assets=keys, checks=chosen)

    def ready(self) -> tuple[Operation, DagsterRun]:
        operation = self.accept()
        run = self.launch(operation)
        assert run.is_success
        return operation, run

    def operation(self, operation_id: UUID) -> Operation:
        with self.services.database.transaction() as session:
            return operations.get(session, operation_id)

    def dataset(self) -> Dataset:
        with self.services.database.transaction() as session:
            found = datasets.newest_of_customer(session, self.client_id)
            assert found is not None
            return found

    def failures(self, run: DagsterRun) -> dict[str, str]:
        """The sentence of each failed step."""
        failed = self.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
        said = {}
        for entry in failed:
            event = entry.get_dagster_event()
            data = event.step_failure_data
            assert event.step_key is not None
            described = data.user_failure_data.description if data.user_failure_data else None
            said[event.step_key] = described or (data.error.message if data.error else "")
        return said

    def steps(self, run: DagsterRun) -> set[str]:
        """The steps that ended well."""
        entries = self.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_SUCCESS)
        return {str(entry.get_dagster_event().step_key) for entry in entries}


@pytest.fixture
def pipeline(instance: DagsterInstance, services: Services) -> Pipeline:
    return Pipeline(instance, services)


def test_a_provisioning_run_makes_a_ready_dataset(pipeline: Pipeline) -> None:
    operation, run = pipeline.ready()

    ended = pipeline.operation(operation.operation_id)
    assert ended.status is OperationStatus.COMPLETED
    assert ended.run_id == run.run_id
    assert (ended.current_step, ended.total_steps) == (6, 6)
    dataset = pipeline.dataset()
    assert dataset.status is DatasetStatus.READY
    assert dataset.record_count == RECORDS
    assert run.tags[TAG_PARTITION] == f"sandbox:{pipeline.client_id}"


def test_records_prepare_for_the_index_only_where_the_run_goes_on_with_it(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    keep = Preparations.keep

    def noted(preparations: Preparations, folder: str, prepared: Prepared) -> None:
        begun.append(folder)
        keep(preparations, folder, prepared)

    monkeypatch.setattr(Preparations, "keep", noted)
    pipeline.ready()
    assert len(begun) == 1
    assert pipeline.by_hand("template", "connector", "records").is_success
    assert len(begun) == 1


@pytest.mark.long
def test_all_types_together_are_ready_with_the_fewest_records(pipeline: Pipeline) -> None:
    """C-40, C-62: from 20 records on every type has queries that can be told apart, and passes its four checks."""
    everything = replace(pipeline, dataset_types=tuple(DATASET_TYPES), records=20)

    operation, _ = everything.ready()

    with pipeline.services.database.transaction() as session:
        parts = operations.parts_of(session, operation.operation_id)
        made = [datasets.get(session, part.dataset_id) for part in parts]
        found = {row.dataset_type: (row.status, row.record_count, row.quality_score) for row in made}
    # A fiftieth of twenty is none: nothing is incomplete.
    assert found == {name: (DatasetStatus.READY, 20, Decimal(100)) for name in DATASET_TYPES}


def test_materializations_say_what_was_made_and_for_which_dataset(pipeline: Pipeline) -> None:
    _, run = pipeline.ready()
    dataset = pipeline.dataset()

    made = {}
    for entry in pipeline.instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION):
        materialization = entry.get_dagster_event().step_materialization_data.materialization
        made[materialization.asset_key.path[-1]] = materialization
    assert set(made) == {"template", "connector", "records", "index", "dataset"}
    assert {str(entry.metadata["dataset_id"].value) for entry in made.values()} == {str(dataset.dataset_id)}
    assert {entry.partition for entry in made.values()} == {f"sandbox:{pipeline.client_id}"}

    records = made["records"].metadata
    assert records["dagster/row_count"].value == RECORDS
    assert isinstance(records["sample"], TableMetadataValue)
    assert 1 <= len(records["sample"].records) <= 5
    assert isinstance(records["pictures"], MarkdownMetadataValue)
    assert str(records["pictures"].value).count("![") == 4
    assert made["dataset"].tags is not None
    assert made["dataset"].tags["dagster/data_version"] == dataset.records_sha256
    shown = " ".join(str(value) for entry in made.values() for value in entry.metadata.values())
    assert without_secrets(shown) == shown
    assert pipeline.services.keyring.__class__.__name__ not in shown


def test_every_check_leaves_an_evaluation_in_dagster_and_in_the_registry(pipeline: Pipeline) -> None:
    operation, run = pipeline.ready()

    evaluated = pipeline.instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    found = {entry.get_dagster_event().asset_check_evaluation_data.check_name: entry for entry in evaluated}
    assert set(found) == set(CheckType)
    for entry in found.values():
        evaluation = entry.get_dagster_event().asset_check_evaluation_data
        assert evaluation.passed
        assert evaluation.blocking
        assert evaluation.metadata["details"].value
        assert ("fields" in evaluation.metadata) == (evaluation.check_name == "data_completeness")
    with pipeline.services.database.transaction() as session:
        rows = quality.of_operation(
            session, dataset_id=pipeline.dataset().dataset_id, operation_id=operation.operation_id
        )
    assert set(rows) == set(CheckType)


@pytest.fixture
def unreachable(pipeline: Pipeline) -> Callable[[bool], None]:
    """Takes the connector service away from the steps, and gives it back."""
    whole = pipeline.services

    def set_to(away: bool) -> None:
        nowhere = EmbeddedConnector("http://127.0.0.1:9", whole.keyring, pause=lambda _seconds: None)
        pipeline.services = replace(whole, connector=nowhere) if away else whole

    return set_to


def test_a_step_that_fails_says_why_and_the_operation_fails_with_it(
    pipeline: Pipeline, unreachable: Callable[[bool], None]
) -> None:
    operation = pipeline.accept()
    unreachable(True)
    run = pipeline.launch(operation)

    assert run.is_failure
    assert pipeline.steps(run) == {f"{TYPE}__template"}
    ended = pipeline.operation(operation.operation_id)
    assert ended.status is OperationStatus.FAILED
    assert ended.error is not None
    assert ended.error["code"] == "CONNECTOR_ERROR"
    assert pipeline.failures(run) == {f"{TYPE}__connector": ended.error["message"]}
    assert pipeline.dataset().status is DatasetStatus.FAILED


def test_a_rerun_of_a_failed_operation_goes_on_with_the_same_operation_c87(
    pipeline: Pipeline, unreachable: Callable[[bool], None]
) -> None:
    operation = pipeline.accept()
    unreachable(True)
    first = pipeline.launch(operation)
    unreachable(False)

    again = pipeline.run("provision", first.tags, assets=WHOLE, repeats=first)

    assert again.is_success
    ended = pipeline.operation(operation.operation_id)
    assert ended.status is OperationStatus.COMPLETED
    assert (ended.attempt, ended.run_id, ended.error) == (2, again.run_id, None)
    assert pipeline.dataset().status is DatasetStatus.READY


def test_a_rerun_of_a_completed_operation_is_a_new_operation_c87(pipeline: Pipeline) -> None:
    operation, first = pipeline.ready()

    again = pipeline.run("provision", first.tags, assets=WHOLE, repeats=first)

    assert again.is_success
    dataset = pipeline.dataset()
    newer = pipeline.operation(dataset.operation_id)
    assert newer.operation_id != operation.operation_id
    assert newer.rerun_of == operation.operation_id
    assert newer.status is OperationStatus.COMPLETED
    assert dataset.status is DatasetStatus.READY
    assert pipeline.operation(operation.operation_id).run_id == first.run_id


def test_a_rerun_where_the_dataset_has_moved_on_fails_at_its_first_step_c87(pipeline: Pipeline) -> None:
    operation, first = pipeline.ready()
    dataset_id = pipeline.dataset().dataset_id
    assert pipeline.launch(tear_down(pipeline, dataset_id)).is_success

    again = pipeline.run("provision", first.tags, assets=WHOLE, repeats=first)

    assert again.is_failure
    assert pipeline.steps(again) == set()
    (sentence,) = pipeline.failures(again).values()
    assert f"Dataset {dataset_id} is archived; operation {operation.operation_id} has nothing to repeat." in sentence
    assert pipeline.dataset().status is DatasetStatus.ARCHIVED
    assert pipeline.operation(operation.operation_id).status is OperationStatus.COMPLETED


def test_a_second_run_of_a_running_operation_changes_nothing(pipeline: Pipeline) -> None:
    operation = pipeline.accept()
    with pipeline.services.database.transaction() as session:
        launches.record_launch(session, operation.operation_id, "the-run-that-carries-it", attempt=1)

    run = pipeline.launch(operation)

    assert run.is_failure
    assert "the-run-that-carries-it" in pipeline.failures(run)[f"{TYPE}__template"]
    assert pipeline.operation(operation.operation_id).status is OperationStatus.PENDING
    assert pipeline.dataset().status is DatasetStatus.PROVISIONING


def test_a_person_may_index_a_ready_dataset_again_by_hand(pipeline: Pipeline) -> None:
    pipeline.ready()

    run = pipeline.by_hand("index", "dataset", checks=tuple(CheckType))

    assert run.is_success
    newest = pipeline.operation(pipeline.dataset().operation_id)
    assert newest.run_id == run.run_id
    assert newest.status is OperationStatus.COMPLETED
    assert pipeline.dataset().status is DatasetStatus.READY


def test_a_part_made_by_hand_ends_its_operation_with_the_run(pipeline: Pipeline) -> None:
    pipeline.ready()

    run = pipeline.by_hand("template")

    assert run.is_success
    assert run_ended(pipeline.services.database, run.run_id, RunEnding.SUCCESS) == 1
    newest = pipeline.operation(pipeline.dataset().operation_id)
    assert (newest.status, newest.run_id) == (OperationStatus.COMPLETED, run.run_id)
    assert pipeline.dataset().status is DatasetStatus.READY


def test_by_hand_where_there_is_no_dataset_the_sentence_says_where_to_begin(pipeline: Pipeline) -> None:
    run = pipeline.by_hand("template")
    assert "POST /v1/dataops/datasets" in pipeline.failures(run)[f"{TYPE}__template"]


@pytest.mark.parametrize(
    ("tags", "sentence"),
    [
        ({}, "The run has no partition: choose the environment (stage:client_id) whose datasets it is to work on."),
        (
            {TAG_PARTITION: "nowhere"},
            "'nowhere' is no environment: a key is stage:client_id, as in sandbox:<uuid>.",
        ),
        (
            {TAG_PARTITION: f"pilot:{uuid4()}", "dataops/operation_id": "x"},
            "The tag dataops/operation_id holds no operation's id: 'x'.",
        ),
    ],
)
def test_a_run_that_does_not_say_what_it_works_on_is_told_so(
    pipeline: Pipeline, tags: dict[str, str], sentence: str
) -> None:
    run = pipeline.run("validate", tags)
    assert run.is_failure
    assert set(pipeline.failures(run).values()) == {sentence}


def test_a_validation_evaluates_the_checks_asked_for_and_ends_with_them(pipeline: Pipeline) -> None:
    pipeline.ready()
    dataset = pipeline.dataset()
    asked = (CheckType.SCHEMA_VALIDATION, CheckType.CONNECTOR_HEALTH)
    with pipeline.services.database.transaction() as session:
        validation = operations.create(
            session,
            operation_type=OperationType.VALIDATION,
            client_id=dataset.client_id,
            stage=dataset.stage,
            datasets=[(dataset.dataset_id, dataset.dataset_type)],
            request={"checks": [check.value for check in asked]},
            checks=len(asked),
        )

    run = pipeline.launch(validation)

    assert run.is_success
    assert pipeline.steps(run) == {f"{TYPE}__index_{check}" for check in asked}
    ended = pipeline.operation(validation.operation_id)
    assert ended.status is OperationStatus.COMPLETED
    assert (ended.current_step, ended.total_steps) == (2, 2)
    assert pipeline.dataset().status is DatasetStatus.READY


def tear_down(pipeline: Pipeline, dataset_id: UUID) -> Operation:
    with pipeline.services.database.transaction() as session:
        return accept_teardown(session, dataset_id, reason=TeardownReason.MANUAL, archive=True)


def test_a_teardown_run_archives_the_dataset_in_four_steps(pipeline: Pipeline) -> None:
    pipeline.ready()
    operation = tear_down(pipeline, pipeline.dataset().dataset_id)

    run = pipeline.launch(operation)

    assert run.is_success
    assert pipeline.steps(run) == {"disconnect_connector", "archive_records", "delete_records", "update_registry"}
    assert pipeline.operation(operation.operation_id).status is OperationStatus.COMPLETED
    assert pipeline.dataset().status is DatasetStatus.ARCHIVED
    assert pipeline.dataset().archive_path is not None


def test_a_teardown_that_nobody_asked_for_is_refused(pipeline: Pipeline) -> None:
    pipeline.ready()
    run = pipeline.run("teardown", {TAG_PARTITION: f"sandbox:{pipeline.client_id}"})
    assert run.is_failure
    assert "DELETE /v1/dataops/datasets" in pipeline.failures(run)["disconnect_connector"]
    assert pipeline.dataset().status is DatasetStatus.READY


def test_evaluations_carry_the_environment_they_speak_of(pipeline: Pipeline) -> None:
    _, run = pipeline.ready()
    evaluated = pipeline.instance.all_logs(run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    partitions = {entry.get_dagster_event().asset_check_evaluation_data.partition for entry in evaluated}
    assert partitions == {f"sandbox:{pipeline.client_id}"}


def test_a_restore_run_makes_the_dataset_ready_again_and_says_how(pipeline: Pipeline) -> None:
    """C-54."""
    pipeline.ready()
    dataset = pipeline.dataset()
    assert pipeline.launch(tear_down(pipeline, dataset.dataset_id)).is_success
    with pipeline.services.database.transaction() as session:
        operation = accept_restore(session, dataset.dataset_id)

    run = pipeline.launch(operation)

    assert run.is_success, pipeline.failures(run)
    assert pipeline.steps(run) == {"restore_records", "restore_connector", "validate_quality", "publish_dataset"}
    ended = pipeline.operation(operation.operation_id)
    assert (ended.status, ended.current_step, ended.run_id) == (OperationStatus.COMPLETED, 4, run.run_id)
    again = pipeline.dataset()
    assert (again.status, again.dataset_id, again.records_sha256) == (
        DatasetStatus.READY,
        dataset.dataset_id,
        dataset.records_sha256,
    )
    shown = {}
    for entry in pipeline.instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_OUTPUT):
        event = entry.get_dagster_event()
        shown[str(event.step_key)] = event.step_output_data.metadata
    assert shown["restore_records"]["records"].value == RECORDS
    assert set(shown["validate_quality"]) == {check.value for check in CheckType}
    assert shown["publish_dataset"]["quality_score"].value == float(again.quality_score or 0)


@pytest.mark.long
def test_a_damaged_archive_fails_its_run_with_the_name_of_the_file_and_the_rerun_goes_on_c87(
    pipeline: Pipeline,
) -> None:
    """C-54, C-87."""
    pipeline.ready()
    dataset_id = pipeline.dataset().dataset_id
    assert pipeline.launch(tear_down(pipeline, dataset_id)).is_success
    records = Path(pipeline.services.storage.path(f"archives/{dataset_id}/records.parquet"))
    whole = records.read_bytes()
    records.write_bytes(whole[:-1])
    with pipeline.services.database.transaction() as session:
        operation = accept_restore(session, dataset_id)

    first = pipeline.launch(operation)

    assert first.is_failure
    (sentence,) = pipeline.failures(first).values()
    assert "records.parquet is not what its manifest says; nothing was restored" in sentence
    assert pipeline.dataset().status is DatasetStatus.ARCHIVED
    records.write_bytes(whole)
    again = pipeline.run("restore", first.tags, repeats=first)
    assert again.is_success, pipeline.failures(again)
    assert pipeline.dataset().status is DatasetStatus.READY
    assert pipeline.operation(operation.operation_id).attempt == 2


def test_a_restore_that_nobody_asked_for_is_refused(pipeline: Pipeline) -> None:
    """C-54."""
    pipeline.ready()
    run = pipeline.run("restore", {TAG_PARTITION: f"sandbox:{pipeline.client_id}"})
    assert run.is_failure
    assert "POST /v1/dataops/datasets/{dataset_id}/restore" in pipeline.failures(run)["restore_records"]
    assert pipeline.dataset().status is DatasetStatus.READY
