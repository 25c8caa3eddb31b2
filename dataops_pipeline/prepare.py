"""Makes Dagster's database and brings its tables to the installed Dagster's schema.

``up`` runs ``python -m dataops_pipeline.prepare --dagster-alone`` before it starts any process of Dagster's, so that
none of them need look or migrate on its own. Run it by hand, without that option, before ``dagster dev`` on a database
that no ``up`` has prepared: it makes the registry's tables too, which the sensors read from the first moment. Of
Dagster's it is quick where there is nothing to do: the release that prepared the tables is noted as a comment on one of
them, and Dagster is imported only where it differs.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from dataops_core.errors import ConfigurationError, UnavailableError
from dataops_core.settings import Settings

#: Any number that no other program of Dagster's database uses.
_LOCK = 7_340_115


def prepare(url: str, *, registry_url: str | None = None) -> bool:
    """Makes what is missing in Dagster's database; of several processes at once one does it and the others wait.

    ``registry_url`` names a database on the same server through which Dagster's can be created where it is missing.
    Returns whether anything was done. Raises ConfigurationError where the database cannot be made or was migrated by a
    newer Dagster, UnavailableError where the server does not answer.
    """
    ensure_database(url, registry_url)
    release = f"dagster {version('dagster')}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            if _prepared_by(connection) == release:
                return False
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            # The lock ends with the connection, whatever happens.
            if _prepared_by(connection) == release:
                return False
            _migrate(url)
            connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{release}'"))
            return True
    finally:
        engine.dispose()


def _prepared_by(connection: Connection) -> str | None:
    note: str | None = connection.scalar(
        text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class') WHERE to_regclass('runs') IS NOT NULL")
    )
    return note


def _migrate(url: str) -> None:
    # Imported here: the import takes longer than everything else, and mostly there is nothing to do.
    from alembic.util import CommandError  # noqa: PLC0415
    from dagster_postgres import DagsterPostgresStorage  # noqa: PLC0415

    try:
        # Made with the tables where they are missing; the rest goes on from whatever release made them.
        storage = DagsterPostgresStorage(url, should_autocreate_tables=True)
        runs, events, schedules = storage._run_storage, storage._event_log_storage, storage._schedule_storage  # noqa: SLF001
        runs.upgrade()
        runs.migrate()
        events.upgrade()
        events.reindex_assets()
        schedules.upgrade()
        schedules.migrate()
    except CommandError as error:
        raise ConfigurationError(
            f"Dagster's database was migrated by a newer Dagster ({error}): start the release that did it, "
            "or give this one an empty database by DATAOPS_DAGSTER_DATABASE_URL."
        ) from error


def ensure_database(url: str, registry_url: str | None) -> None:
    """Creates Dagster's database where it is missing. Raises as :func:`prepare` does."""
    wanted = make_url(url)
    try:
        _run(url, "SELECT 1")
    except OperationalError as error:
        by = make_url(registry_url) if registry_url is not None else None
        if by is None or (by.host, by.port, by.query) != (wanted.host, wanted.port, wanted.query):
            raise UnavailableError(f"Dagster's database {wanted.render_as_string()} does not answer.") from error
        _create_database(str(wanted.database), by.render_as_string(hide_password=False))


def _create_database(name: str, registry_url: str) -> None:
    try:
        if _run(registry_url, "SELECT 1 FROM pg_database WHERE datname = :name", name=name):
            raise UnavailableError(f"Dagster's database {name} exists but does not let this user in.")
        quoted = name.replace('"', '""')
        _run(registry_url, f'CREATE DATABASE "{quoted}"')
    except OperationalError as error:
        raise UnavailableError("The database server does not answer.") from error
    except ProgrammingError as error:
        if getattr(error.orig, "pgcode", None) == "42P04":  # another process has just made it
            return
        raise ConfigurationError(
            f"Dagster needs a database {name} and this user may not create it: create it, or name another by "
            "DATAOPS_DAGSTER_DATABASE_URL."
        ) from error


def _run(url: str, statement: str, **values: str) -> bool:
    """Executes one statement outside any transaction; says whether it gave a row."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            result = connection.execute(text(statement), values)
            return bool(result.returns_rows and result.first() is not None)
    finally:
        engine.dispose()


def prepare_registry(url: str) -> None:
    """Brings the registry's tables to this release's. Raises ConfigurationError where that is not possible."""
    # Imported here: `up`, which has done this before, starts this module each time.
    from dataops_core.registry import migrate  # noqa: PLC0415

    try:
        migrate.upgrade(url)
    except (OperationalError, ProgrammingError) as error:
        reason = str(error.orig).strip().partition("\n")[0]
        raise ConfigurationError(
            f"The registry's tables cannot be made in {make_url(url).render_as_string()} ({reason}): "
            "correct that, or DATAOPS_DATABASE_URL."
        ) from error


def main(arguments: Sequence[str]) -> int:
    """Prepares the databases that the settings name. Exit status 2 with one sentence where that is not possible."""
    parser = argparse.ArgumentParser(prog="python -m dataops_pipeline.prepare", description=__doc__)
    parser.add_argument("--dagster-alone", action="store_true", help="leave the registry's tables as they are")
    dagster_alone: bool = parser.parse_args(arguments).dagster_alone
    try:
        settings = Settings.load()
        if not dagster_alone:
            prepare_registry(settings.registry_url)
        done = prepare(settings.dagster_storage_url, registry_url=settings.registry_url)
    except (ConfigurationError, UnavailableError) as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    sys.stdout.write("Dagster's tables are made.\n" if done else "Dagster's tables are as they must be.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
