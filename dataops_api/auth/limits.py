"""How many tokens an API client gets and how often it may guess (``docs/contract.md`` C-13). Kept in this process."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from math import ceil
from time import monotonic

_WINDOW_SECONDS = 60.0
#: An attacker may invent keys without end: beyond so many the one whose last event is oldest is forgotten.
_MOST_KEYS = 10_000


class SlidingWindow:
    """At most ``limit`` events per key in any minute."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._events: OrderedDict[Hashable, deque[float]] = OrderedDict()

    @property
    def policy(self) -> str:
        """The limit as parameters of the header ``RateLimit-Policy``."""
        return f"q={self._limit};w={int(_WINDOW_SECONDS)}"

    def standing(self, key: Hashable) -> str:
        """What is left to the key, and the seconds until all is, as parameters of the header ``RateLimit``."""
        events = self._events.get(key, ())
        now = self._clock()
        counted = [event for event in events if event > now - _WINDOW_SECONDS]
        reset = ceil(counted[-1] + _WINDOW_SECONDS - now) if counted else 0
        return f"r={self._limit - len(counted)};t={reset}"

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
        events = self._events.get(key)
        if events is None:
            if len(self._events) >= _MOST_KEYS:
                self._events.popitem(last=False)
            events = self._events[key] = deque(maxlen=self._limit)
        events.append(self._clock())
        self._events.move_to_end(key)


class TokenLimits:
    """The two limits of the token endpoint. Not thread-safe: for the event loop alone."""

    def __init__(self, successes: int, failures: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._successes = SlidingWindow(successes, clock=clock)
        self._failures = SlidingWindow(failures, clock=clock)

    @property
    def policy(self) -> str:
        """The header ``RateLimit-Policy`` of the token endpoint."""
        return f'"tokens";{self._successes.policy}, "token-failures";{self._failures.policy}'

    def standing(self, client_id: str, address: str) -> str:
        """The header ``RateLimit`` of the token endpoint."""
        failures = self._failures.standing((client_id, address))
        return f'"tokens";{self._successes.standing(client_id)}, "token-failures";{failures}'

    def wait(self, client_id: str, address: str) -> int:
        """Whole seconds that this client must wait at this address; 0: none."""
        return max(self._successes.wait(client_id), self._failures.wait((client_id, address)))

    def succeeded(self, client_id: str) -> None:
        """Counts a token."""
        self._successes.add(client_id)

    def failed(self, client_id: str, address: str) -> None:
        """Counts a refusal."""
        self._failures.add((client_id, address))
