"""The embedded PostgreSQL server: private, lasting, and clear about what it cannot use."""

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy.pool import QueuePool

from dataops_cli.postgres import (
    _FEWEST_IDLE,
    _IDLE_CONNECTIONS,
    DAGSTER_DATABASE,
    DATABASE,
    Postgres,
    connections_for,
)
from dataops_cli.postgres_account import SYSTEM_DIRECTORY, USER_NAME
from dataops_cli.processes import Child, ProcessMark, wait_gone
from dataops_core.errors import ConfigurationError
from dataops_core.provisioning.services import Services
from dataops_core.settings import Settings
from dataops_pipeline.storage import POOL_SIZE

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what is special about root")


@pytest.fixture(scope="module")
def postgres(postgres: Postgres, short_directory: Path) -> Iterator[Postgres]:
    """The embedded server, also where the suite is given another."""
    if type(postgres) is Postgres:
        yield postgres
        return
    home = short_directory / "embedded"
    home.mkdir(mode=0o711)
    with Postgres(home, durable=False) as server:
        yield server


def ask(server: Postgres, statement: str, database: str = DATABASE) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(server.dsn(database))) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[tuple[object, ...]] = cursor.fetchall()
        return rows


def server_process(server: Postgres) -> psutil.Process:
    return psutil.Process(int((server.data / "postmaster.pid").read_text().splitlines()[0]))


def test_the_server_is_utf8_sorts_by_code_point_and_keeps_checksums(postgres: Postgres) -> None:
    assert ask(postgres, "SHOW server_encoding") == [("UTF8",)]
    assert ask(postgres, "SHOW data_checksums") == [("on",)]
    assert ask(postgres, "SELECT x FROM (VALUES ('a'), ('B'), ('é'), ('z')) AS v (x) ORDER BY x") == [
        ("B",),
        ("a",),
        ("z",),
        ("é",),
    ]


def test_runs_and_steps_at_once_need_connections() -> None:
    assert connections_for(Settings(max_concurrent_runs=10, steps_at_once=3, step_processes=2)) == 230
    assert connections_for(Settings(max_concurrent_runs=10, steps_at_once=3, step_processes=1)) == 160
    assert connections_for(Settings(max_concurrent_runs=20, steps_at_once=1)) == 140
    assert connections_for(Settings(max_concurrent_runs=10, steps_at_once=8, step_processes=4)) == 670


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_a_process_at_rest_is_counted_with_what_its_pools_keep_open(tmp_path: Path, at_once: int) -> None:
    settings = Settings(
        home=tmp_path,
        secret_key=SecretStr("a secret that is long enough"),
        database_url=SecretStr("postgresql://nowhere/x"),
        steps_at_once=at_once,
    )
    pool = Services.from_settings(settings).database.engine.pool
    assert isinstance(pool, QueuePool)
    assert (POOL_SIZE, pool.size()) == (_IDLE_CONNECTIONS, max(_FEWEST_IDLE, at_once))


def test_both_databases_exist_from_the_start(postgres: Postgres) -> None:
    names = {name for (name,) in ask(postgres, "SELECT datname FROM pg_database")}
    assert {DATABASE, DAGSTER_DATABASE} <= names


def test_nothing_listens_on_a_network_address(postgres: Postgres) -> None:
    process = server_process(postgres)
    assert not [one for one in process.net_connections(kind="inet") if one.status == psutil.CONN_LISTEN]


def test_the_socket_directory_and_the_data_are_private_and_the_password_is_the_owners(postgres: Postgres) -> None:
    socket_directory = Path(str(postgres.url().split("host=")[1].split("&")[0]).replace("%2F", "/"))
    assert stat.S_IMODE(socket_directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((postgres.home / "postgres_password").stat().st_mode) == 0o600


def test_a_connection_without_the_password_is_refused(postgres: Postgres) -> None:
    parts = psycopg2.extensions.parse_dsn(postgres.dsn(DATABASE))
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(psycopg2.extensions.make_dsn(**{**parts, "password": "another"}))


@as_root
def test_as_root_the_server_runs_as_a_user_of_its_own_inside_a_home_that_it_can_enter(postgres: Postgres) -> None:
    assert server_process(postgres).username() == USER_NAME
    assert postgres.data.is_relative_to(postgres.home)


@pytest.fixture
def closed_home(home: Path) -> Iterator[Path]:
    """A home that only its owner can enter; what was put elsewhere for it is removed."""
    home.chmod(0o700)
    yield home
    record = home / "postgres_location"
    if record.is_file():
        shutil.rmtree(record.read_text().strip())


@as_root
def test_as_root_a_closed_home_stays_closed_and_the_data_goes_to_a_directory_of_our_own(closed_home: Path) -> None:
    with Postgres(closed_home, durable=False) as server:
        assert server.data.parent.parent == SYSTEM_DIRECTORY
        assert ask(server, "SELECT 1") == [(1,)]
        ask_once = server.data
    assert stat.S_IMODE(closed_home.stat().st_mode) == 0o700
    with Postgres(closed_home, durable=False) as again:
        assert again.data == ask_once


def test_a_deep_home_gets_a_short_socket_directory_that_goes_when_the_server_goes(home: Path) -> None:
    deep = home / ("d" * 100)
    deep.mkdir(mode=0o711)
    with Postgres(deep, durable=False) as server:
        directory = Path((deep / "postgres_socket").read_text().strip())
        assert ask(server, "SELECT 1") == [(1,)]
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert not directory.exists()


def test_what_was_committed_is_there_after_a_kill(home: Path) -> None:
    with Postgres(home) as server:
        with closing(psycopg2.connect(server.dsn(DATABASE))) as connection, connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        mark = ProcessMark.of(server_process(server).pid)
        assert mark is not None
        mark.signal(signal.SIGKILL)
        assert wait_gone([mark], timeout=10)
    with Postgres(home, connections=68) as again:
        assert ask(again, "SELECT answer FROM kept") == [(42,)]
        assert ask(again, "SHOW max_connections") == [("68",)]


def test_a_server_left_over_on_the_same_data_is_ended_first(home: Path) -> None:
    left_over = Postgres(home, durable=False)
    left_over.prepare()
    child = Child.start(left_over.spec(), left_over.log)
    left_over.wait_ready(child)
    with Postgres(home, durable=False) as server:
        assert child.returncode() == 0
        assert ask(server, "SELECT 1") == [(1,)]


def test_a_lock_that_names_another_program_stops_neither_the_first_start_nor_one_after_a_kill(home: Path) -> None:
    server = Postgres(home)
    server.prepare()
    account = server.account
    # PostgreSQL refuses for a process of its own user alone, and never for its parent.
    with subprocess.Popen(["sleep", "600"], user=account.user, group=account.group) as other:
        try:
            for _ in range(2):
                server.clear_leftovers()
                child = Child.start(server.spec(), server.log)
                server.wait_ready(child)
                child.process.kill()
                child.stop()
                lock = server.data / "postmaster.pid"
                _, _, rest = lock.read_text().partition("\n")
                lock.write_text(f"{other.pid}\n{rest}")
            with Postgres(home) as again:
                assert ask(again, "SELECT 1") == [(1,)]
                assert other.poll() is None
        finally:
            other.kill()


def test_an_interrupted_first_start_is_made_good_by_the_next(home: Path) -> None:
    server = Postgres(home, durable=False)
    server.prepare()
    shutil.move(server.data, server.account.directory / "data.new")
    (server.account.directory / "data.new" / "PG_VERSION").unlink()
    with Postgres(home, durable=False) as again:
        assert ask(again, "SELECT 1") == [(1,)]


def test_data_of_another_major_version_is_named_with_what_to_do(home: Path) -> None:
    with Postgres(home, durable=False) as server:
        version = server.data / "PG_VERSION"
    version.write_text("16\n")
    with pytest.raises(ConfigurationError) as refusal:
        Postgres(home).prepare()
    assert str(refusal.value) == (
        f"The database in {server.data} was made by PostgreSQL 16 and this release brings 18: "
        "back it up with the release that made it (`dataops backup`) and restore it with this one, "
        "or move that directory away to begin with an empty database."
    )


def test_a_server_that_cannot_start_says_its_last_words(home: Path) -> None:
    server = Postgres(home, durable=False)
    server.prepare()
    (server.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    child = Child.start(server.spec(), server.log)
    with pytest.raises(
        ConfigurationError, match=r"does not start: FATAL:  configuration file .* contains errors \(the whole log: "
    ):
        server.wait_ready(child)
