"""What this database belongs to: the one row that ties it to the installation's secret."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.errors import SecretMismatchError
from dataops_core.registry.tables import Installation
from dataops_core.security import Keyring


def ensure(session: Session, keyring: Keyring) -> None:
    """Ties a new database to this secret. Raises SecretMismatchError where it belongs to another one."""
    session.execute(
        insert(Installation)
        .values(id=1, secret_fingerprint=keyring.fingerprint, created_at=utcnow())
        .on_conflict_do_nothing()
    )
    if not fits(session, keyring):
        raise SecretMismatchError(
            "The secret key does not fit the database: give the DATAOPS_SECRET_KEY (or the home's secret_key file) "
            "that the database was made with."
        )


def fits(session: Session, keyring: Keyring) -> bool:
    """Whether the database belongs to this secret."""
    row = session.get(Installation, 1)
    return row is not None and row.secret_fingerprint == keyring.fingerprint
