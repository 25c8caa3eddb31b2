"""Launching and stopping runs behind the answers, which never wait for Dagster (C-42, C-84).

One thread takes operations to launch and runs to stop from a queue in memory. What a crash takes with it stays in the
registry, where the pipeline's sensors find it. Who may launch, and when, is decided in the core
(``provisioning/launching.py``).
"""

import logging
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from threading import Thread
from uuid import UUID

from dataops_api.metering import Meter
from dataops_core.acting import Acting, acting, current
from dataops_core.errors import UnavailableError
from dataops_core.provisioning.launching import launch_operation
from dataops_core.registry.database import Database
from dataops_core.runs import Launcher as RunLauncher

_log = logging.getLogger("dataops.api")


class Launcher:
    """Launches operations and stops runs one after the other, in a thread of its own."""

    def __init__(self, database: Database, gateway: RunLauncher, meter: Meter | None = None) -> None:
        self._database = database
        self._gateway = gateway
        self._meter = meter or Meter()
        self._queue: SimpleQueue[tuple[Acting, Callable[[], object]] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begins to launch."""
        self._thread = Thread(target=self._run, name="launcher", daemon=True)
        self._thread.start()

    def stop(self, *, timeout: float = 5.0) -> None:
        """Ends after the launch under way; what still waits is left to the sensor."""
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join(timeout)
        self._thread = None

    def submit(self, operation_id: UUID) -> None:
        """Asks for the operation's run. Call it after the transaction that made the operation."""
        self._put(operation_id, partial(self._launch, operation_id))

    def stop_run(self, operation_id: UUID, run_id: str) -> None:
        """Asks for the end of a cancelled operation's run. Call it after the transaction that cancelled it."""
        self._put(operation_id, partial(self._stop_run, run_id))

    def _put(self, operation_id: UUID, work: Callable[[], object]) -> None:
        """Puts work in line, which the system does on the request that asks for it now."""
        self._queue.put((Acting(operation_id=operation_id, request_id=current().request_id), work))

    def _launch(self, operation_id: UUID) -> None:
        try:
            run_id = launch_operation(self._database, self._gateway, operation_id)
            self._meter.launch("launched" if run_id is not None else "not_launched")
        except Exception:
            self._meter.launch("error")
            raise

    def _stop_run(self, run_id: str) -> None:
        try:
            self._gateway.terminate(run_id)
        except UnavailableError as error:
            _log.warning("run %s was not stopped yet: %s", run_id, error.message)

    def _run(self) -> None:
        while (asked := self._queue.get()) is not None:
            who, work = asked
            with acting(who):
                try:
                    work()
                except Exception:
                    # The thread must outlive any one operation: what was not done is left to the sensors.
                    _log.exception("Dagster was not asked for a run")
