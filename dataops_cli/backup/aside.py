"""What a restore replaces is set aside, never deleted: it comes back where the restore fails, and is its owner's to
remove where it does not. Of a home its files, in a folder beside the new ones; of a given database its schema, renamed.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from dataops_cli.backup.dumps import ASIDE
from dataops_cli.home import INSTALLATION, Home, write_private
from dataops_cli.postgres_account import LOCATION_FILE
from dataops_core.errors import ConfigurationError


@contextmanager
def home_set_aside(home: Home, moment: str) -> Iterator[Path | None]:
    """Makes room in the home for an installation. Gives the folder with what was there, None where nothing was.

    Where the block fails, all is again as it was. Until then, or until the block has ended, the home is marked as one
    that is being restored.
    """
    aside = home.path / f"{ASIDE}{moment}" if home.holds_installation else None
    write_private(home.restoring_file, f"{moment}\n")
    if aside is not None:
        aside.mkdir(mode=0o700)
        _move(home.path, aside, moment)
    try:
        yield aside
    except BaseException:
        _remove(home.path)
        if aside is not None:
            _move(aside, home.path, None)
            aside.rmdir()
        home.restoring_file.unlink()
        raise
    home.restoring_file.unlink()


def _move(source: Path, target: Path, moment: str | None) -> None:
    for name in INSTALLATION:
        if (source / name).exists():
            (source / name).rename(target / name)
    # A database outside of the home has a name that a new one would take.
    record = target / LOCATION_FILE
    if record.is_file():
        place = Path(record.read_text(encoding="utf-8").strip())
        moved = place.with_name(f"{place.name}-{moment}" if moment else place.name.rpartition("-")[0])
        place.rename(moved)
        record.write_text(f"{moved}\n", encoding="utf-8")


def _remove(home: Path) -> None:
    record = home / LOCATION_FILE
    if record.is_file():
        shutil.rmtree(record.read_text(encoding="utf-8").strip(), ignore_errors=True)
    for name in INSTALLATION:
        path = home / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def tables_in(url: str) -> int:
    """How many tables a given database has. Raises ConfigurationError where others are connected to it."""
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            others = connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
            )
            if others:
                raise ConfigurationError(
                    f"Others are connected to the database {make_url(url).database}: stop what works on it first."
                )
            return int(connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) or 0)
    except OperationalError as error:
        if "does not exist" in str(error.orig):
            return 0  # it will be made
        raise
    finally:
        engine.dispose()


@contextmanager
def schema_set_aside(url: str, moment: str) -> Iterator[str | None]:
    """Makes room in a given database. Gives the name of the schema with what was there, None where nothing was.

    Where the block fails, all is again as it was. Raises ConfigurationError where this user may not do that.
    """
    name = f"{ASIDE}{moment}" if tables_in(url) else None
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        if name is not None:
            _execute(engine, f'ALTER SCHEMA public RENAME TO "{name}"', "CREATE SCHEMA public")
        try:
            yield name
        except BaseException:
            bring_back = f'ALTER SCHEMA "{name}" RENAME TO public' if name is not None else "CREATE SCHEMA public"
            _execute(engine, "DROP SCHEMA public CASCADE", bring_back)
            raise
    finally:
        engine.dispose()


def _execute(engine: Engine, *statements: str) -> None:
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        raise ConfigurationError(
            f"The user {engine.url.username} may not replace what is in the database {engine.url.database}: "
            "let that user own it, or name an empty one by DATAOPS_DATABASE_URL."
        ) from None
