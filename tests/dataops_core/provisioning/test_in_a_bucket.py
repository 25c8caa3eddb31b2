"""Records, queries and archives in an S3 bucket, as moto's server has one; all else of a dataset's life is as ever."""

import socket
import sys
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from dataops_core.clock import utcnow
from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import BLOCK_ROWS, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.dataset_types.stored import StoredRecords
from dataops_core.errors import ConfigurationError, StorageError
from dataops_core.generation.pieces import open_records
from dataops_core.generation.records import write_records
from dataops_core.lifecycle import DatasetStatus, Stage
from dataops_core.provisioning import teardown
from dataops_core.provisioning.archive import verify_archive
from dataops_core.settings import Settings
from dataops_core.storage import MANIFEST_FILE, RECORDS_FILE, Storage, written_whole
from dataops_core.upkeep.orphans import files
from dataops_core.upkeep.orphans.model import Kind, Scene
from tests.dataops_core.provisioning.conftest import TYPE, Case
from tests.dataops_core.upkeep.conftest import Keys
from tests.s3_server import bucket, s3_server

__all__ = ["bucket", "s3_server"]

S = DatasetStatus


@pytest.fixture
def there(services, bucket):
    """What steps work with where the bucket is set."""
    settings = services.settings.model_copy(update={"storage_url": bucket.url})
    return replace(services, settings=settings, storage=Storage.from_settings(settings))


@pytest.fixture
def specification_of(services):
    def make(name: str = TYPE, count: int = 20):
        template = services.catalog.for_type(name)[0]
        spec = GenerationSpec(
            template=template,
            vocabulary=services.catalog.vocabulary(template.industry),
            company=build_company(UUID(int=1)),
            stage=Stage.SANDBOX,
            seed=7,
            record_count=count,
        )
        return spec, DATASET_TYPES[name]

    return make


def names(folder: str, *more: str) -> list[str]:
    return sorted(f"{folder}/{name}" for name in ("defects.jsonl", "manifest.json", "queries.jsonl", *more))


def test_a_dataset_lives_and_is_archived_and_restored_in_a_bucket(there, bucket):
    case = Case.accept(there)
    case.provision()
    made = case.dataset()
    assert made.status is S.READY
    assert bucket.keys() == names(made.records_path, RECORDS_FILE)
    case.tear_down().run_teardown()
    archive = case.dataset().archive_path
    assert bucket.keys() == names(archive, "dataset.json", "ground_truth.jsonl", "quality.json", RECORDS_FILE)
    assert verify_archive(there.storage, archive, else_="")["files"][RECORDS_FILE]["sha256"] == made.records_sha256
    case.restore().run_restore()
    again = case.dataset()
    assert (again.status, again.records_sha256) == (S.READY, made.records_sha256)
    assert there.storage.sha256(f"{again.records_path}/{RECORDS_FILE}") == made.records_sha256
    assert there.storage.bytes_under(there.storage.dataset_folder(made.dataset_id)) > made.size_bytes / 10
    case.tear_down(archive=False).run_teardown("run-down-2")
    assert bucket.keys() == []
    # Nothing went to the disk: the connector's index alone was there.
    assert not [path for path in there.settings.data_path.rglob("*") if path.suffix in {".parquet", ".jsonl"}]


def test_records_in_a_bucket_are_the_bytes_that_a_disk_gets_and_are_read_in_parts(specification_of, bucket, tmp_path):
    specification, kind = specification_of("slack_messages", BLOCK_ROWS + 60)
    read = []
    for storage in (Storage(tmp_path), bucket.storage):
        path = storage.path("datasets/x/records.parquet")
        report = write_records(specification, kind, storage.filesystem, path)
        with StoredRecords(storage.filesystem, path, kind) as stored:
            read.append((report, stored.page(BLOCK_ROWS - 1, 2), b"".join(stored.raw())))
            assert sum(map(len, stored.blocks())) == stored.count == report.record_count
    disk, far = read
    assert disk == far
    assert [len(far[1]), len(far[2])] == [2, far[0].file_bytes]


@pytest.mark.long
def test_half_an_object_is_none(bucket):
    """Parts that were sent before the writer failed are given up; what was there before stays."""
    storage = bucket.storage
    storage.write_bytes("datasets/x/records.parquet", b"before")
    begun = []

    def give_up_in_the_middle() -> None:
        with written_whole(storage.filesystem, storage.path("datasets/x/records.parquet")) as file:
            file.write(bytes(70 * 2**20))
            begun.extend(upload.path for upload in storage.open_uploads("datasets"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up_in_the_middle()
    assert begun == ["datasets/x/records.parquet"]
    assert storage.open_uploads("datasets") == []
    assert storage.read_bytes("datasets/x/records.parquet") == b"before"
    with written_whole(storage.filesystem, storage.path("datasets/x/records.parquet")) as file:
        file.write(bytes(70 * 2**20))
    assert storage.size("datasets/x/records.parquet") == 70 * 2**20


@pytest.mark.long
def test_a_teardown_that_was_killed_while_the_archive_came_together_is_done_again(there, bucket, monkeypatch):
    """In a bucket a folder takes its place file by file: the manifest comes last, so that half an archive is none."""
    case = Case.accept(there)
    case.provision()
    down = case.tear_down()
    context = down.context("run-down")
    teardown.disconnect_connector(context)
    copy = Storage.copy

    def refusing(self, source: str, target: str) -> None:
        if target.endswith(MANIFEST_FILE) and ".draft" not in target:
            raise KeyboardInterrupt
        copy(self, source, target)

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "copy", refusing)
        with pytest.raises(KeyboardInterrupt):
            teardown.archive_records(context)
    archive = there.storage.archive_folder(case.dataset().dataset_id)
    assert there.storage.exists(f"{archive}/{RECORDS_FILE}")
    assert not there.storage.exists(f"{archive}/{MANIFEST_FILE}")
    for step in (teardown.archive_records, teardown.delete_records, teardown.update_registry):
        step(context)
    assert case.dataset().status is S.ARCHIVED
    verify_archive(there.storage, archive, else_="")
    assert {key.split("/")[0] for key in bucket.keys()} == {"archives"}  # noqa: SIM118  a bucket is no dict
    assert not there.storage.exists(f"{archive}.draft")


@pytest.mark.long
def test_what_nobody_owns_in_a_bucket_is_found_and_goes(there, bucket):
    case = Case.accept(there)
    case.provision()
    kept = case.dataset().records_path
    left = f"datasets/{uuid4()}"
    there.storage.write_bytes(f"{left}/one-1/{RECORDS_FILE}", b"left over")
    there.storage.write_bytes("datasets/notes/readme", b"not ours")
    not_ours = ["datasets/notes/book", "theirs/book"]
    for begun in (f"{left}/two-1/{RECORDS_FILE}", *not_ours):
        killed = there.storage.filesystem.open(there.storage.path(begun), "wb", autocommit=False, block_size=5 * 2**20)
        killed.write(bytes(6 * 2**20))
        killed.closed = True  # a writer that is gone does not end its upload

    def search(now):
        return {finding.kind: finding for finding in files.find(Scene(there, Keys(), now)) if finding.mend}

    found = search(utcnow())
    assert set(found) == {Kind.DATASET_FILES, Kind.UPLOAD_OPEN}
    assert found[Kind.DATASET_FILES].subject == left
    assert utcnow() - found[Kind.DATASET_FILES].since < timedelta(hours=1)
    assert all(finding.mend() for finding in found.values())
    assert bucket.keys() == sorted([*names(kept, RECORDS_FILE), "datasets/notes/readme"])
    assert [upload.path for root in ("datasets", "theirs") for upload in there.storage.open_uploads(root)] == not_ours
    assert search(utcnow()) == {}


@pytest.mark.long
def test_another_installations_bucket_is_left_alone(there, bucket):
    bucket.storage.check(owner="ours", claim=True)
    bucket.storage.check(owner="ours", claim=True)
    for claim in (True, False):
        with pytest.raises(ConfigurationError, match="another installation keeps its files: name another bucket"):
            bucket.storage.check(owner="another", claim=claim)
    with pytest.raises(ConfigurationError, match="another installation"):
        list(files.find(Scene(there, Keys())))


def refused(url: str) -> str:
    """What is said of a bucket as `dataops up` starts; a write says the same."""
    with pytest.raises(ConfigurationError) as told:
        Storage(url).check(owner="ours", claim=True)
    with pytest.raises(StorageError) as later:
        Storage(url).write_bytes("datasets/x/manifest.json", b"{}")
    reason = later.value.message.removeprefix("Writing manifest.json failed: ")
    assert told.value.message.startswith("DATAOPS_STORAGE_URL cannot be used. ")
    assert told.value.message.endswith(reason)
    return reason


def test_a_bucket_that_cannot_be_used_is_said_in_one_sentence(bucket, monkeypatch, specification_of):
    missing = "s3://no-such-bucket-here/prefix"
    assert refused(missing) == "the bucket that DATAOPS_STORAGE_URL names does not exist."
    storage = Storage(missing)
    with pytest.raises(StorageError, match="could not be written: the bucket that DATAOPS_STORAGE_URL names does not"):
        write_records(*specification_of(), storage.filesystem, storage.path("datasets/x/records.parquet"))
    bucket.refuse_everybody()
    assert refused(bucket.url) == (
        "the bucket of DATAOPS_STORAGE_URL refuses the credentials "
        "(set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)."
    )
    with pytest.raises(StorageError, match="DATAOPS_STORAGE_URL"):
        open_records(bucket.storage.filesystem, bucket.storage.path("datasets/x/records.parquet"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert refused(bucket.url) == (
        "no credentials for DATAOPS_STORAGE_URL are known "
        "(set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE)."
    )


def test_a_server_that_is_away_is_said_in_one_sentence(bucket, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    assert refused(bucket.url) == "the server of DATAOPS_STORAGE_URL does not answer."
    with pytest.raises(StorageError, match="does not answer"):
        bucket.storage.exists("datasets")


def test_records_in_a_bucket_that_are_not_there_are_said_to_be(bucket):
    storage = bucket.storage
    with pytest.raises(StorageError, match=r"^The records' file is missing\.$"):
        open_records(storage.filesystem, storage.path("datasets/x/records.parquet"))
    assert storage.names_in("datasets") == []
    assert storage.changed_at("datasets/x") is None
    storage.remove("datasets/x")


@pytest.mark.parametrize(
    "url",
    ["s3://b", "s3://bucket/../x", "s3://user:secret@bucket", "s3://bucket?endpoint=x", "https://bucket", "bucket"],
)
def test_what_is_no_bucket_is_refused(url, monkeypatch):
    monkeypatch.setenv("DATAOPS_STORAGE_URL", url)
    with pytest.raises(ConfigurationError, match="DATAOPS_STORAGE_URL: must be s3://bucket or s3://bucket/prefix"):
        Settings.load()


def test_the_extra_that_a_bucket_needs_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules, "dataops_core.bucket", raising=False)
    with pytest.raises(ConfigurationError, match=r"install 'dataops-lifecycle\[s3\]'"):
        Storage("s3://bucket").check(owner="ours")
