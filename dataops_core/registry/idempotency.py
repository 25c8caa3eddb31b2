"""Idempotency keys: which request used one, and what was answered (``docs/contract.md`` C-45).

All SQL on ``idempotency_keys``. A row is written by the transaction that does what the request asks for, so that there
is either both or neither, whatever crashes when. Functions take a session and never commit. Does not belong here: its
form in HTTP (``dataops_api/idempotency.py``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg2.errors import LockNotAvailable
from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from dataops_core.errors import UnderWayError
from dataops_core.registry.tables import IdempotencyKey

#: So long a request waits for one of the same key that is under way.
_PATIENCE = "1s"


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to the first request of a key, to be given again."""

    fingerprint: str
    #: Whose data it is about: who does not reach this customer any more is not answered with it.
    customer: UUID
    status: int
    headers: Mapping[str, str]
    #: As it was given to :func:`keep`; encrypted by then.
    body: bytes


def claim(session: Session, *, api_client_id: UUID, key: str, now: datetime) -> KeptAnswer | None:
    """Takes the key for this transaction. Gives the answer that is kept under it, None where none is.

    Raises UnderWayError where another transaction holds the key and does not end shortly.
    """
    number = hashlib.sha256(f"{api_client_id} {key}".encode()).digest()[:8]
    session.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
    try:
        session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(number, signed=True))))
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise UnderWayError("A request with this idempotency key is under way; ask again shortly") from None
        raise
    session.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    row = session.get(IdempotencyKey, (api_client_id, key))
    if row is None or row.expires_at <= now:
        return None
    return KeptAnswer(row.fingerprint, row.customer, row.status, row.headers, row.body)


def keep(
    session: Session, answer: KeptAnswer, *, api_client_id: UUID, key: str, now: datetime, lifetime: timedelta
) -> None:
    """Keeps the answer under a key that this transaction has claimed, for so long."""
    values = {
        "fingerprint": answer.fingerprint,
        "customer": answer.customer,
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body,
        "created_at": now,
        "expires_at": now + lifetime,
    }
    session.execute(
        insert(IdempotencyKey)
        .values(api_client_id=api_client_id, key=key, **values)
        # An expired one may still be there.
        .on_conflict_do_update(index_elements=[IdempotencyKey.api_client_id, IdempotencyKey.key], set_=values)
    )


def remove_expired(session: Session, *, now: datetime, limit: int) -> int:
    """Removes expired keys, so many at most. Says how many."""
    expired = (
        select(IdempotencyKey.api_client_id, IdempotencyKey.key)
        .where(IdempotencyKey.expires_at <= now)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    removed = session.execute(
        delete(IdempotencyKey)
        .where(tuple_(IdempotencyKey.api_client_id, IdempotencyKey.key).in_(expired))
        .returning(IdempotencyKey.key)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())
