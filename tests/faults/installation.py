"""A ``dataops up`` of the tests whose processes are killed one by one, held at points of the work, and started again.

Belongs here: which process is which, holding and killing. Does not belong here: what is asked of it (``cells.py``).
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

import httpx

from dataops_cli.home import Home
from dataops_core import fault_points
from dataops_core.errors import UnavailableError
from dataops_core.registry.database import Database
from tests.conftest import Stack, running_stack
from tests.faults.leftovers import leftovers

T = TypeVar("T")

SUPERVISOR = "supervisor"
RUN = "run"
POSTGRES = "postgres"
RUN_HOST = "run-host"
#: The worst for a run: whoever could tell of its death dies with it.
RUN_AND_HOST = "run-and-host"
#: All that can be killed; a stack whose runs are started Dagster's own way has no run host.
PROCESSES = ("api", RUN, RUN_HOST, RUN_AND_HOST, "webserver", "daemon", "code-location", POSTGRES, SUPERVISOR)

_POLL_SECONDS = 0.05


class NeverError(AssertionError):
    """Something that had to happen did not, in all the time that it had."""


def wait_for(found: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """What ``found`` returns, as soon as it is something. A part that is away at the moment has not found anything."""
    deadline = time.monotonic() + seconds
    while True:
        value = None
        with suppress(UnavailableError, httpx.TransportError):
            value = found()
        if value is not None and value is not False:
            return value
        if time.monotonic() > deadline:
            raise NeverError(f"not within {seconds:g} s: {what}")
        time.sleep(_POLL_SECONDS)


class Installation:
    """One home and the ``dataops up`` on it. ``settings`` are variables that it is started with."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self._settings = settings
        self._points = home.parent / f"{home.name}-points"
        self._points.mkdir()
        self._running = ExitStack()
        self.stack = self._start(None)
        self.registry: Database = self.stack.database()

    def close(self) -> None:
        """Ends it, with every process of it."""
        for held in self._points.iterdir():
            held.unlink()
        self.registry.close()
        self._running.close()

    def _start(self, ports: tuple[int, int] | None) -> Stack:
        variables = {fault_points.VARIABLE: str(self._points), **self._settings}
        return self._running.enter_context(running_stack(self.home, ports=ports, **variables))

    def client(self) -> httpx.Client:
        """A client of the API with a token, once everything is up."""
        wait_for(self.is_whole, "every component is up", 120)
        return self.stack.client()

    def is_whole(self) -> bool:
        """Whether every component is up, as the API tells it."""
        answer = httpx.get(f"{self.stack.settings.public_base}/readyz", timeout=5)
        return answer.is_success and all(part["state"] == "up" for part in answer.json()["components"].values())

    def leftovers(self) -> list[str]:
        """What is not as it must be while nothing is under way; see ``leftovers.py``."""
        return leftovers(
            self.registry,
            self.home / "data",
            dagster_url=self.stack.dagster_url,
            dagster_database_url=self.stack.runtime["dagster_database_url"],
        )

    # --- holding ------------------------------------------------------------------------------------------------------

    def arm(self, point: str) -> None:
        """Has the next process that comes to this point wait there."""
        (self._points / point).touch()

    def held_at(self, point: str, seconds: float = 60) -> int:
        """The process that waits at the point, as soon as one does."""

        def look() -> int | None:
            held = next(self._points.glob(f"{point}.*"), None)
            return int(held.suffix[1:]) if held is not None else None

        return wait_for(look, f"a process comes to '{point}'", seconds)

    def release(self, point: str) -> None:
        """Lets go who waits at the point; nobody need wait there any more."""
        (self._points / point).unlink(missing_ok=True)
        for held in self._points.glob(f"{point}.*"):
            held.unlink()

    # --- killing ------------------------------------------------------------------------------------------------------

    def kill(self, process: str, *, held: int) -> None:
        """Kills one process as nothing can refuse. ``held`` is the one that waits at the point: a run, mostly."""
        if process == SUPERVISOR:
            self.stack.process.kill()
            self.stack.process.wait()
        elif process in {RUN, RUN_AND_HOST}:
            run = held if self.is_run(held) else self._only_run()
            if process == RUN_AND_HOST:
                os.kill(self.stack.pid(RUN_HOST), signal.SIGKILL)
            os.kill(run, signal.SIGKILL)
        else:
            os.kill(self.stack.pid(process), signal.SIGKILL)

    def start_again(self) -> None:
        """Starts ``dataops up`` on the home of one that was killed; nothing of that one may be left then."""
        before = self._running.pop_all()
        settings = self.stack.settings
        self.stack = self._start((settings.api_port, settings.dagster_port))
        before.close()
        # The embedded server has a new process, and may have a new socket.
        self.registry.close()
        self.registry = self.stack.database()

    @property
    def processes(self) -> tuple[str, ...]:
        """Those of :data:`PROCESSES` that this stack has."""
        record = Home(self.home).read_record()
        assert record is not None
        there = {*record.children, RUN, SUPERVISOR}
        if RUN_HOST in there:
            there.add(RUN_AND_HOST)
        return tuple(name for name in PROCESSES if name in there)

    def is_run(self, pid: int) -> bool:
        """Whether this process carries a run out."""
        return pid in {process.pid for process in self.stack.run_processes()}

    def _only_run(self) -> int:
        (process,) = self.stack.run_processes()
        return process.pid
