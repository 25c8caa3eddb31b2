"""``dataops up`` on a PostgreSQL server that it was given, through two starts: a run in flight when the first one ends.

One story on one home, since each start takes seconds.
"""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy import make_url

from dataops_cli.home import Home
from dataops_cli.processes import instance_members
from dataops_core.process_marks import ProcessMark
from tests.waiting import wait_for

pytestmark = [pytest.mark.fault, pytest.mark.long]

COMPONENTS = {"database", "migrations", "keys", "dagster", "code_location", "daemon", "connector", "storage"}
UP = {"state": "up", "reason": None}


@pytest.fixture
def given(postgres_url: str, administer) -> Iterator[dict[str, str]]:
    """The settings: a database that is empty, and bytecode forbidden as some containers do."""
    name = f"{make_url(postgres_url).database}_dagster"
    yield {
        "DATAOPS_DATABASE_URL": postgres_url,
        "DATAOPS_RUN_LOST_AFTER_SECONDS": "5",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def background(dataops, given) -> Iterator[Callable[[Path], "subprocess.CompletedProcess[str]"]]:
    """Starts a stack in the background, and sees to it that none is left."""
    homes = []

    def start(home: Path) -> "subprocess.CompletedProcess[str]":
        homes.append(home)
        return dataops(home, "up", "--background", **given)

    yield start
    for home in homes:
        dataops(home, "down")


def tables(url: str) -> set[str]:
    with closing(psycopg2.connect(make_url(url).set(drivername="postgresql").render_as_string(False))) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in cursor.fetchall()}


def client(credentials: dict[str, str]) -> httpx.Client:
    body = {name: credentials[name] for name in ("client_id", "client_secret")}
    answer = httpx.post(credentials["token_url"], json=body | {"grant_type": "client_credentials"}, timeout=30)
    bearer = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
    return httpx.Client(base_url=credentials["base_url"], headers=bearer, timeout=30)


def settled(api: httpx.Client, operation: str) -> dict[str, Any] | None:
    found: dict[str, Any] = api.get(operation).json()
    return found if found["status"] in {"completed", "failed"} else None


def test_it_serves_on_the_given_server_ends_a_run_in_flight_and_settles_it_after_the_next_start(
    home: Path, own_stack, dataops, background, given
):
    first = own_stack(home, **given)
    record = Home(home).read_record()
    assert record is not None

    # Everything is on the given server: no server of our own was made.
    host = {"run-host"} if first.warm else set()
    assert set(record.children) == {"api", "code-location", "webserver", "daemon"} | host
    assert not home.joinpath("postgres").exists()
    url = make_url(given["DATAOPS_DATABASE_URL"])
    assert {"datasets", "operations"} <= tables(url.render_as_string(False))
    assert {"runs", "event_logs"} <= tables(url.set(database=f"{url.database}_dagster").render_as_string(False))

    # The children may write bytecode, whoever forbade it to the command.
    for name in record.children:
        told = psutil.Process(first.pid(name)).environ()
        assert "PYTHONDONTWRITEBYTECODE" not in told
        assert told["DATAOPS_HOME"] == str(home)

    health = httpx.get(f"{first.settings.public_base}/healthz")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    ready = httpx.get(f"{first.settings.public_base}/readyz").json()
    assert ready == {"status": "ready", "components": dict.fromkeys(COMPONENTS, UP)}

    asked = {
        "journey_id": str(uuid4()),
        "client_id": str(uuid4()),
        "stage": "sandbox",
        "dataset_types": ["confluence_pages"],
        "metadata": {"custom_fields": {"industry": "fintech", "use_case": "developer_productivity"}},
        # So many that no dataset is ready before the run is cut off.
        "generation": {"record_count": 3000},
    }
    with first.client() as api:
        operation = f"/operations/{api.post('/datasets', json=asked).raise_for_status().json()['operation_id']}"
        wait_for(lambda: api.get(operation).json()["progress"]["current_step"] >= 2, "the run is in the middle", 60)
    workers = [mark for one in first.run_processes() if (mark := ProcessMark.of(one.pid)) is not None]
    assert workers

    # SIGTERM in the middle of the run: its process ends with the rest.
    instance, known = record.instance, first.credentials
    began = time.monotonic()
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(30) == 0
    assert time.monotonic() - began < 20
    assert [worker for worker in workers if worker.lives()] == []
    assert instance_members([instance]) == []
    assert not home.joinpath("runtime.json").exists()

    # The next start, in the background and on other ports, finds it all and settles what was cut off.
    started = background(home)
    assert started.returncode == 0, started.stderr
    assert started.stdout.startswith("Ready: API http://127.0.0.1:")
    assert started.stdout.endswith("`dataops down` stops it.\n")
    second = Home(home).read_record()
    assert second is not None
    again = json.loads(home.joinpath("credentials.json").read_text())
    assert (again["client_id"], again["client_secret"]) == (known["client_id"], known["client_secret"])
    assert again["base_url"] != known["base_url"]
    with client(again) as api:
        cut_off = wait_for(lambda: settled(api, operation), "the run that was cut off is settled", 60)
        assert (cut_off["status"], bool(cut_off["error"]["message"])) == ("failed", True)
        operation = f"/operations/{api.post('/datasets', json=asked).raise_for_status().json()['operation_id']}"
        done = wait_for(lambda: settled(api, operation), "the same request is carried out", 60)
        assert done["status"] == "completed", done["error"]

    stopped = dataops(home, "down")
    assert (stopped.returncode, stopped.stdout) == (0, f"Stopped what ran on {home}.\n")
    assert instance_members([second.instance]) == []
    assert any(home.joinpath("data", "datasets").iterdir())
