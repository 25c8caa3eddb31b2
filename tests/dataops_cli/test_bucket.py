"""Commands where records and archives are in an S3 bucket: `up` and the doctor look at it, a backup leaves it alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dataops_cli.asking.doctor import Finding, State, look
from dataops_cli.backup.make import make_backup
from dataops_cli.backup.restore import restore as bring_back
from dataops_cli.home import Home
from dataops_cli.up import up
from dataops_core.errors import ConfigurationError
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from tests.dataops_cli.backup.conftest import new_settings, populate, refused, tree
from tests.ports import free_port
from tests.s3_server import Bucket, bucket, s3_server

__all__ = ["bucket", "new_settings", "s3_server"]


def refusal(home: Path, url: str) -> str:
    """The sentence with which `dataops up` refuses before it starts anything."""
    with pytest.raises(ConfigurationError) as told:
        up(Settings(home=home, storage_url=url, api_port=free_port(), dagster_port=free_port()))
    assert Home(home).read_record() is None
    return told.value.message


def test_up_begins_with_no_bucket_that_it_cannot_use(bucket: Bucket, tmp_path: Path) -> None:
    assert refusal(tmp_path / "home", "s3://no-such-bucket-here") == (
        "DATAOPS_STORAGE_URL cannot be used. Listing files failed: "
        "the bucket that DATAOPS_STORAGE_URL names does not exist."
    )
    bucket.storage.check(owner="the fingerprint of another secret", claim=True)
    assert refusal(tmp_path / "home", bucket.url) == (
        "DATAOPS_STORAGE_URL is where another installation keeps its files: name another bucket or prefix."
    )
    bucket.refuse_everybody()
    assert "refuses the credentials" in refusal(tmp_path / "home", bucket.url)


def test_the_doctor_looks_at_the_bucket_and_changes_nothing(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> Finding:
        return next(one for one in look() if "storage" in one.what)

    monkeypatch.setenv("DATAOPS_HOME", str(tmp_path))
    monkeypatch.setenv("DATAOPS_STORAGE_URL", bucket.url)
    assert found() == Finding(State.FINE, f"The storage {bucket.url} can be read.")
    assert bucket.keys() == []
    monkeypatch.setenv("DATAOPS_STORAGE_URL", "s3://no-such-bucket-here")
    one = found()
    assert (one.state, one.what) == (State.WRONG, "The storage s3://no-such-bucket-here cannot be used.")
    assert one.fix.endswith("the bucket that DATAOPS_STORAGE_URL names does not exist.")


def test_a_backup_says_which_bucket_it_leaves_alone_and_is_restored_beside_it(
    bucket: Bucket, new_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = new_settings(storage_url=bucket.url)
    installed = populate(settings, settings.registry_url)
    for folder in ("datasets", "archives"):
        shutil.copytree(installed.file(folder), tmp_path / folder)
        shutil.rmtree(installed.file(folder))
    made = make_backup(settings, tmp_path / "backup")
    assert (made.manifest.storage_url, made.manifest.missing) == (bucket.url, [])
    data = [name for name in made.manifest.files if name.startswith("data/")]
    assert [name.split("/")[1] for name in data] == ["connectors"]

    other = new_settings()
    assert refused(bring_back, other, made.file, replace=False) == (
        f"The backup's records and archives are in {bucket.url}: set DATAOPS_STORAGE_URL to it, or to a copy of it."
    )
    assert not other.home.exists() or not tree(other.data_path)
    there = other.model_copy(update={"storage_url": bucket.url})
    bring_back(there, made.file, replace=False)
    assert list(tree(there.data_path)) == [data[0].removeprefix("data/")]
    assert Keyring.load(there).fingerprint == Keyring.load(installed.settings).fingerprint

    for folder in ("datasets", "archives"):
        shutil.move(tmp_path / folder, installed.file(folder))
    whole = make_backup(settings.model_copy(update={"storage_url": None}), tmp_path / "whole")
    assert refused(bring_back, new_settings(storage_url=bucket.url), whole.file, replace=False).startswith(
        "The backup holds records and archives"
    )
