"""What ``dataops up`` cannot use, it refuses: one sentence that says what to do, exit status 2, and no process left.

What is refused before the first process is started is asked in this process, which is quicker.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy import make_url

from dataops_cli.background import start_background
from dataops_cli.databases import check_server, make_ready
from dataops_cli.home import FORMAT, Home, write_private
from dataops_cli.postgres import Postgres
from dataops_cli.up import up as serve
from dataops_core.errors import ConfigurationError
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.templates.loader import SHIPPED_DIR
from tests.ports import free_port

#: Everything is imported before, since that user may not reach the interpreter's files.
AS_ANOTHER_USER = """
import os, dataops_cli.background, dataops_cli.credentials, dataops_cli.demo_home, dataops_cli.main
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
dataops_cli.main.app()
"""
SECRET = "a secret of the tests, long enough"


Up = Callable[..., str]


@pytest.fixture
def up(refusal: Callable[..., str]) -> Up:
    """Starts ``dataops up``, which must refuse; the sentence that it refuses with."""

    def start(home: Path, **variables: str) -> str:
        sentence = refusal(home, **variables)
        assert Home(home).read_record() is None
        return sentence

    return start


def refused(home: Path, **settings: Any) -> str:
    """The sentence with which the same is refused before anything is started."""
    given = {"home": home, "api_port": free_port(), "dagster_port": free_port()} | settings
    with pytest.raises(ConfigurationError) as refusal:
        serve(Settings.load(**given))
    assert Home(home).read_record() is None
    return str(refusal.value)


def test_a_home_on_which_another_up_runs(up: Up, home: Path) -> None:
    with Home(home).locked():
        sentence = up(home)
    assert sentence == (
        f"Another `dataops up` runs on the home {home}: stop it with `dataops down` "
        "(in a checkout: `make down`), or set DATAOPS_HOME to another directory."
    )


@pytest.mark.parametrize("name", ["API", "DAGSTER"])
def test_a_port_that_is_taken(up: Up, home: Path, name: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = up(home, **{f"DATAOPS_{name}_PORT": str(port)})
    assert sentence == (
        f"Port {port} on 127.0.0.1 is taken: stop what listens there, or set DATAOPS_{name}_PORT to another."
    )


def test_one_port_for_both(home: Path) -> None:
    port = free_port()
    sentence = refused(home, api_port=port, dagster_port=port)
    assert sentence == (f"The API and the Dagster UI cannot share port {port}: set DATAOPS_DAGSTER_PORT to another.")


def test_a_host_that_is_no_address_of_this_machine(home: Path) -> None:
    sentence = refused(home, api_host="192.0.2.1")
    assert sentence == "192.0.2.1 is no address of this machine: set DATAOPS_API_HOST to another."


def test_a_home_that_cannot_be_made(home: Path) -> None:
    (home / "file").touch()
    sentence = refused(home / "file" / "home")
    assert sentence == (
        f"The home {home}/file/home cannot be written (Not a directory): "
        "make it writable, or set DATAOPS_HOME to a directory of yours."
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where the mode says no")
def test_a_home_that_is_not_writable(home: Path) -> None:
    home.chmod(0o500)
    assert refused(home).startswith(f"The home {home} cannot be written (Permission denied): make it writable, or set")


@pytest.fixture
def read_only(home: Path) -> Iterator[Path]:
    """A home on a read-only file system, which root cannot write to either."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "none", str(home)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"file systems cannot be mounted here: {mounted.stderr.strip()}")
    yield home
    subprocess.run(["umount", str(home)], check=True)


def test_a_home_on_a_read_only_file_system(read_only: Path) -> None:
    assert refused(read_only) == (
        f"The home {read_only} cannot be written (Read-only file system): "
        "make it writable, or set DATAOPS_HOME to a directory of yours."
    )


def test_a_home_made_by_a_newer_release(home: Path) -> None:
    (home / "version").write_text(f"{FORMAT + 1}\n")
    assert refused(home) == (
        f"The home {home} was made by a newer release (format {FORMAT + 1}, this one knows {FORMAT}): "
        "start that release, or set DATAOPS_HOME to another directory."
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_home_of_another_user(home: Path) -> None:
    Home(home).open()
    os.chown(home / "version", 4711, -1)
    assert refused(home) == (
        f"The home {home} belongs to another user (id 4711): start as that user, "
        "or set DATAOPS_HOME to a directory of yours."
    )


def test_a_home_whose_format_cannot_be_read(home: Path) -> None:
    (home / "version").write_bytes(b"\xffone\n")
    assert refused(home) == (
        f"{home}/version does not hold the format of the home: bring the file back (this release writes {FORMAT}), "
        "or set DATAOPS_HOME to another directory."
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
@pytest.mark.parametrize("command", [("down",), ("credentials", "create")])
def test_commands_of_another_user_on_the_home(home: Path, command: tuple[str, ...]) -> None:
    Home(home).open()
    for name in ("processes.json", "runtime.json", "secret_key"):
        write_private(home / name, "{}")
    result = subprocess.run(
        [sys.executable, "-c", AS_ANOTHER_USER, *command],
        env={**os.environ, "DATAOPS_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    file = "processes.json" if command == ("down",) else "secret_key"
    assert (result.returncode, result.stderr) == (
        2,
        f"dataops: {home}/{file} is not for this user (Permission denied): run it as the user of the home, "
        "or set DATAOPS_HOME to a directory of yours.\n",
    )


def test_a_database_of_another_postgresql(up: Up, home: Path) -> None:
    with Postgres(home, durable=False) as server:
        data = server.data
    (data / "PG_VERSION").write_text("17\n")
    assert up(home) == (
        f"The database in {data} was made by PostgreSQL 17 and this release brings 18: "
        "back it up with the release that made it (`dataops backup`) and restore it with this one, "
        "or move that directory away to begin with an empty database."
    )


def test_a_setting_that_is_none(home: Path) -> None:
    assert "DATAOPS_API_PORT: " in refused(home, api_port="eighty")


def test_a_secret_that_does_not_fit_the_database(up: Up, home: Path, postgres_url: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    make_ready(postgres_url, Keyring(SECRET), credentials_file=file, public_base="http://127.0.0.1:1")
    sentence = up(home, DATAOPS_DATABASE_URL=postgres_url, DATAOPS_SECRET_KEY="another secret, long enough")
    assert sentence.startswith("The secret key does not fit the database: ")
    assert not (home / "credentials.json").exists()


def test_a_secret_that_is_too_short(home: Path) -> None:
    sentence = refused(home, secret_key="short")
    assert sentence.startswith("DATAOPS_SECRET_KEY is too short: ")


def test_a_secret_file_that_was_spoilt(home: Path) -> None:
    (home / "secret_key").write_bytes(b"\xff\n")
    assert refused(home) == (
        f"{home}/secret_key does not hold the secret key that was written there: bring the file back, "
        "or set DATAOPS_SECRET_KEY to the key."
    )


def test_a_lost_secret_file_and_none_lies_in_its_place_afterwards(up: Up, home: Path, postgres_url: str) -> None:
    file = home / "credentials.json"
    make_ready(postgres_url, Keyring(SECRET), credentials_file=file, public_base="http://127.0.0.1:1")
    assert up(home, DATAOPS_DATABASE_URL=postgres_url).startswith("The secret key does not fit the database: ")
    assert not (home / "secret_key").exists()


def test_a_database_password_that_is_not_the_one(up: Up, home: Path) -> None:
    with Postgres(home, durable=False) as server:
        data = server.data
    (home / "postgres_password").write_text("another one\n")
    began = time.monotonic()
    assert up(home) == (
        f"The password in {home}/postgres_password is not that of the database in {data}: "
        "bring the file back that belongs to it."
    )
    assert time.monotonic() - began < 30


def test_a_folder_of_templates_that_there_is_not(home: Path) -> None:
    assert refused(home, templates_dir=home / "nope") == (
        f"There is no folder {home}/nope: DATAOPS_TEMPLATES_DIR must name one, or be unset."
    )


def test_a_template_that_is_broken_is_named_with_file_line_and_field(home: Path) -> None:
    """Also by a start in the background, though the sentence has lines."""
    shipped = (SHIPPED_DIR / "confluence-fintech-developer-productivity.yaml").read_text(encoding="utf-8")
    (home / "own.yaml").write_text(shipped.replace("\nname:", "\nnaem:"), encoding="utf-8")
    line = shipped.splitlines().index(next(text for text in shipped.splitlines() if text.startswith("name:"))) + 1
    sentence = refused(home / "home", templates_dir=home)
    assert f"\n  {home}/own.yaml:{line}: naem: is no such field: did you mean 'name'?" in sentence
    with pytest.raises(ConfigurationError) as refusal:
        start_background(Settings(home=home / "home", templates_dir=home))
    assert str(refusal.value) == sentence


def test_a_database_server_that_does_not_answer(up: Up, home: Path) -> None:
    url = f"postgresql://somebody:hidden@127.0.0.1:{free_port()}/registry"
    sentence = up(home, DATAOPS_DATABASE_URL=url)
    assert "registry does not let us in" in sentence
    assert "correct DATAOPS_DATABASE_URL" in sentence
    assert "hidden" not in sentence


def test_a_url_of_another_kind_of_database(up: Up, home: Path) -> None:
    assert up(home, DATAOPS_DATABASE_URL="mysql://localhost/x") == "The database must be PostgreSQL, not mysql."


@pytest.fixture
def modest_url(postgres_url: str, administer: Callable[[sql.Composable], None]) -> Iterator[str]:
    """The URL of a database of a user who may not create others."""
    url = make_url(postgres_url)
    name = sql.Identifier("modest")
    administer(sql.SQL("CREATE USER {} PASSWORD 'modest'").format(name))
    administer(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(str(url.database)), name))
    yield url.set(username="modest", password="modest").render_as_string(hide_password=False)
    administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(str(url.database))))
    administer(sql.SQL("DROP USER {}").format(name))
    administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(str(url.database))))


def test_a_user_who_may_not_create_dagsters_database(up: Up, home: Path, modest_url: str) -> None:
    name = f"{make_url(modest_url).database}_dagster"
    assert up(home, DATAOPS_DATABASE_URL=modest_url) == (
        f"Dagster needs a database {name} and this user may not create it: create it, or name another by "
        "DATAOPS_DAGSTER_DATABASE_URL."
    )


def test_a_server_older_than_the_oldest_is_told_from_one_that_will_do(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_server(postgres_url)
    monkeypatch.setattr("dataops_cli.databases.OLDEST_MAJOR", 99)
    with pytest.raises(ConfigurationError) as refusal:
        check_server(postgres_url)
    assert re.fullmatch(
        r"The database server is PostgreSQL \d\d: let DATAOPS_DATABASE_URL name one of version 99 or newer\.",
        str(refusal.value),
    )


def test_a_schema_of_a_newer_release(up: Up, home: Path, postgres_url: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    make_ready(postgres_url, Keyring(SECRET), credentials_file=file, public_base="http://127.0.0.1:1")
    with closing(psycopg2.connect(postgres_url.replace("+psycopg2", ""))) as connection, connection:
        connection.cursor().execute("UPDATE alembic_version SET version_num = '9999'")
    sentence = up(home, DATAOPS_DATABASE_URL=postgres_url, DATAOPS_SECRET_KEY=SECRET)
    assert sentence.startswith("The database was migrated by a newer release (schema 9999): ")
