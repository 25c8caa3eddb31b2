"""How often an API client may ask, and how often an address may fail to say who it is (``docs/contract.md`` C-9).

A token bucket for each: what was not used is saved up to the burst. The standing is told by the header fields of the
IETF's draft (draft-ietf-httpapi-ratelimit-headers-10, structured fields). Kept in this process, in bounded memory. Does
not belong here: the limits of the token endpoint (``auth/limits.py``).
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic

from dataops_core.errors import DataOpsError

POLICY_HEADER = "RateLimit-Policy"
STANDING_HEADER = "RateLimit"
CLIENT_POLICY = "api-client"
#: More buckets than API clients or honest addresses; beyond it the one that rested longest is forgotten.
_MOST_BUCKETS = 10_000


class RateLimitedError(DataOpsError):
    """Asked too often."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, wait: int) -> None:
        super().__init__(message, details={"retry_after_seconds": wait})
        self.headers = {"Retry-After": str(wait)}


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class TokenBuckets:
    """A bucket per key that holds ``burst`` and gains ``rate`` a second. Not thread-safe: for the event loop alone."""

    def __init__(
        self, rate: float, burst: int, *, clock: Callable[[], float] = monotonic, most: int = _MOST_BUCKETS
    ) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable) -> float:
        """Takes one from the key's bucket and gives what is left; below zero: there was none, and nothing was taken."""
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
            bucket = self._buckets[key] = _Bucket(self.burst, now)
        else:
            bucket.level = min(self.burst, bucket.level + (now - bucket.at) * self.rate)
            bucket.at = now
            self._buckets.move_to_end(key)
        left = bucket.level - 1
        if left >= 0:
            bucket.level = left
        return left

    def wait(self, key: Hashable) -> int:
        """Whole seconds until the key's bucket has one to give; 0: now."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return 0
        missing = 1 - bucket.level - (self._clock() - bucket.at) * self.rate
        return max(1, ceil(missing / self.rate)) if missing > 0 else 0


class ApiLimits:
    """The two limits of every route that wants a token."""

    def __init__(
        self, *, per_second: int, burst: int, failures_per_minute: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self._requests = TokenBuckets(per_second, burst, clock=clock)
        self._failures = TokenBuckets(failures_per_minute / 60, failures_per_minute, clock=clock)
        self._policy = (
            POLICY_HEADER.lower().encode(),
            f'"{CLIENT_POLICY}";q={burst};w={ceil(burst / per_second)}'.encode(),
        )

    def admit(self, api_client: Hashable, headers: list[tuple[bytes, bytes]]) -> None:
        """Counts a request and adds its standing to the headers of its answer. Raises RateLimitedError."""
        left = self._requests.take(api_client)
        remaining = max(0, int(left))
        until_full = ceil((self._requests.burst - max(left, 0)) / self._requests.rate)
        headers += (self._policy, (b"ratelimit", f'"{CLIENT_POLICY}";r={remaining};t={until_full}'.encode()))
        if left < 0:
            wait = self._requests.wait(api_client) or 1
            raise RateLimitedError(
                f"This API client may ask {self._requests.rate} times a second: try again in {wait} s", wait=wait
            )

    def check(self, address: str) -> None:
        """Raises RateLimitedError where too many requests from this address had no valid token lately."""
        if wait := self._failures.wait(_network(address)):
            raise RateLimitedError(f"Too many requests without a valid token: try again in {wait} s", wait=wait)

    def failed(self, address: str) -> None:
        """Counts a request without a valid token. Raises RateLimitedError where they are too many."""
        if self._failures.take(_network(address)) < 0:
            self.check(address)


def _network(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 one, in which addresses cost nothing."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return parsed.exploded[:19]
    return address
