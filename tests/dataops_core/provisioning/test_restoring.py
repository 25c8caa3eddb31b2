"""An archived dataset restored by its steps: real registry, real files, a real connector service over HTTP (C-54)."""

import json
import shutil
import threading
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from dataops_core.company.build import build_company
from dataops_core.errors import CheckInconclusiveError, ConflictError, DataOpsError, StaleRunError, StorageError
from dataops_core.ground_truth import keeping
from dataops_core.lifecycle import (
    CheckType,
    ConnectorStatus,
    DatasetStatus,
    OperationStatus,
    OperationType,
    Outcome,
    TeardownReason,
    TokenKind,
)
from dataops_core.provisioning import proving, restoring, steering, steps
from dataops_core.provisioning.requests import accept_teardown
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.quality.model import CheckResult
from dataops_core.registry import connectors, datasets, operations, quality
from dataops_core.registry.tables import Dataset
from dataops_core.storage import GROUND_TRUTH_FILE, MANIFEST_FILE, QUERIES_FILE, RECORDS_FILE

S = DatasetStatus


def archive_of(case) -> Path:
    return Path(case.services.storage.path(case.services.storage.archive_folder(case.dataset().dataset_id)))


def connector_of(case):
    with case.services.database.transaction() as session:
        return connectors.of_dataset(session, case.dataset().dataset_id)


def nothing_is_left(case, before) -> None:
    """The dataset is archived as it was, and nothing of the restore is on disk or answers."""
    dataset = case.dataset()
    assert (dataset.status, dataset.archived_at) == (S.ARCHIVED, before.archived_at)
    assert (dataset.archive_path, dataset.records_path) == (before.archive_path, None)
    storage = case.services.storage
    assert storage.tries_of(dataset.dataset_id) == []
    connector = connector_of(case)
    assert connector.status is ConnectorStatus.DISCONNECTED
    assert not (case.services.settings.data_path / "connectors" / str(connector.connector_id)).exists()


def test_the_archived_bytes_are_the_datasets_again(archived, services):
    """C-54: the same id, a new connector, new verdicts; the archive stays."""
    before, old = archived.dataset(), connector_of(archived)
    back = archived.restore()
    during = archived.dataset()
    assert (during.status, during.archived_at) == (S.PROVISIONING, before.archived_at)
    assert (back.now().operation_type, back.now().total_steps) == (OperationType.RESTORE, 4)
    seen = []
    context = back.context("run-back")
    for step in (restoring.restore_records, restoring.create_connector, restoring.validate_quality):
        step(context)
        seen.append((back.now().current_step, archived.dataset().status))
    assert seen == [(2, S.PROVISIONING), (3, S.VALIDATING), (4, S.VALIDATING)]
    restoring.publish_dataset(context)
    after, new = archived.dataset(), connector_of(archived)
    assert (after.status, after.archived_at, after.dataset_id) == (S.READY, None, before.dataset_id)
    assert (after.records_sha256, after.record_count, after.size_bytes) == (
        before.records_sha256,
        before.record_count,
        before.size_bytes,
    )
    assert after.ready_at > before.ready_at
    assert (archived.folder() / RECORDS_FILE).read_bytes() == (archive_of(archived) / RECORDS_FILE).read_bytes()
    assert (back.now().status, back.now().current_step) == (OperationStatus.COMPLETED, 4)
    assert new.connector_id != old.connector_id
    assert (new.status, new.document_count) == (ConnectorStatus.HEALTHY, 60)
    with services.database.transaction() as session:
        made = quality.of_operation(session, dataset_id=after.dataset_id, operation_id=back.operation.operation_id)
    assert set(made) == set(CheckType)
    known = services.keyring.service_token(old.connector_id, TokenKind.SEARCH)
    gone = httpx.get(
        f"{services.settings.connector_url}/{old.connector_id}", headers={"Authorization": f"Bearer {known}"}
    )
    assert gone.status_code == 410


def test_a_later_teardown_archives_what_was_ready_then(archived):
    """C-53, C-54: with the newest verdicts, and a manifest of its own."""
    first = json.loads((archive_of(archived) / MANIFEST_FILE).read_text())
    archived.restore().run_restore()
    archived.tear_down().run_teardown("run-down-again")
    manifest = json.loads((archive_of(archived) / MANIFEST_FILE).read_text())
    assert manifest["operation_id"] != first["operation_id"]
    assert manifest["files"][RECORDS_FILE] == first["files"][RECORDS_FILE]
    assert len(json.loads((archive_of(archived) / "quality.json").read_text())) == 8
    archived.restore().run_restore("run-back-again")
    assert archived.dataset().status is S.READY


def test_what_is_not_archived_cannot_be_restored(accept):
    """C-54."""
    case = accept()
    with pytest.raises(ConflictError, match="not archived: it is provisioning"):
        case.restore()
    case.provision()
    with pytest.raises(ConflictError, match="not archived: it is ready") as refused:
        case.restore()
    assert refused.value.details == {"dataset_id": str(case.dataset().dataset_id), "status": "ready"}


def test_without_an_archive_there_is_nothing_to_restore(accept):
    """C-54: a failed dataset that was replaced has none."""
    failed = accept()
    steering_cancel(failed)
    accept(client_id=failed.request.client_id)
    assert failed.dataset().status is S.ARCHIVED
    with pytest.raises(ConflictError, match="No archive of the dataset is kept"):
        failed.restore()


def steering_cancel(case) -> None:
    with case.services.database.transaction() as session:
        steering.cancel(session, case.operation.operation_id)


def test_another_dataset_in_its_place_conflicts(archived, accept):
    """C-54, C-44."""
    other = accept(client_id=archived.request.client_id)
    with pytest.raises(ConflictError, match="is taken since") as refused:
        archived.restore()
    assert refused.value.details["existing_dataset_id"] == str(other.dataset().dataset_id)
    assert archived.dataset().status is S.ARCHIVED
    assert archived.dataset().operation_id != archived.operation.operation_id


def test_a_failed_dataset_in_its_place_is_replaced_and_its_remains_removed(archived, accept, services):
    """C-44, C-54."""
    other = accept(client_id=archived.request.client_id)
    context = other.context("run-other")
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records):
        step(context)
    steering_cancel(other)
    assert services.storage.tries_of(other.dataset().dataset_id)
    archived.restore().run_restore()
    assert archived.dataset().status is S.READY
    assert (other.dataset().status, other.dataset().has_remains) == (S.ARCHIVED, False)
    assert services.storage.tries_of(other.dataset().dataset_id) == []
    with services.database.transaction() as session, pytest.raises(ConflictError, match="is archived since"):
        steering.retry(session, other.operation.operation_id)


def test_a_restore_under_way_and_a_purge_keep_others_off(archived):
    """C-37, C-54."""
    back = archived.restore()
    with pytest.raises(ConflictError, match="it is provisioning") as refused:
        archived.restore()
    assert refused.value.details["operation_id"] == str(back.operation.operation_id)
    steering_cancel(back)
    purge = archived.tear_down(archive=False)
    with pytest.raises(ConflictError, match="Another operation works on the dataset") as refused:
        archived.restore()
    assert refused.value.details["operation_id"] == str(purge.operation.operation_id)


def test_a_restore_and_a_request_for_the_same_place_at_once_leave_one_of_them(archived, accept):
    """C-44, C-54."""
    barrier, won, lost = threading.Barrier(2), [], []

    def race(name, work):
        barrier.wait()
        try:
            work()
            won.append(name)
        except ConflictError:
            lost.append(name)

    threads = [
        threading.Thread(target=race, args=("restore", archived.restore)),
        threading.Thread(target=race, args=("new", lambda: accept(client_id=archived.request.client_id))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 1)
    assert archived.dataset().status is (S.PROVISIONING if won == ["restore"] else S.ARCHIVED)


def bite(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"bitten off")


def lose(folder: Path, name: str) -> None:
    (folder / name).unlink()


def test_the_ground_truth_comes_back_as_it_was_archived(archived):
    """C-57: the very bytes, and those that would be made again from the records."""
    content = (archive_of(archived) / GROUND_TRUTH_FILE).read_bytes()
    archived.restore().run_restore()
    assert (archived.folder() / GROUND_TRUTH_FILE).read_bytes() == content
    services, dataset = archived.services, archived.dataset()
    company = build_company(dataset.client_id)
    assert keeping.make(services.storage, dataset.records_path, dataset.dataset_type, company, dataset.seed) == content


def test_an_archive_of_an_earlier_release_is_restored_without_ground_truth(archived):
    """C-54: what it lacks is made when it is asked for."""
    archive = archive_of(archived)
    (archive / GROUND_TRUTH_FILE).unlink()
    manifest = json.loads((archive / MANIFEST_FILE).read_text())
    del manifest["files"][GROUND_TRUTH_FILE]
    (archive / MANIFEST_FILE).write_text(json.dumps(manifest))
    archived.restore().run_restore()
    assert archived.dataset().status is S.READY
    assert not (archived.folder() / GROUND_TRUTH_FILE).exists()


def test_damaged_records_are_archived_without_ground_truth(ready):
    """C-53: for these they are torn down, perhaps."""
    (ready.folder() / RECORDS_FILE).write_bytes(b"bitten off")
    ready.tear_down().run_teardown()
    assert ready.dataset().status is S.ARCHIVED
    manifest = json.loads((archive_of(ready) / MANIFEST_FILE).read_text())
    assert GROUND_TRUTH_FILE not in manifest["files"]


@pytest.mark.parametrize("name", [RECORDS_FILE, QUERIES_FILE, GROUND_TRUTH_FILE, MANIFEST_FILE, "quality.json"])
@pytest.mark.parametrize("damage", [bite, lose])
def test_a_damaged_archive_fails_with_the_name_of_the_file(archived, name, damage):
    """C-54."""
    before = archived.dataset()
    damage(archive_of(archived), name)
    back = archived.restore()
    with pytest.raises(StorageError, match=name):
        restoring.restore_records(back.context("run-back"))
    operation = back.now()
    assert (operation.status, operation.error["code"]) == (OperationStatus.FAILED, "STORAGE_ERROR")
    assert name in operation.error["message"]
    dataset = archived.dataset()
    assert (dataset.status, dataset.archived_at, dataset.has_remains) == (S.ARCHIVED, before.archived_at, False)


def test_the_archive_of_another_dataset_is_not_taken(archived, accept):
    """C-54: whole in itself, but not what was archived of this one."""
    other = accept()
    other.provision("run-other")
    other.tear_down().run_teardown("run-other-down")
    shutil.rmtree(archive_of(archived))
    shutil.copytree(archive_of(other), archive_of(archived))
    back = archived.restore()
    with pytest.raises(StorageError, match=MANIFEST_FILE):
        restoring.restore_records(back.context("run-back"))


def test_a_restore_that_fails_leaves_nothing_and_can_be_retried(archived, services, monkeypatch):
    """C-54, C-84."""
    before = archived.dataset()
    back = archived.restore()

    def away(*_: object, **__: object) -> CheckResult:
        raise CheckInconclusiveError("The connector did not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(proving, "run_check", away)
        with pytest.raises(CheckInconclusiveError):
            back.run_restore()
    # The run ends without the steps that would have settled it: its end does.
    with services.database.transaction() as session:
        settle(session, back.operation.operation_id, RunEnding.FAILURE, run_id="run-back")
    nothing_is_left(archived, before)
    assert back.now().status is OperationStatus.FAILED
    with services.database.transaction() as session:
        steering.retry(session, back.operation.operation_id)
    again = archived.dataset()
    assert (again.status, again.archived_at) == (S.PROVISIONING, before.archived_at)
    back.run_restore("run-back-2")
    assert (archived.dataset().status, back.now().attempt) == (S.READY, 2)
    assert connector_of(archived).status is ConnectorStatus.HEALTHY


def test_a_check_that_fails_archives_the_dataset_again(archived, services):
    """C-54: all four speak first."""
    before = archived.dataset()
    back = archived.restore()
    context = back.context("run-back")
    restoring.restore_records(context)
    restoring.create_connector(context)
    (index,) = (services.settings.data_path / "connectors" / str(connector_of(archived).connector_id)).glob("*.db")
    index.unlink()
    with pytest.raises(DataOpsError, match="connector_health"):
        restoring.validate_quality(context)
    assert back.now().error["code"] in {"QUALITY_CHECK_FAILED", "CHECK_ERROR"}
    nothing_is_left(archived, before)
    with pytest.raises(StaleRunError):
        restoring.publish_dataset(context)


def test_a_cancelled_restore_is_archived_at_once_and_its_run_clears_up(archived, services):
    """C-84, C-54."""
    before = archived.dataset()
    back = archived.restore()
    context = back.context("run-back")
    restoring.restore_records(context)
    steering_cancel(back)
    dataset = archived.dataset()
    assert (dataset.status, dataset.archived_at) == (S.ARCHIVED, before.archived_at)
    with services.database.transaction() as session:
        (part,) = operations.parts_of(session, back.operation.operation_id)
    assert part.outcome is Outcome.CANCELLED
    with pytest.raises(StaleRunError):
        restoring.create_connector(context)
    archived.restore().run_restore("run-back-2")
    assert archived.dataset().status is S.READY
    assert len(services.storage.tries_of(before.dataset_id)) == 1


@pytest.mark.parametrize("way", ["next try", "replacement", "purge"])
def test_what_a_killed_restore_left_is_removed_by_whatever_comes_next(archived, accept, services, way):
    """C-54, C-84: files and index of a run that could not clear up."""
    dataset_id = archived.dataset().dataset_id
    back = archived.restore()
    context = back.context("run-back")
    restoring.restore_records(context)
    restoring.create_connector(context)
    left = services.storage.tries_of(dataset_id)
    index = services.settings.data_path / "connectors" / str(connector_of(archived).connector_id)
    with services.database.transaction() as session:
        settle(session, back.operation.operation_id, RunEnding.LOST, run_id="run-back")
    assert archived.dataset().status is S.ARCHIVED
    assert connector_of(archived).status is ConnectorStatus.DISCONNECTED
    assert left
    assert index.is_dir()
    if way == "next try":
        archived.restore().run_restore("run-2")
    elif way == "replacement":
        accept(client_id=archived.request.client_id).provision("run-2")
        assert archived.dataset().archive_path is not None
    else:
        archived.tear_down(archive=False).run_teardown("run-2")
    assert not index.exists()
    assert set(left) & set(services.storage.tries_of(dataset_id)) == set()


@pytest.mark.parametrize("archive", [True, False])
def test_a_teardown_takes_the_dataset_out_of_its_restore(archived, services, archive):
    """C-37, C-54."""
    dataset_id = archived.dataset().dataset_id
    back = archived.restore()
    context = back.context("run-back")
    restoring.restore_records(context)
    restoring.create_connector(context)
    down = archived.tear_down(archive=archive)
    assert back.now().status is OperationStatus.CANCELLED
    with pytest.raises(StaleRunError):
        restoring.validate_quality(context)
    down.run_teardown("run-down-2")
    assert services.storage.tries_of(dataset_id) == []
    with services.database.transaction() as session:
        dataset = session.get(Dataset, dataset_id)
    if archive:
        assert dataset.status is S.ARCHIVED
        archived.restore().run_restore("run-back-2")
        assert archived.dataset().status is S.READY
    else:
        assert dataset is None
        assert not services.storage.exists(f"archives/{dataset_id}")


def test_a_teardown_of_the_same_attempt_again_keeps_the_archive_that_it_made(ready, services):
    """C-53: the records may be half gone by then."""
    down = ready.tear_down()
    for step in ("disconnect_connector", "archive_records"):
        getattr(__import__("dataops_core.provisioning.teardown", fromlist=[step]), step)(down.context("run-down"))
    (ready.folder() / RECORDS_FILE).unlink()
    with services.database.transaction() as session:
        settle(session, down.operation.operation_id, RunEnding.LOST, run_id="run-down")
        accept_teardown(session, ready.dataset().dataset_id, reason=TeardownReason.MANUAL, archive=True)
    down.run_teardown("run-down-2")
    assert ready.dataset().status is S.ARCHIVED
    ready.restore().run_restore()
    assert ready.dataset().status is S.READY


def test_an_archive_that_is_gone_from_the_registry_ends_the_retry(archived, services):
    """C-84."""
    back = archived.restore()
    steering_cancel(back)
    with services.database.transaction() as session:
        session.execute(update(Dataset).values(archive_path=None))
    with services.database.transaction() as session, pytest.raises(ConflictError, match="No archive"):
        steering.retry(session, back.operation.operation_id)


def test_no_dataset_of_that_id_is_not_found(services):
    """C-36, C-54."""
    with services.database.transaction() as session, pytest.raises(DataOpsError, match="Dataset not found"):
        restoring.accept_restore(session, uuid4())
    with services.database.transaction() as session:
        assert datasets.newest_of_customer(session, uuid4()) is None
