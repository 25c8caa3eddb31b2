"""Records, archives and index files that nobody answers for go after the grace; what is in use stays, byte for byte."""

import shutil
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import update

from dataops_core.clock import rfc3339, utcnow
from dataops_core.lifecycle import ConnectorStatus, DatasetStatus, TokenKind
from dataops_core.provisioning import steering, steps, teardown
from dataops_core.provisioning.settlement import RunEnding, settle
from dataops_core.registry import connectors, orphans
from dataops_core.registry.tables import Connector, ConnectorToken, Dataset
from dataops_core.upkeep.orphans.model import Kind, Verdict
from tests.dataops_core.upkeep.cleaning import DAY, change

V = Verdict


def connector_of(case) -> Connector:
    with case.services.database.transaction() as session:
        return connectors.of_dataset(session, case.dataset().dataset_id)


def everything(search) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in search.services.settings.data_path.rglob("*") if path.is_file()}


def test_what_is_in_order_is_no_finding_and_is_not_touched(accept, search):
    """A ready dataset, a failed one, an archived one, one on its way; all as old as can be."""
    ready, failed, archived, busy = (accept() for _ in range(4))
    ready.provision()
    archived.provision("run-0002")
    archived.tear_down().run_teardown()
    failed.provision("run-0003")
    change(search.services, Dataset, Dataset.dataset_id == failed.dataset().dataset_id, status=DatasetStatus.FAILED)
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records):
        step(busy.context("run-0004"))
    search.old(search.services.settings.data_path, 99 * DAY)
    before = everything(search)
    assert search() == {}
    assert everything(search) == before
    assert len(before) > 10


def test_a_folder_of_no_dataset_waits_for_the_grace_and_goes(search):
    old, young = (f"datasets/{uuid4()}" for _ in range(2))
    archive, draft = f"archives/{uuid4()}", f"archives/{uuid4()}.draft"
    kept = search.put(f"{young}/try/records.parquet", age=timedelta(hours=23))
    for folder in (old, archive, draft):
        search.put(f"{folder}/deep/records.parquet")
        search.old(search.path(folder))
    due = {
        Kind.DATASET_FILES: sorted([(V.WAITING, young), (V.DUE, old)], key=lambda one: one[1]),
        Kind.ARCHIVE_FILES: sorted([(V.DUE, archive), (V.DUE, draft)], key=lambda one: one[1]),
    }
    assert search(dry_run=True) == due
    assert search(dry_run=True) == due
    done = search()
    assert (V.DONE, old) in done[Kind.DATASET_FILES]
    assert {verdict for verdict, _ in done[Kind.ARCHIVE_FILES]} == {V.DONE}
    assert kept.exists()
    assert not any(search.path(folder).exists() for folder in (old, archive, draft))
    assert search() == {Kind.DATASET_FILES: [(V.WAITING, young)]}
    search.setting(orphan_grace_hours=0)
    assert search() == {Kind.DATASET_FILES: [(V.DONE, young)]}
    assert search() == {}


def test_one_young_file_deep_inside_makes_the_whole_folder_young(search):
    folder = f"datasets/{uuid4()}"
    search.put(f"{folder}/a/old")
    search.old(search.path(folder))
    search.put(f"{folder}/b/young", age=timedelta(minutes=1))
    assert search() == {Kind.DATASET_FILES: [(V.WAITING, folder)]}


def test_what_is_not_ours_by_its_name_is_only_told_of(search):
    notes = search.put("datasets/notes.d/file", age=99 * DAY)
    search.put(f"archives/{str(uuid4()).upper()}/file", age=99 * DAY)
    assert [one for one, _ in search()[Kind.STRANGE_NAME]] == [V.REPORTED, V.REPORTED]
    assert notes.exists()


def test_of_a_dataset_that_lives_a_try_goes_that_nothing_can_go_on_with(ready, search):
    served = search.services.storage.path(ready.dataset().records_path)
    left = f"datasets/{ready.dataset().dataset_id}/killed-1"
    search.put(f"{left}/records.parquet")
    search.old(Path(served), 99 * DAY)
    assert search() == {Kind.DATASET_FILES: [(V.DONE, left)]}
    assert Path(served).is_dir()


def test_the_records_of_a_failed_try_stay_for_its_retry(accept, search):
    """C-84, C-87."""
    case = accept()
    for step in (steps.resolve_template, steps.create_connector, steps.populate_records):
        step(case.context())
    with search.services.database.transaction() as session:
        settle(session, case.operation.operation_id, RunEnding.LOST, run_id="run-0001")
    search.old(search.services.settings.data_path, 99 * DAY)
    assert search() == {}
    with search.services.database.transaction() as session:
        steering.retry(session, case.operation.operation_id)
    case.provision("run-0002")
    assert case.dataset().status is DatasetStatus.READY


def test_what_an_operation_has_in_hand_is_left_alone_however_old(archived, accept, search):
    """A teardown half done, a restore half done, and a failed teardown that somebody will go on with."""
    half, failed = accept(), accept()
    half.provision("run-0002")
    down = half.tear_down()
    teardown.disconnect_connector(down.context("run-down-2"))
    failed.provision("run-0003")
    down = failed.tear_down()
    teardown.disconnect_connector(down.context("run-down-3"))
    with search.services.database.transaction() as session:
        settle(session, down.operation.operation_id, RunEnding.LOST, run_id="run-down-3")
    back = archived.restore()
    search.put(f"datasets/{archived.dataset().dataset_id}/being-written/records.parquet")
    search.put(f"archives/{half.dataset().dataset_id}.draft/records.parquet")
    search.old(search.services.settings.data_path, 99 * DAY)
    before = everything(search)
    assert search() == {Kind.TEARDOWN_FAILED: [(V.WAITING, str(failed.dataset().dataset_id))]}
    assert everything(search) == before
    back.run_restore()
    assert archived.dataset().status is DatasetStatus.READY


def test_of_an_archived_dataset_the_archive_stays_and_remains_go(archived, search):
    dataset_id = archived.dataset().dataset_id
    search.put(f"datasets/{dataset_id}/remains/records.parquet")
    search.old(search.path(f"datasets/{dataset_id}"))
    search.old(search.path(f"archives/{dataset_id}"), 999 * DAY)
    assert search() == {Kind.DATASET_FILES: [(V.DONE, f"datasets/{dataset_id}")]}
    archived.restore().run_restore()
    assert archived.dataset().status is DatasetStatus.READY


def test_an_archive_that_the_registry_has_given_up_goes(archived, search):
    """What a clean-up could not remove."""
    row = archived.dataset()
    change(search.services, Dataset, Dataset.dataset_id == row.dataset_id, archive_path=None)
    search.old(search.path(row.archive_path))
    assert search() == {Kind.ARCHIVE_FILES: [(V.DONE, row.archive_path)]}
    assert not search.path(row.archive_path).exists()


def test_a_restore_that_begins_after_the_look_keeps_its_files(archived, search, monkeypatch):
    """Looked at again under the dataset's lock."""
    dataset_id = archived.dataset().dataset_id
    search.put(f"datasets/{dataset_id}/remains/records.parquet")
    search.old(search.path(f"datasets/{dataset_id}"))
    real, begun = orphans.hold_idle, []

    def begin_first(session, wanted):
        if not begun:
            begun.append(archived.restore())
        return real(session, wanted)

    monkeypatch.setattr(orphans, "hold_idle", begin_first)
    assert search() == {Kind.DATASET_FILES: [(V.LEFT, f"datasets/{dataset_id}")]}
    assert search.path(f"datasets/{dataset_id}/remains").is_dir()
    begun[0].run_restore()
    assert archived.dataset().status is DatasetStatus.READY


def test_two_searches_at_once_do_it_once_and_neither_fails(search):
    folders = [f"datasets/{uuid4()}" for _ in range(40)]
    for folder in folders:
        search.put(f"{folder}/try/records.parquet")
        search.old(search.path(folder))
    found = search.twice_at_once()
    assert {verdict for one in found for verdict, _ in one.get(Kind.DATASET_FILES, [])} <= {V.DONE, V.WAITING}
    assert not any(search.path(folder).exists() for folder in folders)


def test_files_that_cannot_go_now_are_told_of_and_hold_up_nothing(search, monkeypatch):
    first, second = sorted(f"datasets/{uuid4()}" for _ in range(2))
    for folder in (first, second):
        search.put(f"{folder}/records.parquet")
    filesystem = search.services.storage.filesystem
    real = filesystem.rm

    def refuse(path, *args, **options):
        if path.endswith(first):
            raise OSError(30, "Read-only file system")
        return real(path, *args, **options)

    monkeypatch.setattr(filesystem, "rm", refuse)
    assert search() == {Kind.DATASET_FILES: [(V.FAILED, first), (V.DONE, second)]}


@pytest.mark.parametrize("lost", ["the folder", "records.parquet", "manifest.json"])
def test_records_and_archives_that_are_not_there_are_told_of(ready, accept, search, lost):
    """The file that counts as well: a folder without it is no dataset and no archive."""
    gone = accept()
    gone.provision("run-0002")
    gone.tear_down().run_teardown()
    archive = search.path(gone.dataset().archive_path)
    if lost == "the folder":
        shutil.rmtree(ready.folder())
        shutil.rmtree(archive)
    else:
        (Path(ready.folder()) / "records.parquet").unlink()
        (archive / lost).unlink()
    assert search() == {
        Kind.RECORDS_MISSING: [(V.REPORTED, str(ready.dataset().dataset_id))],
        Kind.ARCHIVE_MISSING: [(V.REPORTED, str(gone.dataset().dataset_id))],
    }


# --- connectors -------------------------------------------------------------------------------------------------------


def index_folder(search, connector_id) -> Path:
    return search.services.settings.data_path / "connectors" / str(connector_id)


def test_index_files_of_no_connector_and_of_one_that_is_disconnected_go(archived, search):
    strange, gone = uuid4(), connector_of(archived).connector_id
    for one in (strange, gone):
        search.put(f"connectors/{one}/left.db")
    search.put(f"connectors/{uuid4()}/young.db", age=timedelta(minutes=5))
    found = search()[Kind.INDEX_FILES]
    assert sorted(verdict for verdict, _ in found) == [V.DONE, V.DONE, V.WAITING]
    assert not index_folder(search, strange).exists()
    assert not index_folder(search, gone).exists()


def test_files_beside_the_index_that_is_served_go_and_the_index_stays(ready, search):
    folder = index_folder(search, connector_of(ready).connector_id)
    served = {path: path.read_bytes() for path in folder.iterdir()}
    assert served
    for name in ("crashed.tmp", "crashed.tmp-journal", "older.db"):
        (folder / name).write_text("left")
    search.old(folder)
    assert search() == {Kind.INDEX_FILES: [(V.DONE, f"connectors/{folder.name}")]}
    assert {path: path.read_bytes() for path in folder.iterdir()} == served


def test_while_somebody_writes_the_index_nothing_is_removed(search):
    connector_id = uuid4()
    left = search.put(f"connectors/{connector_id}/left.db")
    with search.services.database.transaction() as session:
        connectors.lock(session, connector_id)
        assert search() == {Kind.INDEX_FILES: [(V.LEFT, f"connectors/{connector_id}")]}
        assert left.exists()
    assert search() == {Kind.INDEX_FILES: [(V.DONE, f"connectors/{connector_id}")]}


def test_an_index_that_is_not_there_is_told_of(ready, search):
    connector_id = connector_of(ready).connector_id
    shutil.rmtree(index_folder(search, connector_id))
    assert search() == {Kind.INDEX_MISSING: [(V.REPORTED, str(connector_id))]}


def test_what_a_teardown_under_way_has_removed_is_not_told_of(ready, search):
    connector_id = connector_of(ready).connector_id
    ready.tear_down()
    shutil.rmtree(index_folder(search, connector_id))
    assert search() == {}


def test_what_is_torn_down_while_the_search_goes_on_is_not_told_of(ready, accept, search, monkeypatch):
    """The page was read before, and the files are gone since."""
    other = accept()
    other.provision("run-0002")
    real = orphans.serving, orphans.resting_datasets

    def then_torn_down(ask, case, run_id):
        def asked(session, **which):
            found = ask(session, **which)
            if which.get("one") is None:
                case.tear_down().run_teardown(run_id)
            return found

        return asked

    monkeypatch.setattr(orphans, "resting_datasets", then_torn_down(real[1], ready, "run-down-1"))
    monkeypatch.setattr(orphans, "serving", then_torn_down(real[0], other, "run-down-2"))
    assert search().keys() <= {Kind.PARTITION}
    assert (ready.dataset().status, other.dataset().status) == (DatasetStatus.ARCHIVED, DatasetStatus.ARCHIVED)


def begin_upload(search, case, *, age) -> Path:
    """An upload of which the first page came so long ago."""
    connector_id = connector_of(case).connector_id
    began = utcnow() - age
    upload = {"upload_id": "mine", "attempt": "1", "started_at": rfc3339(began), "pages": 1, "documents": 5}
    with search.services.database.transaction() as session:
        connectors.set_upload(session, connector_id, upload)
    return search.put(f"connectors/{connector_id}/mine.tmp", age=age)


def test_an_upload_that_was_never_finished_is_dropped_and_what_is_served_stays(ready, search):
    before = connector_of(ready)
    spool = begin_upload(search, ready, age=timedelta(hours=23))
    assert search() == {Kind.UPLOAD_OPEN: [(V.WAITING, str(before.connector_id))]}
    spool = begin_upload(search, ready, age=timedelta(hours=25))
    assert search(dry_run=True) == {Kind.UPLOAD_OPEN: [(V.DUE, str(before.connector_id))]}
    assert spool.exists()
    assert search() == {Kind.UPLOAD_OPEN: [(V.DONE, str(before.connector_id))]}
    after = connector_of(ready)
    assert (after.upload, after.generation, after.status) == (None, before.generation, ConnectorStatus.HEALTHY)
    assert not spool.exists()
    assert search() == {}


def test_an_upload_of_an_operation_under_way_is_left_alone(accept, search):
    case = accept()
    for step in (steps.resolve_template, steps.create_connector):
        step(case.context())
    spool = begin_upload(search, case, age=99 * DAY)
    assert search() == {}
    assert spool.exists()


def test_a_connector_whose_dataset_is_gone_or_archived_is_disconnected(ready, accept, search):
    """Its index goes with it, and its tokens."""
    archived = accept()
    archived.provision("run-0002")
    for case, values in ((ready, None), (archived, {"status": DatasetStatus.ARCHIVED, "archived_at": utcnow() - DAY})):
        connector = connector_of(case)
        with search.services.database.transaction() as session:
            connectors.issue_token(
                session,
                search.services.keyring,
                connector_id=connector.connector_id,
                kind=TokenKind.SEARCH,
                lifetime=DAY,
                now=utcnow(),
            )
            row = session.get_one(Dataset, case.dataset().dataset_id)
            if values is None:
                session.delete(row)
            else:
                for name, value in values.items():
                    setattr(row, name, value)
        change(search.services, Connector, Connector.connector_id == connector.connector_id, created_at=utcnow() - DAY)
    found = search()
    assert [verdict for verdict, _ in found[Kind.CONNECTOR]] == [V.DONE, V.DONE]
    with search.services.database.transaction() as session:
        assert {row.status for row in session.query(Connector)} == {ConnectorStatus.DISCONNECTED}
        assert all(row.revoked_at is not None for row in session.query(ConnectorToken))
        ids = [row.connector_id for row in session.query(Connector)]
    assert not any(index_folder(search, one).exists() for one in ids)
    assert Kind.CONNECTOR not in search()


def test_a_connector_whose_service_is_away_is_tried_again(ready, search):
    with search.services.database.transaction() as session:
        session.delete(session.get_one(Dataset, ready.dataset().dataset_id))
    with search.services.database.transaction() as session:
        session.execute(update(Connector).values(created_at=utcnow() - 2 * DAY))
        subject = str(session.query(Connector).one().connector_id)
    down = "http://127.0.0.1:9/connectors"
    real = search.services.connector
    away = type(real)(down, search.services.keyring, pause=lambda _seconds: None)
    object.__setattr__(search.services, "connector", away)
    assert (V.FAILED, subject) in search()[Kind.CONNECTOR]
    away.close()
    object.__setattr__(search.services, "connector", real)
    assert (V.DONE, subject) in search()[Kind.CONNECTOR]


def test_tokens_of_a_connector_that_is_disconnected_are_revoked_at_once(archived, search):
    connector_id = connector_of(archived).connector_id
    with search.services.database.transaction() as session:
        session.add(
            ConnectorToken(
                token_id=uuid4(),
                connector_id=connector_id,
                kind=TokenKind.SEARCH,
                token_hash="h" * 64,
                created_at=utcnow(),
                expires_at=utcnow() + DAY,
            )
        )
    assert search(dry_run=True) == {Kind.TOKENS: [(V.DUE, str(connector_id))]}
    assert search() == {Kind.TOKENS: [(V.DONE, str(connector_id))]}
    assert search() == {}
