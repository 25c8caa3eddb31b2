"""Asking Dagster about operations that have not moved lately, once for all who wait for the answer (C-86).

Polling reads the registry; only an open operation whose run has been silent makes a question, at most one at a time
and one every few seconds, and while Dagster is down none. Whatever Dagster says is settled by the core's one function.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from uuid import UUID

from dataops_core.errors import UnavailableError
from dataops_core.provisioning.launching import QUIET, Look, settle_told
from dataops_core.provisioning.silence import Silences, silent_for
from dataops_core.registry.database import Database
from dataops_core.runs import RunState

_log = logging.getLogger("dataops.api")

_ASK_AGAIN_SECONDS = 5.0


class RunWatcher:
    """Settles quiet operations where somebody looks at them. For any number of threads."""

    def __init__(
        self, database: Database, find_run: Callable[[str], RunState | None], *, lost_after: timedelta
    ) -> None:
        self._database = database
        self._find_run = find_run
        self._lost_after = lost_after
        self._silences = Silences()
        self._lock = Lock()
        self._asked: dict[UUID, tuple[float, Future[bool]]] = {}
        self._down_until = 0.0

    def is_quiet(self, run_id: str | None, beat_at: datetime) -> bool:
        """Whether an open operation has a run of which nothing was heard lately."""
        return run_id is not None and silent_for(beat_at) >= min(QUIET, self._lost_after)

    def settle_if_quiet(self, operation_id: UUID, run_id: str | None, beat_at: datetime) -> bool:
        """Whether the open operation has changed since it was read. Never raises for Dagster's sake."""
        if run_id is None or not self.is_quiet(run_id, beat_at):
            return False
        now = monotonic()
        with self._lock:
            if now < self._down_until:
                return False
            self._asked = {one: asked for one, asked in self._asked.items() if now - asked[0] < _ASK_AGAIN_SECONDS}
            known = self._asked.get(operation_id)
            future: Future[bool] = Future() if known is None else known[1]
            if known is None:
                self._asked[operation_id] = (now, future)
        if known is not None:
            return future.result()
        try:
            future.set_result(self._ask(operation_id, run_id, beat_at))
        except BaseException as error:
            future.set_exception(error)
            raise
        return future.result()

    def _ask(self, operation_id: UUID, run_id: str, beat_at: datetime) -> bool:
        try:
            run = self._find_run(run_id)
        except UnavailableError as error:
            _log.warning("operation %s could not be asked about: %s", operation_id, error.message)
            self._down_until = monotonic() + _ASK_AGAIN_SECONDS
            return False
        with self._database.transaction() as session:
            look = settle_told(
                session, operation_id, run_id, run, self._silences, last_beat=beat_at, lost_after=self._lost_after
            )
        return look is not Look.UNCHANGED
