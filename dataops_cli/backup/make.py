"""``dataops backup``: one file of all that an installation is, taken while it runs or while it does not.

What belongs together is seen at one moment: a snapshot of the registry, and the files that it names, held before they
can be removed. What lies in a bucket stays there, and the backup says which that is. Dagster's database is dumped after
it, so that Dagster knows every run that the registry knows. Where a file has gone between the look and the hold (a
teardown was at it), the look is taken anew.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError

from dataops_cli.backup import dumps
from dataops_cli.backup.archive import DAGSTER, DATA, FORMAT, HOME, REGISTRY, Manifest, Writer
from dataops_cli.backup.files import Held, Holder
from dataops_cli.cleanup import end_left_over
from dataops_cli.databases import check_server
from dataops_cli.home import FORMAT as HOME_FORMAT
from dataops_cli.home import Home
from dataops_cli.postgres import DAGSTER_DATABASE, DATABASE, Postgres
from dataops_core.clock import utcnow
from dataops_core.errors import ConfigurationError
from dataops_core.registry import installation, migrate
from dataops_core.registry.database import Database
from dataops_core.registry.holdings import Holding, all_holdings, counted
from dataops_core.security import SECRET_FILE, Keyring
from dataops_core.settings import Settings, with_driver
from dataops_core.storage import storage_errors

#: Looks at the registry, until one finds all files that it names.
_LOOKS = 5
_PAUSE_SECONDS = 0.5
_CREDENTIALS = "credentials.json"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    file: Path
    bytes: int
    manifest: Manifest
    #: Whether the secret key is in it, or comes from DATAOPS_SECRET_KEY.
    holds_secret: bool


def make_backup(settings: Settings, file: Path) -> Made:
    """Writes a new file (0600), whole or not at all.

    Raises ConfigurationError where there is nothing to back up, the file exists, or the database and the secret key do
    not belong to this home; UnavailableError and StorageError where a part does not answer or cannot be written.
    """
    file = file.expanduser().absolute()
    if file.exists():
        raise ConfigurationError(f"{file} exists already: name another file.")
    if not file.parent.is_dir():
        raise ConfigurationError(f"{file.parent} is no folder: make it, or name another file.")
    home = Home(settings.home)
    if not home.is_made:
        raise _nothing_there(home)
    home.open()
    keyring = Keyring.load(settings)
    with _served(settings, home) as (registry, dagster), storage_errors(f"Writing {file.name}"):
        server = check_server(registry)
        _check_secret(registry, keyring)
        # Beside the file, where there must be room for it anyway.
        with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as workplace:
            draft = Path(workplace, "draft")
            with Holder.of(settings.data_path) as holder:
                manifest = _write(draft, settings, holder, keyring, registry=registry, dagster=dagster, server=server)
            if file.exists():
                raise ConfigurationError(f"{file} exists already: name another file.")
            draft.replace(file)
            _sync(file.parent)
    return Made(file, file.stat().st_size, manifest, f"{HOME}{SECRET_FILE}" in manifest.files)


def _nothing_there(home: Home) -> ConfigurationError:
    return ConfigurationError(
        f"There is no installation in {home.path} to back up: set DATAOPS_HOME (and DATAOPS_DATABASE_URL) to its own."
    )


@contextmanager
def _served(settings: Settings, home: Home) -> Iterator[tuple[str, str]]:
    """The URLs of both databases, while they are served: the embedded server is started where no ``up`` has done it."""
    record = home.read_record()
    if settings.database_url is not None or (record is not None and record.supervisor.lives()):
        yield settings.registry_url, settings.dagster_storage_url
        return
    if not any((home.path / name).exists() for name in ("postgres", "postgres_location")):
        raise _nothing_there(home)
    with home.locked():
        end_left_over(home)
        with Postgres(home.path) as server:
            dagster = settings.dagster_database_url or SecretStr(server.url(DAGSTER_DATABASE))
            yield server.url(DATABASE), with_driver(dagster.get_secret_value())


def _check_secret(registry: str, keyring: Keyring) -> None:
    database = Database(registry, pool_size=1)
    try:
        with database.transaction() as session:
            current = MigrationContext.configure(session.connection()).get_current_revision()
            if current is None or not migrate.knows(current):
                raise ConfigurationError(
                    "The database has no schema that this release knows: start `dataops up` once, "
                    "or use the release that made it."
                )
            if not installation.fits(session, keyring):
                raise ConfigurationError(
                    "The secret key does not fit the database: give the one that it was made with."
                )
    finally:
        database.close()


def _write(
    draft: Path, settings: Settings, holder: Holder, keyring: Keyring, *, registry: str, dagster: str, server: int
) -> Manifest:
    dump = draft.with_name(REGISTRY)
    with _consistent(registry, holder, in_bucket=settings.bucket_url is not None) as (connection, held):
        manifest = Manifest(
            format=FORMAT,
            made_at=utcnow(),
            release=version("dataops-lifecycle"),
            registry_schema=str(MigrationContext.configure(connection).get_current_revision()),
            home_format=HOME_FORMAT,
            postgres=server,
            fingerprint=keyring.fingerprint,
            templates_dir=str(settings.templates_dir) if settings.templates_dir is not None else None,
            storage_url=settings.bucket_url,
            counts=counted(connection),
            missing=sorted(held.missing),
        )
        snapshot = str(connection.scalar(text("SELECT pg_export_snapshot()")))
        dumps.dump(registry, dump, server=server, snapshot=snapshot)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        writer = Writer(stream)
        writer.add(REGISTRY, dump)
        dump.unlink()
        if _is_there(dagster):
            dump = draft.with_name(DAGSTER)
            dumps.dump(dagster, dump, server=check_server(dagster))
            writer.add(DAGSTER, dump)
            dump.unlink()
        for name in (_CREDENTIALS, *((SECRET_FILE,) if settings.secret_key is None else ())):
            with contextlib.suppress(FileNotFoundError):
                writer.add(f"{HOME}{name}", settings.home / name)
        for name in sorted(held.files):
            writer.add(f"{DATA}{name}", holder.path(name))
        manifest = writer.finish(manifest)
        stream.flush()
        os.fsync(stream.fileno())
    return manifest


@contextmanager
def _consistent(registry: str, holder: Holder, *, in_bucket: bool) -> Iterator[tuple[Connection, Held]]:
    """A connection that sees one moment of the registry, and the files that it names there, held.

    What is missing in two looks in a row is not being removed: it is gone, and the backup says so.
    """
    engine = create_engine(registry, isolation_level="REPEATABLE READ", connect_args={"connect_timeout": 5})
    try:
        before: set[str] | None = None
        for look in range(_LOOKS):
            with engine.connect() as connection:
                held = holder.hold([_on_disk(one) if in_bucket else one for one in all_holdings(connection)])
                if not held.missing or held.missing == before or look == _LOOKS - 1:
                    yield connection, held
                    return
            before = held.missing
            time.sleep(_PAUSE_SECONDS)
    finally:
        engine.dispose()


def _on_disk(one: Holding) -> Holding:
    """What of it lies here where records and archives lie in a bucket."""
    return replace(one, records=None, archive=None, drafts=())


def _is_there(url: str) -> bool:
    """Whether Dagster's database was ever made: the first `up` may have ended before that."""
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT to_regclass('public.runs')")) is not None
    except OperationalError as error:
        if "does not exist" in str(error.orig):
            return False
        raise
    finally:
        engine.dispose()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
