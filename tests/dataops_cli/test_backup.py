"""``dataops backup`` and ``dataops restore`` without a running stack: what a backup holds, and everything they refuse.

On a given database, and once on the embedded one. ``tests/stack/test_backup.py`` destroys a whole installation.
"""

import hashlib
import io
import json
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy import make_url, update

from dataops_cli.backup import make
from dataops_cli.backup.archive import Reader
from dataops_cli.backup.make import Made, make_backup
from dataops_cli.backup.restore import Restored
from dataops_cli.backup.restore import restore as bring_back
from dataops_cli.databases import make_ready
from dataops_cli.home import Home
from dataops_cli.postgres import DATABASE, Postgres
from dataops_core.clock import utcnow
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.errors import ConfigurationError, DataOpsError, UnavailableError
from dataops_core.ids import new_id
from dataops_core.lifecycle import DatasetStatus, OperationStatus, Stage
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.interrupted import SENTENCE
from dataops_core.provisioning.requests import accept_provisioning
from dataops_core.registry import connectors, datasets, installation, operations
from dataops_core.registry.database import Database
from dataops_core.registry.holdings import Holding, all_holdings
from dataops_core.registry.tables import Connector, Dataset, Operation
from dataops_core.security import Keyring, ensure_secret_file
from dataops_core.settings import Settings
from dataops_core.templates.loader import load_catalog

FILES = ("records.parquet", "queries.jsonl", "manifest.json")


@dataclass
class Installed:
    """An installation with one dataset of each kind, on a given database."""

    settings: Settings
    ready: UUID
    archived: UUID
    running: UUID
    waiting: UUID

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def url(self) -> str:
        return self.settings.registry_url

    def database(self) -> Database:
        return Database(self.url, pool_size=1)

    def file(self, name: str) -> Path:
        return self.settings.data_path / name


@pytest.fixture(scope="module")
def new_settings(
    new_database: Callable[..., tuple[str, Callable[[], None]]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Settings]:
    """Settings of a new home and an empty database. The databases end with their server: dropping them takes time."""

    def make_settings(**more: Any) -> Settings:
        url, _ = new_database(migrated=False)
        return Settings(home=tmp_path_factory.mktemp("place") / "home", database_url=url, **more)

    return make_settings


def accepted(database: Database, stage: Stage) -> tuple[UUID, UUID]:
    """A dataset that was asked for, and its operation."""
    request = ProvisioningRequest(
        journey_id=uuid4(),
        client_id=uuid4(),
        stage=stage,
        dataset_types=["confluence_pages"],
        metadata={"tags": ["kept"], "custom_fields": {}},
    )
    with database.transaction() as session:
        operation = accept_provisioning(session, load_catalog(None), request, max_record_count=1000)
        return operations.parts_of(session, operation.operation_id)[0].dataset_id, operation.operation_id


def write(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_bytes(f"{name} of {folder.name}".encode() * 1000)


def populate(settings: Settings, url: str) -> Installed:
    """An administrator, a ready dataset with its index, an archived one, one whose run is under way, one that waits."""
    Home(settings.home).open()
    if settings.secret_key is None:
        ensure_secret_file(settings.home)
    keyring = Keyring.load(settings)
    make_ready(url, keyring, credentials_file=settings.home / "credentials.json", public_base="http://127.0.0.1:1")
    database = Database(url, pool_size=1)
    (ready, _), (archived, _), (_, running), (_, waiting) = (
        accepted(database, stage) for stage in (Stage.SANDBOX, Stage.PILOT, Stage.PRODUCTION, Stage.SANDBOX)
    )
    data, now, connector_id = settings.data_path, utcnow(), new_id()
    with database.transaction() as session:
        session.execute(
            update(Operation)
            .where(Operation.operation_id == running)
            .values(run_id="a run", status=OperationStatus.IN_PROGRESS, started_at=now)
        )
        session.execute(
            update(Dataset)
            .where(Dataset.dataset_id == ready)
            .values(status=DatasetStatus.READY, records_path=f"datasets/{ready}/one-1")
        )
        session.execute(
            update(Dataset)
            .where(Dataset.dataset_id == archived)
            .values(status=DatasetStatus.ARCHIVED, archive_path=f"archives/{archived}")
        )
        connectors.create_connector(session, connector_id=connector_id, dataset_id=ready, now=now)
        session.execute(update(Connector).values(generation="an upload: with a name"))
    database.close()
    write(data / "datasets" / str(ready) / "one-1", *FILES)
    write(data / "datasets" / str(ready) / "abandoned", "records.parquet")
    write(data / "archives" / str(archived), *FILES, "dataset.json")
    index = IndexFiles(data).index(connector_id, "an upload: with a name")
    write(index.parent, index.name, "something.tmp")
    return Installed(settings, ready, archived, running, waiting)


@pytest.fixture(scope="module")
def installed(new_settings: Callable[..., Settings]) -> Installed:
    """What no test changes."""
    settings = new_settings()
    return populate(settings, settings.registry_url)


@pytest.fixture(scope="module")
def backup(installed: Installed) -> Made:
    """The backup of it, beside its home."""
    return make_backup(installed.settings, installed.home.with_name("backup"))


@pytest.fixture
def own(new_settings: Callable[..., Settings]) -> Installed:
    """An installation of the test's own."""
    settings = new_settings()
    return populate(settings, settings.registry_url)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, but for the lock of a home."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rows(url: str, *, schema: str = "public") -> dict[str, list[Any]]:
    """Everything in a schema but the audit log's entries, which a restore adds to."""
    found = {}
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT to_jsonb(t) FROM {} t ORDER BY 1").format(sql.Identifier(schema, table)))
            found[table] = [row for (row,) in cursor.fetchall()]
    return {table: kept for table, kept in found.items() if table != "audit_log"}


def refused(
    call: Callable[..., Any], *arguments: Any, kind: type[DataOpsError] = ConfigurationError, **more: Any
) -> str:
    with pytest.raises(kind) as refusal:
        call(*arguments, **more)
    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def altered(backup: Made, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """The same backup with other contents, sealed again as its maker would."""
    with tarfile.open(backup.file) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]
    manifest = json.loads(members.pop("manifest.json"))
    del members["manifest.sha256"]
    change(manifest, members)
    text = json.dumps(manifest).encode()
    members |= {"manifest.json": text, "manifest.sha256": hashlib.sha256(text).hexdigest().encode()}
    file = backup.file.with_name("altered")
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file


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


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda content: content[: len(content) // 2], "it is no archive, or ends too early"),
        (lambda content: content[: content.rindex(b"manifest.sha256")], "its manifest is missing"),
        (lambda content: content.replace(b"of one-1", b"of one-2", 1), "is not what its manifest says"),
        (lambda content: content.replace(b'"format": 1', b'"format": 0', 1), "its manifest was altered"),
        (lambda _: b"no archive at all", "it is no archive, or ends too early"),
        (lambda _: b"", "it is no archive, or ends too early"),
    ],
    ids=["half", "no end", "a byte", "the manifest", "another file", "nothing"],
)
def test_a_damaged_file_is_refused_before_anything_is_touched(
    backup: Made, new_settings: Callable[..., Settings], damage: Callable[[bytes], bytes], what: str
) -> None:
    damaged = backup.file.with_name("damaged")
    damaged.write_bytes(damage(backup.file.read_bytes()))
    other = new_settings()
    sentence = refused(bring_back, other, damaged, replace=False)
    assert sentence.startswith(f"{damaged} is no whole backup (")
    assert what in sentence
    assert not other.home.exists()


def test_what_does_not_fit_is_refused_before_anything_is_touched(
    installed: Installed, backup: Made, new_settings: Callable[..., Settings]
) -> None:
    other = new_settings()

    def refusal(change: Callable[[dict[str, Any], dict[str, bytes]], None], settings: Settings = other) -> str:
        return refused(bring_back, settings, altered(backup, change), replace=True)

    file = backup.file.with_name("altered")
    assert refusal(lambda manifest, _: manifest.update(format=2, release="9.0")) == (
        f"{file} was made by a newer release (9.0): restore it with that one."
    )
    assert refusal(lambda manifest, _: manifest.update(registry_schema="9999", release="9.0")) == (
        f"{file} was made by a newer release (9.0, schema 9999): restore it with that one."
    )
    assert "was made by a newer release" in refusal(lambda manifest, _: manifest.update(home_format=99))
    server = backup.manifest.postgres
    assert refusal(lambda manifest, _: manifest.update(postgres=99)) == (
        f"The backup is of PostgreSQL 99 and this server is {server}: restore it to one of version 99 or newer."
    )

    def reach_out(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
        content = members.pop("home/secret_key")
        members["data/../../secret_key"] = content
        manifest["files"]["data/../../secret_key"] = manifest["files"].pop("home/secret_key")

    assert "data/../../secret_key does not belong there" in refusal(reach_out)
    secret = other.model_copy(update={"secret_key": Settings(secret_key="another secret, long enough").secret_key})
    assert refused(bring_back, secret, backup.file, replace=False).startswith(
        "DATAOPS_SECRET_KEY is not the secret key that the backup was made with: "
    )
    assert refused(bring_back, other, backup.file.with_name("nowhere"), replace=False) == (
        f"{backup.file.with_name('nowhere')} cannot be read (No such file or directory): name a backup."
    )
    with closing(psycopg2.connect(other.registry_url.replace("+psycopg2", ""))):
        assert refused(bring_back, other, backup.file, replace=True) == (
            f"Others are connected to the database {make_url(other.registry_url).database}: "
            "stop what works on it first."
        )
    assert rows(other.registry_url) == {}
    assert not other.home.joinpath("secret_key").exists()
    with Home(installed.home).locked():
        assert "runs on the home" in refused(bring_back, installed.settings, backup.file, replace=True)


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


def test_a_backup_is_refused_where_it_could_not_be_one(
    own: Installed, tmp_path: Path, refusal: Callable[..., str]
) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    assert refusal(own.home, "backup", str(taken)) == f"{taken} exists already: name another file."
    nowhere = tmp_path / "no" / "folder"
    assert refused(make_backup, own.settings, nowhere) == (
        f"{nowhere.parent} is no folder: make it, or name another file."
    )
    empty = Settings(home=tmp_path / "empty")
    assert refused(make_backup, empty, tmp_path / "new") == (
        f"There is no installation in {empty.home} to back up: set DATAOPS_HOME (and DATAOPS_DATABASE_URL) to its own."
    )
    assert not empty.home.exists()
    (own.home / "secret_key").write_text("another secret, long enough")
    assert refused(make_backup, own.settings, tmp_path / "new").startswith("The secret key does not fit the database: ")
    assert {path.name for path in tmp_path.iterdir()} == {"taken"}


def test_a_home_in_which_a_restore_was_killed_is_served_by_nobody_until_one_has_ended(
    own: Installed, backup: Made, refusal: Callable[..., str]
) -> None:
    (own.home / "restoring").touch()
    assert refusal(own.home, "up") == (
        f"A restore into the home {own.home} did not come to its end: run `dataops restore FILE --replace` again."
    )
    bring_back(own.settings, backup.file, replace=True)
    Home(own.home).open()
