"""Whether a run shows no life any more, judged so that no clock that somebody moves gives up a run that lives (C-86).

A beat says when, by the product's clock. Set an hour forward, that clock would have every last beat be an hour old; set
back, no beat would grow old for an hour. So each process that looks for silent runs also notes, by a clock that nobody
can move, since when it has seen a beat be the last.
"""

from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from uuid import UUID

from dataops_core.clock import utcnow
from dataops_core.provisioning.fencing import BEAT_SECONDS

#: A run that lives has beaten again within this time.
ONE_MORE_BEAT = timedelta(seconds=1.5 * BEAT_SECONDS)

#: What was not asked about for so long is forgotten.
_FORGET_SECONDS = 900.0


def silent_for(beat_at: datetime) -> timedelta:
    """How long nothing was heard, as far as the clock can say: a beat yet to come is as far away as one long ago."""
    return abs(utcnow() - beat_at)


class Silences:
    """What one process has seen of runs that are silent. For any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: By operation: its last beat, since when this process knows it, and when it was asked about last.
        self._seen: dict[UUID, tuple[datetime, float, float]] = {}

    def is_lost(self, operation_id: UUID, beat_at: datetime, *, lost_after: timedelta) -> bool:
        """Whether the operation's run is to be given up: nothing was heard for ``lost_after``.

        Never at the first look. Where the clock says that the time is over, the run has one more beat to show that it
        lives; where it says that the beat is yet to come, the time is taken by the other clock.
        """
        known_for = self._known_for(operation_id, beat_at)
        if utcnow() - beat_at >= lost_after:
            return known_for >= min(ONE_MORE_BEAT, lost_after)
        return known_for >= lost_after

    def _known_for(self, operation_id: UUID, beat_at: datetime) -> timedelta:
        now = monotonic()
        with self._lock:
            self._seen = {one: seen for one, seen in self._seen.items() if now - seen[2] < _FORGET_SECONDS}
            last, since, _ = self._seen.get(operation_id, (beat_at, now, now))
            if last != beat_at:
                since = now
            self._seen[operation_id] = (beat_at, since, now)
        return timedelta(seconds=now - since)
