"""Liveness and readiness."""

from typing import Any

import pytest
from psycopg2 import sql

from dataops_core.registry.database import Database


def states(body: dict[str, Any]) -> dict[str, str]:
    return {name: component["state"] for name, component in body["components"].items()}


def test_healthz_says_that_the_process_lives(api: Any) -> None:
    answer = api.anonymous.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_lists_every_part(api: Any) -> None:
    answer = api.anonymous.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    names = ("database", "migrations", "keys", "dagster", "code_location", "daemon", "connector", "storage")
    assert states(answer.json()) == dict.fromkeys(names, "up")


def test_an_api_without_dagster_is_ready_and_says_so(own_api: Any) -> None:
    """C-86."""
    own_api.dagster.down = True
    answer = own_api.anonymous.get("/readyz")
    assert answer.status_code == 200
    for name in ("dagster", "code_location", "daemon"):
        assert answer.json()["components"][name] == {"state": "down", "reason": "Dagster's webserver does not answer"}


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (
            "UPDATE alembic_version SET version_num = '0000'",
            {"database": "up", "migrations": "down", "keys": "unknown"},
        ),
        ("DROP TABLE alembic_version", {"database": "up", "migrations": "down", "keys": "unknown"}),
        (
            "UPDATE installation SET secret_fingerprint = repeat('0', 64)",
            {"database": "up", "migrations": "up", "keys": "down"},
        ),
        ("DELETE FROM installation", {"database": "up", "migrations": "up", "keys": "down"}),
        ("UPDATE signing_keys SET private_key = 'x'", {"database": "up", "migrations": "up", "keys": "down"}),
    ],
)
def test_an_api_that_cannot_accept_requests_is_not_ready_and_says_why(
    own_api: Any, harm: str, expected: dict[str, str]
) -> None:
    """C-2: in the envelope of every error."""
    with own_api.database.engine.begin() as connection:
        connection.exec_driver_sql(harm)
    answer = own_api.anonymous.get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    error = answer.json()["error"]
    assert error["code"] == "SERVICE_UNAVAILABLE"
    assert states(error["details"]).items() >= expected.items()
    assert all(part["reason"] for part in error["details"]["components"].values() if part["state"] == "down")


def test_an_api_without_its_database_is_not_ready(own_api: Any, administer: Any) -> None:
    database: Database = own_api.database
    name = sql.Identifier(str(database.engine.url.database))
    administer(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
    administer(
        sql.SQL("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = {}").format(
            sql.Literal(name.string)
        )
    )
    answer = own_api.anonymous.get("/readyz")
    administer(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true").format(name))
    assert answer.status_code == 503
    found = states(answer.json()["error"]["details"])
    assert (found["database"], found["migrations"], found["keys"]) == ("down", "unknown", "unknown")
    assert own_api.anonymous.get("/healthz").status_code == 200
    assert own_api.anonymous.get("/readyz").status_code == 200
