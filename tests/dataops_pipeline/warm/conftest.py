"""A run host as a process, and runs that are launched on it as the webserver and the daemon do."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from dagster import DagsterInstance, DagsterRun
from dagster._core.code_pointer import FileCodePointer
from dagster._core.definitions.reconstruct import ReconstructableJob, ReconstructableRepository
from dagster._core.instance.ref import InstanceRef

from dataops_cli.children import instance_settings, with_run_launcher
from dataops_pipeline.warm.launcher import WarmRunLauncher
from dataops_pipeline.warm.messages import ask
from tests.waiting import wait_for

HERE = Path(__file__).parent
T = TypeVar("T")


@dataclass
class Launched:
    """A run, as Dagster and its process tell of it."""

    instance: DagsterInstance
    run_id: str
    place: Path

    @property
    def run(self) -> DagsterRun:
        found = self.instance.get_run_by_id(self.run_id)
        assert found is not None
        return found

    @property
    def status(self) -> str:
        return self.run.status.value

    def told(self) -> dict[str, Any]:
        """What its op tells, once it does."""
        path = self.place / "told.json"
        wait_for(lambda: path.exists() or self.run.is_finished, f"the op of run {self.run_id} has begun")
        assert path.exists(), self.said()
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return told

    def at(self, name: str) -> "Launched":
        """The same run, as one of its ops tells of it."""
        return replace(self, place=self.place / name)

    def go(self) -> None:
        (self.place / "go").touch()

    def ended(self, status: str) -> str:
        """Waits for the run's end, and returns all that Dagster's log says of it."""
        wait_for(lambda: self.run.is_finished, f"run {self.run_id} has ended")
        said = self.said()
        assert self.status == status, said
        return said

    def said(self) -> str:
        return "\n".join(entry.user_message or entry.message for entry in self.instance.all_logs(self.run_id))


@dataclass
class Warm:
    """A host, and the instance whose launcher asks it."""

    directory: Path
    instance: DagsterInstance
    environment: dict[str, str]
    host: "subprocess.Popen[bytes] | None" = None
    runs: list[Launched] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.directory / "host.sock"

    @property
    def records(self) -> Path:
        return self.directory / "runs"

    @property
    def launcher(self) -> WarmRunLauncher:
        launcher = self.instance.run_launcher
        assert isinstance(launcher, WarmRunLauncher)
        return launcher

    def start(self, *, most: int = 8, memory_limit: int = 0, kill_after: float = 1.5) -> None:
        arguments = [self.socket, self.records, str(most), str(memory_limit), str(kill_after)]
        with (self.directory / "host.log").open("ab") as log:
            self.host = subprocess.Popen(
                [sys.executable, HERE / "host_for_tests.py", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(self.answers, "the host serves")

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def kill(self) -> None:
        assert self.host is not None
        self.host.kill()
        self.host.wait()
        self.socket.unlink()

    def process(self) -> psutil.Process:
        assert self.host is not None
        return psutil.Process(self.host.pid)

    def files(self, pid: int | None = None) -> Path:
        """Links to what the host (or another process) has open."""
        return Path(f"/proc/{pid or self.process().pid}/fd")

    def send(self, data: bytes) -> bytes:
        """What the host answers to these bytes."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(data)
            return connection.recv(65536)

    def status(self) -> dict[str, Any]:
        return ask(str(self.socket), {"do": "status"}, seconds=10)

    def idle(self) -> bool:
        status = self.status()
        return not (status["runs"] or status["waiting"] or status["unreported"] or self.process().children())

    def written(self) -> list[str]:
        return [path.stem for path in self.records.glob("*.json")]

    def launch(self, name: str, *ops: str) -> Launched:
        """A run of a job, of the one op of its name or of these, each of which has a folder of its own there."""
        place = Path(tempfile.mkdtemp(dir=self.directory))
        places = {each: place / each for each in ops} or {name: place}
        for each in places.values():
            each.mkdir(exist_ok=True)
        pointer = FileCodePointer(str(HERE / "scenes.py"), f"{name}_job", str(HERE))
        job = ReconstructableJob(ReconstructableRepository(pointer), f"{name}_job")
        run = self.instance.create_run_for_job(
            job.get_definition(),
            run_config={"ops": {each: {"config": {"place": str(there)}} for each, there in places.items()}},
            job_code_origin=job.get_python_origin(),
        )
        self.runs.append(launched := Launched(self.instance, run.run_id, place))
        self.instance.launch_run(run.run_id, None)  # type: ignore[arg-type]  only another launcher needs a workspace
        return launched

    def log(self) -> str:
        return (self.directory / "host.log").read_text(encoding="utf-8")


@contextmanager
def _warm(dagster_url: str, short_directory: Path, **limits: int) -> Iterator[Warm]:
    directory = Path(tempfile.mkdtemp(prefix="warm-", dir=short_directory))
    dagster_home = directory / "dagster"
    dagster_home.mkdir()
    written = with_run_launcher(instance_settings(), socket=directory / "host.sock", records=directory / "runs")
    (dagster_home / "dagster.yaml").write_text(written, encoding="utf-8")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("DATAOPS_", "DAGSTER_"))}
    variables = {"DATAOPS_HOME": str(directory), "DATAOPS_DAGSTER_DATABASE_URL": dagster_url}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in variables.items():
            patched.setenv(name, value)
        with DagsterInstance.from_ref(InstanceRef.from_dir(str(dagster_home))) as instance:
            warm = Warm(directory, instance, ours | variables)
            try:
                warm.start(**limits)
                yield warm
            finally:
                _end_all(warm)


@pytest.fixture(scope="module")
def warm(dagster_url: str, short_directory: Path) -> Iterator[Warm]:
    """The module's host: two runs at once, each of 600 MiB at most. Tests leave it idle."""
    with _warm(dagster_url, short_directory, most=2, memory_limit=600) as warm:
        yield warm


@pytest.fixture
def own_warm(dagster_url: str, short_directory: Path) -> Iterator[Warm]:
    """A host of the test's own, one run at once, which has time to end: it may be killed and started again."""
    with _warm(dagster_url, short_directory, most=1, kill_after=30) as warm:
        yield warm


def _end_all(warm: Warm) -> None:
    left = [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _variable(process, "DATAOPS_HOME") == str(warm.directory)
    ]
    for process in left:
        process.kill()
    if warm.host is not None:
        warm.host.wait()
    psutil.wait_procs(left, timeout=10)


def _variable(process: psutil.Process, name: str) -> str | None:
    try:
        return process.environ().get(name)
    except (psutil.Error, OSError):
        return None
