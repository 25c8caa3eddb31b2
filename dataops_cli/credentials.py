"""The work of ``dataops credentials``: API clients and signing keys, by whoever may reach the database.

Every function raises ConfigurationError where no database is known, the secret key does not fit it, or what is asked
cannot be done, and UnavailableError where the database does not answer. Does not belong here: what is printed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dataops_cli.databases import credentials, write_credentials
from dataops_core.clock import rfc3339, utcnow
from dataops_core.errors import ConfigurationError
from dataops_core.registry import api_clients, installation, migrate, signing_keys
from dataops_core.registry.api_clients import NewApiClient
from dataops_core.registry.database import Database
from dataops_core.registry.tables import ApiClient
from dataops_core.scopes import Scope
from dataops_core.security import Keyring
from dataops_core.settings import Settings


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret just made. ``file`` is where it was written, None where it must be shown."""

    made: NewApiClient
    scopes: Sequence[str]
    public_base: str
    file: Path | None
    previous_secret_until: str | None = None

    @property
    def client_id(self) -> str:
        """The API client's id."""
        return str(self.made.api_client_id)

    def secrets(self) -> dict[str, str]:
        """What a program needs to use the API as this client."""
        return credentials(self.made, public_base=self.public_base)

    def as_json(self) -> dict[str, Any]:
        """All of it, without the secret where that was written to a file."""
        told: dict[str, Any] = dict(self.secrets())
        if self.file is not None:
            del told["client_secret"]
        return told | {
            "scopes": list(self.scopes),
            "file": str(self.file) if self.file is not None else None,
            "previous_secret_until": self.previous_secret_until,
        }


def create(
    settings: Settings, *, name: str, scopes: Sequence[Scope], customers: Sequence[str] | None, file: Path | None
) -> Credentials:
    """Makes an API client, bound to these customers where any are given.

    Its credentials go to ``file``; else an administrator's to the home's own file where that is missing; else they must
    be shown.
    """
    bound = [_uuid(customer, "customer") for customer in customers] if customers else None
    _check_new(file)
    own = settings.home / "credentials.json"
    is_lost = Scope.ADMIN in scopes and bound is None and settings.home.is_dir() and not own.exists()
    target = file or (own if is_lost else None)
    with _registry(settings) as (session, keyring):
        made = api_clients.create(session, keyring, name=name, scopes=scopes, customers=bound, now=utcnow())
        return _written(settings, Credentials(made, [*scopes], settings.public_base, target))


def list_all(settings: Settings) -> list[dict[str, Any]]:
    """Every API client, oldest first."""
    with _registry(settings) as (session, _):
        return [_described(client) for client in api_clients.list_all(session)]


def rotate(settings: Settings, client_id: str, *, grace_hours: float, file: Path | None) -> Credentials:
    """Gives an API client a new secret; the one before stays valid for the grace.

    The home's own credentials are renewed in their file where they are this client's.
    """
    api_client_id = _uuid(client_id, "API client")
    _check_new(file)
    own = settings.home / "credentials.json"
    target = file or (own if _is_of(own, api_client_id) else None)
    with _registry(settings) as (session, keyring):
        client = _active(session, api_client_id)
        made = api_clients.rotate_secret(
            session, keyring, api_client_id, grace=timedelta(hours=grace_hours), now=utcnow()
        )
        until = rfc3339(client.previous_secret_until) if client.previous_secret_until is not None else None
        return _written(settings, Credentials(made, client.scopes, settings.public_base, target, until))


def revoke(settings: Settings, client_id: str, *, even_last_admin: bool) -> dict[str, Any]:
    """Ends an API client's access for good."""
    api_client_id = _uuid(client_id, "API client")
    with _registry(settings) as (session, _):
        client = _active(session, api_client_id)
        if api_clients.is_last_admin(session, api_client_id) and not even_last_admin:
            raise ConfigurationError(
                f"{client_id} is the last API client with {Scope.ADMIN.value}: make another first, "
                "or revoke it all the same with --yes."
            )
        api_clients.revoke(session, api_client_id, now=utcnow())
        session.refresh(client)
        return _described(client)


def rotate_keys(settings: Settings) -> str:
    """Makes a new signing key. Returns its id."""
    with _registry(settings) as (session, keyring):
        return signing_keys.rotate(session, keyring, now=utcnow()).kid


@contextmanager
def _registry(settings: Settings) -> Iterator[tuple[Session, Keyring]]:
    """A transaction on the database of this release's schema and this installation's secret."""
    keyring = Keyring.load(settings)
    database = Database.from_settings(settings, pool_size=1)
    try:
        with database.transaction() as session:
            if not migrate.is_current(session):
                raise ConfigurationError("The database does not have this release's schema: start `dataops up`.")
            if not installation.fits(session, keyring):
                raise ConfigurationError(
                    "The secret key does not fit the database: give the one that it was made with."
                )
            yield session, keyring
    finally:
        database.close()


def _check_new(file: Path | None) -> None:
    if file is not None and file.exists():
        raise ConfigurationError(f"{file} exists already: name another file.")


def _is_of(file: Path, api_client_id: UUID) -> bool:
    """Whether the home's credentials are this client's."""
    try:
        return str(api_client_id) in file.read_text(encoding="utf-8")
    except OSError:
        return False


def _written(settings: Settings, made: Credentials) -> Credentials:
    """Writes before the commit: a secret that could not be written down would be lost."""
    if made.file is not None:
        try:
            write_credentials(made.file, made.made, public_base=settings.public_base)
        except OSError as error:
            raise ConfigurationError(f"{made.file} cannot be written ({error.strerror}): name another file.") from None
    return made


def _active(session: Session, api_client_id: UUID) -> ApiClient:
    client = api_clients.row_of(session, api_client_id)
    if client is None:
        raise ConfigurationError(
            f"There is no API client {api_client_id}: `dataops credentials list` shows those that there are."
        )
    if client.revoked_at is not None:
        raise ConfigurationError(
            f"API client {api_client_id} was revoked at {rfc3339(client.revoked_at)}: "
            "`dataops credentials create` makes another."
        )
    return client


def _uuid(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no id of a {what}: give a UUID.".replace("a API", "an API")) from None


def _described(client: ApiClient) -> dict[str, Any]:
    until = client.previous_secret_until
    return {
        "client_id": str(client.api_client_id),
        "name": client.name,
        "state": "active" if client.revoked_at is None else "revoked",
        "scopes": list(client.scopes),
        "customers": [str(customer) for customer in client.customers] if client.customers is not None else None,
        "created_at": rfc3339(client.created_at),
        "revoked_at": rfc3339(client.revoked_at) if client.revoked_at is not None else None,
        "previous_secret_until": rfc3339(until) if until is not None and until > utcnow() else None,
    }
