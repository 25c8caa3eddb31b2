"""``dataops credentials`` makes, lists, rotates and revokes API clients (C-8, C-15), whole or not at all.

What is in the way is said in one sentence.
"""

import json
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from dataops_core.registry import api_clients, installation
from dataops_core.registry.database import Database
from dataops_core.security import Keyring
from tests.ports import free_port

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
    scope = ("--scope", "dataops:datasets:read")
    options = ("--name", "reader", *scope, *scope, "--file", str(file))
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


def test_without_a_file_the_secret_is_shown_once_and_the_homes_own_credentials_stay(home: Path, dataops, tied):
    own = home / "credentials.json"
    assert dataops(home, *CREATE, **tied).stdout.endswith(f": {own}\n")
    kept = own.read_text()
    customer = str(uuid4())
    shown = dataops(home, *CREATE, "--name", "bound", "--customer", customer, **tied)
    assert shown.stdout.startswith("Made API client ")
    assert shown.stdout.count("dosec_") == 1
    assert own.read_text() == kept
    listed = listing(home, dataops, tied)
    assert [client["customers"] for client in listed] == [None, [customer]]
    assert "dosec_" not in json.dumps(listed)


def test_for_programs_everything_is_json(home: Path, dataops, tied):
    made = json.loads(dataops(home, *CREATE, "--json", "--scope", "dataops:datasets:read", **tied).stdout)
    assert made["client_secret"].startswith("dosec_")
    rotated = json.loads(dataops(home, "credentials", "rotate", made["client_id"], "--json", **tied).stdout)
    assert rotated["client_secret"] != made["client_secret"]
    assert rotated["previous_secret_until"] is not None
    revoked = json.loads(dataops(home, "credentials", "revoke", made["client_id"], "--json", **tied).stdout)
    assert (revoked["state"], revoked["scopes"]) == ("revoked", ["dataops:datasets:read"])
    key = json.loads(dataops(home, "credentials", "rotate-keys", "--json", **tied).stdout)
    assert list(key) == ["kid"]


def test_a_rotation_of_keys_says_when_the_new_one_signs(home: Path, dataops, tied):
    """C-15: an API that runs looks for it every half minute."""
    said = dataops(home, "credentials", "rotate-keys", **tied).stdout
    assert said.endswith(" signs within half a minute; tokens signed before stay valid until they expire.\n")


def test_a_rotation_renews_the_homes_own_credentials_and_both_secrets_are_good(home: Path, dataops, tied):
    dataops(home, *CREATE, **tied)
    own = home / "credentials.json"
    before = json.loads(own.read_text())
    said = dataops(home, "credentials", "rotate", before["client_id"], "--grace-hours", "1", **tied)
    after = json.loads(own.read_text())
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    assert said.stdout.startswith(f"API client {before['client_id']} has a new secret, and the one before stays valid ")
    assert (good(tied, before), good(tied, after)) == (True, True)
    table = dataops(home, "credentials", "list", **tied).stdout
    assert "active, two secrets until" in table
    dataops(home, "credentials", "rotate", before["client_id"], "--now", **tied)
    last = json.loads(own.read_text())
    assert [good(tied, one) for one in (before, after, last)] == [False, False, True]


def test_the_last_administrator_is_revoked_only_on_purpose(home: Path, dataops, refusal: Refusal, tied):
    made = json.loads(dataops(home, *CREATE, "--json", "--file", str(home / "a.json"), **tied).stdout)
    assert "client_secret" not in made
    revoke = ("credentials", "revoke", made["client_id"])
    assert refusal(home, *revoke, **tied) == (
        f"{made['client_id']} is the last API client with dataops:admin: make another first, "
        "or revoke it all the same with --yes."
    )
    assert dataops(home, *revoke, "--yes", **tied).stdout == (
        f"Revoked API client {made['client_id']}: its tokens stop within a minute.\n"
    )
    (client,) = listing(home, dataops, tied)
    assert client["state"] == "revoked"
    assert refusal(home, "credentials", "rotate", made["client_id"], **tied) == (
        f"API client {made['client_id']} was revoked at {client['revoked_at']}: "
        "`dataops credentials create` makes another."
    )


def test_an_id_that_is_none_and_a_client_that_there_is_not_are_told(home: Path, refusal: Refusal, tied):
    assert refusal(home, "credentials", "revoke", "me", **tied) == "'me' is no id of an API client: give a UUID."
    assert refusal(home, *CREATE, "--customer", "ACME", **tied) == "'ACME' is no id of a customer: give a UUID."
    unknown = str(uuid4())
    assert refusal(home, "credentials", "rotate", unknown, **tied) == (
        f"There is no API client {unknown}: `dataops credentials list` shows those that there are."
    )


def test_with_no_client_the_list_says_so(home: Path, dataops, tied):
    assert dataops(home, "credentials", "list", **tied).stdout == "There is no API client.\n"
    assert listing(home, dataops, tied) == []


def listing(home: Path, dataops, tied: dict[str, str]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(dataops(home, "credentials", "list", "--json", **tied).stdout)
    return listed


def good(tied: dict[str, str], credentials: dict[str, str]) -> bool:
    """Whether a token would be given for these credentials."""
    with closing(Database(tied["DATAOPS_DATABASE_URL"])) as database, database.transaction() as session:
        client_id, secret = UUID(credentials["client_id"]), credentials["client_secret"]
        return api_clients.verify(session, Keyring(SECRET), api_client_id=client_id, secret=secret) is not None
