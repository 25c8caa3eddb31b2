"""Brings a registry database to the schema of this release, under a lock, forwards only."""

import functools
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from dataops_core.errors import ConfigurationError
from dataops_core.settings import with_driver

#: Any number that no other program of this database uses.
_LOCK = 7_340_114


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@functools.cache
def head() -> str:
    """The schema revision that this release wants."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101  the migrations folder is part of the package
    return revision


def knows(revision: str) -> bool:
    """Whether this release can bring a database with this schema to its own."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def upgrade(url: str) -> None:
    """Migrates to :func:`head`; of several processes at once one does it and the others wait.

    Raises ConfigurationError where the database was migrated by a newer release.
    """
    engine = create_engine(with_driver(url))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            connection.commit()
            try:
                current = MigrationContext.configure(connection).get_current_revision()
                connection.commit()
                if current is not None and not knows(current):
                    raise ConfigurationError(
                        f"The database was migrated by a newer release (schema {current}): start that release, "
                        "or restore a backup made with this one."
                    )
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.commit()
            finally:
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
                connection.commit()
    finally:
        engine.dispose()


def is_current(session: Session) -> bool:
    """Whether the database has the schema of this release."""
    return MigrationContext.configure(session.connection()).get_current_revision() == head()
