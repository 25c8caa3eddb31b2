"""``dataops up``: which processes serve an installation, in which order they start, and what must be true before.

Belongs here: the children, their commands and environments, and the one-time work of a start (database, migrations,
secret, first API client). Does not belong here: keeping children running (``supervisor.py``), the home (``home.py``).
"""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg2
from psycopg2 import OperationalError
from sqlalchemy import make_url

from dataops_cli.cleanup import end_left_over
from dataops_cli.credentials import credentials
from dataops_cli.home import Home, write_private, write_private_json
from dataops_cli.postgres import DATABASE, Postgres
from dataops_cli.processes import ChildSpec
from dataops_cli.supervisor import StopRequestedError, Supervisor, Unit
from dataops_cli.terminal import Terminal
from dataops_core.errors import ConfigurationError
from dataops_core.registry import api_clients, installation, migrate
from dataops_core.registry.database import Database
from dataops_core.security import Keyring, ensure_secret_file
from dataops_core.settings import CONNECTORS_PREFIX, Settings, with_driver

#: What ``up`` says when everything answers; ``start_background`` and tests wait for it.
READY_LINE = "DataOps Lifecycle is ready"

_OLDEST_POSTGRES = 15
_LOCATION = "dataops"
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  compared with, not bound to

#: The order of ending, from the last: Dagster, so that no run starts; the code location with its runs; the API; …
_STAGE_DATABASE, _STAGE_API, _STAGE_CODE, _STAGE_DAGSTER = range(4)


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the registry and Dagster keep their state."""

    registry: str
    dagster: str


def up(settings: Settings, terminal: Terminal | None = None) -> None:
    """Serves everything until somebody asks to stop. Raises ConfigurationError in one sentence where it cannot."""
    terminal = terminal or Terminal()
    home = Home(settings.home)
    home.open()
    with home.locked():
        if end_left_over(home):
            terminal.line("Ended what an earlier `dataops up` had left behind.")
        for host, port, variable in (
            (settings.api_host, settings.api_port, "DATAOPS_API_PORT"),
            (settings.dagster_host, settings.dagster_port, "DATAOPS_DAGSTER_PORT"),
        ):
            require_free(host, port, variable)
        embedded = Postgres(settings.home) if settings.database_url is None else None
        try:
            with Supervisor(home, terminal).running() as supervisor:
                _serve(settings, home, supervisor, terminal, embedded)
        except StopRequestedError:
            terminal.line("Stopped.")
        finally:
            if embedded is not None:
                embedded.remove_socket_directory()


def _serve(
    settings: Settings, home: Home, supervisor: Supervisor, terminal: Terminal, embedded: Postgres | None
) -> None:
    terminal.line(f"Starting on {settings.home} ...")
    if embedded is not None:
        embedded.prepare()
        child = supervisor.start(Unit(embedded.spec(), stage=_STAGE_DATABASE))
        embedded.wait_ready(child)
        embedded.ensure_databases([DATABASE])
        databases = _databases(settings, embedded.url(DATABASE))
    else:
        databases = _databases(settings, settings.registry_url)
        _require_server(databases.registry)
    _write_runtime(settings, home, databases)
    supervisor.check_stop()
    environment = child_environment(settings, home, databases)
    _prepare_registry(settings, home, databases, terminal)
    supervisor.run_once(_spec("prepare", home, environment, sys.executable, "-m", "dataops_pipeline.prepare"))
    _write_dagster_home(home)
    for unit in _units(settings, home, environment):
        supervisor.add(unit)
    _wait_until_ready(settings, supervisor)
    terminal.line(
        f"{READY_LINE}: API {settings.public_base}/docs, Dagster UI {settings.dagster_base} (no login), "
        f"credentials {home.credentials_file}. Ctrl-C stops it."
    )
    supervisor.supervise()


def require_free(host: str, port: int, variable: str) -> None:
    """Raises ConfigurationError where something else serves that port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of {host} cannot be used ({error.strerror}): free it, or set {variable} to another one."
            ) from None


def free_port() -> int:
    """A port of the loopback that nothing uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def child_environment(settings: Settings, home: Home, databases: Databases) -> dict[str, str]:
    """The environment of every child: ours, with each setting said outright and nothing that slows Python down."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"} and not name.startswith("DAGSTER_")
    }
    said = {
        "DATAOPS_HOME": str(settings.home),
        "DATAOPS_API_HOST": settings.api_host,
        "DATAOPS_API_PORT": str(settings.api_port),
        "DATAOPS_DAGSTER_HOST": settings.dagster_host,
        "DATAOPS_DAGSTER_PORT": str(settings.dagster_port),
        "DATAOPS_PUBLIC_URL": settings.public_base,
        "DATAOPS_DATABASE_URL": databases.registry,
        "DATAOPS_DAGSTER_DATABASE_URL": databases.dagster,
        "DAGSTER_HOME": str(home.dagster),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return inherited | said


def _spec(name: str, home: Home, environment: dict[str, str], *command: str, ask_all: bool = False) -> ChildSpec:
    return ChildSpec(
        name=name, command=command, environment=environment, directory=home.path, ask_all=ask_all, grace=8.0
    )


def _units(settings: Settings, home: Home, environment: dict[str, str]) -> list[Unit]:
    """The children that serve, in the order in which they are started."""
    python = sys.executable
    code_port = free_port()
    workspace = home.dagster / "workspace.yaml"
    write_private(
        workspace,
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {code_port}, location_name: {_LOCATION}}}\n",
    )

    def code_answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", code_port), timeout=0.2).close()
        except OSError:
            return False
        return True

    api = _spec(
        *("api", home, environment, python, "-m", "uvicorn", "dataops_api.app:app_from_environment", "--factory"),
        *("--host", settings.api_host, "--port", str(settings.api_port)),
        *("--timeout-graceful-shutdown", "5", "--no-access-log", "--log-level", "warning"),
    )
    code = _spec(
        *("code-location", home, environment, python, "-m", "dagster", "api", "grpc"),
        *("--module-name", "dataops_pipeline.definitions", "--location-name", _LOCATION),
        *("--host", "127.0.0.1", "--port", str(code_port), "--log-level", "warning"),
        ask_all=True,
    )
    webserver = _spec(
        *("dagster-webserver", home, environment, python, "-m", "dagster_webserver"),
        *("--workspace", str(workspace), "--host", settings.dagster_host, "--port", str(settings.dagster_port)),
        *("--log-level", "warning"),
    )
    daemon = _spec(
        *("dagster-daemon", home, environment, python, "-m", "dagster._daemon", "run"),
        *("--workspace", str(workspace), "--log-level", "warning"),
    )
    return [
        Unit(api, stage=_STAGE_API),
        Unit(code, stage=_STAGE_CODE),
        Unit(webserver, stage=_STAGE_DAGSTER, gate=code_answers),
        Unit(daemon, stage=_STAGE_DAGSTER, gate=code_answers),
    ]


def _databases(settings: Settings, registry: str) -> Databases:
    if settings.dagster_database_url is not None:
        return Databases(registry, with_driver(settings.dagster_database_url.get_secret_value()))
    url = make_url(registry)
    return Databases(registry, url.set(database=f"{url.database}_dagster").render_as_string(hide_password=False))


def _require_server(url: str) -> None:
    """Raises ConfigurationError where an external database does not answer or is too old."""
    try:
        connection = psycopg2.connect(
            make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), connect_timeout=5
        )
    except OperationalError as error:
        said = str(error).strip().splitlines()
        raise ConfigurationError(
            f"The database of DATAOPS_DATABASE_URL does not answer ({said[-1] if said else 'no reason given'}): "
            "start it, or correct the URL."
        ) from None
    major = connection.server_version // 10_000
    connection.close()
    if major < _OLDEST_POSTGRES:
        raise ConfigurationError(
            f"The database of DATAOPS_DATABASE_URL is PostgreSQL {major}: give one of {_OLDEST_POSTGRES} or newer."
        )


def _prepare_registry(settings: Settings, home: Home, databases: Databases, terminal: Terminal) -> None:
    migrate.upgrade(databases.registry)
    if settings.secret_key is None:
        ensure_secret_file(settings.home)
    keyring = Keyring.load(settings)
    database = Database(databases.registry, pool_size=1)
    try:
        with database.transaction() as session:
            installation.ensure(session, keyring)
            made = api_clients.ensure_admin(session, keyring)
            if made is not None:
                # Written before the commit: a client whose secret nobody knows would be worse than an unused file.
                write_private_json(
                    home.credentials_file, credentials(settings, str(made.api_client_id), made.client_secret)
                )
                terminal.line(f"Made the first API client: {home.credentials_file}")
    finally:
        database.close()


def _write_runtime(settings: Settings, home: Home, databases: Databases) -> None:
    local = f"http://{_WILDCARDS.get(settings.api_host, settings.api_host)}:{settings.api_port}"
    write_private_json(
        home.runtime_file,
        {
            "database_url": databases.registry,
            "dagster_database_url": databases.dagster,
            "public_url": settings.public_base,
            "api_url": local,
            "connector_url": settings.connector_url or f"{local}{CONNECTORS_PREFIX}",
            "dagster_url": settings.dagster_base,
        },
    )


def _write_dagster_home(home: Home) -> None:
    packaged = Path(__file__).parent / "data" / "dagster.yaml"
    source = packaged if packaged.is_file() else Path(__file__).parent.parent / "dagster.yaml"
    write_private(home.dagster / "dagster.yaml", source.read_text(encoding="utf-8"))


def _wait_until_ready(settings: Settings, supervisor: Supervisor) -> None:
    """Supervises until every component of ``/readyz`` is up."""
    address = f"http://{_WILDCARDS.get(settings.api_host, settings.api_host)}:{settings.api_port}/readyz"
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        while not _all_up(client, address):
            supervisor.supervise_briefly(0.1)


def _all_up(client: httpx.Client, address: str) -> bool:
    try:
        answer = client.get(address)
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and all(part["state"] == "up" for part in answer.json()["components"].values())
