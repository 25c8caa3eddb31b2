"""Dagster's database is made and migrated once, under a lock, and left alone when it is as it must be."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg2 import sql
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.orm import Session

from dataops_core.errors import ConfigurationError, UnavailableError
from dataops_core.registry import migrate
from dataops_pipeline.prepare import prepare
from dataops_pipeline.storage import PooledPostgresStorage

Administer = Callable[[sql.Composable], None]


@pytest.fixture
def missing_url(postgres_url: str, administer: Administer) -> Iterator[str]:
    """The URL of a database that does not exist yet, on the server of ``postgres_url``."""
    url = make_url(postgres_url)
    name = f"{url.database}_dagster"
    yield url.set(database=name).render_as_string(hide_password=False)
    administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def execute(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_it_makes_database_and_tables_and_then_has_nothing_to_do(missing_url: str, postgres_url: str) -> None:
    assert prepare(missing_url, registry_url=postgres_url)
    assert not prepare(missing_url, registry_url=postgres_url)

    storage = PooledPostgresStorage(missing_url)
    for part in (storage.run_storage, storage.event_log_storage, storage.schedule_storage):
        revision, head = part.alembic_version()
        assert revision == head is not None


def test_of_many_at_once_one_does_it(postgres_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(prepare, [postgres_url] * 4))
    assert sorted(done) == [False, False, False, True]


def test_tables_of_an_older_release_are_brought_up(postgres_url: str) -> None:
    prepare(postgres_url)
    execute(postgres_url, "COMMENT ON TABLE alembic_version IS 'dagster 1.13.0'")
    assert prepare(postgres_url)
    assert not prepare(postgres_url)


def test_tables_of_a_newer_release_are_refused_in_one_sentence(postgres_url: str) -> None:
    prepare(postgres_url)
    execute(postgres_url, "COMMENT ON TABLE alembic_version IS 'dagster 9.9.9'")
    execute(postgres_url, "UPDATE alembic_version SET version_num = 'fffffffffff0'")
    with pytest.raises(ConfigurationError, match="newer Dagster"):
        prepare(postgres_url)


def test_a_user_who_may_not_create_the_database_is_told_what_to_do(
    missing_url: str, postgres_url: str, administer: Administer
) -> None:
    administer(sql.SQL("CREATE ROLE humble LOGIN PASSWORD 'humble'"))
    try:
        registry, wanted = (
            make_url(url).set(username="humble", password="humble").render_as_string(hide_password=False)
            for url in (postgres_url, missing_url)
        )
        with pytest.raises(ConfigurationError, match="DATAOPS_DAGSTER_DATABASE_URL"):
            prepare(wanted, registry_url=registry)
    finally:
        administer(sql.SQL("DROP ROLE humble"))


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(UnavailableError, match="does not answer") as error:
        prepare("postgresql+psycopg2://me:secret@127.0.0.1:1/dagster")
    assert "secret" not in error.value.message


def test_the_command_prepares_what_the_settings_name(missing_url: str, postgres_url: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")}
    environment |= {"DATAOPS_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-W", "error", "-m", "dataops_pipeline.prepare"]

    lost = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert lost.returncode == 2
    assert "DATAOPS_DATABASE_URL" in lost.stderr
    assert len(lost.stderr.splitlines()) == 1

    nobody = make_url(postgres_url).set(username="nobody", password="secret")
    environment["DATAOPS_DATABASE_URL"] = nobody.render_as_string(hide_password=False)
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert refused.stderr.startswith("The registry's tables cannot be made in postgresql")
    assert len(refused.stderr.splitlines()) == 1
    assert "secret" not in refused.stderr

    environment["DATAOPS_DATABASE_URL"] = postgres_url
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not prepare(missing_url)
    engine = create_engine(postgres_url)
    with Session(engine) as session:
        assert migrate.is_current(session)
    engine.dispose()
