"""The service runs apart from the API, and is killed at its worst moments without harm (C-90)."""

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import httpx
import pytest

from dataops_api.connectors.app import create_connector_app
from dataops_core.clock import utcnow
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.embedded.files import IndexFiles
from dataops_core.lifecycle import TokenKind
from dataops_core.registry import connectors, usage
from dataops_core.registry.database import Database
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from tests.waiting import wait_for

SECRET = "a secret of the service apart"


class Apart:
    """The service as a process of its own, at one address over its restarts."""

    def __init__(self, settings, database_url, port):
        self.files = IndexFiles(settings.data_path)
        self.url = f"http://127.0.0.1:{port}"
        self._command = [
            sys.executable,
            "-m",
            "uvicorn",
            "--factory",
            "dataops_api.connectors.app:app_from_environment",
        ]
        self._command += ["--port", str(port), "--log-level", "warning"]
        self._environment = {
            **os.environ,
            "DATAOPS_HOME": str(settings.home),
            "DATAOPS_DATABASE_URL": database_url,
            "DATAOPS_SECRET_KEY": SECRET,
        }
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self._command, env=self._environment)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def wait(self):
        """Until it answers."""
        with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=30) as client:
            assert client.get(f"{self.url}/any/health").status_code == 200


@pytest.fixture
def apart(database, tmp_path, unused_port):
    url = database.engine.url.render_as_string(hide_password=False)
    service = Apart(Settings(home=tmp_path), url, unused_port)
    yield service
    service.kill()


@pytest.fixture
def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def client(apart):
    client = EmbeddedConnector(apart.url, Keyring(SECRET))
    yield client
    client.close()


@pytest.mark.long
def test_a_kill_between_two_pages_costs_nothing(apart, client, new_connector, make_documents):
    connector = new_connector()
    apart.start()
    apart.wait()
    client.provision(connector.spec)
    client.load(connector.spec, make_documents(30), upload_id="old")

    def with_a_kill_after_the_first_page():
        for number, document in enumerate(make_documents(2500)):
            if number == 2200:
                # While the first page is on its way, the next ones are made.
                wait_for(apart.files.spool(connector.connector_id, "new").exists, "a page was taken")
                apart.kill()
                apart.start()
            yield document

    report = client.load(connector.spec, with_a_kill_after_the_first_page(), upload_id="new")
    assert (report.pages, report.manifest.document_count) == (3, 2500)
    assert [path.name for path in apart.files.folder(connector.connector_id).iterdir()] == ["new.db"]
    assert len(client.search(connector.spec, "item2199").hits) == 1


@pytest.mark.long
def test_a_kill_in_the_middle_of_writing_leaves_the_old_index_served(apart, client, new_connector, make_documents):
    connector = new_connector()
    apart.start()
    apart.wait()
    client.provision(connector.spec)
    client.load(connector.spec, make_documents(30), upload_id="old")
    over = threading.Event()

    def kill_while_it_writes():
        spool = apart.files.spool(connector.connector_id, "new")
        while not over.is_set():
            # The journal is there while a transaction is under way.
            if spool.with_name(f"{spool.name}-journal").exists() and spool.stat().st_size > 2_000_000:
                apart.kill()
                over.set()

    watcher = threading.Thread(target=kill_while_it_writes)
    watcher.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dataops_core.connectors.transport.RETRY_PAUSES", ())
        with pytest.raises(Exception, match="cannot be reached"):
            client.load(connector.spec, make_documents(8000), upload_id="new")
    over.set()
    watcher.join(30)
    apart.start()
    apart.wait()
    assert client.metadata(connector.spec).generation == "old"
    assert len(client.search(connector.spec, "item7").hits) == 1
    assert client.load(connector.spec, make_documents(8000), upload_id="new").manifest.document_count == 8000
    assert [path.name for path in apart.files.folder(connector.connector_id).iterdir()] == ["new.db"]


def test_it_starts_although_the_database_is_away_and_says_so(tmp_path):
    away = Database("postgresql+psycopg2://nobody@127.0.0.1:1/nowhere")
    app = create_connector_app(Settings(home=tmp_path, secret_key=SECRET), database=away)
    (tmp_path / "data" / "connectors" / "0a0a0a0a-0a0a-4a0a-8a0a-0a0a0a0a0a0a").mkdir(parents=True)
    assert app.state.service.sweep() == 0
    away.close()


@pytest.mark.long
def test_a_kill_loses_no_count_of_what_was_answered(apart, client, new_connector, make_documents, database):
    """C-55: counted before the answer, so that only searches under way may be counted and not answered."""
    connector = new_connector()
    apart.start()
    apart.wait()
    client.provision(connector.spec)
    client.load(connector.spec, iter(make_documents(20)), upload_id="first")
    url = f"{apart.url}/{connector.connector_id}/api/search"
    with database.transaction() as session:
        token = connectors.issue_token(
            session,
            Keyring(SECRET),
            connector_id=connector.connector_id,
            kind=TokenKind.SEARCH,
            lifetime=timedelta(hours=1),
            now=utcnow(),
        ).token
    searchers, enough = 4, threading.Event()
    answered: list[int] = []

    def search() -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
            while True:
                try:
                    answer = http.post(url, json={"query": "settlement", "page_size": 3})
                except httpx.TransportError:
                    return
                answered.append(len(answer.json()["results"]))
                if len(answered) >= 40:
                    enough.set()

    threads = [threading.Thread(target=search) for _ in range(searchers)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    apart.kill()
    for thread in threads:
        thread.join(60)

    with database.transaction() as session:
        (day,) = usage.days(session, connector.dataset_id)
    assert set(answered) == {3}
    assert len(answered) <= day.queries <= len(answered) + searchers
    assert day.documents == 3 * day.queries
