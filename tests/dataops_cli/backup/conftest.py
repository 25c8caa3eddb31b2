"""Installations on given databases that no stack runs on, a backup of one, and what is in them."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy import make_url, update

from dataops_cli.backup.make import Made, make_backup
from dataops_cli.databases import make_ready
from dataops_cli.home import Home
from dataops_core.clock import utcnow
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.errors import ConfigurationError, DataOpsError
from dataops_core.ids import new_id
from dataops_core.lifecycle import DatasetStatus, OperationStatus, Stage
from dataops_core.provisioning.asking import ProvisioningRequest
from dataops_core.provisioning.requests import accept_provisioning
from dataops_core.registry import connectors, operations
from dataops_core.registry.database import Database
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
