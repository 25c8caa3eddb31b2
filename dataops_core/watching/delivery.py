"""Delivering notifications to the operator's webhook: signed, tried again with back-off, given up after a while.

Belongs here: one round of deliveries, and the wire form, which is that of Standard Webhooks 1.0: ``webhook-id`` (the
same at each try), ``webhook-timestamp``, and ``webhook-signature``, ``v1,`` and the base64 of HMAC-SHA256 over
``{id}.{timestamp}.{body}``. Does not belong here: what is told (``standing.py``) and how it is kept
(``registry/notifications.py``). The address is the operator's alone; a redirect is not followed, no proxy of the
environment is used, and of the answer nothing but its status is read.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from dataops_core.clock import utcnow
from dataops_core.registry import notifications
from dataops_core.registry.database import Database
from dataops_core.registry.tables import Notification
from dataops_core.settings import Settings

_log = logging.getLogger(__name__)

#: The time until the next try after the first, the second, … one; the last stands for all that follow.
BACK_OFF = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600))
#: Deliveries of one round at most, side by side, and the longest that one may take as a whole.
MOST = 32
_SIDE_BY_SIDE = 8
TIMEOUT_SECONDS = 10.0
#: One that was taken and of which nothing more is heard is due again after so long: no round takes longer.
LEASE = timedelta(seconds=MOST / _SIDE_BY_SIDE * TIMEOUT_SECONDS + 30)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round did."""

    delivered: int = 0
    failed: int = 0
    given_up: int = 0


def deliver_due(database: Database, settings: Settings, *, now: datetime | None = None) -> Delivered:
    """Sends every notification that is due, and notes of each at once what became of it.

    Without a webhook what waits goes on waiting (another daemon may know of one), until it is so old that it would have
    been given up anyway.
    """
    now, give_up_after = now or utcnow(), timedelta(hours=settings.webhook_give_up_hours)
    if settings.webhook_url is None or settings.webhook_key is None:
        with database.transaction() as session:
            old = notifications.give_up_old(session, before=now - give_up_after, now=now, reason="no webhook was set")
        return Delivered(given_up=old)
    with database.transaction() as session:
        taken = notifications.take_due(session, now=now, lease=LEASE, limit=MOST)
    if not taken:
        return Delivered()
    url, key = settings.webhook_url.get_secret_value(), settings.webhook_key
    return asyncio.run(_round(database, url, key, taken, now=now, give_up_after=give_up_after))


def sign(key: bytes, notification_id: UUID | str, timestamp: int, body: str) -> str:
    """The value of ``webhook-signature``."""
    signed = hmac.digest(key, f"{notification_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


async def _round(
    database: Database, url: str, key: bytes, taken: Sequence[Notification], *, now: datetime, give_up_after: timedelta
) -> Delivered:
    turns = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def one(notification: Notification) -> Delivered:
        async with turns:
            error = await _send(client, url, key, notification)
        return await asyncio.to_thread(_note, database, notification, error, now, give_up_after)

    async with httpx.AsyncClient(
        timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, verify=url.startswith("https://")
    ) as client:
        ended = await asyncio.gather(*(one(notification) for notification in taken))
    return Delivered(
        sum(one.delivered for one in ended), sum(one.failed for one in ended), sum(one.given_up for one in ended)
    )


async def _send(client: httpx.AsyncClient, url: str, key: bytes, notification: Notification) -> str | None:
    """Sends one notification; None where the receiver took it, else why it did not. Never says the address."""
    timestamp = int(utcnow().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "dataops-webhook/1",
        "webhook-id": str(notification.notification_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(key, notification.notification_id, timestamp, notification.body),
    }
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            client.stream("POST", url, content=notification.body.encode(), headers=headers) as response,
        ):
            return None if response.is_success else f"the receiver answered {response.status_code}"
    except (TimeoutError, httpx.TimeoutException):
        return f"the receiver did not answer within {TIMEOUT_SECONDS:g} s"
    except httpx.HTTPError as error:
        return f"the receiver could not be reached ({type(error).__name__})"


def _note(
    database: Database, sent: Notification, error: str | None, now: datetime, give_up_after: timedelta
) -> Delivered:
    with database.transaction() as session:
        if error is None:
            notifications.delivered(session, sent.notification_id, now=utcnow())
            return Delivered(delivered=1)
        _log.warning("notification %s was not delivered at try %d: %s", sent.notification_id, sent.attempts, error)
        if now - sent.created_at >= give_up_after:
            return Delivered(given_up=int(notifications.give_up(session, sent, now=now, error=error)))
        wait = BACK_OFF[min(sent.attempts, len(BACK_OFF)) - 1]
        notifications.put_back(session, sent, due_at=now + wait, error=error)
        return Delivered(failed=1)
