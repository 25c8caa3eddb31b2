"""The HTTP service, put together: everything that it serves is listed here.

Served by ``uvicorn --factory dataops_api.app:app_from_environment`` with ``--no-access-log`` (the service logs its own)
and ``--http dataops_api.patience:PatientProtocol``, as ``dataops up`` does it (``dataops_cli/children.py``), or, from
another process's code, by :func:`create_app`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from dataops_api import describing, docs_page, health, metrics_page
from dataops_api.audit import routes as audit
from dataops_api.auth import routes as auth
from dataops_api.auth.authority import Authority
from dataops_api.auth.limits import TokenLimits
from dataops_api.connector_tokens import routes as connector_tokens
from dataops_api.connectors.app import create_connector_app
from dataops_api.dagster_gateway import DagsterGateway
from dataops_api.datasets import routes as datasets
from dataops_api.dependencies import Gateway, Parts
from dataops_api.errors import HANDLERS
from dataops_api.ground_truth import routes as ground_truth
from dataops_api.ground_truth.making import GroundTruths
from dataops_api.journeys import routes as journeys
from dataops_api.launching import Launcher
from dataops_api.logs import configure
from dataops_api.metadata import routes as metadata
from dataops_api.metering import meter_of
from dataops_api.middleware import TELEMETRY, RequestContext
from dataops_api.operations import routes as operations
from dataops_api.operations.following import Follower
from dataops_api.quality import routes as quality
from dataops_api.rate_limits import ApiLimits
from dataops_api.records import routes as records
from dataops_api.routing import check_access
from dataops_api.storage_health import StorageProbe
from dataops_api.templates import routes as templates
from dataops_api.templates.samples import Samples
from dataops_api.watching import RunWatcher
from dataops_core import tracing
from dataops_core.loading import permanently
from dataops_core.registry.database import Database
from dataops_core.registry.looking import Looking
from dataops_core.security import Keyring
from dataops_core.settings import CONNECTORS_PREFIX, Settings
from dataops_core.storage import Storage
from dataops_core.templates.loader import load_catalog

ROUTES = (
    auth.routes,
    datasets.routes,
    metadata.routes,
    records.routes,
    ground_truth.routes,
    quality.routes,
    connector_tokens.routes,
    templates.routes,
    operations.routes,
    journeys.routes,
    audit.routes,
    health.routes,
    metrics_page.routes,
    describing.routes,
    docs_page.routes,
)

#: Kept for changing, as many for threads that look and as many for the event loop. With as many again of the first two
#: at times, the framework's forty threads have enough.
_POOL_SIZE = 10
#: No caller waits longer for one question to the database.
_STATEMENT_SECONDS = 30


def create_app(settings: Settings, *, database: Database | None = None, gateway: Gateway | None = None) -> FastAPI:
    """The service with these settings. Raises ConfigurationError; connects to nothing before the first request."""
    keyring = Keyring.load(settings)
    own_database = database is None
    database = database or Database.from_settings(settings, pool_size=_POOL_SIZE, statement_seconds=_STATEMENT_SECONDS)
    looking = Looking.from_settings(settings, pool_size=_POOL_SIZE, statement_seconds=_STATEMENT_SECONDS)
    own_gateway = gateway is None
    gateway = gateway or DagsterGateway.from_settings(settings)
    catalog = load_catalog(settings.templates_dir)
    meter = meter_of(settings, database, looking)
    watcher = RunWatcher(database, gateway.run_state, lost_after=timedelta(seconds=settings.run_lost_after_seconds))
    storage = Storage.from_settings(settings)
    parts = Parts(
        settings=settings,
        database=database,
        looking=looking,
        keyring=keyring,
        catalog=catalog,
        samples=Samples(catalog),
        storage=storage,
        storage_probe=StorageProbe(storage),
        ground_truths=GroundTruths(database, storage),
        authority=Authority(settings, database, keyring),
        token_limits=TokenLimits(settings.token_successes_per_minute, settings.token_failures_per_minute),
        limits=ApiLimits(
            per_second=settings.api_requests_per_second,
            burst=settings.api_requests_burst,
            failures_per_minute=settings.api_failures_per_minute,
        ),
        gateway=gateway,
        meter=meter,
        launcher=Launcher(database, gateway, meter),
        watcher=watcher,
        follower=Follower(looking, watcher),
    )

    connector_app = create_connector_app(settings, database=database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # A mounted application has no start and end of its own.
        await run_in_threadpool(connector_app.state.service.sweep)
        parts.launcher.start()
        try:
            yield
        finally:
            parts.launcher.stop()
            connector_app.state.service.close()
            if own_gateway:
                gateway.close()
            await parts.follower.close()
            await looking.close()
            if own_database:
                database.close()

    app = FastAPI(
        title=describing.TITLE,
        version=describing.VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=dict(HANDLERS),
        lifespan=lifespan,
        telemetry=TELEMETRY,
    )
    app.add_middleware(RequestContext, meter=meter, https=settings.public_base.startswith("https://"))
    app.state.parts = parts
    for routes in ROUTES:
        routes.add_to(app)
    app.mount(CONNECTORS_PREFIX, connector_app)
    check_access(app.router.routes, mounted=[CONNECTORS_PREFIX])
    # A quarter of a start, for what few ask: made when somebody does.
    app.openapi = cache(lambda: describing.describe(app))  # type: ignore[method-assign]
    return app


def app_from_environment() -> FastAPI:
    """The service with the settings of this process's environment. Raises ConfigurationError."""
    settings = Settings.load()
    configure(settings)
    tracing.start(settings, service="dataops-api")
    with permanently():
        return create_app(settings)
