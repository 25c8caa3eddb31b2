"""Homes to start things in, the command line as a program, and who still runs on a home."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.dataops_cli.program import Program
from tests.ports import free_port

#: The longest of all commands here that are not a start to ready.
_SECONDS = 60


@pytest.fixture
def home(short_directory: Path) -> Iterator[Path]:
    """A home that exists and holds nothing yet: short enough for sockets, open for PostgreSQL's user."""
    directory = Path(tempfile.mkdtemp(prefix="home-", dir=short_directory))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def environment() -> Callable[..., dict[str, str]]:
    """The environment of a command on a home and on free ports. Variables are settings: ``DATAOPS_…=value``."""

    def make(home: Path, **variables: str) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("DATAOPS_", "DAGSTER_"))}
        ports = {"DATAOPS_API_PORT": str(free_port()), "DATAOPS_DAGSTER_PORT": str(free_port())}
        return ours | {"DATAOPS_HOME": str(home), "COLUMNS": "200"} | ports | variables

    return make


@pytest.fixture(scope="session")
def dataops(environment: Callable[..., dict[str, str]]) -> Iterator[Callable[..., "subprocess.CompletedProcess[str]"]]:
    """Runs the command line to its end."""
    with closing(Program()) as program:

        def run(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
            return program.run(arguments, environment(home, **variables), _SECONDS)

        yield run


@pytest.fixture(scope="session")
def processes_of() -> Callable[[Path], list[psutil.Process]]:
    """The processes that work on a home: told it by their environment, or working below it as PostgreSQL's do."""

    def find(home: Path) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and (
                    process.environ().get("DATAOPS_HOME") == str(home) or Path(process.cwd()).is_relative_to(home)
                ):
                    found.append(process)
            except (psutil.Error, OSError):
                continue  # gone meanwhile, or a kernel's
        return found

    return find


@pytest.fixture(scope="session")
def refusal(
    dataops: Callable[..., "subprocess.CompletedProcess[str]"], processes_of: Callable[[Path], list[psutil.Process]]
) -> Callable[..., str]:
    """Runs a command that must refuse: exit status 2, one sentence on standard error (returned), nothing running."""

    def run(home: Path, *arguments: str, **variables: str) -> str:
        before = processes_of(home)
        result = dataops(home, *(arguments or ("up",)), **variables)
        assert result.returncode == 2, result.stdout + result.stderr
        (line,) = result.stderr.splitlines()
        assert line.startswith("dataops: ")
        assert line.endswith(".")
        assert [process for process in processes_of(home) if process not in before] == []
        return line.removeprefix("dataops: ")

    return run
