"""What is removed by time alone: called by the pipeline's schedule ``clean_up``, every hour.

Belongs here: for each kind of thing that has a last day, one call that removes what is past it. Does not belong here:
what ends by a request (teardowns), and how a kind is stored (``registry``).
"""

from dataops_core.clock import utcnow
from dataops_core.registry import idempotency
from dataops_core.registry.database import Database

#: Rows removed by one transaction: enough to be quick, few enough to hold nobody up.
_BATCH = 1000


def clean_up(database: Database) -> dict[str, int]:
    """Removes what has expired. Says how many of each kind. Safe at any time, also twice at once."""
    return {"idempotency_keys": _remove_expired_keys(database)}


def _remove_expired_keys(database: Database) -> int:
    now, removed = utcnow(), 0
    while True:
        with database.transaction() as session:
            batch = idempotency.remove_expired(session, now=now, limit=_BATCH)
        removed += batch
        if batch < _BATCH:
            return removed
