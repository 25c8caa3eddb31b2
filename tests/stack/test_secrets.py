"""Nothing secret is left anywhere by a full run (C-2, C-15, C-90): logs, rows, files, error bodies, command lines.

On the stack whose database wants a password, and whose secret key and webhook come from the environment, so that all of
them are there to be found, with traces on and every line logged.
"""

import json
import re
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
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
from tests.stack.conftest import TellingStack
from tests.waiting import ended

pytestmark = [pytest.mark.stack, pytest.mark.long]

#: Of what is secret and not known to the test: a signed token whatever it says, a secret or token by its prefix, a key.
SHAPES = {
    "a signed token": re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "a client secret or a connector token": re.compile(r"\bdo(?:sec|l_[a-z])_[\w-]{43}"),
    "a private key": re.compile(r"PRIVATE KEY"),
}
TERMINAL = {"completed", "failed", "cancelled"}


def live(stack: Any) -> tuple[dict[str, str], list[httpx.Response]]:
    """All that a customer's life has, with good and bad credentials: the secrets by name, and every refusal."""
    known = stack.credentials
    secrets: dict[str, str] = {}
    bad: list[httpx.Response] = []
    with stack.client() as api:
        token = api.headers["authorization"].removeprefix("Bearer ")
        secrets["the access token"] = token
        body = {
            "journey_id": str(uuid4()),
            "client_id": str(uuid4()),
            "stage": "sandbox",
            "dataset_types": ["confluence_pages", "github_repos"],
            "generation": {"record_count": 20},
        }
        accepted = api.post("/datasets", json=body, headers={"Idempotency-Key": str(uuid4())}).json()
        assert ended(api, accepted["operation_id"])["status"] == "completed"
        dataset_id = accepted["datasets"][0]["dataset_id"]
        connector = api.get(f"/datasets/{dataset_id}").json()["connector"]["endpoint_url"]
        for kind in ("search", "index"):
            key = {"Idempotency-Key": str(uuid4())}
            issued = api.post(f"/datasets/{dataset_id}/connector/tokens", json={"kind": kind}, headers=key).json()
            secrets[f"the connector's {kind} token"] = issued["token"]
        searched = httpx.post(f"{connector}/search", json={"query": "team"}, headers=bearer(secrets, "search"))
        assert searched.status_code == 200
        # The same secrets in every wrong place.
        bad += [
            httpx.post(f"{connector}/search", json={"query": "x"}, headers=bearer(secrets, "index")),
            httpx.post(f"{connector}/search", json={"query": "x"}, headers={"Authorization": f"Bearer {token}"}),
            httpx.get(f"{connector}/{secrets['the access token']}", headers=bearer(secrets, "search")),
            api.post("/datasets", json=body),
            api.post("/datasets", json=body | {"client_id": known["client_secret"]}),
            api.get("/datasets", params={"status": known["client_secret"]}),
            api.get(f"/datasets/{dataset_id}", headers=bearer(secrets, "search")),
            api.get("/datasets", headers={"Authorization": f"Bearer {token[:-4]}AAAA"}),
            token_request(known, client_secret=known["client_secret"] + "x"),
            token_request(known, grant_type=known["client_secret"]),
            token_request(known, scope=known["client_secret"]),
        ]
        assert ended(api, api.delete(f"/datasets/{dataset_id}").json()["operation_id"])["status"] == "completed"
        bad.append(httpx.post(f"{connector}/search", json={"query": "x"}, headers=bearer(secrets, "search")))
    assert [answer.status_code for answer in bad if answer.status_code < 400] == []
    return secrets, bad


def bearer(secrets: dict[str, str], kind: str) -> dict[str, str]:
    token = secrets[f"the connector's {kind} token"]
    return {"Authorization": f"Bearer {token}"}


def token_request(known: dict[str, str], **change: str) -> httpx.Response:
    right = {name: known[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
    return httpx.post(known["token_url"], json=right | change)


def rows(url: str) -> Iterator[tuple[str, str]]:
    """Every row of every table of a database, as text."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
            for (row,) in cursor.fetchall():
                yield table, row


def files(home: Path) -> Iterator[tuple[Path, str]]:
    """The logs, all of Dagster's own, and whatever else of the home more than its owner may read."""
    for path in home.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        parts = path.relative_to(home).parts
        if parts[0] in {"logs", "dagster"} or path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            yield path, path.read_bytes().decode("utf-8", "replace")


def test_nothing_secret_is_left_anywhere_by_a_full_run(telling_stack: TellingStack) -> None:
    """C-2, C-15, C-90."""
    stack = telling_stack.stack
    secrets, bad = live(stack)
    secrets |= telling_stack.secrets
    places: dict[str, list[str]] = {}

    def search(place: str, text: str) -> None:
        for name, secret in secrets.items():
            if secret in text:
                places.setdefault(f"{name} in {place}", []).append(text[:300])
        for name, shape in SHAPES.items():
            if shape.search(text):
                places.setdefault(f"{name} in {place}", []).append(text[:300])

    registry = stack.environment["DATAOPS_DATABASE_URL"]
    dagster = make_url(registry).set(database=f"{make_url(registry).database}_dagster")
    counts = {"registry": 0, "dagster": 0, "file": 0, "process": 0}
    for database, url in (("registry", registry), ("dagster", dagster.render_as_string(hide_password=False))):
        for table, row in rows(url):
            counts[database] += 1
            search(f"table {table}", row)
    for path, text in files(stack.home):
        counts["file"] += 1
        search(str(path.relative_to(stack.home)), text)
    for number, answer in enumerate(bad):
        search(f"error {number} ({answer.status_code})", answer.text + str(answer.headers))
    record = Home(stack.home).read_record()
    assert record is not None
    for pid in instance_members([record.instance]):
        with suppress(psutil.NoSuchProcess):  # a run's process ends a moment after its run
            search("a command line", " ".join(psutil.Process(pid).cmdline()))
            counts["process"] += 1
    assert places == {}
    assert counts["registry"] > 20, counts
    assert counts["dagster"] > 100, counts
    assert counts["file"] > 5, counts
    assert counts["process"] > 3, counts
    private = [stack.home / name for name in ("credentials.json", "runtime.json")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600, 0o600]
    assert json.loads(private[0].read_text())["client_secret"] == secrets["the client's secret"]
