"""The registry's database as ``up`` makes it ready: reachable, migrated, tied to the secret, with an administrator."""

import json
from collections.abc import Mapping
from pathlib import Path

from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from dataops_cli.home import write_private_json
from dataops_core.errors import ConfigurationError
from dataops_core.registry import api_clients, installation, migrate
from dataops_core.registry.api_clients import NewApiClient
from dataops_core.registry.database import Database
from dataops_core.security import Keyring
from dataops_core.settings import API_PREFIX

#: The oldest PostgreSQL that may be given by DATAOPS_DATABASE_URL.
OLDEST_MAJOR = 15


def check_server(url: str) -> int:
    """The server's major version. Raises ConfigurationError where it does not answer or is too old."""
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            number = int(str(connection.scalar(text("SHOW server_version_num"))))
    except OperationalError as error:
        # The lines after the first ask whether the server runs.
        reason = str(error.orig).strip().partition("\n")[0]
        shown = make_url(url).render_as_string()
        raise ConfigurationError(
            f"The database {shown} does not let us in ({reason}): start it, or correct DATAOPS_DATABASE_URL."
        ) from None
    finally:
        engine.dispose()
    if number // 10_000 < OLDEST_MAJOR:
        raise ConfigurationError(
            f"The database server is PostgreSQL {number // 10_000}: "
            f"let DATAOPS_DATABASE_URL name one of version {OLDEST_MAJOR} or newer."
        )
    return number // 10_000


def make_ready(url: str, keyring: Keyring, *, credentials_file: Path, public_base: str) -> bool:
    """Migrates the registry, ties it to the secret, and sees that an administrator exists.

    Writes the credentials where it makes one. Returns whether it did. Raises ConfigurationError.
    """
    try:
        migrate.upgrade(url)
    except ProgrammingError as error:
        if not isinstance(error.orig, InsufficientPrivilege):
            raise
        parsed = make_url(url)
        reason = str(error.orig).partition("\n")[0]
        raise ConfigurationError(
            f"The database {parsed.database} does not let {parsed.username} make tables ({reason}): "
            "let that user own it, or name another by DATAOPS_DATABASE_URL."
        ) from None
    database = Database(url, pool_size=1)
    try:
        with database.transaction() as session:
            installation.ensure(session, keyring)
            client = api_clients.ensure_admin(session, keyring)
            if client is not None:
                # Before the commit: a secret that could not be written down would be lost.
                write_credentials(credentials_file, client, public_base=public_base)
    finally:
        database.close()
    if client is None:
        _refresh_addresses(credentials_file, public_base)
    return client is not None


def credentials(client: NewApiClient, *, public_base: str) -> dict[str, str]:
    """What a program needs to use the API as this client."""
    return {
        "client_id": str(client.api_client_id),
        "client_secret": client.client_secret,
        **_addresses(public_base),
    }


def write_credentials(path: Path, client: NewApiClient, *, public_base: str) -> None:
    """Writes them where only their owner may read them."""
    write_private_json(path, credentials(client, public_base=public_base))


def _addresses(public_base: str) -> dict[str, str]:
    return {"token_url": f"{public_base}/token", "base_url": f"{public_base}{API_PREFIX}"}


def _refresh_addresses(path: Path, public_base: str) -> None:
    """An installation may be served on other ports each time; its first client's file tells the present ones."""
    if not path.is_file():
        return
    stored: Mapping[str, str] = json.loads(path.read_text(encoding="utf-8"))
    current = {**stored, **_addresses(public_base)}
    if current != stored:
        write_private_json(path, current)
