"""``telling_stack``: a stack with secrets of every kind that tells others, of traces and of datasets that fell."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg2 import sql
from sqlalchemy import make_url

from tests.conftest import Stack, running_stack
from tests.dataops_core.watching.receiver import SECRET, Receiver, receiving
from tests.stack.collector import Collector, collecting


@dataclass(frozen=True)
class TellingStack:
    """The stack, what is secret of it by name, and whom it tells."""

    stack: Stack
    secrets: dict[str, str]
    collector: Collector
    receiver: Receiver


@pytest.fixture(scope="session")
def telling_stack(
    short_directory: Path,
    new_database: Callable[..., tuple[str, Callable[[], None]]],
    administer: Callable[[sql.Composable], None],
) -> Iterator[TellingStack]:
    """Its database wants a password, and its connectors are looked at every five seconds."""
    plain, _ = new_database(migrated=False)
    url = make_url(plain)
    role = f"secretive_{uuid4().hex[:8]}"
    password = "a-password-of-the-database-" + uuid4().hex
    secret_key = "a-secret-key-of-the-installation-" + uuid4().hex
    administer(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(sql.Identifier(role), sql.Literal(password)))
    administer(
        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(url.database or ""), sql.Identifier(role))
    )
    with receiving() as receiver, collecting() as collector:
        variables = {
            "DATAOPS_DATABASE_URL": url.set(username=role, password=password).render_as_string(hide_password=False),
            "DATAOPS_SECRET_KEY": secret_key,
            "DATAOPS_LOG_LEVEL": "DEBUG",
            "DATAOPS_OTLP_ENDPOINT": collector.address,
            "DATAOPS_CONNECTOR_WATCH_SECONDS": "5",
            "DATAOPS_WEBHOOK_URL": receiver.url,
            "DATAOPS_WEBHOOK_SECRET": SECRET,
        }
        with running_stack(short_directory / "telling-stack", **variables) as stack:
            secrets = {
                "the database's password": password,
                "the installation's secret": secret_key,
                "the webhook's secret": SECRET,
                "the client's secret": stack.credentials["client_secret"],
            }
            yield TellingStack(stack, secrets, collector, receiver)
