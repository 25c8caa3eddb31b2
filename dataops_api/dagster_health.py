"""Whether the parts of Dagster live: its webserver, the code location behind it, and its daemon.

Asked for by ``/readyz``, which anyone may call as often as they like: what was found counts for a moment, and one asks
for all. The webserver shows what it last knew of a code location that is gone, so that the location itself must be made
to answer; and Dagster calls a daemon healthy for half an hour after its last beat, so that the beat's age is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Any

from dataops_core.clock import utcnow
from dataops_core.errors import UnavailableError

#: Three beats of a daemon.
DAEMON_SILENT_AFTER = timedelta(seconds=90)
#: Seconds that what was found counts: while all is well, and while it is not (a start waits for it).
_WELL_SECONDS, _ILL_SECONDS = 1.0, 0.2

_PARTS = """
query Parts {
  instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
}
"""
#: A part of a job is made by the code location, each time anew: whatever it says of it, it lives.
_LOCATION = """
query Location($selector: PipelineSelector!) {
  runConfigSchemaOrError(selector: $selector) {
    __typename
    ... on InvalidSubsetError { message }
    ... on PipelineNotFoundError { message }
    ... on PythonError { message }
  }
}
"""
_LOCATION_REFUSES = "DagsterInvalidSubsetError"


@dataclass(frozen=True, slots=True)
class DagsterHealth:
    """What is wrong with each part, None where nothing is."""

    webserver: str | None = None
    code_location: str | None = None
    daemon: str | None = None

    @property
    def well(self) -> bool:
        """Whether all of them live."""
        return self == DagsterHealth()


#: Asks a GraphQL document with its variables. Raises UnavailableError.
Ask = Callable[[str, dict[str, Any]], dict[str, Any]]


class HealthProbe:
    """Asks after the parts, one for all who want to know. For any number of threads."""

    def __init__(self, ask: Ask, repository: dict[str, str]) -> None:
        self._ask = ask
        self._selector = {**repository, "pipelineName": "teardown", "solidSelection": ["disconnect_connector"]}
        self._lock = Lock()
        self._found = DagsterHealth()
        self._until = 0.0

    def health(self) -> DagsterHealth:
        """What was found a moment ago, else what is found now."""
        with self._lock:
            if monotonic() >= self._until:
                self._found = self._look()
                self._until = monotonic() + (_WELL_SECONDS if self._found.well else _ILL_SECONDS)
            return self._found

    def _look(self) -> DagsterHealth:
        try:
            daemon = self._daemon()
        except UnavailableError:
            unheard = "Dagster's webserver does not answer"
            return DagsterHealth(unheard, unheard, unheard)
        return DagsterHealth(code_location=self._location(), daemon=daemon)

    def _daemon(self) -> str | None:
        found = self._ask(_PARTS, {})["instance"]["daemonHealth"]["allDaemonStatuses"]
        oldest = utcnow().timestamp() - DAEMON_SILENT_AFTER.total_seconds()
        silent = [one["daemonType"] for one in found if one["required"] and (one["lastHeartbeatTime"] or 0) < oldest]
        return f"Dagster's daemon shows no life ({', '.join(sorted(silent)).lower()})" if silent else None

    def _location(self) -> str | None:
        try:
            answer = self._ask(_LOCATION, {"selector": self._selector})["runConfigSchemaOrError"]
        except UnavailableError:
            return "The code location does not answer"
        refused = answer["__typename"] == "InvalidSubsetError" and _LOCATION_REFUSES in answer["message"]
        if answer["__typename"] == "RunConfigSchema" or refused:
            return None
        return "The code location does not answer"
