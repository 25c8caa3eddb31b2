"""``dataops up``: everything on one machine, in the foreground, from nothing to ready and back to nothing.

Belongs here: the order of a start, and what is checked before anything is started. Does not belong here: how children
are kept running (``supervisor.py``) and what they run (``children.py``). Settings and files are those of
docs/operating.md.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from dataops_cli import databases
from dataops_cli.addresses import check_port, local_url, overlap
from dataops_cli.children import Children, components
from dataops_cli.cleanup import end_left_over
from dataops_cli.home import Home, write_private_json
from dataops_cli.postgres import DAGSTER_DATABASE, DATABASE, Postgres, connections_for
from dataops_cli.supervisor import StopRequestedError, Supervisor, Unit
from dataops_cli.terminal import Terminal
from dataops_core import logs
from dataops_core.errors import ConfigurationError, SecretMismatchError
from dataops_core.generation.blocks import blocks_of
from dataops_core.security import SECRET_FILE, Keyring, ensure_secret_file
from dataops_core.settings import CONNECTORS_PREFIX, Settings, with_driver
from dataops_core.storage import Storage
from dataops_core.templates.loader import load_catalog

#: How the line begins that says that all are up.
READY = "Ready"

#: A Unix socket's path may have 107 bytes.
_LONGEST_SOCKET_PATH = 100
_LONGEST_SOCKET_NAME = "code-location.sock"
_READY_POLL_SECONDS = 0.1

#: The order in which stages end: the highest first.
_STAGE_DATABASE, _STAGE_API, _STAGE_LOCATION, _STAGE_DAGSTER = range(4)


def up(settings: Settings, *, with_parent: bool = False) -> None:
    """Serves everything until SIGINT, SIGTERM or SIGHUP, or, ``with_parent``, until the process that started it dies.

    Raises ConfigurationError, with nothing left running, where a setting, a template, the home or the database is not
    usable.
    """
    blocks_of(settings)
    load_catalog(settings.templates_dir)  # every child would end with what is wrong with it
    terminal = Terminal()
    home = Home(settings.home)
    home.open()
    with home.locked(), logs.in_file(home.logs / "supervisor.log", settings):
        if end_left_over(home):
            terminal.line("Ended what an earlier `dataops up` on this home had left running.")
        home.forget_processes()
        check_port(settings.api_host, settings.api_port, name="API")
        check_port(settings.dagster_host, settings.dagster_port, name="DAGSTER")
        if settings.api_port == settings.dagster_port and overlap(settings.api_host, settings.dagster_host):
            raise ConfigurationError(
                f"The API and the Dagster UI cannot share port {settings.api_port}: "
                "set DATAOPS_DAGSTER_PORT to another."
            )
        new_key = settings.secret_key is None and ensure_secret_file(home.path)
        keyring = Keyring.load(settings)
        if settings.storage_url is not None:
            Storage(settings.storage_url).check(owner=keyring.fingerprint, claim=True)
        supervisor = Supervisor(home, terminal)
        parent = os.getppid() if with_parent else None
        with _socket_directory(home) as sockets, supervisor.running():
            try:
                _serve(supervisor, home, settings, keyring=keyring, sockets=sockets, terminal=terminal, parent=parent)
            except StopRequestedError:
                terminal.line("Stopping ...")
            except SecretMismatchError:
                if new_key:
                    # Another key than the lost one would lie in the place where that one belongs.
                    (home.path / SECRET_FILE).unlink()
                raise
        terminal.line("Stopped.")


def _serve(
    supervisor: Supervisor,
    home: Home,
    settings: Settings,
    *,
    keyring: Keyring,
    sockets: Path,
    terminal: Terminal,
    parent: int | None,
) -> None:
    began = time.monotonic()
    terminal.line(f"Starting on {home.path} ...")
    resolved = _with_addresses(_with_database(supervisor, home, settings))
    url = resolved.registry_url
    supervisor.check_stop()
    made = databases.make_ready(url, keyring, credentials_file=home.credentials_file, public_base=resolved.public_base)
    if made:
        terminal.line(f"Made an administrator of the API: {home.credentials_file}")
    _write_runtime(home, resolved, state="starting")

    children = Children(resolved, home, sockets)
    children.write_dagster_home()
    supervisor.start(Unit(children.api(), stage=_STAGE_API))
    supervisor.run_once(children.prepare_dagster())
    supervisor.start(Unit(children.code_location(), stage=_STAGE_LOCATION))
    if (run_host := children.run_host()) is not None:
        supervisor.start(Unit(run_host, stage=_STAGE_LOCATION))
    for spec in (children.webserver(), children.daemon()):
        supervisor.add(Unit(spec, stage=_STAGE_DAGSTER, gate=children.location_answers))

    states = components(resolved)
    while not (states and set(states.values()) == {"up"} and supervisor.all_started() and children.run_host_answers()):
        supervisor.supervise_briefly(_READY_POLL_SECONDS)
        _stop_with_parent(supervisor, parent)
        states = components(resolved)
    supervisor.first_start_done()
    _write_runtime(home, resolved, state="ready")
    terminal.line(
        f"{READY} in {time.monotonic() - began:.1f} s: API {resolved.public_base}/docs, "
        f"Dagster UI {resolved.dagster_base} (no login), credentials {home.credentials_file}, "
        f"logs {home.logs} (Ctrl-C stops all)"
    )
    while True:
        supervisor.supervise_briefly(1.0)
        _stop_with_parent(supervisor, parent)


def _stop_with_parent(supervisor: Supervisor, parent: int | None) -> None:
    # A process whose parent died is given to another one.
    if parent is not None and os.getppid() != parent:
        supervisor.request_stop()


def _with_database(supervisor: Supervisor, home: Home, settings: Settings) -> Settings:
    """The settings with the database's addresses: the embedded server is started where none is given."""
    if settings.database_url is None:
        server = Postgres(home.path, connections=connections_for(settings))
        server.prepare()
        child = supervisor.start(Unit(server.spec(), stage=_STAGE_DATABASE, before=server.clear_leftovers))
        server.wait_ready(child, interrupt=supervisor.check_stop)
        server.ensure_databases([DATABASE, DAGSTER_DATABASE])
        dagster = settings.dagster_database_url or SecretStr(server.url(DAGSTER_DATABASE))
        return settings.model_copy(
            update={"database_url": SecretStr(server.url(DATABASE)), "dagster_database_url": dagster}
        )
    url = with_driver(settings.database_url.get_secret_value())
    databases.check_server(url)
    given = settings.model_copy(update={"database_url": SecretStr(url)})
    return given.model_copy(update={"dagster_database_url": SecretStr(given.dagster_storage_url)})


def _with_addresses(settings: Settings) -> Settings:
    """The settings with every address spelled out."""
    api = local_url(settings.api_host, settings.api_port)
    return settings.model_copy(
        update={
            "public_url": settings.public_url or api,
            "connector_url": settings.connector_url or f"{api}{CONNECTORS_PREFIX}",
            "dagster_url": settings.dagster_url or local_url(settings.dagster_host, settings.dagster_port),
        }
    )


def _write_runtime(home: Home, settings: Settings, *, state: str) -> None:
    """Tells programs beside this one (``dagster dev``, the command line) what only a running ``up`` knows."""
    write_private_json(
        home.runtime_file,
        {
            "database_url": settings.registry_url,
            "dagster_database_url": settings.dagster_storage_url,
            "public_url": settings.public_base,
            "connector_url": settings.connector_base,
            "dagster_url": settings.dagster_base,
            **({"storage_url": settings.storage_url} if settings.storage_url is not None else {}),
            "state": state,
        },
    )


@contextmanager
def _socket_directory(home: Home) -> Iterator[Path]:
    """A private directory for the children's sockets, whose path is short also for a deep home."""
    directory = home.path / "run"
    shutil.rmtree(directory, ignore_errors=True)
    if len(os.fsencode(directory / _LONGEST_SOCKET_NAME)) < _LONGEST_SOCKET_PATH:
        directory.mkdir(mode=0o700)
    else:
        directory = Path(tempfile.mkdtemp(prefix="dataops-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
