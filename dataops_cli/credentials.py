"""``dataops credentials``: API clients made by whoever may reach the database."""

from collections.abc import Sequence
from pathlib import Path

from dataops_cli.databases import write_credentials
from dataops_core.clock import utcnow
from dataops_core.errors import ConfigurationError
from dataops_core.registry import api_clients, installation, migrate
from dataops_core.registry.database import Database
from dataops_core.scopes import Scope
from dataops_core.security import Keyring
from dataops_core.settings import Settings


def create(settings: Settings, *, name: str, scopes: Sequence[Scope], file: Path | None) -> str:
    """Makes an API client and writes its credentials (0600). Returns what to tell the person who asked.

    Raises ConfigurationError where no database is known, the secret key does not fit it, or the file cannot be
    written; UnavailableError where the database does not answer. A file that exists is replaced only where it is the
    home's own.
    """
    target = file or settings.home / "credentials.json"
    if file is not None and file.exists():
        raise ConfigurationError(f"{file} exists already: name another file.")
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
            made = api_clients.create(session, keyring, name=name, scopes=scopes, now=utcnow())
            try:
                write_credentials(target, made, public_base=settings.public_base)
            except OSError as error:
                raise ConfigurationError(f"{target} cannot be written ({error.strerror}): name another file.") from None
    finally:
        database.close()
    return f"Made API client {made.api_client_id} with {', '.join(scopes)}: {target}"
