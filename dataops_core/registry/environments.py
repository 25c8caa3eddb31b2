"""Who may say that an environment is empty: a lock on its name, held by transactions.

Whoever makes an operation in an environment shares the lock until it commits; whoever takes the environment's partition
key away has it alone. So a key never goes between the acceptance of an operation and its launch, which adds it anew.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from dataops_core.lifecycle import Environment

#: Sets these advisory locks apart from any other use of that number space.
_LOCK_CLASS = 0x656E7672

_SHARE = text("SELECT pg_advisory_xact_lock_shared(:class, hashtext(:key))")
_TAKE = text("SELECT pg_try_advisory_xact_lock(:class, hashtext(:key))")


def share(session: Session, environment: Environment) -> None:
    """From now until the transaction ends nobody may call the environment empty."""
    session.execute(_SHARE, {"class": _LOCK_CLASS, "key": environment.partition_key})


def take(session: Session, environment: Environment) -> bool:
    """Whether this transaction alone has the environment now: no operation can begin there until it ends."""
    return bool(session.scalar(_TAKE, {"class": _LOCK_CLASS, "key": environment.partition_key}))
