"""Whether files can be kept, as /readyz tells it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from dataops_api.storage_health import StorageProbe
from dataops_core.storage import Storage
from tests.s3_server import Bucket, bucket, s3_server

__all__ = ["bucket", "s3_server"]


class Hanging(Storage):
    """A disk that says nothing until it is let go, as a share of a network that is away."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.looks = 0
        self.answers = Event()

    def probe(self) -> None:
        self.looks += 1
        assert self.answers.wait(60)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    storage = Hanging()
    yield storage
    storage.answers.set()


def test_a_disk_that_takes_files_is_well_and_keeps_none_of_them(tmp_path: Path) -> None:
    assert StorageProbe(Storage(tmp_path / "data")).fault() is None
    assert list(tmp_path.rglob("*")) == [tmp_path / "data"]


def test_what_is_wrong_with_a_disk_is_said_in_a_sentence_without_its_place(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    assert StorageProbe(Storage(tmp_path / "data")).fault() == "Writing a file failed: File exists."


def test_a_bucket_is_asked_and_nothing_is_written_there(bucket: Bucket) -> None:
    assert StorageProbe(bucket.storage).fault() is None
    assert bucket.keys() == []
    bucket.refuse_everybody()
    fault = StorageProbe(bucket.storage).fault()
    assert fault is not None
    assert "refuses the credentials" in fault


def test_a_disk_that_does_not_answer_is_waited_for_by_one_look_alone(hanging: Hanging) -> None:
    probe = StorageProbe(hanging, patience=0.05, counts=0.0)
    assert {probe.fault() for _ in range(3)} == {"The storage does not answer."}
    assert hanging.looks == 1
    hanging.answers.set()
    assert StorageProbe(hanging, counts=0.0).fault() is None


def test_what_was_found_counts_for_a_moment(tmp_path: Path) -> None:
    probe = StorageProbe(Storage(tmp_path / "data"), counts=3600.0)
    assert probe.fault() is None
    (tmp_path / "data").rmdir()
    (tmp_path / "data").write_bytes(b"")
    assert probe.fault() is None


def test_an_api_without_its_files_is_ready_and_says_so(own_api: Any) -> None:
    """What is not about files goes on; a provisioning fails with the same words and can be tried again."""
    data = own_api.settings.data_path
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_bytes(b"")
    answer = own_api.anonymous.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["components"]["storage"] == {"state": "down", "reason": "Writing a file failed: File exists."}
