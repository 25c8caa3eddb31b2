"""A real Dagster instance on a real PostgreSQL, configured by the checkout's own ``dagster.yaml``."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from pydantic import SecretStr

from dataops_api.connectors.app import create_connector_app
from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.provisioning.services import Services
from dataops_core.registry.database import Database
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.storage import Storage
from dataops_core.templates.loader import load_catalog
from dataops_pipeline.prepare import prepare
from dataops_pipeline.storage import close_pools

SECRET = "a secret of the pipeline's tests"
CHECKOUT = Path(__file__).parents[2]

NewDatabase = Callable[..., tuple[str, Callable[[], None]]]


@pytest.fixture(scope="session")
def dagster_url(new_database: NewDatabase) -> Iterator[str]:
    """Dagster's database, prepared; shared, since each test's runs and operations have ids of their own."""
    url, drop = new_database(migrated=False)
    prepare(url)
    yield url
    close_pools()
    drop()


@pytest.fixture
def open_instance(dagster_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], DagsterInstance]:
    """Opens the instance that the checkout's ``dagster.yaml`` describes, as a process of Dagster's does."""
    monkeypatch.setenv("DATAOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATAOPS_DAGSTER_DATABASE_URL", dagster_url)
    # Runs of these tests are executed in their process, which has connections of its own and things to look into.
    monkeypatch.setenv("DATAOPS_STEP_PROCESSES", "1")
    (tmp_path / "dagster").mkdir()

    def open_one() -> DagsterInstance:
        return DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path / "dagster"), config_dir=str(CHECKOUT)))

    return open_one


@pytest.fixture
def instance(open_instance: Callable[[], DagsterInstance]) -> Iterator[DagsterInstance]:
    """The instance, open."""
    with open_instance() as opened:
        yield opened


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Services]:
    """What steps work with: real registry, real files, a real connector service over HTTP."""
    settings = Settings(home=tmp_path / "home", secret_key=SecretStr(SECRET))
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_connector_app(settings, database=database)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    connector = EmbeddedConnector(url, Keyring(SECRET))
    yield Services(
        settings=settings.model_copy(update={"connector_url": url}),
        database=database,
        keyring=Keyring(SECRET),
        storage=Storage.from_settings(settings),
        catalog=load_catalog(),
        connector=connector,
    )
    connector.close()
    server.should_exit = True
    thread.join(10)
    listener.close()
