"""The connection to the registry: one engine per process, one transaction per ``with`` block.

Services and repositories take a ``Session`` and never commit; whoever opened the transaction does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from dataops_core.errors import UnavailableError
from dataops_core.settings import Settings


class Database:
    """The registry's database. Cheap to make: connects at first use."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine: Engine = create_engine(
            url,
            pool_pre_ping=True,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            connect_args={"connect_timeout": 5, "options": "-c timezone=utc -c lock_timeout=15000"},
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @classmethod
    def from_settings(cls, settings: Settings, *, pool_size: int = 10) -> "Database":
        """The database that the settings name."""
        return cls(settings.registry_url, pool_size=pool_size)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back on any error.

        Raises UnavailableError where the server cannot be reached.
        """
        try:
            with self._sessions.begin() as session:
                yield session
        except OperationalError as error:
            raise UnavailableError("The database does not answer.") from error

    def close(self) -> None:
        """Gives every connection back."""
        self.engine.dispose()
