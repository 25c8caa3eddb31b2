"""What routes are given: the parts of the service, and who asks.

Does not belong here: how a caller is recognized (``auth/authority.py``) and what a route demands (``routing.py``).
"""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import Request

from dataops_api.auth.authority import Authority, Caller
from dataops_api.auth.limits import TokenLimits
from dataops_api.dagster_health import DagsterHealth
from dataops_api.launching import Launcher
from dataops_api.metering import Meter
from dataops_api.operations.following import Follower
from dataops_api.rate_limits import ApiLimits
from dataops_api.templates.samples import Samples
from dataops_api.watching import RunWatcher
from dataops_core.registry.database import Database
from dataops_core.runs import Launcher as RunLauncher
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.templates.loader import Catalog


class Gateway(RunLauncher, Protocol):
    """Dagster, as the service needs it; ``dagster_gateway.py`` has the one for production."""

    def health(self) -> DagsterHealth:
        """Whether Dagster's parts live."""
        ...

    def close(self) -> None:
        """Closes the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the service, made once by ``app.create_app``."""

    settings: Settings
    database: Database
    keyring: Keyring
    catalog: Catalog
    samples: Samples
    authority: Authority
    token_limits: TokenLimits
    limits: ApiLimits
    meter: Meter
    gateway: Gateway
    launcher: Launcher
    watcher: RunWatcher
    follower: Follower


def parts_of(request: Request) -> Parts:
    """The parts of the service that this request reached."""
    parts: Parts = request.app.state.parts
    return parts


async def _parts(request: Request) -> Parts:
    return parts_of(request)


async def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller


Service = Annotated[Parts, Depends(_parts)]
CurrentCaller = Annotated[Caller, Depends(_caller)]
