"""What a step works with: settings, registry, keys, files, templates, the connector's client. Made once per process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from dataops_core.connectors.client import EmbeddedConnector
from dataops_core.connectors.protocol import ConnectorAdapter
from dataops_core.lifecycle import Environment
from dataops_core.provisioning.fencing import RunIdentity
from dataops_core.provisioning.prepared import Preparations
from dataops_core.provisioning.records_ahead import RecordsAhead
from dataops_core.provisioning.stored import StoredTables
from dataops_core.registry.database import Database
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.storage import Storage
from dataops_core.templates.loader import Catalog, load_catalog


@dataclass(frozen=True, slots=True)
class Services:
    """The parts that steps call; tests hand in others."""

    settings: Settings
    database: Database
    keyring: Keyring
    storage: Storage
    catalog: Catalog
    connector: ConnectorAdapter
    tables: StoredTables = field(default_factory=StoredTables)
    records_ahead: RecordsAhead = field(default_factory=RecordsAhead)
    preparations: Preparations = field(default_factory=Preparations)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The services of a process that has these settings. Raises ConfigurationError."""
        keyring = Keyring.load(settings)
        return cls(
            settings=settings,
            database=Database.from_settings(settings, pool_size=max(3, settings.steps_at_once)),
            keyring=keyring,
            storage=Storage.from_settings(settings),
            catalog=load_catalog(settings.templates_dir),
            connector=EmbeddedConnector(settings.connector_base, keyring),
            tables=StoredTables(settings.steps_at_once),
        )

    def close(self) -> None:
        """Gives the database's connections back."""
        self.database.close()


@dataclass(frozen=True, slots=True)
class StepContext:
    """Who asks for a step (a run), and where: an environment and a dataset type. ``name`` is for logs and traces.

    ``stopping`` tells whether somebody is stopping the run at the moment; ``index_follows``, whether this process goes
    on with the type's index.
    """

    services: Services
    run: RunIdentity
    environment: Environment
    dataset_type: str
    name: str = "step"
    stopping: Callable[[], bool] = lambda: False
    index_follows: bool = False
