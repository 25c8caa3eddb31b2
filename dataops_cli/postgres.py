"""The embedded PostgreSQL server: made once, started as a child of ours, reached over a Unix socket alone.

Only the binaries of the wheel are used. Its own helper would start a daemon with trust authentication and open the
permissions of the directories above the data; here the socket directory is private (0700), every connection gives a
random password (SCRAM), and no network address is listened to. What differs for root is in ``postgres_account.py``.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg2
from psycopg2 import sql
from sqlalchemy import URL

from dataops_cli.postgres_account import MAJOR, Account, account_for
from dataops_cli.processes import Child, ChildSpec, wait_gone
from dataops_core.errors import ConfigurationError
from dataops_core.process_marks import ProcessMark
from dataops_core.settings import Settings

USER = "dataops"
DATABASE = "dataops"
DAGSTER_DATABASE = "dataops_dagster"

_PASSWORD_FILE = "postgres_password"  # noqa: S105  the name of a file
_SOCKET_RECORD = "postgres_socket"
_PORT = 5432  # names the socket's file; nothing listens there
_SOCKET_NAME = f".s.PGSQL.{_PORT}"
#: A socket's path may have 107 bytes on Linux and 103 elsewhere.
_LONGEST_SOCKET_PATH = 100

#: What a stack's connections are counted by: of all processes but runs' together, of a run, of each of its steps under
#: way (one to Dagster's database; a transaction and a beat).
_STACK_CONNECTIONS, _RUN_CONNECTIONS, _STEP_CONNECTIONS = 60, 1, 3
#: What a process keeps open of Dagster's database and of the registry's while it executes no step.
_IDLE_CONNECTIONS, _FEWEST_IDLE = 4, 3

#: For a small machine: the API, Dagster's three processes and a few runs, all with small pools.
_CONFIGURATION = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "effective_cache_size": "256MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "256MB",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    "hot_standby": "off",
}


def connections_for(settings: Settings) -> int:
    """How many connections a stack with these settings may need at once."""
    further = min(settings.step_processes, settings.steps_at_once) - 1
    idle = _IDLE_CONNECTIONS + max(_FEWEST_IDLE, settings.steps_at_once)
    return _STACK_CONNECTIONS + settings.max_concurrent_runs * (
        _RUN_CONNECTIONS + _STEP_CONNECTIONS * settings.steps_at_once + idle * further
    )


class Postgres:
    """One home's PostgreSQL server.

    ``prepare`` makes it, ``spec`` is what a supervisor runs, ``wait_ready`` waits for it. As a context manager it runs
    the server for the length of the block. ``durable=False`` trades crash safety for speed, for tests; ``connections``
    is how many it takes.
    """

    def __init__(self, home: Path, *, durable: bool = True, connections: int = 230) -> None:
        self.home = home
        self._connections = connections
        self._durable = durable
        self._account: Account | None = None
        self._socket_directory: Path | None = None
        self._child: Child | None = None

    @property
    def account(self) -> Account:
        """Who runs it and where. Known after ``prepare``."""
        if self._account is None:
            raise RuntimeError("prepare() comes first")
        return self._account

    @property
    def data(self) -> Path:
        """The server's data directory."""
        return self.account.directory / "data"

    @property
    def log(self) -> Path:
        """What the server writes about itself."""
        return self.home / "logs" / "postgres.log"

    def prepare(self) -> None:
        """Makes what does not exist yet: directories, password, the data directory; clears what a crash left.

        Raises ConfigurationError where the data is another major version's, or the server cannot be made.
        """
        self.home.joinpath("logs").mkdir(mode=0o700, exist_ok=True)
        self._account = account_for(self.home)
        if self.data.is_dir():
            self._check_version()
            self.clear_leftovers()
        else:
            self._initialize()
        self._socket_directory = self._make_socket_directory()

    def spec(self) -> ChildSpec:
        """What to run. SIGINT asks for a fast shutdown: open transactions are rolled back."""
        account = self.account
        settings = {
            **_CONFIGURATION,
            "max_connections": str(self._connections),
            "unix_socket_directories": f'"{self._socket}"',
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return ChildSpec(
            name="postgres",
            command=(str(account.bin / "postgres"), "-D", str(self.data), *options),
            environment=self._environment(),
            directory=account.directory,
            stop_signal=signal.SIGINT,
            grace=6.0,
            user=account.user,
            group=account.group,
        )

    def url(self, database: str = DATABASE) -> str:
        """The URL of one of its databases, as SQLAlchemy wants it. It contains the password."""
        return URL.create(
            "postgresql+psycopg2",
            username=USER,
            password=self._password(),
            database=database,
            query={"host": str(self._socket), "port": str(_PORT)},
        ).render_as_string(hide_password=False)

    def wait_ready(self, child: Child, *, timeout: float = 60.0, interrupt: Callable[[], None] = lambda: None) -> None:
        """Waits until the server takes connections. Raises ConfigurationError with its last words where it does not.

        ``interrupt`` is called now and then, and may raise to end the wait.
        """
        deadline = time.monotonic() + timeout
        while True:
            try:
                psycopg2.connect(self.dsn("postgres")).close()
            except psycopg2.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise ConfigurationError(
                        f"The password in {self.home / _PASSWORD_FILE} is not that of the database in {self.data}: "
                        "bring the file back that belongs to it."
                    ) from None
                if child.returncode() is not None or time.monotonic() >= deadline:
                    raise ConfigurationError(
                        f"PostgreSQL does not start: {self._last_words()} (the whole log: {self.log})"
                    ) from None
                interrupt()
                time.sleep(0.05)
            else:
                return

    def ensure_databases(self, names: Iterable[str]) -> None:
        """Creates those of the databases that do not exist."""
        with closing(psycopg2.connect(self.dsn("postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT datname FROM pg_database")
                present = {name for (name,) in cursor.fetchall()}
                for name in names:
                    if name not in present:
                        cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def remove_socket_directory(self) -> None:
        """Removes the short-lived directory that a deep home needed. Called after the server ended."""
        record = self.home / _SOCKET_RECORD
        if record.is_file():
            shutil.rmtree(record.read_text(encoding="utf-8").strip(), ignore_errors=True)
            record.unlink()

    def __enter__(self) -> Self:
        self.prepare()
        self._child = Child.start(self.spec(), self.log)
        try:
            self.wait_ready(self._child)
            self.ensure_databases([DATABASE, DAGSTER_DATABASE])
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None
        self.remove_socket_directory()

    @property
    def _socket(self) -> Path:
        if self._socket_directory is None:
            raise RuntimeError("prepare() comes first")
        return self._socket_directory

    def dsn(self, database: str) -> str:
        """The same for psycopg2 itself."""
        return psycopg2.extensions.make_dsn(
            host=str(self._socket),
            port=_PORT,
            user=USER,
            password=self._password(),
            dbname=database,
            connect_timeout=5,
        )

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.account.directory)}

    def _password(self) -> str:
        return (self.home / _PASSWORD_FILE).read_text(encoding="utf-8").strip()

    def _ensure_password(self) -> None:
        try:
            descriptor = os.open(self.home / _PASSWORD_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_urlsafe(32) + "\n")

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(MAJOR):
            raise ConfigurationError(
                f"The database in {self.data} was made by PostgreSQL {found} and this release brings {MAJOR}: "
                "back it up with the release that made it (`dataops backup`) and restore it with this one, "
                "or move that directory away to begin with an empty database."
            )
        if not (self.home / _PASSWORD_FILE).is_file():
            raise ConfigurationError(
                f"The password of the database in {self.data} is gone: bring {self.home / _PASSWORD_FILE} back, "
                "or move that directory away to begin with an empty database."
            )

    def _initialize(self) -> None:
        """Makes the data directory beside its place and moves it there whole, so that a crash leaves no half of one."""
        account = self.account
        self._ensure_password()
        partial = account.directory / "data.new"
        if partial.exists():
            shutil.rmtree(partial)
        password_file = account.directory / "initial_password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        account.own(password_file)
        password_file.write_text(self._password() + "\n", encoding="utf-8")
        command = [str(account.bin / "initdb"), "-D", str(partial), "-U", USER, f"--pwfile={password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums"]
        # Names sort by code point (C-30), as Python sorts them.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self._durable:
            command.append("--no-sync")
        try:
            result = subprocess.run(  # noqa: S603  the command is ours
                command,
                env=self._environment(),
                cwd=account.directory,
                user=account.user,
                group=account.group,
                extra_groups=None if account.user is None else [],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise ConfigurationError(f"PostgreSQL cannot be started ({error}).") from None
        finally:
            password_file.unlink()
        if result.returncode != 0:
            words = " ".join(result.stderr.split()) or f"status {result.returncode}"
            raise ConfigurationError(f"PostgreSQL cannot make its data directory {self.data}: {words}")
        partial.rename(self.data)

    def clear_leftovers(self) -> None:
        """Ends a server of an earlier start that still runs on this data, and frees a lock that names another program.

        For before each start, also one after a crash: where numbers of processes go round quickly, the number of a
        server that was killed may be another's within a moment. The caller holds the home's lock, so whatever runs
        here is left over.
        """
        lock = self.data / "postmaster.pid"
        if not lock.is_file():
            return
        first = lock.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
        pid = int(first) if first.isdecimal() else 0
        mark = ProcessMark.of(pid) if pid else None
        if mark is None:
            return  # PostgreSQL itself clears the lock of a process that is gone
        if not self._is_postmaster(pid):
            # PostgreSQL would refuse to start for it, though not for its own parent. The rest of the lock stays: by it
            # PostgreSQL sees whether processes of the old server still have its memory.
            _, _, rest = lock.read_text(encoding="utf-8", errors="replace").partition("\n")
            lock.write_text(f"{os.getpid()}\n{rest}", encoding="utf-8")
            return
        for number, patience in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            mark.signal(number)
            if wait_gone([mark], timeout=patience):
                return

    def _is_postmaster(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            return process.name() == "postgres" and Path(process.cwd()).samefile(self.data)
        except (psutil.Error, OSError):
            return False

    def _make_socket_directory(self) -> Path:
        account = self.account
        self.remove_socket_directory()
        directory = account.directory / "run"
        if len(os.fsencode(directory / _SOCKET_NAME)) < _LONGEST_SOCKET_PATH:
            directory.mkdir(mode=0o700, exist_ok=True)
        else:
            runtime = os.environ.get("XDG_RUNTIME_DIR") if account.user is None else None
            base = runtime if runtime and os.access(runtime, os.W_OK | os.X_OK) else None
            # A name that nobody can foresee, so that nobody can have put something there.
            directory = Path(tempfile.mkdtemp(prefix="dataops-", dir=base))
            if len(os.fsencode(directory / _SOCKET_NAME)) >= _LONGEST_SOCKET_PATH:
                directory.rmdir()
                raise ConfigurationError(
                    f"The path of {directory} is too long for PostgreSQL's socket: set TMPDIR to a shorter directory."
                )
            (self.home / _SOCKET_RECORD).write_text(f"{directory}\n", encoding="utf-8")
        account.own(directory)
        return directory

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.is_file() else []
        telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "ERROR"))]
        return (telling or lines or ["it said nothing"])[-1].rpartition("] ")[2].strip()
