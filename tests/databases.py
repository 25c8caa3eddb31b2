"""Databases of a test's own on the suite's PostgreSQL server: ``postgres_url`` is empty, ``database`` has the registry.

A database with the registry's schema serves one test after the other: making one and dropping it takes longer than most
tests. The next test finds it as the migrations left it, or gets another: what a test has changed of the schema, made
large or let PostgreSQL take statistics of is dropped, and so is what somebody of the test still works on.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy import make_url

from dataops_cli.postgres import Postgres
from dataops_core.registry import migrate
from dataops_core.registry.database import Database
from tests.stored_rows import Rows

#: Makes a database (``migrated=True``: with the registry's schema): its URL, and how to drop it.
MakesDatabase = Callable[..., tuple[str, Callable[[], None]]]

_TEMPLATE = "registry_template"
#: A database that has grown by more is not used again.
_MOST_GROWTH = 4 << 20
#: Whoever was told to go is gone after so many seconds.
_MOMENT = 1.0
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_SIZE = "SELECT pg_database_size(current_database())"
#: Every object that is not PostgreSQL's own, by who wrote its row; and the statistics of the tables.
_SHAPE = """
SELECT md5(string_agg(one, ' ' ORDER BY one)) FROM (
    SELECT concat_ws('/', 'class', oid, xmin, reltuples) FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT concat_ws('/', 'column', attrelid, attnum, xmin) FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT concat_ws('/', 'default', oid, xmin) FROM pg_attrdef WHERE oid >= 16384
    UNION ALL SELECT concat_ws('/', 'constraint', oid, xmin) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat_ws('/', 'index', indexrelid, xmin) FROM pg_index WHERE indexrelid >= 16384
    UNION ALL SELECT concat_ws('/', 'trigger', oid, xmin) FROM pg_trigger WHERE oid >= 16384
    UNION ALL SELECT concat_ws('/', 'function', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws('/', 'type', oid, xmin) FROM pg_type WHERE oid >= 16384
    UNION ALL SELECT concat_ws('/', 'rule', oid, xmin) FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT concat_ws('/', 'policy', oid, xmin) FROM pg_policy
    UNION ALL SELECT concat_ws('/', 'statistics', oid, xmin) FROM pg_statistic_ext
    UNION ALL SELECT concat_ws('/', 'extension', oid, xmin) FROM pg_extension
    UNION ALL SELECT concat_ws('/', 'schema', oid, xmin) FROM pg_namespace
    UNION ALL SELECT concat_ws('/', 'database', oid, xmin) FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT concat_ws('/', 'setting', setdatabase, setrole, xmin) FROM pg_db_role_setting
) AS all_of_it(one)
"""


class _Used:
    """A database with the registry's schema that tests use one after the other."""

    def __init__(self, url: str, drop: Callable[[], None], connection: psycopg2.extensions.connection) -> None:
        self.url = url
        self.drop = drop
        self._connection = connection
        connection.autocommit = True
        self._registries: dict[int, Database] = {}
        self._rows = Rows.of(connection)
        self._shape, self._size = self._ask(_SHAPE), self._ask(_SIZE)

    @classmethod
    def made(cls, postgres: Postgres, new_database: MakesDatabase) -> "_Used":
        url, drop = new_database(migrated=True)
        return cls(url, drop, psycopg2.connect(postgres.dsn(str(make_url(url).database))))

    def registry(self, pool_size: int = 10) -> Database:
        """The registry in it, the same for each test: SQLAlchemy compiles every statement anew for another one."""
        if pool_size not in self._registries:
            self._registries[pool_size] = Database(self.url, pool_size=pool_size)
        return self._registries[pool_size]

    def cleaned(self) -> bool:
        """Brings it back to how it was made; says whether that was possible."""
        for registry in self._registries.values():
            registry.close()
        try:
            if self._is_held():
                return False
            if self._ask(_SHAPE) != self._shape or self._ask(_SIZE) > self._size + _MOST_GROWTH:
                return False
            self._rows.replace_all(self._connection)
        except psycopg2.Error:  # the test has ended this connection, or the server
            return False
        return True

    def close(self) -> None:
        with suppress(psycopg2.Error):
            self._connection.close()
        self.drop()

    def _is_held(self) -> bool:
        """Whether anybody has not gone: a process or a thread that outlives its test would write into the next one."""
        deadline = time.monotonic() + _MOMENT
        while self._ask(_OTHERS):
            if time.monotonic() > deadline:
                return True
            time.sleep(0.005)
        return False

    def _ask(self, question: str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]


@pytest.fixture(scope="session")
def new_database(postgres: Postgres, administer: Callable[[sql.Composable], None]) -> MakesDatabase:
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


@pytest.fixture(scope="session")
def _idle() -> Iterator[list[_Used]]:
    """Databases that are as they were made."""
    idle: list[_Used] = []
    yield idle
    for used in idle:
        used.close()


@pytest.fixture
def postgres_url(new_database: MakesDatabase) -> Iterator[str]:
    """An empty database of the test's own."""
    url, drop = new_database(migrated=False)
    yield url
    drop()


@pytest.fixture
def _used(postgres: Postgres, new_database: MakesDatabase, _idle: list[_Used]) -> Iterator[_Used]:
    used = _idle.pop() if _idle else _Used.made(postgres, new_database)
    yield used
    if used.cleaned():
        _idle.append(used)
    else:
        used.close()


@pytest.fixture
def database_url(_used: _Used) -> str:
    """A database of the test's own with the registry's schema."""
    return _used.url


@pytest.fixture
def database(_used: _Used) -> Database:
    """The registry, empty, of the test's own."""
    return _used.registry()


@pytest.fixture
def large_database(_used: _Used) -> Database:
    """The same with as many connections as an API has."""
    return _used.registry(20)
