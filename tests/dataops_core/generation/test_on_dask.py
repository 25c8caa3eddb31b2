"""Records that a Dask cluster builds: a real scheduler and two real workers, started as somebody does by hand."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import Client
from fsspec.implementations.local import LocalFileSystem

from dataops_cli.asking.doctor import State, look
from dataops_core.dataset_types.base import BLOCK_ROWS
from dataops_core.dataset_types.known import dataset_type
from dataops_core.errors import ConfigurationError, PermanentError, UnavailableError
from dataops_core.generation import on_dask
from dataops_core.generation.blocks import InThreads, blocks_of
from dataops_core.generation.on_dask import OnDask
from dataops_core.generation.records import write_records
from dataops_core.lifecycle import DatasetStatus
from dataops_core.provisioning import steps
from dataops_core.settings import Settings
from tests.dataops_core.provisioning.conftest import Case, services
from tests.ports import free_port
from tests.waiting import wait_for

__all__ = ["services"]

LOCAL = LocalFileSystem()
SLACK = "Enterprise IT Operations - Slack"
PAGES = "FinTech Developer Productivity - Confluence"
BLOCKS = 24


class Cluster:
    """A scheduler and two workers, each a process; what a test has killed is started again before the next."""

    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self._folder = folder
        self._scheduler: subprocess.Popen[bytes] | None = None
        self._workers: list[subprocess.Popen[bytes]] = []

    def make_whole(self, workers: int = 2) -> None:
        if self._scheduler is None or self._scheduler.poll() is not None:
            self.stop()
            port = self.address.rpartition(":")[2]
            self._scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port)
        self._workers = [worker for worker in self._workers if worker.poll() is None]
        while len(self._workers) > workers:
            self.kill_worker()
        while len(self._workers) < workers:
            address = ("--host", "127.0.0.1", "--local-directory", str(self._folder))
            self._workers.append(self._start("worker", self.address, "--no-nanny", "--nthreads", "1", *address))
        pids = {worker.pid for worker in self._workers}
        with Client(self.address, timeout=90, set_as_default=False) as client:
            wait_for(lambda: set(client.run(os.getpid).values()) == pids, "its workers are there, and no others", 90)

    def kill_worker(self) -> None:
        worker = self._workers.pop()
        worker.kill()
        worker.wait(20)

    def kill_scheduler(self) -> None:
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait(20)

    def stop(self) -> None:
        while self._workers:
            self.kill_worker()
        if self._scheduler is not None:
            self.kill_scheduler()

    def _start(self, kind: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments, "--no-dashboard"]
        with (self._folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("dask"))
    yield made
    made.stop()


@pytest.fixture
def cluster(processes: Cluster) -> Cluster:
    processes.make_whole()
    return processes


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """From now on nothing is waited for any longer than this: a machine that is busy takes a second to connect."""

    def make(seconds: float) -> None:
        monkeypatch.setattr(on_dask, "PATIENCE_SECONDS", seconds)
        monkeypatch.setattr(on_dask, "_LOOK_SECONDS", 0.2)

    return make


@pytest.fixture
def write(specification: Callable[..., object], tmp_path: Path) -> Callable[..., object]:
    """Writes some blocks of a template by these builders."""

    def make(blocks, name=SLACK, *, records=BLOCKS * BLOCK_ROWS - 44, on_block=None):
        spec = specification(name, records=records)
        kind = dataset_type(spec.template.dataset_type)
        return write_records(spec, kind, LOCAL, f"{tmp_path}/records.parquet", blocks=blocks, on_block=on_block)

    return make


@pytest.mark.parametrize(
    ("name", "records"),
    [
        pytest.param(SLACK, BLOCKS * BLOCK_ROWS - 44, id="slack"),
        pytest.param(PAGES, 2 * BLOCK_ROWS + 44, id="confluence", marks=pytest.mark.long),
    ],
)
def test_a_cluster_builds_the_bytes_that_threads_build(cluster, write, name, records):
    settings = Settings(dask_scheduler=cluster.address)
    far = write(blocks_of(settings), name, records=records)
    assert far == write(InThreads(2), name, records=records)
    assert far.record_count == records


def test_the_doctor_counts_the_workers(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAOPS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATAOPS_DASK_SCHEDULER", cluster.address)
    assert next(one.what for one in look() if "Dask" in one.what) == (
        f"The Dask scheduler {cluster.address} has 2 workers."
    )


@pytest.mark.long
def test_what_a_killed_worker_had_is_built_again(cluster, write):
    def kill_one(written: int) -> None:
        if written == 2 * BLOCK_ROWS:
            cluster.kill_worker()

    far = write(OnDask(cluster.address), on_block=kill_one)
    assert OnDask(cluster.address).workers() == 1
    assert far == write(InThreads(1))


@pytest.mark.long
def test_no_more_blocks_are_built_ahead_than_two_for_each_thread(cluster, write):
    """So that memory does not grow with the records, here or there."""
    held = []
    with Client(cluster.address, timeout=60, set_as_default=False) as client:

        def look_around(_: int) -> None:
            held.append(sum(map(len, client.has_what().values())))

        write(OnDask(cluster.address), on_block=look_around)
        wait_for(lambda: not any(client.has_what().values()), "nothing is held any more")
    # Four blocks, one that was just taken, and the specification, which both workers may have.
    assert 2 <= max(held) <= 4 + 1 + 2


@pytest.mark.long
def test_whatever_ends_the_writing_frees_the_cluster(cluster, write, tmp_path):
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(OnDask(cluster.address), on_block=stop)
    assert list(tmp_path.iterdir()) == []
    with Client(cluster.address, timeout=60, set_as_default=False) as client:
        wait_for(lambda: not any(client.has_what().values()), "nothing is held any more")


def test_workers_of_another_release_are_refused(cluster, write, monkeypatch):
    real = on_dask._versions()
    monkeypatch.setattr(on_dask, "_versions", lambda: real | {"pyarrow": "1.0"})
    with pytest.raises(
        PermanentError, match=r"The Dask workers have .*, the run has .*pyarrow 1\.0: give both the same"
    ):
        write(OnDask(cluster.address))


@pytest.mark.long
def test_workers_that_are_all_gone_are_told_of(cluster, write, impatient, tmp_path):
    def kill_both(written: int) -> None:
        if written == BLOCK_ROWS:
            cluster.kill_worker()
            cluster.kill_worker()
            impatient(1)

    with pytest.raises(UnavailableError, match="the Dask scheduler of DATAOPS_DASK_SCHEDULER has lost its workers"):
        write(OnDask(cluster.address), on_block=kill_both)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_scheduler_that_goes_away_is_told_of(cluster, write, tmp_path):
    def kill_it(written: int) -> None:
        if written == BLOCK_ROWS:
            cluster.kill_scheduler()

    with pytest.raises(UnavailableError, match="the Dask scheduler of DATAOPS_DASK_SCHEDULER went away"):
        write(OnDask(cluster.address), on_block=kill_it)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_scheduler_without_workers_is_told_of(processes, write, impatient):
    processes.make_whole(workers=0)
    impatient(5)
    with pytest.raises(UnavailableError, match="the Dask scheduler of DATAOPS_DASK_SCHEDULER has no worker"):
        write(OnDask(processes.address))


@pytest.mark.long
def test_a_step_asks_the_cluster_and_its_dataset_says_that_it_is_away(services, impatient, tmp_path, monkeypatch):
    impatient(1)
    away = f"tcp://127.0.0.1:{free_port()}"
    case = Case.accept(replace(services, settings=services.settings.model_copy(update={"dask_scheduler": away})))
    steps.resolve_template(case.context())
    steps.create_connector(case.context())
    with pytest.raises(UnavailableError):
        steps.populate_records(case.context())
    dataset = case.dataset()
    assert (dataset.status, dataset.error_code, dataset.error_message) == (
        DatasetStatus.FAILED,
        "SERVICE_UNAVAILABLE",
        "The records could not be built: the Dask scheduler of DATAOPS_DASK_SCHEDULER does not answer.",
    )
    monkeypatch.setenv("DATAOPS_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("DATAOPS_DASK_SCHEDULER", away)
    one = next(one for one in look() if "Dask" in one.what)
    assert (one.state, one.fix) == (State.WRONG, "start scheduler and workers, or mend DATAOPS_DASK_SCHEDULER")


def test_threads_of_this_machine_build_where_no_cluster_is_named():
    assert blocks_of(Settings()) == InThreads(2)
    assert blocks_of(Settings(generation_threads=5)) == InThreads(5)


def test_the_extra_that_a_cluster_needs_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dataops_core.generation.on_dask", None)
    with pytest.raises(ConfigurationError, match=r"install 'dataops-lifecycle\[dask\]'"):
        blocks_of(Settings(dask_scheduler="tcp://127.0.0.1:1"))
    monkeypatch.setenv("DATAOPS_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("DATAOPS_DASK_SCHEDULER", "tcp://127.0.0.1:1")
    one = next(one for one in look() if "Dask" in one.what)
    assert one.state is State.WRONG
    assert one.fix.endswith("install 'dataops-lifecycle[dask]'.")


@pytest.mark.parametrize("address", ["127.0.0.1:8786", "http://host:8786", "tcp://host", "tcp://:8786"])
def test_what_is_no_scheduler_is_refused(address, monkeypatch):
    monkeypatch.setenv("DATAOPS_DASK_SCHEDULER", address)
    with pytest.raises(ConfigurationError, match="DATAOPS_DASK_SCHEDULER: must be tcp://host:port or tls://host:port"):
        Settings.load()
