"""Records are read once for steps that follow one another, and anew where their file is another."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataops_core.errors import StorageError
from dataops_core.provisioning import stored
from dataops_core.provisioning.stored import StoredTables
from dataops_core.storage import RECORDS_FILE, Storage


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path)


def put(storage, folder, *ids):
    place = Path(storage.path(folder))
    place.mkdir(exist_ok=True)
    pq.write_table(pa.table({"id": list(ids)}), place / "new")
    (place / "new").replace(place / RECORDS_FILE)


def ids(records):
    return [id_ for piece in records.pieces() for id_ in piece.column("id").to_pylist()]


def test_a_file_is_read_once(storage):
    put(storage, "a", "1", "2")
    tables = StoredTables()
    assert tables.open(storage, "a") is tables.open(storage, "a")


def test_a_file_that_was_replaced_is_read_anew(storage):
    put(storage, "a", "1", "2")
    tables = StoredTables()
    assert ids(tables.open(storage, "a")) == ["1", "2"]
    put(storage, "a", "3", "4")
    assert ids(tables.open(storage, "a")) == ["3", "4"]


def test_the_last_table_alone_is_kept(storage):
    put(storage, "a", "1")
    put(storage, "b", "2")
    tables = StoredTables()
    first = tables.open(storage, "a")
    assert ids(tables.open(storage, "b")) == ["2"]
    assert tables.open(storage, "a") is not first
    assert ids(first) == ["1"]


def test_as_many_are_kept_as_there_may_be_and_the_one_longest_unused_goes(storage):
    for name in "abc":
        put(storage, name, name)
    tables = StoredTables(2)
    first, second = tables.open(storage, "a"), tables.open(storage, "b")
    assert tables.open(storage, "a") is first
    assert ids(tables.open(storage, "c")) == ["c"]
    assert tables.open(storage, "a") is first
    assert tables.open(storage, "b") is not second


def test_a_file_is_read_once_by_however_many_ask_at_once(storage, monkeypatch):
    put(storage, "a", "1")
    asking, tables = threading.Barrier(4), StoredTables()
    read = stored.open_records
    monkeypatch.setattr(stored, "open_records", lambda *where: asked.append(where) or read(*where))
    asked = []

    def ask(_):
        asking.wait(10)
        return tables.open(storage, "a")

    with ThreadPoolExecutor(4) as threads:
        assert len(set(map(id, threads.map(ask, range(4))))) == 1
    assert len(asked) == 1


def test_a_file_that_is_gone_or_damaged_is_said_to_be(storage):
    put(storage, "a", "1")
    tables = StoredTables()
    tables.open(storage, "a")
    path = Path(storage.path(f"a/{RECORDS_FILE}"))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StorageError, match="cannot be read"):
        tables.open(storage, "a")
    path.unlink()
    with pytest.raises(StorageError, match="file is missing"):
        tables.open(storage, "a")
