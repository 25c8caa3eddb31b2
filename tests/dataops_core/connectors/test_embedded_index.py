"""An index file is built aside, whole and checked, or not at all."""

import sqlite3
from contextlib import closing
from uuid import uuid4

import pytest

from dataops_core.connectors.embedded import index
from dataops_core.connectors.embedded.index import DamagedIndexError
from dataops_core.connectors.embedded.readers import Readers
from dataops_core.connectors.embedded.rows import DuplicateUrlError
from dataops_core.connectors.embedded.search import Question, search
from dataops_core.connectors.protocol import Manifest
from dataops_core.errors import StorageError

MOMENT = "2026-01-28T10:30:00Z"


@pytest.fixture
def spool(tmp_path):
    path = tmp_path / "upload.tmp"
    index.create(path, upload_id="upload", started_at=MOMENT)
    return path


def test_the_digest_is_of_the_sorted_ids_joined_by_newlines():
    # printf 'B\na\nä' | sha256sum
    assert Manifest.of(["ä", "a", "B"]).id_digest == "c4118e50a01eddbff59d6d3d49855f254f13020ab5cebeb9016799512728220a"


def test_an_index_says_what_it_holds(build, document):
    path, stats = build([document(n) for n in range(30)])
    assert stats == index.stats(path)
    assert stats.document_count == 30
    assert stats.id_digest == Manifest.of(f"id-{n:04}" for n in range(30)).id_digest
    assert stats.index_bytes == path.stat().st_size
    assert index.counts_by_type(path) == {"Page": 30}
    assert index.meta(path)["upload_id"] == "index"


def test_nothing_is_left_beside_an_index(build, document, tmp_path):
    build([document(1)])
    assert [entry.name for entry in tmp_path.iterdir()] == ["index.db"]


def test_a_page_sent_twice_counts_once(spool, document):
    assert index.append(spool, [document(1), document(2)]) == 2
    assert index.append(spool, [document(2, body="changed"), document(3)]) == 3


def test_a_page_with_a_document_twice_keeps_the_later_one_whole(spool, document, tmp_path):
    page = [document(1, body="first"), document(2), document(1, body="second"), document(3)]
    assert index.append(spool, page) == 3
    stats = index.finish(spool, tmp_path / "a.db", finished_at=MOMENT, processing_state="INDEXING COMPLETED")
    assert stats.document_count == 3
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        bodies = dict(connection.execute("SELECT d.id, t.body FROM docs AS d JOIN texts AS t USING (rowid)"))
        assert bodies == {"id-0001": "second", "id-0002": document(2).body, "id-0003": document(3).body}
        of_none = "SELECT count(*) FROM facets WHERE doc NOT IN (SELECT rowid FROM docs)"
        assert connection.execute(of_none).fetchone() == (0,)


def found(connection, text, **members):
    return [hit.id for hit in search(connection, Question(text, **members), seconds=5).hits]


PAGES = [range(start, start + 3) for start in range(0, 36, 3)]


@pytest.mark.parametrize(
    "ahead",
    [[], [0], [0, 1, 2], [3], range(len(PAGES))],
    ids=["nothing", "the first", "the first ones", "one", "each page"],
)
def test_an_index_answers_the_same_whatever_was_indexed_ahead(spool, document, tmp_path, opened, ahead):
    for number, page in enumerate(PAGES):
        index.append(spool, [document(n) for n in page])
        if number in ahead:
            index.index_ahead(spool)
            index.index_ahead(spool)  # and again, for nothing
    index.finish(spool, tmp_path / "a.db", finished_at=MOMENT, processing_state="INDEXING COMPLETED")
    connection = opened(tmp_path / "a.db")
    every = [f"id-{n:04}" for n in range(36)]
    assert sorted(found(connection, "body", page_size=100)) == every
    assert [found(connection, f"marker{n}") for n in range(36)] == [[each] for each in every]
    assert index.meta(tmp_path / "a.db").keys() == {"upload_id", "started_at", "finished_at", "processing_state"}


@pytest.mark.parametrize("again", [0, 2], ids=["an earlier one", "the last one"])
def test_a_document_replaced_after_it_was_indexed_is_found_by_its_new_text_alone(
    spool, document, tmp_path, opened, again
):
    index.append(spool, [document(n) for n in range(3)])
    index.index_ahead(spool)
    index.append(spool, [document(again, body="changed meanwhile")])
    index.index_ahead(spool)
    index.append(spool, [document(3)])
    stats = index.finish(spool, tmp_path / "a.db", finished_at=MOMENT, processing_state="INDEXING COMPLETED")
    assert stats.document_count == 4
    connection = opened(tmp_path / "a.db")
    asked = (f"marker{again}", "changed", "marker3")
    assert [found(connection, word) for word in asked] == [[], [f"id-{again:04}"], ["id-0003"]]


@pytest.mark.parametrize("again", [[], [3, 4], [5]], ids=["no document", "its documents", "another document"])
def test_a_build_that_was_cut_off_before_it_was_published_is_gone_on_with(
    spool, document, tmp_path, monkeypatch, again
):
    def killed(*_):
        raise SystemExit

    end = {"finished_at": MOMENT, "processing_state": "INDEXING COMPLETED"}
    index.append(spool, [document(n) for n in range(3)])
    index.index_ahead(spool)
    index.append(spool, [document(3), document(4)])
    with monkeypatch.context() as patch:
        patch.setattr(index, "_seal", killed)
        with pytest.raises(SystemExit):
            index.finish(spool, tmp_path / "a.db", **end)
    index.append(spool, [document(n) for n in again])
    index.finish(spool, tmp_path / "a.db", **end)
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        # Counts each word of each text against the full text, and raises.
        connection.execute("INSERT INTO fts(fts, rank) VALUES ('integrity-check', 1)")


def test_an_upload_that_an_earlier_release_began_is_indexed_at_its_end(spool, document, tmp_path, opened):
    index.append(spool, [document(n) for n in range(3)])
    with closing(sqlite3.connect(spool)) as connection, connection:
        connection.execute("DELETE FROM meta WHERE key NOT IN ('upload_id', 'started_at')")
    index.append(spool, [document(3)], at_least=3)
    index.index_ahead(spool)
    with closing(sqlite3.connect(spool)) as connection:
        assert connection.execute("SELECT count(*) FROM fts_docsize").fetchone() == (0,)
    index.finish(spool, tmp_path / "a.db", finished_at=MOMENT, processing_state="INDEXING COMPLETED")
    connection = opened(tmp_path / "a.db")
    assert [found(connection, f"marker{n}") for n in range(4)] == [[f"id-{n:04}"] for n in range(4)]


def test_ids_know_no_case(spool, document):
    assert index.append(spool, [document(1, id="Page-A"), document(2, id="page-a")]) == 1


def test_two_documents_with_one_url_are_refused_and_the_page_with_them(spool, document):
    index.append(spool, [document(1)])
    with pytest.raises(DuplicateUrlError) as refused:
        index.append(spool, [document(2), document(3, view_url=document(1).view_url)])
    assert refused.value.position == 1
    assert index.append(spool, []) == 1


def test_a_spool_that_lost_documents_takes_no_more(spool, document):
    index.append(spool, [document(1)])
    with pytest.raises(DamagedIndexError):
        index.append(spool, [document(2)], at_least=2)


def test_a_spool_of_before_the_machine_went_down_takes_no_more(spool, document, tmp_path, monkeypatch):
    """Nothing of it was synced: any part of its full text may be gone without a trace."""
    index.append(spool, [document(1)])
    monkeypatch.setattr(index, "boot_id", lambda: "another")
    target = tmp_path / "upload.db"
    with pytest.raises(DamagedIndexError, match="started anew"):
        index.append(spool, [document(2)])
    with pytest.raises(DamagedIndexError, match="started anew"):
        index.index_ahead(spool)
    with pytest.raises(DamagedIndexError, match="started anew"):
        index.finish(spool, target, finished_at=MOMENT, processing_state="INDEXING COMPLETED")
    assert not target.exists()


def test_a_published_index_outlives_the_machine_going_down(build, document, tmp_path, monkeypatch):
    served, _ = build([document(n) for n in range(3)])
    changes = {"upload_id": "next", "moment": MOMENT, "deletions": []}
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    index.amend(tmp_path / "first.tmp", first, None, upserts=[document(4)], **changes)
    monkeypatch.setattr(index, "boot_id", lambda: "another")
    assert index.amend(tmp_path / "a.tmp", second, served, upserts=[document(4)], **changes).document_count == 4
    assert index.amend(tmp_path / "b.tmp", second, first, upserts=[document(5)], **changes).document_count == 2


def test_a_spool_that_is_gone_is_not_made_anew(spool, document):
    spool.unlink()
    with pytest.raises(DamagedIndexError):
        index.append(spool, [document(1)])
    assert not spool.exists()


def test_a_file_of_another_release_is_damaged_to_whoever_reads_or_writes(build, document, tmp_path):
    path, _ = build([document(1)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    changes = {"upload_id": "u", "moment": MOMENT, "upserts": [], "deletions": ["id-0001"]}
    with pytest.raises(DamagedIndexError, match="another version"), Readers().lease(uuid4(), path):
        pass
    with pytest.raises(DamagedIndexError, match="another version"):
        index.append(path, [document(2)])
    with pytest.raises(DamagedIndexError, match="another version"):
        index.amend(tmp_path / "spool", tmp_path / "changed.db", path, **changes)


def test_a_file_that_is_no_index_is_damaged(tmp_path):
    path = tmp_path / "index.db"
    with pytest.raises(DamagedIndexError):
        index.stats(path)
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(DamagedIndexError):
        index.stats(path)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(DamagedIndexError):
        index.stats(path)


def test_an_index_that_lacks_texts_is_not_published(spool, document, tmp_path):
    index.append(spool, [document(1), document(2)])
    with closing(sqlite3.connect(spool)) as connection, connection:
        connection.execute("DELETE FROM texts WHERE rowid = 1")
    target = tmp_path / "upload.db"
    with pytest.raises(DamagedIndexError):
        index.finish(spool, target, finished_at=MOMENT, processing_state="INDEXING COMPLETED")
    assert not target.exists()


def test_a_full_disk_is_a_storage_error(spool, document, monkeypatch):
    connect = sqlite3.connect

    def small(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 40")  # SQLite then says SQLITE_FULL, as on a full disk
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(StorageError, match="full"):
        index.append(spool, [document(n, body="x" * 5000) for n in range(100)])
    assert index.append(spool, [document(1)]) == 1


def test_an_amended_index_is_another_file_and_answers_as_a_new_one(build, document, tmp_path, opened):
    served, _ = build([document(n) for n in range(5)])
    target = tmp_path / "next.db"
    stats = index.amend(
        tmp_path / "next.tmp",
        target,
        served,
        upload_id="next",
        moment=MOMENT,
        upserts=[document(3, body="zebra"), document(9), document(9, body="okapi")],
        deletions=["ID-0004", "never there"],
    )
    assert stats.document_count == 5
    assert index.held_ids(target, ["id-0003", "id-0004", "id-0009"]) == {"id-0003", "id-0009"}
    assert index.held_ids(served, ["id-0004"]) == {"id-0004"}
    connection = opened(target)
    for word, rows in (("zebra", 1), ("okapi", 1), ("marker9", 0), ("marker3", 0), ("marker4", 0), ("marker1", 1)):
        assert connection.execute("SELECT count(*) FROM fts WHERE fts MATCH ?", (word,)).fetchone()[0] == rows, word


def test_a_short_upload_keeps_what_it_would_have_removed(build, document, tmp_path):
    served, _ = build([document(n) for n in range(10)], "served")
    spool = tmp_path / "short.tmp"
    index.create(spool, upload_id="short", started_at=MOMENT)
    index.append(spool, [document(n) for n in range(7)])
    assert not index.keep_stale(spool, served, tolerated_share=0.30), "three of ten is within the share"
    assert index.keep_stale(spool, served, tolerated_share=0.20)
    target = tmp_path / "short.db"
    assert index.finish(spool, target, finished_at=MOMENT, processing_state="DELETION PAUSED").document_count == 10
