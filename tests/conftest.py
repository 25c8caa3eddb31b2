"""What every test may use: a real PostgreSQL server, one for the suite, and databases of one's own on it.

``postgres_url`` is an empty database, ``database`` one with the registry's schema. Each test has its own and loses it
at the end.
"""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql

from dataops_cli.postgres import Postgres
from dataops_core.registry import migrate
from dataops_core.registry.database import Database

_TEMPLATE = "registry_template"


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """A directory whose path is short enough for Unix sockets and that every user can enter."""
    directory = Path(tempfile.mkdtemp(prefix="dol-", dir="/tmp"))  # noqa: S108
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres(short_directory: Path) -> Iterator[Postgres]:
    """The suite's PostgreSQL server."""
    home = short_directory / "postgres-of-the-suite"
    home.mkdir(mode=0o711)
    with Postgres(home, durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def administer(postgres: Postgres) -> Iterator[Callable[[sql.Composable], None]]:
    """Runs one statement outside of every test's database."""
    connection = psycopg2.connect(postgres.dsn("postgres"))
    connection.autocommit = True

    def run(statement: sql.Composable) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    yield run
    connection.close()


@pytest.fixture(scope="session")
def new_database(
    postgres: Postgres, administer: Callable[[sql.Composable], None]
) -> Callable[..., tuple[str, Callable[[], None]]]:
    """Makes a database, empty or with the registry's schema (``migrated=True``): its URL, and how to drop it."""
    names = (f"test_{number}" for number in itertools.count(1))
    template_made = False

    def make(*, migrated: bool) -> tuple[str, Callable[[], None]]:
        nonlocal template_made
        if migrated and not template_made:
            postgres.ensure_databases([_TEMPLATE])
            migrate.upgrade(postgres.url(_TEMPLATE))
            template_made = True
        name = sql.Identifier(next(names))
        source = sql.Identifier(_TEMPLATE if migrated else "template0")
        administer(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(name, source))
        return postgres.url(name.string), lambda: administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    return make


@pytest.fixture
def postgres_url(new_database: Callable[..., tuple[str, Callable[[], None]]]) -> Iterator[str]:
    """An empty database of the test's own."""
    url, drop = new_database(migrated=False)
    yield url
    drop()


@pytest.fixture
def database_url(new_database: Callable[..., tuple[str, Callable[[], None]]]) -> Iterator[str]:
    """A database of the test's own with the registry's schema."""
    url, drop = new_database(migrated=True)
    yield url
    drop()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The registry, empty, of the test's own."""
    database = Database(database_url)
    yield database
    database.close()
