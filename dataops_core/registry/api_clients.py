"""API clients: who may ask for access tokens, and with which powers.

An API client (``client_id`` of the token endpoint) is no customer (``client_id`` of datasets): here and in tables it is
always ``api_client_id``. Its secret has 256 random bits, is shown once and stored as a keyed hash (C-15). Does not
belong here: tokens themselves (``dataops_api/auth``).
"""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from dataops_core.clock import utcnow
from dataops_core.errors import NotFoundError
from dataops_core.ids import new_id
from dataops_core.registry.tables import ApiClient
from dataops_core.scopes import Scope, implied
from dataops_core.security import Keyring, new_secret

SECRET_PREFIX = "dosec_"  # noqa: S105  says what it is, to people and to secret scanners

#: Advisory lock of :func:`ensure_admin`: any number that no other lock of this database uses.
_ADMIN_LOCK = 7_340_115
_IS_ADMIN = (ApiClient.revoked_at.is_(None), ApiClient.scopes.contains([Scope.ADMIN.value]))
#: The hash of no secret.
_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class NewApiClient:
    """A client just made: the only moment at which its secret is known."""

    api_client_id: UUID
    client_secret: str


@dataclass(frozen=True, slots=True)
class KnownApiClient:
    """A client that is not revoked. ``scopes`` holds all that it may have; ``customers`` None: bound to none (C-8)."""

    api_client_id: UUID
    scopes: tuple[Scope, ...]
    customers: tuple[UUID, ...] | None


def create(
    session: Session,
    keyring: Keyring,
    *,
    name: str,
    scopes: Collection[Scope],
    customers: Sequence[UUID] | None = None,
    now: datetime,
) -> NewApiClient:
    """Makes an API client and its secret, which no later call can tell."""
    secret = new_secret(SECRET_PREFIX)
    client = ApiClient(
        api_client_id=new_id(),
        name=name,
        secret_hash=keyring.hash_token(secret),
        scopes=[scope.value for scope in Scope if scope in scopes],
        customers=list(customers) if customers is not None else None,
        created_at=now,
        revoked_at=None,
    )
    session.add(client)
    session.flush()
    return NewApiClient(client.api_client_id, secret)


def ensure_admin(session: Session, keyring: Keyring) -> NewApiClient | None:
    """Makes an administrator where no unrevoked one exists; None where one does. Of callers at once, one makes it."""
    session.execute(select(func.pg_advisory_xact_lock(_ADMIN_LOCK)))
    if session.scalar(select(ApiClient.api_client_id).where(*_IS_ADMIN).limit(1)) is not None:
        return None
    return create(session, keyring, name="Administrator", scopes=[Scope.ADMIN], now=utcnow())


def find(session: Session, api_client_id: UUID) -> KnownApiClient | None:
    """The client, or None where it is unknown or revoked."""
    client = _active(session, api_client_id)
    return _known(client) if client is not None else None


def verify(session: Session, keyring: Keyring, *, api_client_id: UUID, secret: str) -> KnownApiClient | None:
    """The client, or None where id and secret do not belong together or it is revoked.

    A secret that was rotated is as good as the new one until its grace has passed.
    """
    client = _active(session, api_client_id)
    # Hash and compare twice for an unknown client too: the time taken tells nothing.
    given = keyring.hash_token(secret)
    matches = hmac.compare_digest(given, client.secret_hash if client is not None else _NO_HASH)
    before = _NO_HASH
    if client is not None and client.previous_secret_until is not None and client.previous_secret_until > utcnow():
        before = client.previous_secret_hash or _NO_HASH
    matches |= hmac.compare_digest(given, before)
    return _known(client) if client is not None and matches else None


def rotate_secret(
    session: Session, keyring: Keyring, api_client_id: UUID, *, grace: timedelta, now: datetime
) -> NewApiClient:
    """Gives an unrevoked client a new secret; the one before stays valid for the grace, one still before it ends.

    Raises NotFoundError.
    """
    client = session.scalars(
        select(ApiClient)
        .where(ApiClient.api_client_id == api_client_id, ApiClient.revoked_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if client is None:
        raise NotFoundError("API client not found", details={"api_client_id": str(api_client_id)})
    kept = grace > timedelta(0)
    client.previous_secret_hash = client.secret_hash if kept else None
    client.previous_secret_until = now + grace if kept else None
    secret = new_secret(SECRET_PREFIX)
    client.secret_hash = keyring.hash_token(secret)
    session.flush()
    return NewApiClient(api_client_id, secret)


def is_last_admin(session: Session, api_client_id: UUID) -> bool:
    """Whether without this client no unrevoked administrator of all customers is left (of any, where none is of all).

    Of callers at once, one goes on at a time.
    """
    session.execute(select(func.pg_advisory_xact_lock(_ADMIN_LOCK)))
    admins = select(ApiClient.api_client_id).where(*_IS_ADMIN)
    of_all = set(session.scalars(admins.where(ApiClient.customers.is_(None))))
    return (of_all or set(session.scalars(admins))) == {api_client_id}


def row_of(session: Session, api_client_id: UUID) -> ApiClient | None:
    """The client, revoked or not; None where it is unknown."""
    return session.get(ApiClient, api_client_id)


def revoke(session: Session, api_client_id: UUID, *, now: datetime) -> None:
    """Ends a client's access for good; its tokens stop within a minute (C-15). Idempotent. Raises NotFoundError."""
    known = session.scalar(
        update(ApiClient)
        .where(ApiClient.api_client_id == api_client_id)
        .values(revoked_at=func.coalesce(ApiClient.revoked_at, now))
        .returning(ApiClient.api_client_id)
    )
    if known is None:
        raise NotFoundError("API client not found", details={"api_client_id": str(api_client_id)})


def list_all(session: Session) -> Sequence[ApiClient]:
    """Every client, revoked or not, oldest first."""
    return session.scalars(select(ApiClient).order_by(ApiClient.created_at, ApiClient.api_client_id)).all()


def _active(session: Session, api_client_id: UUID) -> ApiClient | None:
    return session.scalars(
        select(ApiClient).where(ApiClient.api_client_id == api_client_id, ApiClient.revoked_at.is_(None))
    ).one_or_none()


def _known(client: ApiClient) -> KnownApiClient:
    # A scope that a newer release granted is no scope here.
    granted = [scope for scope in Scope if scope.value in client.scopes]
    customers = tuple(client.customers) if client.customers is not None else None
    return KnownApiClient(client.api_client_id, implied(granted), customers)
