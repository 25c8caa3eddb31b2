"""``dataops credentials create`` makes a client whole or not at all, and says in one sentence what is in the way."""

import json
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dataops_cli.addresses import free_port
from dataops_core.registry import api_clients, installation
from dataops_core.registry.database import Database
from dataops_core.security import Keyring

Refusal = Callable[..., str]

SECRET = "the key that the database was made with"
CREATE = ("credentials", "create")


@pytest.fixture
def tied(database_url: str) -> dict[str, str]:
    """The settings of a database that is tied to the secret."""
    with closing(Database(database_url)) as database, database.transaction() as session:
        installation.ensure(session, Keyring(SECRET))
    return {"DATAOPS_DATABASE_URL": database_url, "DATAOPS_SECRET_KEY": SECRET}


def clients(tied: dict[str, str]) -> int:
    with closing(Database(tied["DATAOPS_DATABASE_URL"])) as database, database.transaction() as session:
        return len(api_clients.list_all(session))


def test_a_client_is_made_with_the_scopes_asked_for_and_only_its_owner_reads_the_file(home: Path, dataops, tied):
    file = home / "reader.json"
    options = ("--name", "reader", "--scope", "dataops:datasets:read", "--file", str(file))
    result = dataops(home, *CREATE, *options, DATAOPS_PUBLIC_URL="https://api.example", **tied)
    made = json.loads(file.read_text())
    assert result.stdout == f"Made API client {made['client_id']} with dataops:datasets:read: {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (made["token_url"], made["base_url"]) == ("https://api.example/token", "https://api.example/v1/dataops")
    with closing(Database(tied["DATAOPS_DATABASE_URL"])) as database, database.transaction() as session:
        (client,) = api_clients.list_all(session)
        assert (client.name, client.scopes) == ("reader", ["dataops:datasets:read"])


def test_without_a_key_or_a_database_it_says_what_is_missing(home: Path, refusal: Refusal):
    assert refusal(home, *CREATE) == f"No secret key: start `dataops up` on {home}, or set DATAOPS_SECRET_KEY."
    assert refusal(home, *CREATE, DATAOPS_SECRET_KEY=SECRET) == (
        f"No database is known: start `dataops up` on {home}, or set DATAOPS_DATABASE_URL."
    )
    absent = f"postgresql://127.0.0.1:{free_port()}/name"
    assert refusal(home, *CREATE, DATAOPS_SECRET_KEY=SECRET, DATAOPS_DATABASE_URL=absent) == (
        "The database does not answer."
    )


def test_a_database_without_tables_is_told(home: Path, refusal: Refusal, postgres_url: str):
    assert refusal(home, *CREATE, DATAOPS_DATABASE_URL=postgres_url, DATAOPS_SECRET_KEY=SECRET) == (
        "The database does not have this release's schema: start `dataops up`."
    )


def test_a_key_that_does_not_fit_makes_no_client(home: Path, refusal: Refusal, tied):
    assert refusal(home, *CREATE, **tied | {"DATAOPS_SECRET_KEY": SECRET + "!"}) == (
        "The secret key does not fit the database: give the one that it was made with."
    )
    assert clients(tied) == 0


def test_a_named_file_is_not_overwritten(home: Path, refusal: Refusal, tied):
    file = home / "mine.json"
    file.write_text("kept")
    assert refusal(home, *CREATE, "--file", str(file), **tied) == f"{file} exists already: name another file."
    assert (file.read_text(), clients(tied)) == ("kept", 0)


def test_a_file_that_cannot_be_written_makes_no_client(home: Path, refusal: Refusal, tied):
    file = home / "nowhere" / "mine.json"
    assert refusal(home, *CREATE, "--file", str(file), **tied) == (
        f"{file} cannot be written (No such file or directory): name another file."
    )
    assert clients(tied) == 0
