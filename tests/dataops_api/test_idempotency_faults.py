"""Idempotency keys when something breaks (C-45): a process killed before it answered, a commit that failed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from dataops_core.registry.database import Database
from tests.waiting import wait_for

DATASETS = "/v1/dataops/datasets"
_HOLD = 4711
#: Where the transaction that does the work is held up: at its first row, and at its commit.
_HELD_AT = {
    "the first row": "CREATE TRIGGER hold BEFORE INSERT ON operations FOR EACH ROW EXECUTE FUNCTION hold()",
    "the commit": "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON idempotency_keys DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION hold()",
}
_HOLDING = text("SELECT count(*) FROM pg_locks WHERE objid = :hold AND (NOT granted OR :granted)")


def request() -> dict[str, Any]:
    return {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
    }


def rows(database: Database, table: str) -> int:
    with database.reading() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def holders(database: Database, *, granted: bool) -> int:
    """How many wait for the lock that holds a transaction up, and with ``granted`` who have it too."""
    with database.reading() as connection:
        return int(connection.execute(_HOLDING, {"hold": _HOLD, "granted": granted}).scalar_one())


@contextmanager
def second_process(api: Any, port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The same API in a process of its own, as ``dataops up`` starts it, until the block ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")}
    environment |= {
        "DATAOPS_HOME": str(api.settings.home),
        "DATAOPS_API_PORT": str(port),
        "DATAOPS_PUBLIC_URL": api.url,
        "DATAOPS_DATABASE_URL": api.settings.database_url.get_secret_value(),
        "DATAOPS_SECRET_KEY": api.settings.secret_key.get_secret_value(),
        "DATAOPS_DAGSTER_URL": "http://127.0.0.1:1",
    }
    command = [sys.executable, "-m", "uvicorn", "--factory", "dataops_api.app:app_from_environment"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--no-access-log"],
            env=environment,
            stdout=stream,
            stderr=stream,
        )
    try:

        def answers() -> bool:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            try:
                return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        wait_for(answers, "it answers")
        yield process
    finally:
        process.kill()
        process.wait(20)


@pytest.mark.long
@pytest.mark.parametrize("place", _HELD_AT)
def test_a_process_that_is_killed_before_it_answers_leaves_all_or_nothing(
    own_api: Any, unused_port: int, tmp_path: Path, place: str
) -> None:
    """C-45: the same key, sent to another process, then succeeds, and there is one operation."""
    database, body = own_api.database, request()
    headers = {"Idempotency-Key": str(uuid4()), "Authorization": own_api.admin.headers["Authorization"]}
    with database.transaction() as session:
        session.execute(
            text(
                "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
                f"'BEGIN PERFORM pg_advisory_xact_lock({_HOLD}); RETURN NEW; END'"
            )
        )
        session.execute(text(_HELD_AT[place]))
    with (
        second_process(own_api, unused_port, tmp_path / "log") as process,
        database.transaction() as session,
        ThreadPoolExecutor(1) as threads,
    ):
        session.execute(text("SELECT pg_advisory_xact_lock(:hold)"), {"hold": _HOLD})
        url = f"http://127.0.0.1:{unused_port}{DATASETS}"
        asked = threads.submit(httpx.post, url, json=body, headers=headers, timeout=60)
        wait_for(lambda: holders(database, granted=False) == 1, "one waits")
        process.kill()
        with pytest.raises(httpx.TransportError):
            asked.result(timeout=30)
    # The server goes on with what it was told, and then notices that nobody is there any more.
    wait_for(lambda: holders(database, granted=True) == 0, "nobody holds it")
    committed = place == "the commit"
    for table in ("idempotency_keys", "operations", "datasets"):
        assert rows(database, table) == (1 if committed else 0)
    with database.transaction() as session:
        session.execute(text("DROP FUNCTION hold() CASCADE"))
    first, second = (own_api.admin.post(DATASETS, json=body, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.content == second.content
    assert ("idempotency-replayed" in first.headers) == committed
    assert second.headers["idempotency-replayed"] == "true"
    assert rows(database, "operations") == rows(database, "datasets") == 1
    assert own_api.admin.get(first.headers["location"]).status_code == 200


def test_a_commit_that_fails_keeps_nothing_and_launches_nothing(own_api: Any) -> None:
    """C-45."""
    with own_api.database.transaction() as session:
        session.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'; END $$"
            )
        )
        session.execute(
            text(
                "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON idempotency_keys DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    body, headers = request(), {"Idempotency-Key": str(uuid4())}
    failed = own_api.admin.post(DATASETS, json=body, headers=headers)
    assert failed.status_code == 503
    assert rows(own_api.database, "operations") == 0
    with own_api.database.transaction() as session:
        session.execute(text("DROP FUNCTION refuse() CASCADE"))
    first = own_api.admin.post(DATASETS, json=body, headers=headers)
    assert first.status_code == 202
    again = own_api.admin.post(DATASETS, json=body, headers=headers)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert rows(own_api.database, "operations") == 1
    launched = own_api.dagster.first_launch.result(timeout=20)
    assert launched.operation_id == UUID(first.json()["operation_id"])
