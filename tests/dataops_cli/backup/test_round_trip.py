"""``dataops backup`` and ``dataops restore`` without a running stack: what a backup holds comes back, and nothing else.

On a given database, and once on the embedded one. ``tests/stack/test_backup.py`` destroys a whole installation.
"""

import hashlib
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from dataops_cli.backup import make
from dataops_cli.backup.archive import Reader
from dataops_cli.backup.make import Made, make_backup
from dataops_cli.backup.restore import Restored
from dataops_cli.backup.restore import restore as bring_back
from dataops_cli.databases import make_ready
from dataops_cli.home import Home
from dataops_cli.postgres import DATABASE, Postgres
from dataops_core.errors import UnavailableError
from dataops_core.lifecycle import DatasetStatus, OperationStatus
from dataops_core.provisioning.interrupted import SENTENCE
from dataops_core.registry import datasets, installation, operations
from dataops_core.registry.database import Database
from dataops_core.registry.holdings import Holding, all_holdings
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from tests.dataops_cli.backup.conftest import Installed, altered, populate, refused, rows, tree


def test_all_of_an_installation_comes_back_on_another_home_and_database(
    installed: Installed, backup: Made, new_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    assert stat.S_IMODE(backup.file.stat().st_mode) == 0o600
    assert backup.manifest.counts == {"datasets": 4, "operations": 4}
    assert backup.manifest.missing == []
    assert {path.name for path in backup.file.parent.iterdir()} == {"home", "backup"}
    assert not installed.file(".backup").exists()
    expected = {
        name: content
        for name, content in tree(installed.settings.data_path).items()
        if "abandoned" not in name and not name.endswith(".tmp")  # of nobody
    }
    assert len(expected) == 8

    other = new_settings()
    restored = bring_back(other, backup.file, replace=False)

    assert (restored.interrupted, restored.aside) == (1, [])
    assert tree(other.data_path) == expected
    for name in ("secret_key", "credentials.json"):
        assert (other.home / name).read_bytes() == (installed.home / name).read_bytes()
        assert stat.S_IMODE((other.home / name).stat().st_mode) == 0o600
    files = [path for path in other.data_path.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    before, after = rows(installed.url), rows(other.registry_url)
    for table in before.keys() - {"operations", "operation_datasets", "datasets", "dataset_counts", "operation_counts"}:
        assert after[table] == before[table], table
    assert {row["dataset_id"] for row in after["datasets"]} == {row["dataset_id"] for row in before["datasets"]}
    database = Database(other.registry_url, pool_size=1)
    with database.transaction() as session:
        # What ran is failed, and may be tried again; what waited for its run still does.
        interrupted = operations.get(session, installed.running)
        assert (interrupted.status, interrupted.error["code"], interrupted.error["message"]) == (
            OperationStatus.FAILED,
            "RUN_LOST",
            SENTENCE,
        )
        assert operations.get(session, installed.waiting).status is OperationStatus.PENDING
        assert datasets.get(session, installed.ready).status is DatasetStatus.READY
        assert installation.fits(session, Keyring.load(other))
    database.close()
    # It is an installation like any other: `up` finds its administrator, and it can be backed up again.
    assert not make_ready(
        other.registry_url,
        Keyring.load(other),
        credentials_file=other.home / "credentials.json",
        public_base="http://127.0.0.1:1",
    )
    again = make_backup(other, tmp_path / "again")
    assert again.manifest.files.keys() == backup.manifest.files.keys()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Settings]:
    """A home with its own server. The user that runs it for root cannot enter there, so that it lies outside."""
    yield Settings(home=tmp_path / "home")
    for record in tmp_path.rglob("postgres_location"):
        shutil.rmtree(record.read_text().strip())


def test_the_embedded_database_is_backed_up_while_nothing_runs_and_replaced_by_what_it_was(
    embedded: Settings, tmp_path: Path
) -> None:
    settings = embedded
    Home(settings.home).open()
    with Postgres(settings.home, durable=False) as server:
        installed = populate(settings, server.url(DATABASE))
        was = rows(server.url(DATABASE))
    made = make_backup(settings, tmp_path / "backup")
    kept = tree(settings.data_path)
    installed.file("archives").joinpath("later").write_text("a file of later")

    assert refused(bring_back, settings, made.file, replace=False) == (
        f"The home {settings.home} is not empty: restore with --replace, which sets aside what is there, "
        "or set DATAOPS_HOME to another directory."
    )
    restored = bring_back(settings, made.file, replace=True)

    (aside,) = restored.aside
    assert tree(Path(aside, "data")) == kept | {"archives/later": b"a file of later"}
    with Postgres(settings.home, durable=False) as server:
        after = rows(server.url(DATABASE))
    assert after["customers"] == was["customers"]
    assert set(tree(settings.data_path)) == {name for name in kept if "abandoned" not in name and ".tmp" not in name}
    # The database that was there is kept whole, with its password.
    with Postgres(Path(aside), durable=False) as server:
        assert rows(server.url(DATABASE)) == was


def test_what_is_in_the_way_is_set_aside_only_when_told_and_comes_back_where_the_restore_fails(
    installed: Installed, backup: Made, new_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    other = new_settings()
    theirs = populate(other, other.registry_url)
    before = rows(theirs.url), tree(theirs.home)
    assert refused(bring_back, other, backup.file, replace=False).startswith(f"The home {other.home} is not empty: ")
    empty_home = other.model_copy(update={"home": other.home.with_name("empty")})
    assert refused(bring_back, empty_home, backup.file, replace=False) == (
        "The given database is not empty: restore with --replace, which sets aside what is there, "
        "or name another by DATAOPS_DATABASE_URL."
    )
    assert (rows(theirs.url), tree(theirs.home)) == before

    def spoil(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        members["registry.dump"] = b"no dump"
        digest = hashlib.sha256(b"no dump").hexdigest()
        manifest["files"]["registry.dump"] = {"bytes": 7, "sha256": digest}

    sentence = refused(bring_back, other, altered(backup, spoil), kind=UnavailableError, replace=True)
    assert sentence.startswith(f"The database {make_url(theirs.url).database} cannot be restored: ")
    assert rows(theirs.url) == before[0]
    assert tree(theirs.home) == before[1]

    restored = bring_back(other, backup.file, replace=True)
    folder, schema = restored.aside
    name = schema.split()[2]
    assert rows(theirs.url, schema=name) == before[0]
    assert tree(Path(folder, "data")) == tree_of(before[1], "data/")
    assert rows(theirs.url)["customers"] == rows(installed.url)["customers"]
    # What was set aside is no part of the next backup.
    again = make_backup(other, tmp_path / "again")
    third = new_settings()
    bring_back(third, again.file, replace=False)
    assert rows(third.registry_url, schema=name) == {}


def tree_of(files: dict[str, bytes], prefix: str) -> dict[str, bytes]:
    return {name.removeprefix(prefix): content for name, content in files.items() if name.startswith(prefix)}


def test_a_file_that_is_removed_while_it_is_looked_for_makes_the_look_begin_anew(
    own: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look(connection: Any) -> list[Holding]:
        found = all_holdings(connection)
        if not looks:
            # A teardown goes on between the look and the hold: the archive stands, the records are gone.
            own.file(f"datasets/{own.ready}").rename(own.file(f"archives/{own.ready}"))
            database = own.database()
            with database.transaction() as session:
                datasets.move(session, own.ready, DatasetStatus.TEARDOWN)
            database.close()
        looks.append(found)
        return found

    monkeypatch.setattr(make, "all_holdings", look)
    made = make_backup(own.settings, tmp_path / "backup")
    assert len(looks) == 2
    assert made.manifest.missing == []
    assert f"data/archives/{own.archived}/records.parquet" in made.manifest.files


def test_a_file_that_is_really_gone_is_told_of_and_holds_up_nothing(
    own: Installed, tmp_path: Path, dataops: Callable[..., Any]
) -> None:
    lost = f"datasets/{own.ready}/one-1/queries.jsonl"
    own.file(lost).unlink()
    own.file(".backup").mkdir()  # of a backup that was killed
    own.file(".backup").joinpath("left").touch()
    variables = {"DATAOPS_DATABASE_URL": own.url}
    made = dataops(own.home, "backup", str(tmp_path / "backup"), **variables)
    assert made.returncode == 0, made.stderr
    told = f"Missing: {lost}, which the registry names, was not there when the backup was made."
    assert made.stdout.splitlines()[1:] == [
        "Keep it as you would keep a key: whoever has it has the installation's secrets.",
        told,
    ]
    assert not own.file(".backup").exists()
    assert Reader(tmp_path / "backup").manifest.missing == [lost]


def test_a_secret_that_the_environment_gives_stays_out_of_the_backup(
    new_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = new_settings(secret_key="a secret of the tests, long enough")
    populate(settings, settings.registry_url)
    made = make_backup(settings, tmp_path / "backup")
    assert not made.holds_secret
    assert b"a secret of the tests" not in made.file.read_bytes()
    other = new_settings()
    assert refused(bring_back, other, made.file, replace=False) == (
        f"{made.file} does not hold the secret key, which was given by DATAOPS_SECRET_KEY: set it to that key."
    )
    given = other.model_copy(update={"secret_key": settings.secret_key})
    restored: Restored = bring_back(given, made.file, replace=False)
    assert restored.manifest.counts["datasets"] == 4
    assert not (other.home / "secret_key").exists()
