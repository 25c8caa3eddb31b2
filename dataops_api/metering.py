"""What the service counts as it works. This one counts nothing: measuring that is switched off costs nothing.

``metrics.py`` has the one that counts, which is imported only where it is wanted.
"""

from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.settings import Settings


class Meter:
    """Counts nothing."""

    def request(self, *, method: str, route: str, status: int, seconds: float, connector: bool) -> None:
        """An answered request: its route as a template, never the path that was asked for."""

    def rate_limited(self, limit: str) -> None:
        """A request that was refused for coming too often."""

    def token(self, result: str) -> None:
        """An answer of the token endpoint: ``issued`` or its error."""

    def launch(self, result: str) -> None:
        """What became of an operation that the API set out to launch: ``launched``, ``not_launched``, ``error``."""

    def render(self) -> tuple[bytes, str] | None:
        """Everything that was counted, with its media type; None: nothing is."""
        return None


def meter_of(settings: Settings, database: Database, looking: Looking) -> Meter:
    """The meter that the settings ask for."""
    if settings.metrics == "off":
        return Meter()
    from dataops_api.metrics import Metrics  # noqa: PLC0415  not loaded where nothing is counted

    return Metrics(database, looking)
