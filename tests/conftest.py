"""What every test may use: a real PostgreSQL server, one for the suite, and databases of one's own on it.

``TEST_DATABASE`` (``make test DATABASE=...``) names the server. ``embedded``: as ``dataops up`` brings it.
``external``: the same binaries as a server of its own, over TCP and with that server's defaults, which every stack is
given by DATAOPS_DATABASE_URL. ``distribution``: such a server of the newest PostgreSQL that a package has installed.
``TEST_LAUNCHER`` (``make test LAUNCHER=...``) is who starts the runs of every stack: ``warm`` or ``default``.

Databases are those of ``databases.py``. ``stack`` is a running ``dataops up`` that the suite shares, ``own_stack``
starts one that a test may break, ``mending_stack`` is a second one that is shared, for faults that it survives.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg2
import pytest
from psycopg2 import sql
from sqlalchemy import URL

from dataops_cli.databases import OLDEST_MAJOR
from dataops_cli.home import Home
from dataops_cli.postgres import USER, Postgres
from dataops_cli.postgres_account import account_for
from dataops_cli.processes import ChildSpec, instance_members
from dataops_cli.up import READY
from dataops_core.registry.database import Database
from dataops_core.settings import Settings
from dataops_pipeline.warm.records import RunRecords
from tests.ports import free_port

pytest_plugins = ["tests.databases", "tests.distribution"]

#: Whom each HTTP client here would trust, of which there are thousands: reading a machine's hundred authorities takes
#: each of them 20 ms, and nothing in a test is encrypted. What a test starts has the same.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("data") / "authority.pem")

#: On a stack that tests share nothing begins of itself on what a test has just broken, or counts.
UNWATCHED = {"DATAOPS_CONNECTOR_WATCH_SECONDS": "0", "DATAOPS_REVALIDATION_HOURS": "0"}
_SERVER = os.environ.get("TEST_DATABASE") or "embedded"
_SERVERS = ("embedded", "external", "distribution")
_LAUNCHER = os.environ.get("TEST_LAUNCHER") or Settings.model_fields["run_launcher"].default
#: Where the packages of Debian and its relatives put a major version's programs.
_DISTRIBUTION = Path("/usr/lib/postgresql")


class SeparateServer(Postgres):
    """A server that is somebody else's as far as the product knows: over TCP, with its own defaults."""

    def __init__(self, home: Path, programs: Path | None) -> None:
        super().__init__(home, durable=False)
        self._programs = programs
        self._tcp_port = free_port()

    def prepare(self) -> None:
        self.home.joinpath("logs").mkdir(mode=0o700)
        account = account_for(self.home)
        self._account = account if self._programs is None else replace(account, bin=self._programs)
        self._ensure_password()
        password = self.account.directory / "initial_password"
        password.write_text(self._password(), encoding="utf-8")
        self.account.own(password)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        if self._programs is not None:
            # Names would sort as people expect it, and not by code point, where a query forgot to ask for that (C-30).
            options += ["--locale-provider=icu", "--icu-locale=en-US"]
        subprocess.run(
            [self.account.bin / "initdb", "-D", self.data, "-U", USER, f"--pwfile={password}", *options],
            check=True,
            capture_output=True,
            **self._identity(),
        )

    def spec(self) -> ChildSpec:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._tcp_port),
            "unix_socket_directories": "",
            "max_connections": "400",  # for every stack of a test process
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return ChildSpec(
            name="postgres",
            command=(str(self.account.bin / "postgres"), "-D", str(self.data), *options),
            environment=self._environment(),
            directory=self.account.directory,
            stop_signal=signal.SIGINT,
            user=self.account.user,
            group=self.account.group,
        )

    def url(self, database: str = "postgres") -> str:
        return URL.create("postgresql", USER, self._password(), "127.0.0.1", self._tcp_port, database).render_as_string(
            hide_password=False
        )

    def dsn(self, database: str) -> str:
        return self.url(database)

    def _identity(self) -> dict[str, Any]:
        account = self.account
        groups = None if account.user is None else []
        return {"user": account.user, "group": account.group, "extra_groups": groups, "cwd": account.directory}


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """A directory whose path is short enough for Unix sockets and that every user can enter."""
    directory = Path(tempfile.mkdtemp(prefix="dol-", dir="/tmp"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def postgres(short_directory: Path) -> Iterator[Postgres]:
    """The suite's PostgreSQL server."""
    home = short_directory / "postgres-of-the-suite"
    home.mkdir(mode=0o711)
    if _SERVER not in _SERVERS:
        pytest.exit(f"TEST_DATABASE is '{_SERVER}': give one of {', '.join(_SERVERS)}.", 4)
    programs = _distribution() if _SERVER == "distribution" else None
    with Postgres(home, durable=False) if _SERVER == "embedded" else SeparateServer(home, programs) as server:
        yield server


def _distribution() -> Path:
    """The programs of the newest PostgreSQL that is installed here; skips where there is none that may be used."""
    majors = [int(path.parent.parent.name) for path in _DISTRIBUTION.glob("[0-9]*/bin/initdb")]
    if max(majors, default=0) < OLDEST_MAJOR:
        pytest.skip(f"no package of this system has installed PostgreSQL {OLDEST_MAJOR} or newer in {_DISTRIBUTION}")
    return _DISTRIBUTION / str(max(majors)) / "bin"


@pytest.fixture(scope="session")
def given_database(
    new_database: Callable[..., tuple[str, Callable[[], None]]],
) -> Callable[[Path], dict[str, str]]:
    """The setting that gives a stack its database: one for each home; none where each brings its own server."""
    made: dict[Path, str] = {}

    def give(home: Path) -> dict[str, str]:
        if _SERVER == "embedded":
            return {}
        if home not in made:
            made[home], _ = new_database(migrated=False)
        return {"DATAOPS_DATABASE_URL": made[home]}

    return give


@pytest.fixture(scope="session")
def administer(postgres: Postgres) -> Iterator[Callable[[sql.Composable], None]]:
    """Runs one statement outside of every test's database."""
    connection = psycopg2.connect(postgres.dsn("postgres"))
    connection.autocommit = True

    def run(statement: sql.Composable) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    yield run
    connection.close()


@dataclass(frozen=True)
class Stack:
    """A running ``dataops up`` of the tests, and how to ask it."""

    settings: Settings
    process: "subprocess.Popen[bytes]"
    environment: Mapping[str, str]

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def embedded(self) -> bool:
        """Whether its PostgreSQL is a child of its own."""
        return "DATAOPS_DATABASE_URL" not in self.environment

    @property
    def credentials(self) -> dict[str, str]:
        """The admin client's: client_id, client_secret, token_url, base_url."""
        stored: dict[str, str] = json.loads((self.home / "credentials.json").read_text(encoding="utf-8"))
        return stored

    @property
    def runtime(self) -> dict[str, str]:
        """The addresses that only the running stack knows."""
        stored: dict[str, str] = json.loads((self.home / "runtime.json").read_text(encoding="utf-8"))
        return stored

    @property
    def base_url(self) -> str:
        return self.credentials["base_url"]

    @property
    def dagster_url(self) -> str:
        return self.settings.dagster_base

    def token(self, scope: str = "") -> str:
        """An access token with this scope, or all that the admin client may have."""
        known = self.credentials
        body = {name: known[name] for name in ("client_id", "client_secret")} | {"grant_type": "client_credentials"}
        answer = httpx.post(known["token_url"], json=body | ({"scope": scope} if scope else {}), timeout=30)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def client(self, scope: str = "") -> httpx.Client:
        """A client of the API with a token."""
        return httpx.Client(
            base_url=self.base_url, headers={"Authorization": f"Bearer {self.token(scope)}"}, timeout=30
        )

    def pid(self, child: str) -> int:
        """The process id of a child, as the home's record has it now."""
        record = Home(self.home).read_record()
        assert record is not None
        return record.children[child].pid

    @property
    def warm(self) -> bool:
        """Whether its runs are forked by a run host."""
        return self.environment["DATAOPS_RUN_LAUNCHER"] == "warm"

    def run_processes(self) -> list[psutil.Process]:
        """The processes that carry runs out, whoever started them."""
        found = [] if not self.warm else [one.mark for one in RunRecords(Home(self.home).runs).all()]
        processes = []
        for mark in found:
            with suppress(psutil.NoSuchProcess):
                if mark is not None and mark.lives():
                    processes.append(psutil.Process(mark.pid))
        for child in psutil.Process(self.pid("code-location")).children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if "--multiprocessing-fork" in child.cmdline():
                    processes.append(child)
        return processes

    def database(self) -> Database:
        """The registry behind the stack."""
        return Database(self.runtime["database_url"])

    def stop(self) -> int:
        """Asks it to end as Ctrl-C does, waits, and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


def _instance(home: Path) -> list[str]:
    record = Home(home).read_record()
    return [record.instance] if record is not None else []


@contextmanager
def running_stack(home: Path, *, ports: tuple[int, int] | None = None, **variables: str) -> Iterator[Stack]:
    """Starts ``dataops up`` on free ports, waits for its line, and ends it with the block, leaving no process.

    ``ports`` are those of the API and of the Dagster UI, for one that is started again.
    """
    api_port, dagster_port = ports or (free_port(), free_port())
    settings = Settings(home=home, api_port=api_port, dagster_port=dagster_port)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATAOPS_", "DAGSTER_"))}
    environment |= {
        "DATAOPS_HOME": str(home),
        "DATAOPS_API_PORT": str(settings.api_port),
        "DATAOPS_DAGSTER_PORT": str(settings.dagster_port),
        "DATAOPS_RUN_LAUNCHER": _LAUNCHER,
        **variables,
    }
    process = subprocess.Popen(
        # A suite that is killed leaves no stack behind.
        [sys.executable, "-m", "dataops_cli.main", "up", "--with-parent"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    reader: threading.Thread | None = None
    try:
        for line in process.stdout:
            said.append(line.decode())
            if said[-1].startswith(READY):
                break
        else:
            raise RuntimeError(f"The stack did not start: {''.join(said)}")
        # Somebody must go on reading, or a full pipe would hold the supervisor up.
        reader = threading.Thread(target=process.stdout.read)
        reader.start()
        instance = _instance(home)
        yield Stack(settings, process, environment)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if reader is not None:
                reader.join()
            process.stdout.close()
    assert instance_members(instance) == []


@pytest.fixture(scope="session")
def stack(short_directory: Path, given_database: Callable[[Path], dict[str, str]]) -> Iterator[Stack]:
    """The one stack that the suite shares: each test takes customers of its own and breaks nothing."""
    home = short_directory / "stack"
    with running_stack(home, **(given_database(home) | UNWATCHED)) as running:
        yield running


@pytest.fixture(scope="session")
def mending_stack(short_directory: Path, given_database: Callable[[Path], dict[str, str]]) -> Iterator[Stack]:
    """A stack for faults that it mends by itself before the test ends; tests that end it are marked ``last``."""
    home = short_directory / "mending-stack"
    with running_stack(home, **(given_database(home) | UNWATCHED)) as running:
        yield running


@pytest.fixture
def own_stack(given_database: Callable[[Path], dict[str, str]]) -> Iterator[Callable[..., Stack]]:
    """Starts stacks for one test alone, which may break them. Variables are settings: ``DATAOPS_…=value``."""
    with ExitStack() as running:

        def start(home: Path | None = None, **variables: str) -> Stack:
            if home is None:
                outside = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="dol-", dir="/tmp")))
                outside.chmod(0o711)
                home = outside / "home"
            return running.enter_context(running_stack(home, **(given_database(home) | variables)))

        yield start
