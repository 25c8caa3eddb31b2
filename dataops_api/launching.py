"""Launching the runs of accepted operations behind the answers, which never wait for Dagster (C-42).

One thread takes operation ids from a queue in memory. What a crash takes with it stays pending in the registry, where
the pipeline's sensor finds it. Who may launch, and when, is decided in the core (``provisioning/launching.py``).
"""

import logging
from queue import SimpleQueue
from threading import Thread
from uuid import UUID

from dataops_api.metering import Meter
from dataops_core.provisioning.launching import launch_operation
from dataops_core.registry.database import Database
from dataops_core.runs import Launcher as RunLauncher

_log = logging.getLogger("dataops.api")


class Launcher:
    """Launches operations one after the other, in a thread of its own."""

    def __init__(self, database: Database, gateway: RunLauncher, meter: Meter | None = None) -> None:
        self._database = database
        self._gateway = gateway
        self._meter = meter or Meter()
        self._queue: SimpleQueue[UUID | None] = SimpleQueue()
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
        self._queue.put(operation_id)

    def _run(self) -> None:
        while (operation_id := self._queue.get()) is not None:
            try:
                run_id = launch_operation(self._database, self._gateway, operation_id)
                self._meter.launch("launched" if run_id is not None else "not_launched")
            except Exception:
                self._meter.launch("error")
                # The thread must outlive any one operation: this one stays pending for the sensor.
                _log.exception("an operation was not launched", extra={"operation_id": str(operation_id)})
