"""When a request is made again, and after how long. Pure: the session sends and sleeps.

What does no harm to be made twice (reading, and everything with an ``Idempotency-Key``, which the server does once
however often it is sent) is repeated after 429, 502, 503, 504 and after any failure of the connection. Anything else is
repeated where it certainly did nothing: after 429 and 503, and where the connection was never made.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx

from a_domain_sdk._call import Repeat

_REFUSED = frozenset({429, 503})
_PASSING = _REFUSED | {502, 504}
#: With Retry-After: the first request with this idempotency key is still being answered.
_UNDER_WAY = 409
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently. Times in seconds."""

    max_retries: int = 3
    first_delay: float = 0.5
    longest_delay: float = 8.0
    longest_retry_after: float = 120.0
    draw: Callable[[], float] = random.random

    def after_status(self, status: int, retry_after: float | None, *, attempt: int, repeat: Repeat) -> float | None:
        """Seconds to wait before the next attempt, None for no further one. ``attempt`` counts from 0.

        The server's Retry-After is honoured, never undercut, and where it is longer than ``longest_retry_after`` the
        error goes to the caller at once instead of holding the program up.
        """
        if attempt >= self.max_retries or not _passes(status, retry_after, repeat):
            return None
        if retry_after is None:
            return self._backoff(attempt)
        if retry_after > self.longest_retry_after:
            return None
        # Many clients that were sent away together must not come back together.
        return retry_after + self.draw() * min(1.0, 0.1 * retry_after)

    def after_error(self, error: httpx.RequestError, *, attempt: int, repeat: Repeat) -> float | None:
        """The same after a request that got no answer."""
        if attempt >= self.max_retries or repeat == "never" or not isinstance(error, httpx.TransportError):
            return None
        if repeat == "refused" and not isinstance(error, _NEVER_SENT):
            return None
        return self._backoff(attempt)

    def _backoff(self, attempt: int) -> float:
        return float(min(self.longest_delay, self.first_delay * 2**attempt)) * (0.5 + 0.5 * self.draw())


def _passes(status: int, retry_after: float | None, repeat: Repeat) -> bool:
    if repeat == "never":
        return False
    if repeat == "refused":
        return status in _REFUSED
    return status in _PASSING or (status == _UNDER_WAY and retry_after is not None)


def seconds_of(retry_after: str | None, *, now: datetime | None = None) -> float | None:
    """The seconds that a Retry-After header asks for, given as seconds or as a date (RFC 9110, 10.2.3); else None."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - (now or datetime.now(timezone.utc))).total_seconds())
