"""A whole provisioning and teardown by their steps: real registry, real files, a real connector service over HTTP."""

import json
import threading
from pathlib import Path

import httpx
import pytest

from dataops_core.clock import utcnow
from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.errors import PermanentError, QualityGateError, StaleRunError, StorageError, UnavailableError
from dataops_core.generation import pieces
from dataops_core.ground_truth.model import GroundTruth
from dataops_core.lifecycle import (
    CheckStatus,
    CheckType,
    ConnectorStatus,
    DatasetStatus,
    OperationStatus,
    TokenKind,
)
from dataops_core.provisioning import proving, steps, teardown
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.quality import large_drawing, query_drawing
from dataops_core.quality.keeping import kept_queries
from dataops_core.registry import connectors, datasets, operations, quality
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Dataset, OperationDataset
from dataops_core.storage import MANIFEST_FILE, QUERIES_FILE, RECORDS_FILE
from tests.database_gate import gate_to
from tests.waiting import wait_for

SECRET = "a secret of the tests of the steps"
S = DatasetStatus
TYPE = "confluence_pages"
MOMENTS = ("generating", "indexing", "checking", "publishing")


def test_six_steps_make_a_ready_dataset(accept, services):
    case = accept()
    context, seen = case.context(), []
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records, steps.index_records):
        step(context)
        seen.append((case.now().current_step, case.dataset().status))
    assert seen == [(2, S.PROVISIONING), (3, S.PROVISIONING), (4, S.PROVISIONING), (5, S.VALIDATING)]
    results = [proving.run_check(context, check) for check in CheckType]
    assert [result.status for result in results] == [CheckStatus.PASSED] * 4, results
    assert case.now().current_step == 6
    published = proving.publish(context)
    dataset, operation = case.dataset(), case.now()
    assert (operation.status, operation.current_step) == (OperationStatus.COMPLETED, 6)
    assert dataset.status is S.READY
    assert dataset.ready_at is not None
    assert (dataset.record_count, dataset.requested_count) == (60, 60)
    assert dataset.quality_score is not None
    assert float(dataset.quality_score) == published.quality_score > 95
    assert dataset.size_bytes is not None
    assert (case.folder() / RECORDS_FILE).is_file()
    with services.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset.dataset_id)
        state = quality.current(session, dataset.dataset_id)
    assert connector is not None
    assert (connector.status, connector.document_count) == (ConnectorStatus.HEALTHY, 60)
    assert state.meets_threshold


def test_records_that_are_read_in_pieces_make_a_ready_dataset(accept, services, monkeypatch):
    """As a million do: two row groups, each read for itself, of which one proposes the test queries."""
    monkeypatch.setattr(pieces, "KEPT_BYTES", 0)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1)
    monkeypatch.setattr(large_drawing, "_SAMPLE_ROWS", BLOCK_ROWS)
    case = accept("slack_messages", record_count=1000)
    case.provision(dataset_type="slack_messages")
    dataset = case.dataset("slack_messages")
    assert (dataset.status, dataset.record_count) == (S.READY, 1000)
    opened = services.tables.open(services.storage, dataset.records_path)
    assert [piece.num_rows for piece in opened.pieces()] == [BLOCK_ROWS, 1000 - BLOCK_ROWS]
    with services.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset.dataset_id)
        assert (connector.status, connector.document_count) == (ConnectorStatus.HEALTHY, 1000)
        assert quality.current(session, dataset.dataset_id).meets_threshold


def test_the_sample_is_of_records_from_all_over(accept):
    """A wiki's first pages are of one kind: the home pages of its spaces."""
    case = accept()
    context = case.context("run-0001")
    steps.resolve_template(context)
    steps.create_connector(context)
    kinds = steps.populate_records(context).sample.column("_archetype").to_pylist()
    assert len(kinds) == steps.SAMPLE_ROWS
    assert len(set(kinds)) > 1


def test_the_same_request_again_gives_the_same_bytes(accept):
    """C-40."""
    first = accept()
    first.provision()
    digest = first.dataset().records_sha256
    first.tear_down().run_teardown()
    again = accept(client_id=first.request.client_id)
    again.provision("run-0002")
    assert digest
    assert again.dataset().records_sha256 == digest


def test_a_teardown_leaves_an_archive_that_is_whole_and_nothing_else(ready, services):
    """C-53."""
    dataset = ready.dataset()
    digest = dataset.records_sha256
    with services.database.transaction() as session:
        connector = connectors.of_dataset(session, dataset.dataset_id)
        assert connector is not None
    down = ready.tear_down()
    down.run_teardown()
    after = ready.dataset()
    assert (after.status, after.records_path, after.has_remains) == (S.ARCHIVED, None, False)
    assert after.archived_at is not None
    archive = Path(services.storage.path(after.archive_path or ""))
    manifest = json.loads((archive / MANIFEST_FILE).read_text())
    assert manifest["files"][RECORDS_FILE]["sha256"] == digest
    assert set(manifest["files"]) == {
        RECORDS_FILE, "queries.jsonl", "defects.jsonl", "ground_truth.jsonl", "quality.json", "dataset.json",
    }  # fmt: skip
    truth = GroundTruth.from_jsonl((archive / "ground_truth.jsonl").read_bytes())
    assert len(truth) > 80
    assert len(json.loads((archive / "quality.json").read_text())) == 4
    assert not Path(services.storage.path(services.storage.dataset_folder(dataset.dataset_id))).exists()
    assert not (services.settings.data_path / "connectors" / str(connector.connector_id)).exists()
    known = services.keyring.service_token(connector.connector_id, TokenKind.SEARCH)
    for token, status in ((known, 410), ("nobody", 401)):
        answer = httpx.get(
            f"{services.settings.connector_url}/{connector.connector_id}", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == status
    assert down.now().status is OperationStatus.COMPLETED


def test_a_teardown_without_archive_leaves_the_operation_only(ready, services):
    """C-53."""
    dataset_id = ready.dataset().dataset_id
    down = ready.tear_down(archive=False)
    down.run_teardown()
    with services.database.transaction() as session:
        assert session.get(Dataset, dataset_id) is None
        view = operations.find_view(session, down.operation.operation_id)
    assert view is not None
    assert [(part.outcome, row) for part, row in view.parts] == [("deleted", None)]
    assert not Path(services.storage.path(f"archives/{dataset_id}")).exists()


def test_nothing_is_deleted_where_the_archive_is_not_what_its_manifest_says(ready, services):
    """C-53."""
    folder = ready.folder()
    down = ready.tear_down()
    context = down.context("run-down")
    teardown.disconnect_connector(context)
    teardown.archive_records(context)
    archive = Path(services.storage.path(ready.dataset().archive_path or ""))
    (archive / RECORDS_FILE).write_bytes(b"bitten off")
    with pytest.raises(StorageError, match="nothing was deleted"):
        teardown.delete_records(context)
    assert (folder / RECORDS_FILE).is_file()
    assert down.now().status is OperationStatus.FAILED
    assert ready.dataset().status is S.TEARDOWN


def test_a_teardown_goes_on_where_it_failed(ready, services):
    """C-52."""
    down = ready.tear_down()
    context = down.context("run-down")
    teardown.disconnect_connector(context)
    teardown.archive_records(context)
    with services.database.transaction() as session:
        settle(session, down.operation.operation_id, RunEnding.LOST, run_id="run-down")
    again = ready.tear_down()
    assert again.operation.operation_id == down.operation.operation_id
    again.run_teardown("run-down-2")
    assert ready.dataset().status is S.ARCHIVED
    assert again.now().attempt == 2


def test_a_check_that_fails_fails_the_dataset_with_the_reason_once_all_four_have_spoken(accept, services):
    case = accept()
    context = case.context()
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records):
        step(context)
    steps.index_records(context)
    with services.database.transaction() as session:
        connector = connectors.of_dataset(session, case.dataset().dataset_id)
        assert connector is not None
    (index,) = (services.settings.data_path / "connectors" / str(connector.connector_id)).glob("*.db")
    index.unlink()
    statuses = {}
    for check in CheckType:
        assert case.now().status is OperationStatus.IN_PROGRESS
        statuses[check] = proving.run_check(context, check).status
    assert statuses[CheckType.SCHEMA_VALIDATION] is CheckStatus.PASSED
    assert statuses[CheckType.CONNECTOR_HEALTH] is not CheckStatus.PASSED
    assert statuses[CheckType.SAMPLE_QUERY_SUCCESS] is not CheckStatus.PASSED
    operation, dataset = case.now(), case.dataset()
    assert operation.status is OperationStatus.FAILED
    assert dataset.status is S.FAILED
    assert dataset.error_code in {"QUALITY_CHECK_FAILED", "CHECK_ERROR"}
    assert "connector_health" in (dataset.error_message or "")
    with pytest.raises(StaleRunError):
        proving.publish(context)


def test_nothing_is_published_that_was_not_checked(accept):
    case = accept()
    context = case.context()
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records, steps.index_records):
        step(context)
    with pytest.raises(QualityGateError, match="was not checked by schema_validation"):
        proving.publish(context)
    assert case.dataset().status is S.FAILED


def test_test_queries_are_drawn_while_the_records_are_indexed_and_kept_when_they_are_indexed_again(accept, services):
    case = accept()
    context = case.context()
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records):
        step(context)
    with services.database.transaction() as session:
        part = session.get_one(OperationDataset, (case.operation.operation_id, case.dataset().dataset_id))
        folder = part.records_path
    assert folder is not None
    with pytest.raises(PermanentError, match="run its `index` asset first"):
        kept_queries(services.storage, folder)
    indexed = steps.index_records(context)
    drawn = kept_queries(services.storage, folder)
    assert len(drawn) == indexed.query_count == 10
    file = Path(services.storage.path(f"{folder}/{QUERIES_FILE}"))
    edited = drawn.to_jsonl().replace(drawn.queries[0].text, "another text")
    file.write_text(edited, encoding="utf-8")
    steps.index_records(context)
    assert file.read_text(encoding="utf-8") == edited
    for cut in ("", edited[:-20], edited.splitlines(keepends=True)[0]):  # as a run that is killed may leave it
        file.write_text(cut, encoding="utf-8")
        steps.index_records(context)
        assert kept_queries(services.storage, folder) == drawn
    assert sorted(path.name for path in file.parent.iterdir()) == [
        *("defects.jsonl", "manifest.json", "queries.jsonl", "records.parquet")
    ]


def test_records_that_give_no_test_queries_fail_the_dataset_with_the_reason(accept):
    case = accept()
    context = case.context()
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records):
        step(context)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(query_drawing, "_TRIED_WORDS", 0)
        with pytest.raises(PermanentError, match="No phrase query can be drawn"):
            steps.index_records(context)
    dataset = case.dataset()
    assert dataset.status is S.FAILED
    assert "No phrase query" in (dataset.error_message or "")


def test_what_a_failed_dataset_left_is_removed_by_the_one_that_replaces_it(accept, services):
    """C-44."""
    first = accept()
    context = first.context()
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records, steps.index_records):
        step(context)
    with pytest.raises(QualityGateError):
        proving.publish(context)
    old = first.dataset()
    folder = Path(services.storage.path(services.storage.dataset_folder(old.dataset_id)))
    assert folder.is_dir()
    again = accept(client_id=first.request.client_id)
    again.provision("run-0002")
    assert again.dataset().status is S.READY
    with services.database.transaction() as session:
        replaced = datasets.get(session, old.dataset_id)
        left = connectors.of_dataset(session, old.dataset_id)
    assert (replaced.status, replaced.has_remains) == (S.ARCHIVED, False)
    assert left is not None
    assert left.status is ConnectorStatus.DISCONNECTED
    assert not folder.exists()


def test_a_repeated_run_goes_on_after_a_failure_and_succeeds(accept):
    """C-87."""
    case = accept()
    context = case.context()
    steps.resolve_template(context)
    with pytest.raises(PermanentError, match="no connector"):
        steps.index_records(context)
    assert case.dataset().status is S.FAILED
    case.provision("run-0002", parent="run-0001")
    assert case.dataset().status is S.READY
    assert (case.now().attempt, case.now().status) == (2, OperationStatus.COMPLETED)


def test_a_completed_run_repeated_is_a_new_operation_and_the_dataset_stays_ready(ready):
    """C-87."""
    digest, ready_at = ready.dataset().records_sha256, ready.dataset().ready_at
    ready.provision("run-0002", parent="run-0001")
    again = ready.dataset()
    assert (again.status, again.records_sha256, again.ready_at) == (S.READY, digest, ready_at)
    assert again.operation_id != ready.operation.operation_id
    assert ready.folder().is_dir()
    assert len(list(ready.folder().parent.iterdir())) == 1


def test_a_full_disk_is_said_in_a_sentence_and_the_next_request_succeeds(accept, services, monkeypatch):
    case = accept()
    context = case.context()
    steps.resolve_template(context)
    steps.create_connector(context)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(services.storage.filesystem, "open", full)
        with pytest.raises(StorageError):
            steps.populate_records(context)
    dataset = case.dataset()
    assert (dataset.status, dataset.error_code) == (S.FAILED, "STORAGE_ERROR")
    assert "full" in (dataset.error_message or "")
    again = accept(client_id=case.request.client_id)
    again.provision("run-0002")
    assert again.dataset().status is S.READY


def test_time_runs_forwards(accept):
    case = accept()
    before = utcnow()
    case.provision()
    dataset = case.dataset()
    assert dataset.created_at <= before <= (dataset.ready_at or before)


@pytest.mark.parametrize(
    "moment", [pytest.param(one, marks=[] if one == "indexing" else [pytest.mark.long], id=one) for one in MOMENTS]
)
def test_a_database_that_restarts_in_the_middle_of_the_work_is_waited_for(
    accept, services, database_url, monkeypatch, moment
):
    """C-86: the server is killed while a step works, and back a few tries later."""
    case = accept()
    with gate_to(database_url) as gate:
        database = Database(gate.url)
        object.__setattr__(services, "database", database)

        def lost(point: str) -> None:
            if point == moment and not gone.is_set():
                gone.set()
                gate.close()

        gone = threading.Event()
        monkeypatch.setattr("dataops_core.fault_points.reached", lost)

        def bring_back() -> None:
            gone.wait(60)
            wait_for(lambda: gate.refused >= 3, "the step has tried again and again")
            gate.open()

        back = threading.Thread(target=bring_back)
        back.start()
        try:
            if moment == "publishing":
                # All is written in a transaction that is not committed: it is lost, and the step says so.
                with pytest.raises(UnavailableError):
                    case.provision()
                assert (case.now().status, case.now().error["code"]) == (OperationStatus.FAILED, "SERVICE_UNAVAILABLE")
            else:
                case.provision()
                assert case.now().status is OperationStatus.COMPLETED
                assert case.dataset().status is S.READY
        finally:
            back.join(60)
            database.close()
    assert gone.is_set()
