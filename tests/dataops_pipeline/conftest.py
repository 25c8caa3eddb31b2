"""A real Dagster instance on a real PostgreSQL, configured by the checkout's own ``dagster.yaml``."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from dataops_pipeline.prepare import prepare
from dataops_pipeline.storage import close_pools

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
    (tmp_path / "dagster").mkdir()

    def open_one() -> DagsterInstance:
        return DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path / "dagster"), config_dir=str(CHECKOUT)))

    return open_one


@pytest.fixture
def instance(open_instance: Callable[[], DagsterInstance]) -> Iterator[DagsterInstance]:
    """The instance, open."""
    with open_instance() as opened:
        yield opened
