"""``dataops restore``: an installation out of the file that ``dataops backup`` has written.

Everything that may refuse is asked before anything is touched. What is in the way is set aside; where a step fails,
all is again as it was, and where the machine fails, the home says so until a restore has come to its end. Nothing of
Dagster runs meanwhile: what was under way when the backup was made is settled here, since no process of it is left.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from dataops_cli.backup import dumps
from dataops_cli.backup.archive import DAGSTER, DATA, HOME, REGISTRY, Manifest, Reader
from dataops_cli.backup.aside import home_set_aside, schema_set_aside, tables_in
from dataops_cli.children import Children, environment
from dataops_cli.cleanup import end_left_over
from dataops_cli.databases import check_server
from dataops_cli.home import FORMAT as HOME_FORMAT
from dataops_cli.home import Home
from dataops_cli.postgres import DAGSTER_DATABASE, DATABASE, Postgres
from dataops_cli.postgres_account import MAJOR
from dataops_core.clock import utcnow
from dataops_core.errors import ConfigurationError
from dataops_core.provisioning.interrupted import settle_interrupted
from dataops_core.registry import installation, migrate
from dataops_core.registry.database import Database
from dataops_core.security import SECRET_FILE, Keyring
from dataops_core.settings import Settings, with_driver
from dataops_core.storage import storage_errors
from dataops_pipeline.prepare import ensure_database


@dataclass(frozen=True, slots=True)
class Restored:
    """An installation that was restored. ``aside`` names where what was there before is now."""

    home: Path
    manifest: Manifest
    interrupted: int
    aside: list[str]


def restore(settings: Settings, file: Path, *, replace: bool) -> Restored:
    """Restores the backup into the settings' home and database; ``replace``: also where something is there.

    Raises ConfigurationError in one sentence, with nothing changed, where that cannot be; UnavailableError and
    StorageError, with all as it was before, where it fails on the way.
    """
    backup = Reader(file.expanduser().absolute())
    _check_release(backup)
    keyring = _keyring(settings, backup)
    home = Home(settings.home)
    home.open(restoring=True)
    with home.locked(), storage_errors(f"Restoring into {home.path}"), ExitStack() as undone:
        end_left_over(home)
        home.forget_processes()
        _check_target(settings, home, backup, replace=replace)
        moment = utcnow().strftime("%Y%m%dt%H%M%S")
        folder = undone.enter_context(home_set_aside(home, moment))
        aside = [str(folder)] if folder is not None else []
        home.open(restoring=True)
        _write_files(settings, backup)
        resolved = undone.enter_context(_served(settings, home))
        if settings.database_url is not None:
            for url in (resolved.registry_url, resolved.dagster_storage_url):
                schema = undone.enter_context(schema_set_aside(url, moment))
                aside += [f"the schema {schema} of the database {url.rpartition('/')[2]}"] if schema is not None else []
        interrupted = _fill(resolved, home, backup, keyring)
    return Restored(home.path, backup.manifest, interrupted, aside)


def _check_release(backup: Reader) -> None:
    told = backup.manifest
    if not migrate.knows(told.registry_schema) or told.home_format > HOME_FORMAT:
        raise ConfigurationError(
            f"{backup.file} was made by a newer release ({told.release}, schema {told.registry_schema}): "
            "restore it with that one."
        )


def _keyring(settings: Settings, backup: Reader) -> Keyring:
    """The keyring that the backup was made with."""
    if settings.secret_key is not None:
        given = Keyring(settings.secret_key.get_secret_value())
        if given.fingerprint != backup.manifest.fingerprint:
            raise ConfigurationError(
                "DATAOPS_SECRET_KEY is not the secret key that the backup was made with: give that one, or none "
                "where the backup holds it."
            )
        return given
    held = backup.text(f"{HOME}{SECRET_FILE}")
    if held is None:
        raise ConfigurationError(
            f"{backup.file} does not hold the secret key, which was given by DATAOPS_SECRET_KEY: set it to that key."
        )
    return Keyring(held.strip())


def _check_target(settings: Settings, home: Home, backup: Reader, *, replace: bool) -> None:
    """Raises ConfigurationError where records would be missing, the server is too old, or something is not empty."""
    bucket = backup.manifest.storage_url
    if bucket is not None and settings.storage_url is None:
        raise ConfigurationError(
            f"The backup's records and archives are in {bucket}: set DATAOPS_STORAGE_URL to it, or to a copy of it."
        )
    if bucket is None and settings.storage_url is not None:
        raise ConfigurationError(
            "The backup holds records and archives, which a restore brings into the home: restore without "
            "DATAOPS_STORAGE_URL, and copy them to the bucket then."
        )
    server, tables = MAJOR, 0
    if settings.database_url is not None:
        registry, dagster = _given(settings)
        server = check_server(registry)
        tables = tables_in(registry) + tables_in(dagster)
    if server < backup.manifest.postgres:
        raise ConfigurationError(
            f"The backup is of PostgreSQL {backup.manifest.postgres} and this server is {server}: "
            f"restore it to one of version {backup.manifest.postgres} or newer."
        )
    if home.holds_installation and not replace:
        raise ConfigurationError(
            f"The home {home.path} is not empty: restore with --replace, which sets aside what is there, "
            "or set DATAOPS_HOME to another directory."
        )
    if tables and not replace:
        raise ConfigurationError(
            "The given database is not empty: restore with --replace, which sets aside what is there, "
            "or name another by DATAOPS_DATABASE_URL."
        )


def _given(settings: Settings) -> tuple[str, str]:
    assert settings.database_url is not None  # noqa: S101  the caller has looked
    registry = with_driver(settings.database_url.get_secret_value())
    given = settings.model_copy(update={"database_url": SecretStr(registry)})
    return registry, given.dagster_storage_url


def _write_files(settings: Settings, backup: Reader) -> None:
    targets = {}
    for name in backup.manifest.files:
        if name.startswith(DATA):
            targets[name] = settings.data_path / name.removeprefix(DATA)
        elif name.startswith(HOME) and not (name == f"{HOME}{SECRET_FILE}" and settings.secret_key is not None):
            targets[name] = settings.home / name.removeprefix(HOME)
    backup.extract(targets)


@contextmanager
def _served(settings: Settings, home: Home) -> Iterator[Settings]:
    """The settings with the addresses of both databases, while they are served."""
    if settings.database_url is not None:
        registry, dagster = _given(settings)
        ensure_database(dagster, registry)
        yield settings.model_copy(
            update={"database_url": SecretStr(registry), "dagster_database_url": SecretStr(dagster)}
        )
        return
    with Postgres(home.path) as server:
        yield settings.model_copy(
            update={
                "database_url": SecretStr(server.url(DATABASE)),
                "dagster_database_url": settings.dagster_database_url or SecretStr(server.url(DAGSTER_DATABASE)),
            }
        )


def _fill(settings: Settings, home: Home, backup: Reader, keyring: Keyring) -> int:
    """Brings the databases back and to this release's schema. Returns how many operations it had to end."""
    url = settings.registry_url
    workplace = home.path / ".restoring"
    try:
        for name, target in ((REGISTRY, url), (DAGSTER, settings.dagster_storage_url)):
            if name in backup.manifest.files:
                backup.extract({name: workplace / name})
                dumps.load(target, workplace / name, server=check_server(target))
                (workplace / name).unlink()
    finally:
        with storage_errors("Removing the dumps"):
            for left in workplace.glob("*"):
                left.unlink()
            if workplace.is_dir():
                workplace.rmdir()
    migrate.upgrade(url)
    database = Database(url, pool_size=1)
    try:
        with database.transaction() as session:
            if not installation.fits(session, keyring):
                raise ConfigurationError("The backup holds a database and a secret key that do not belong together.")
        interrupted = settle_interrupted(database)
    finally:
        database.close()
    if DAGSTER in backup.manifest.files:
        _end_runs(settings, home)
    return interrupted


def _end_runs(settings: Settings, home: Home) -> None:
    children = Children(settings, home, home.path)
    children.write_dagster_home()
    result = subprocess.run(
        [sys.executable, "-m", "dataops_pipeline.restored"],
        env=environment(settings, home),
        cwd=home.dagster,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        words = (result.stderr.strip().splitlines() or [f"status {result.returncode}"])[-1]
        raise ConfigurationError(f"Dagster's database cannot be used as it was restored: {words}")
