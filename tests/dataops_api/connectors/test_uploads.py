"""The life of an upload, and every point at which it may be cut off (C-90)."""

import sqlite3
import threading
from contextlib import closing
from uuid import uuid4

import httpx
import pytest

from dataops_core.connectors.embedded import index
from dataops_core.connectors.protocol import Manifest
from dataops_core.errors import StorageError
from dataops_core.lifecycle import ConnectorStatus
from dataops_core.registry import connectors as registry
from tests.waiting import wait_for

BULK = "/api/index/v1/bulkindexdocuments"


def code(response):
    return response.status_code, response.json().get("code")


def row(live_service, connector):
    with live_service.database.transaction() as session:
        return registry.require(session, connector.connector_id)


def test_nothing_is_served_before_the_last_page(connector, live_service):
    assert connector.post(BULK, connector.page("u", range(10), isFirstPage=True)).status_code == 200
    assert connector.post(BULK, connector.page("u", range(10, 20))).status_code == 200
    assert connector.get().json()["state"] == "empty"
    assert connector.hits("ledger") == []
    assert connector.post(BULK, connector.page("u", range(20, 25), isLastPage=True)).status_code == 200
    described = connector.get().json()
    assert (described["state"], described["generation"], described["document_count"]) == ("serving", "u", 25)
    stored = row(live_service, connector)
    assert (stored.generation, stored.document_count, stored.upload) == ("u", 25, None)
    assert stored.id_digest == described["id_digest"] == Manifest.of(f"doc-{n}" for n in range(25)).id_digest
    assert stored.index_bytes == described["index_bytes"] > 0
    assert live_service.files(connector.connector_id) == ["u.db"]


def test_a_new_upload_replaces_everything_and_the_old_file_goes(connector, live_service):
    connector.upload("first", range(10))
    connector.upload("second", range(5, 15), disableStaleDocumentDeletionCheck=True)
    assert connector.hits("marker1") == []
    assert len(connector.hits("marker12")) == 1
    assert live_service.files(connector.connector_id) == ["second.db"]


def test_an_upload_repeated_changes_nothing(connector, live_service):
    connector.upload("u", range(10))
    before = (live_service.folder(connector.connector_id) / "u.db").stat().st_mtime_ns
    assert connector.upload("u", range(10)).status_code == 200
    assert connector.post(BULK, connector.page("u", range(3), isFirstPage=True)).status_code == 200
    assert connector.post(BULK, connector.page("u", range(3))).status_code == 200
    assert row(live_service, connector).upload is None
    assert (live_service.folder(connector.connector_id) / "u.db").stat().st_mtime_ns == before
    assert connector.count() == 10


@pytest.mark.parametrize("fault", ["missing", "damaged", "documents lost"])
def test_an_upload_repeated_repairs_an_index_that_is_not_whole(connector, live_service, fault):
    connector.upload("u", range(10))
    path = live_service.folder(connector.connector_id) / "u.db"
    match fault:
        case "missing":
            path.unlink()
        case "damaged":
            path.write_bytes(b"\0" * 10_000)
        case _:
            path.unlink()
            index.create(path, upload_id="u", started_at="")
    assert connector.count() == 0
    assert connector.upload("u", range(10)).status_code == 200
    assert connector.count() == 10
    assert len(connector.hits("marker4")) == 1


def test_a_forced_restart_builds_the_served_upload_anew(connector):
    connector.upload("u", range(10))
    assert connector.upload("u", range(4), forceRestartUpload=True, disableStaleDocumentDeletionCheck=True).is_success
    assert connector.count() == 4


def test_a_second_upload_is_refused_while_one_is_under_way(connector):
    connector.post(BULK, connector.page("a", range(5), isFirstPage=True))
    assert code(connector.post(BULK, connector.page("b", range(5), isFirstPage=True))) == (409, "conflict")
    assert code(connector.post(BULK, connector.page("b", range(5), isLastPage=True))) == (409, "conflict")
    assert code(connector.post(BULK, connector.page("a", range(5), isFirstPage=True))) == (409, "conflict")
    assert connector.post(BULK, connector.page("a", range(5, 9), isLastPage=True)).status_code == 200
    assert connector.count() == 9


def test_a_forced_restart_drops_the_other_upload(connector, live_service):
    connector.post(BULK, connector.page("a", range(5), isFirstPage=True))
    restarted = connector.page("b", range(3), isFirstPage=True, forceRestartUpload=True)
    assert connector.post(BULK, restarted).status_code == 200
    assert live_service.files(connector.connector_id) == ["b.tmp"]
    assert code(connector.post(BULK, connector.page("a", range(5, 9), isLastPage=True))) == (409, "conflict")
    assert connector.post(BULK, connector.page("b", range(3, 4), isLastPage=True)).status_code == 200
    assert connector.count() == 4


def test_a_page_of_no_upload_is_refused(connector):
    assert code(connector.post(BULK, connector.page("u", range(5)))) == (400, "invalid_parameter")
    assert code(connector.post(BULK, connector.page("u", range(5), isLastPage=True))) == (400, "invalid_parameter")


@pytest.mark.parametrize(
    ("flags", "pointer"),
    [
        ({"forceRestartUpload": True}, "/forceRestartUpload"),
        ({"isFirstPage": True, "disableStaleDocumentDeletionCheck": True}, "/disableStaleDocumentDeletionCheck"),
    ],
)
def test_flags_are_for_their_page_only(connector, flags, pointer):
    response = connector.post(BULK, connector.page("u", range(5), **flags))
    assert code(response) == (400, "invalid_parameter")
    assert response.json()["errors"][0]["pointer"] == pointer


def test_pages_sent_at_once_are_all_taken(connector):
    connector.post(BULK, connector.page("u", range(0), isFirstPage=True))
    answers = []

    def send(start):
        answers.append(connector.post(BULK, connector.page("u", range(start, start + 20))).status_code)

    threads = [threading.Thread(target=send, args=(start,)) for start in range(0, 100, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connector.post(BULK, connector.page("u", range(0), isLastPage=True))
    assert answers == [200] * 5
    assert connector.count() == 100


def indexed(live_service, connector, upload_id):
    """How many documents of an upload under way the full text has."""
    path = live_service.folder(connector.connector_id) / f"{upload_id}.tmp"
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM fts_docsize").fetchone()[0]


def test_pages_are_indexed_while_the_next_is_on_its_way(connector, live_service):
    connector.post(BULK, connector.page("u", range(10), isFirstPage=True))
    wait_for(lambda: indexed(live_service, connector, "u") == 10, "the first page is indexed")
    connector.post(BULK, connector.page("u", range(10, 20)))
    wait_for(lambda: indexed(live_service, connector, "u") == 20, "the second page is indexed")
    assert connector.hits("ledger") == []
    connector.post(BULK, connector.page("u", range(20, 25), isLastPage=True))
    assert connector.count() == 25
    assert [len(connector.hits(f"marker{number}")) for number in (1, 11, 21)] == [1, 1, 1]


@pytest.mark.parametrize(
    "error",
    [
        StorageError("The index cannot be stored: database or disk is full."),
        sqlite3.OperationalError("database is locked"),
    ],
    ids=["ours", "any other"],
)
def test_a_page_that_cannot_be_indexed_ahead_is_indexed_at_the_end(connector, monkeypatch, caplog, error):
    def fail(_path):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(index, "index_ahead", fail)
        connector.post(BULK, connector.page("u", range(10), isFirstPage=True))
        wait_for(lambda: "is indexed at its end" in caplog.text, "it was tried")
    assert connector.post(BULK, connector.page("u", range(10, 20), isLastPage=True)).status_code == 200
    assert [len(connector.hits(f"marker{number}")) for number in (1, 11)] == [1, 1]


# --- cut off ----------------------------------------------------------------------------------------------------------


def test_an_upload_survives_a_restart_of_the_service(connector, live_service):
    connector.upload("old", range(3))
    connector.post(BULK, connector.page("new", range(5), isFirstPage=True))
    live_service.service.sweep()
    assert live_service.files(connector.connector_id) == ["new.tmp", "old.db"]
    assert connector.post(BULK, connector.page("new", range(5, 7), isLastPage=True)).status_code == 200
    assert connector.count() == 7


def test_pages_that_were_lost_are_noticed_and_the_old_index_is_served_on(connector, live_service):
    connector.upload("old", range(3))
    connector.post(BULK, connector.page("new", range(5), isFirstPage=True))
    (live_service.folder(connector.connector_id) / "new.tmp").unlink()
    response = connector.post(BULK, connector.page("new", range(5, 7), isLastPage=True))
    assert code(response) == (409, "conflict")
    assert "forceRestartUpload" in response.json()["detail"]
    assert connector.get().json()["generation"] == "old"
    assert connector.upload("new", range(6), forceRestartUpload=True).status_code == 200


@pytest.mark.parametrize("step", ["finish", "publish"])
def test_a_crash_around_the_last_page_leaves_the_old_index_and_the_repeated_page_ends_it(
    connector, live_service, monkeypatch, step
):
    connector.upload("old", range(3))
    connector.post(BULK, connector.page("new", range(5), isFirstPage=True))
    last = connector.page("new", range(5, 7), isLastPage=True)

    def crash(*_arguments, **_options):
        raise RuntimeError("the process dies here")

    target = (
        "dataops_core.connectors.embedded.index.finish"
        if step == "finish"
        else "dataops_core.registry.connectors.publish"
    )
    with monkeypatch.context() as patch:
        patch.setattr(target, crash)
        response = connector.post(BULK, last)
    assert code(response) == (500, "internal_error")
    assert "dies" not in response.text
    assert connector.get().json()["generation"] == "old"
    assert len(connector.hits("marker1")) == 1
    live_service.service.sweep()
    assert connector.post(BULK, last).status_code == 200
    assert (connector.get().json()["generation"], connector.count()) == ("new", 7)
    assert live_service.files(connector.connector_id) == ["new.db"]


def test_what_a_crash_left_behind_is_swept_by_the_next_upload(connector, live_service):
    connector.upload("old", range(3))
    folder = live_service.folder(connector.connector_id)
    for name in ("crashed.tmp", "crashed.tmp-journal", "unpublished.db"):
        (folder / name).write_bytes(b"left behind")
    connector.upload("new", range(3))
    assert live_service.files(connector.connector_id) == ["new.db"]


def test_the_sweep_removes_what_nothing_points_to_and_nothing_else(connector, new_connector, live_service):
    connector.upload("served", range(3))
    (live_service.folder(connector.connector_id) / "stray.db").write_bytes(b"left behind")
    orphan = live_service.folder(uuid4())
    orphan.mkdir(parents=True)
    (orphan / "u.db").write_bytes(b"left behind")
    gone = new_connector()
    live_service.folder(gone.connector_id).mkdir(parents=True)
    live_service.disconnect(gone.connector_id)
    assert live_service.service.sweep() >= 3
    assert live_service.files(connector.connector_id) == ["served.db"]
    assert not orphan.exists()
    assert not live_service.folder(gone.connector_id).exists()
    assert connector.count() == 3


@pytest.mark.parametrize("step", ["append", "finish"])
def test_a_full_disk_is_said_clearly_and_publishes_nothing(connector, live_service, monkeypatch, step):
    connector.upload("old", range(3))
    connector.post(BULK, connector.page("new", range(5), isFirstPage=True))

    def full(*_arguments, **_options):
        raise StorageError("The index cannot be stored: database or disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(f"dataops_core.connectors.embedded.index.{step}", full)
        response = connector.post(BULK, connector.page("new", range(5, 7), isLastPage=True))
    assert response.status_code == 507
    assert "disk is full" in response.json()["detail"]
    assert live_service.files(connector.connector_id) == ["old.db"], "the space is given back"
    assert connector.get().json()["generation"] == "old"
    assert connector.upload("new", range(6), forceRestartUpload=True).status_code == 200
    assert connector.count() == 6


def test_a_connector_disconnected_during_its_last_page_publishes_nothing(connector, live_service, monkeypatch):
    connector.post(BULK, connector.page("u", range(5), isFirstPage=True))
    finish = index.finish

    def finish_late(*arguments, **options):
        stats = finish(*arguments, **options)
        live_service.disconnect(connector.connector_id)
        return stats

    monkeypatch.setattr("dataops_core.connectors.embedded.index.finish", finish_late)
    response = connector.post(BULK, connector.page("u", range(5, 6), isLastPage=True))
    assert code(response) == (410, "gone")
    assert live_service.files(connector.connector_id) == []
    assert row(live_service, connector).status is ConnectorStatus.DISCONNECTED


def test_searches_go_on_while_generations_change(connector):
    connector.upload("g0", range(20))
    stop = threading.Event()
    wrong = []

    def ask():
        with httpx.Client(headers={"Authorization": f"Bearer {connector.search_token}"}, timeout=30) as client:
            while not stop.is_set():
                answer = client.post(f"{connector.url}/api/search", json={"query": "marker7"})
                if answer.status_code != 200 or len(answer.json()["results"]) != 1:
                    wrong.append(answer.text)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 12):
        assert connector.upload(f"g{number}", range(20)).status_code == 200
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_removal_takes_every_file_and_may_be_repeated(connector, live_service, adapter):
    connector.upload("u", range(3))
    connector.post(BULK, connector.page("v", range(5), isFirstPage=True))
    for _ in range(2):
        assert adapter.teardown(connector.spec) == []
        assert not live_service.folder(connector.connector_id).exists()
        assert row(live_service, connector).status is ConnectorStatus.DISCONNECTED
        assert connector.upload("w", range(3)).status_code == 410
    live_service.disconnect(connector.connector_id)
    assert adapter.teardown(connector.spec) == []


def test_an_upload_id_that_is_no_file_name_stays_inside_the_folder(connector, live_service):
    for name in ("../../escape", "a/b", ".hidden", "ä" * 300, "con\ttrol"):
        flags = {"disableStaleDocumentDeletionCheck": True}
        assert connector.upload(name, range(2), **flags).status_code == 200
        assert connector.get().json()["generation"] == name
        assert len(live_service.files(connector.connector_id)) == 1
