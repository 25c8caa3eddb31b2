"""How many tokens an API client gets and how often it may guess (``docs/contract.md`` C-13). Kept in this process."""

from collections import deque
from collections.abc import Callable, Hashable
from math import ceil
from time import monotonic

_WINDOW_SECONDS = 60.0
#: Beyond so many keys those whose window has passed are dropped: an attacker may invent keys without end.
_SWEEP_ABOVE = 10_000


class SlidingWindow:
    """At most ``limit`` events per key in any minute."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._events: dict[Hashable, deque[float]] = {}

    def wait(self, key: Hashable) -> int:
        """Whole seconds until the key may have another event; 0: now."""
        events = self._events.get(key)
        if events is None:
            return 0
        now = self._clock()
        while events and events[0] <= now - _WINDOW_SECONDS:
            events.popleft()
        if not events:
            del self._events[key]
        if len(events) < self._limit:
            return 0
        return max(1, ceil(events[-self._limit] + _WINDOW_SECONDS - now))

    def add(self, key: Hashable) -> None:
        """Counts an event."""
        if len(self._events) > _SWEEP_ABOVE:
            self._sweep()
        self._events.setdefault(key, deque(maxlen=self._limit)).append(self._clock())

    def _sweep(self) -> None:
        oldest = self._clock() - _WINDOW_SECONDS
        self._events = {key: events for key, events in self._events.items() if events[-1] > oldest}


class TokenLimits:
    """The two limits of the token endpoint. Not thread-safe: for the event loop alone."""

    def __init__(self, successes: int, failures: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._successes = SlidingWindow(successes, clock=clock)
        self._failures = SlidingWindow(failures, clock=clock)

    def wait(self, client_id: str, address: str) -> int:
        """Whole seconds that this client must wait at this address; 0: none."""
        return max(self._successes.wait(client_id), self._failures.wait((client_id, address)))

    def succeeded(self, client_id: str) -> None:
        """Counts a token."""
        self._successes.add(client_id)

    def failed(self, client_id: str, address: str) -> None:
        """Counts a refusal."""
        self._failures.add((client_id, address))
