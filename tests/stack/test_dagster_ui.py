"""What people do to runs in the Dagster UI, on the running stack: what becomes of the registry, with nobody polling.

Each thing is sent to Dagster's GraphQL as the UI sends it (``dagster_ui.py``), and the end is read in the registry, so
that runs and sensors alone have brought it about (C-86, C-87). The tests go on with each other's datasets, in order.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, text, update

from dataops_core.lifecycle import DatasetStatus, OperationStatus, OperationType
from dataops_core.registry import datasets, operations
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset, Operation, OperationDataset
from dataops_core.runs import ASSETS
from tests.conftest import Stack
from tests.stack.dagster_ui import ASSET_JOB, DagsterUI
from tests.waiting import wait_for

pytestmark = pytest.mark.stack

T = TypeVar("T")

TYPE = "confluence_pages"
RECORDS = 50
CHECKS = ("schema_validation", "data_completeness", "connector_health", "sample_query_success")
STRATEGIES = ("FROM_FAILURE", "ALL_STEPS", "FROM_ASSET_FAILURE")


@dataclass
class Place:
    """A running stack, as its owner, its registry and its Dagster UI see it."""

    home: Path
    api: httpx.Client
    registry: Database
    ui: DagsterUI

    def provision(self, records: int = RECORDS) -> "Made":
        body = {
            "journey_id": str(uuid4()),
            "client_id": str(uuid4()),
            "stage": "sandbox",
            "dataset_types": [TYPE],
            "generation": {"record_count": records},
        }
        answer = self.api.post("/datasets", json=body)
        assert answer.status_code == 202, answer.text
        accepted = answer.json()
        dataset_id = accepted["datasets"][0]["dataset_id"]
        return Made(UUID(dataset_id), f"sandbox:{body['client_id']}", UUID(accepted["operation_id"]))

    def ask(self, method: str, path: str, **more: Any) -> UUID:
        """Sends a request that starts an operation; its id."""
        answer = self.api.request(method, path, **more)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["operation_id"])

    def validate(self, made: "Made") -> UUID:
        return self.ask("POST", f"{made.path}/quality/validate", json={"force_revalidation": True})

    def operation(self, operation_id: UUID) -> Operation:
        with self.registry.transaction() as session:
            return operations.get(session, operation_id)

    def dataset(self, made: "Made") -> Dataset:
        with self.registry.transaction() as session:
            return datasets.get(session, made.dataset_id)

    def reached(self, operation_id: UUID, condition: Callable[[Operation], bool], what: str) -> Operation:
        def look() -> Operation | None:
            operation = self.operation(operation_id)
            return operation if condition(operation) else None

        return wait_for(look, what)

    def ended(self, operation_id: UUID, *, run_id: str | None = None) -> Operation:
        """The operation once it has ended, by this run where one is given."""
        return self.reached(
            operation_id,
            lambda row: row.status.is_terminal and run_id in {None, row.run_id},
            f"operation {operation_id} has ended",
        )

    def made_by(self, run_id: str) -> Operation:
        """The one operation that a run without any has made, once it has ended."""

        def look() -> Operation | None:
            with self.registry.transaction() as session:
                found = session.scalars(select(Operation).where(Operation.run_id == run_id)).all()
            assert len(found) <= 1
            return found[0] if found and found[0].status.is_terminal else None

        return wait_for(look, f"run {run_id} has made an operation that has ended")

    def newest(self, made: "Made") -> UUID:
        return self.dataset(made).operation_id

    def run_ended(self, run_id: str) -> str:
        """How a run has ended, by Dagster."""

        def look() -> str | None:
            status: str = self.ui.run(run_id)["status"]
            return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else None

        return wait_for(look, f"run {run_id} has ended")

    def refused(self, run_id: str) -> str:
        """The one sentence with which a run has ended, having changed nothing."""
        assert self.run_ended(run_id) == "FAILURE"
        (sentence,) = self.ui.failures(run_id).values()
        with self.registry.transaction() as session:
            assert operations.carried_by(session, run_id) == []
        return sentence

    def ask_for(self, made: "Made", records: int) -> None:
        """Puts down how many records the dataset was asked for: more than there are, and its completeness fails."""
        with self.registry.transaction() as session:
            statement = update(Dataset).where(Dataset.dataset_id == made.dataset_id)
            session.execute(statement.values(requested_count=records))

    @contextmanager
    def held(self, folder: Path, ask: Callable[[], UUID]) -> Iterator[Operation]:
        """An operation under way whose run gets no further than reading the manifest in this folder: a pipe is there.

        The block must end that run. Afterwards the manifest is as it was.
        """
        (manifest,) = folder.rglob("manifest.json")
        whole = manifest.rename(manifest.with_name("manifest.whole"))
        os.mkfifo(manifest)
        try:
            yield self.under_way(ask())
        finally:
            whole.replace(manifest)

    def under_way(self, operation_id: UUID) -> Operation:
        """The operation, once its run has begun."""
        return self.reached(operation_id, lambda row: row.status is OperationStatus.IN_PROGRESS, "it is under way")


@dataclass(frozen=True)
class Made:
    """A dataset, its environment, and the operation that was to make it."""

    dataset_id: UUID
    environment: str
    operation_id: UUID

    @property
    def path(self) -> str:
        return f"/datasets/{self.dataset_id}"


@dataclass(frozen=True)
class Again:
    """A provisioning that failed, and the run that executed it again."""

    made: Made
    strategy: str
    first: Operation
    run_id: str


@pytest.fixture(scope="module")
def place(stack: Stack) -> Iterator[Place]:
    registry = stack.database()
    with stack.client() as api:
        yield Place(stack.home, api, registry, DagsterUI(stack.dagster_url))
    registry.close()


@pytest.fixture(scope="module")
def executed_again(place: Place) -> list[Again]:
    """A provisioning for each way of executing a run again: a file lay where its records were to go."""
    begun = [place.provision() for _ in STRATEGIES]
    in_the_way = [place.home / "data" / "datasets" / str(made.dataset_id) for made in begun]
    for path in in_the_way:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text("in the way")
    failed = [place.ended(made.operation_id) for made in begun]
    for path, operation in zip(in_the_way, failed, strict=True):
        assert operation.error is not None
        assert operation.error["code"] == "STORAGE_ERROR"
        path.unlink()
        assert place.run_ended(str(operation.run_id)) == "FAILURE"
    return [
        Again(made, strategy, first, place.ui.reexecute(str(first.run_id), strategy))
        for made, strategy, first in zip(begun, STRATEGIES, failed, strict=True)
    ]


@pytest.fixture(scope="module")
def ready(place: Place, executed_again: Sequence[Again]) -> list[Made]:
    """Three datasets that are ready."""
    for again in executed_again:
        place.ended(again.made.operation_id, run_id=again.run_id)
    return [again.made for again in executed_again]


def test_a_failed_provisioning_goes_on_however_its_run_is_executed_again(
    place: Place, executed_again: Sequence[Again]
) -> None:
    """C-87."""
    for again in executed_again:
        operation = place.ended(again.made.operation_id, run_id=again.run_id)
        assert (operation.status, operation.attempt) == (OperationStatus.COMPLETED, 2), again.strategy
        assert place.dataset(again.made).status is DatasetStatus.READY
        assert place.newest(again.made) == again.made.operation_id
        assert place.run_ended(again.run_id) == "SUCCESS"


def test_a_completed_provisioning_is_repeated_by_an_operation_of_its_own(place: Place, ready: Sequence[Made]) -> None:
    """C-87: as a whole, or some steps of it; not where the dataset has moved on since."""
    made = ready[0]
    first = str(place.operation(made.operation_id).run_id)

    again = place.ui.reexecute(first, "ALL_STEPS")
    repeated = place.made_by(again)
    assert (repeated.status, repeated.rerun_of) == (OperationStatus.COMPLETED, made.operation_id)
    assert repeated.operation_type is OperationType.PROVISIONING

    assert "has moved on since" in place.refused(place.ui.reexecute(first, "ALL_STEPS"))

    checked = place.made_by(place.ui.reexecute_steps(again, [f"{TYPE}__index_schema_validation"]))
    assert (checked.status, checked.rerun_of) == (OperationStatus.COMPLETED, repeated.operation_id)
    assert (checked.operation_type, checked.total_steps) == (OperationType.VALIDATION, 1)
    assert place.dataset(made).status is DatasetStatus.READY


def test_runs_that_are_terminated_leave_the_registry_right(place: Place, ready: Sequence[Made]) -> None:
    """C-81, C-86, C-87: a provisioning and two validations, one of them by force."""
    large = place.provision(20_000)

    def validation(made: Made) -> AbstractContextManager[Operation]:
        return place.held(place.home / "data" / "datasets" / str(made.dataset_id), lambda: place.validate(made))

    with validation(ready[0]) as stopped, validation(ready[1]) as forced:
        assert place.ui.terminate(str(stopped.run_id)) == "TerminateRunSuccess"
        assert place.ui.terminate(str(forced.run_id), immediately=True) == "TerminateRunSuccess"
        assert place.ui.run(str(forced.run_id))["status"] == "CANCELED"
        begun = place.reached(large.operation_id, lambda row: row.current_step >= 3, "records are being made")
        assert place.ui.terminate(str(begun.run_id)) == "TerminateRunSuccess"
        for operation in (stopped, forced):
            assert place.ended(operation.operation_id).status is OperationStatus.CANCELLED
            assert place.run_ended(str(operation.run_id)) == "CANCELED"

    cancelled = place.ended(large.operation_id)
    assert (cancelled.status, cancelled.error and cancelled.error["code"]) == (OperationStatus.CANCELLED, "CANCELLED")
    assert place.dataset(large).status is DatasetStatus.FAILED
    assert [place.dataset(made).status for made in ready] == [DatasetStatus.READY] * 3
    for operation, strategy in ((stopped, "FROM_FAILURE"), (forced, "ALL_STEPS")):
        again = place.ui.reexecute(str(operation.run_id), strategy)
        ended = place.ended(operation.operation_id, run_id=again)
        assert (ended.status, ended.attempt) == (OperationStatus.COMPLETED, 2), strategy


def test_the_process_of_a_run_that_was_deleted_lives_on_and_does_what_is_right(
    place: Place, ready: Sequence[Made]
) -> None:
    """C-86."""
    with place.registry.transaction() as session:
        # No check can be written down as long as this transaction lasts.
        session.execute(text("LOCK TABLE quality_results IN SHARE MODE"))
        operation = place.under_way(place.validate(ready[2]))
        assert place.ui.delete(str(operation.run_id)) == "DeletePipelineRunSuccess"
        assert place.ui.find_run(str(operation.run_id)) is None
    assert place.ended(operation.operation_id).status is OperationStatus.COMPLETED
    assert place.dataset(ready[2]).status is DatasetStatus.READY


def test_a_validation_that_did_not_pass_is_repeated_for_what_did_not_pass(place: Place, ready: Sequence[Made]) -> None:
    """C-63, C-87: Dagster calls its run failed, its operation is completed; so it is with checks chosen by hand."""
    made = ready[1]
    place.ask_for(made, RECORDS + 10)
    run_id = place.ui.launch("validate", partition=made.environment, checks=[f"{TYPE}/{check}" for check in CHECKS[:2]])
    by_hand = place.made_by(run_id)
    assert place.run_ended(run_id) == "FAILURE"
    again = place.made_by(place.ui.reexecute(run_id, "FROM_FAILURE"))
    for operation, steps in ((by_hand, 2), (again, 1)):
        assert (operation.operation_type, operation.status) == (OperationType.VALIDATION, OperationStatus.COMPLETED)
        assert (operation.total_steps, operation.error) == (steps, None)
    assert (by_hand.rerun_of, again.rerun_of) == (None, by_hand.operation_id)
    assert place.dataset(made).status is DatasetStatus.READY
    place.ask_for(made, RECORDS)


@pytest.mark.long
def test_a_teardown_and_a_restore_that_were_stopped_go_on_and_are_not_repeated(
    place: Place, ready: Sequence[Made]
) -> None:
    """C-52, C-54, C-87: a restore from its failure makes again what the failed one took away."""
    made, data = ready[0], place.home / "data"
    with place.held(data / "datasets" / str(made.dataset_id), lambda: place.ask("DELETE", made.path)) as teardown:
        assert place.ui.terminate(str(teardown.run_id)) == "TerminateRunSuccess"
        assert place.ended(teardown.operation_id).status is OperationStatus.CANCELLED
    assert place.dataset(made).status is DatasetStatus.TEARDOWN
    assert place.run_ended(str(teardown.run_id)) == "CANCELED"
    again = place.ui.reexecute(str(teardown.run_id), "FROM_FAILURE")
    ended = place.ended(teardown.operation_id, run_id=again)
    assert (ended.status, ended.attempt) == (OperationStatus.COMPLETED, 2)
    assert place.dataset(made).status is DatasetStatus.ARCHIVED
    assert place.run_ended(again) == "SUCCESS"
    assert "is archived" in place.refused(place.ui.reexecute(again, "ALL_STEPS"))
    assert place.ui.delete(again) == "DeletePipelineRunSuccess"

    archive = data / "archives" / str(made.dataset_id)
    with place.held(archive, lambda: place.ask("POST", f"{made.path}/restore")) as restore:
        assert place.ui.terminate(str(restore.run_id)) == "TerminateRunSuccess"
        assert place.ended(restore.operation_id).status is OperationStatus.CANCELLED
    assert place.dataset(made).status is DatasetStatus.ARCHIVED
    assert place.run_ended(str(restore.run_id)) == "CANCELED"
    place.ask_for(made, RECORDS + 10)
    second = place.ui.reexecute(str(restore.run_id), "ALL_STEPS")
    failed = place.ended(restore.operation_id, run_id=second)
    assert (failed.status, failed.error and failed.error["code"]) == (OperationStatus.FAILED, "QUALITY_CHECK_FAILED")
    assert place.dataset(made).status is DatasetStatus.ARCHIVED
    assert place.run_ended(second) == "FAILURE"
    place.ask_for(made, RECORDS)
    third = place.ui.reexecute(second, "FROM_FAILURE")
    ended = place.ended(restore.operation_id, run_id=third)
    assert (ended.status, ended.attempt, ended.error) == (OperationStatus.COMPLETED, 3, None)
    assert place.dataset(made).status is DatasetStatus.READY
    assert place.run_ended(third) == "SUCCESS"
    assert "is ready" in place.refused(place.ui.reexecute(third, "ALL_STEPS"))
    assert place.dataset(made).status is DatasetStatus.READY


@pytest.mark.long
def test_what_is_materialized_by_hand_works_on_live_datasets_alone(place: Place, ready: Sequence[Made]) -> None:
    """C-87: assets, a backfill over environments, an environment added by hand, a job without what it needs."""
    ui, made, empty = place.ui, ready[1], f"pilot:{uuid4()}"
    assert ui.add_partition(empty) == "AddDynamicPartitionSuccess"
    backfill = ui.backfill([ready[0].environment, ready[2].environment, empty], assets=[f"{TYPE}/template"])

    whole = ui.launch(ASSET_JOB, partition=made.environment, assets=[f"{TYPE}/{name}" for name in ASSETS])
    nowhere = ui.launch(ASSET_JOB, assets=[f"{TYPE}/template"])
    unasked = ui.launch("teardown", partition=made.environment)
    repeated = place.made_by(whole)
    assert (repeated.operation_type, repeated.status) == (OperationType.PROVISIONING, OperationStatus.COMPLETED)
    assert "The run has no partition" in place.refused(nowhere)
    assert "DELETE /v1/dataops/datasets/{dataset_id}" in place.refused(unasked)

    def three() -> list[str] | None:
        runs = [run["id"] for run in ui.runs_of(dagster__backfill=backfill)]
        return runs if len(runs) == 3 else None

    ends = {}
    for run_id in wait_for(three, "the backfill has its runs"):
        ends[_partition(ui, run_id)] = place.run_ended(run_id)
        if ends[_partition(ui, run_id)] == "SUCCESS":
            assert place.made_by(run_id).status is OperationStatus.COMPLETED
        else:
            assert "There is no live confluence_pages dataset" in place.refused(run_id)
    assert ends == {ready[0].environment: "SUCCESS", ready[2].environment: "SUCCESS", empty: "FAILURE"}
    assert ui.delete_partitions([empty, made.environment]) == "DeleteDynamicPartitionsSuccess"
    assert place.ended(place.validate(made)).status is OperationStatus.COMPLETED
    with place.registry.transaction() as session:
        left_open = select(OperationDataset.operation_id).where(OperationDataset.active)
        mine = left_open.where(OperationDataset.dataset_id.in_([one.dataset_id for one in ready]))
        assert session.scalars(mine).all() == []
    assert [place.dataset(one).status for one in ready] == [DatasetStatus.READY] * 3


def _partition(ui: DagsterUI, run_id: str) -> str:
    tags = {tag["key"]: tag["value"] for tag in ui.run(run_id)["tags"]}
    return tags["dagster/partition"]
