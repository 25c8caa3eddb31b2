"""What routes are given: the parts of the service, and who asks.

Does not belong here: how a caller is recognized (``auth/authority.py``) and what a route demands (``routing.py``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends
from starlette.requests import Request

from dataops_api.auth.authority import Authority, Caller
from dataops_api.auth.limits import TokenLimits
from dataops_api.dagster_health import DagsterHealth
from dataops_api.ground_truth.making import GroundTruths
from dataops_api.launching import Launcher
from dataops_api.metering import Meter
from dataops_api.operations.following import Follower
from dataops_api.rate_limits import ApiLimits
from dataops_api.storage_health import StorageProbe
from dataops_api.templates.samples import Samples
from dataops_api.watching import RunWatcher
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.runs import Launcher as RunLauncher
from dataops_core.security import Keyring
from dataops_core.settings import Settings
from dataops_core.storage import Storage
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
    #: The registry for threads: to change it, or to decide by it.
    database: Database
    #: The registry for the event loop: to look at it.
    looking: Looking
    keyring: Keyring
    storage: Storage
    storage_probe: StorageProbe
    catalog: Catalog
    samples: Samples
    ground_truths: GroundTruths
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


def caller_of(request: Request) -> Caller:
    """Who asks, as the route's checks have found out."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


async def _parts(request: Request) -> Parts:
    return parts_of(request)


async def _caller(request: Request) -> Caller:
    return caller_of(request)


#: What a dependency is found by where no framework is needed for it (``arguments.py``).
PLAIN: Mapping[Any, Callable[[Request], Any]] = {_parts: parts_of, _caller: caller_of}

Service = Annotated[Parts, Depends(_parts)]
CurrentCaller = Annotated[Caller, Depends(_caller)]
