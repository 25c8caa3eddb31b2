"""The home: the directory in which all state of an installation lives, and who may use it.

Belongs here: making it, its format number, the lock that lets one ``up`` run on it, the record of its processes, and
files that only their owner may read. Does not belong here: what the database or the datasets keep in it. Light to
import, since ``watchdog.py`` rests on it.
"""

import fcntl
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_core.errors import ConfigurationError
from dataops_core.process_marks import ProcessMark

#: The format of the home that this release makes and knows.
FORMAT = 1

#: What only its owner may enter.
_PRIVATE_DIRECTORIES = ("data", "dagster", "logs")

#: What an installation consists of, beside the home's own files, which say nothing of it.
INSTALLATION = (
    "secret_key",
    "credentials.json",
    "postgres_password",
    "postgres_location",
    "postgres",
    "data",
    "dagster",
    "runs",
)

#: How long a new ``up`` waits for the watchdog of one that was killed.
_WATCHDOG_PATIENCE = 20.0
#: And for one that has left no record: the watchdog in its last moment, or another `up` in its first.
_NAMELESS_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """The processes of the ``up`` that runs on a home, or ran there when it was killed.

    ``instance`` is the value of ``DATAOPS_INSTANCE`` in the environment of all of them.
    """

    instance: str
    supervisor: ProcessMark
    children: Mapping[str, ProcessMark]


class Home:
    """One home. Making the object touches nothing; :meth:`open` makes the directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.path / "logs"

    @property
    def dagster(self) -> Path:
        """Dagster's own home: its instance's settings, the workspace, logs of steps."""
        return self.path / "dagster"

    @property
    def runs(self) -> Path:
        """What is written down of each run that the run host has, one file each."""
        return self.path / "runs"

    @property
    def runtime_file(self) -> Path:
        """The addresses of the running stack."""
        return self.path / "runtime.json"

    @property
    def credentials_file(self) -> Path:
        """The first API client."""
        return self.path / "credentials.json"

    @property
    def restoring_file(self) -> Path:
        """Present while a restore has begun and has not ended: what lies here is not whole."""
        return self.path / "restoring"

    @property
    def is_made(self) -> bool:
        """Whether this was ever a home."""
        return self._version_file.is_file()

    @property
    def holds_installation(self) -> bool:
        """Whether anything is here that a restore would have to replace."""
        made = [self.path / name for name in INSTALLATION if name not in _PRIVATE_DIRECTORIES]
        return (
            self.restoring_file.exists()
            or any(path.exists() for path in made)
            or any(path.is_file() for path in (self.path / "data").rglob("*"))
        )

    @property
    def _record_file(self) -> Path:
        return self.path / "processes.json"

    @property
    def _version_file(self) -> Path:
        return self.path / "version"

    def open(self, *, restoring: bool = False) -> None:
        """Makes the directory and what is in every home. Raises ConfigurationError where it cannot be used.

        It is private. As root others may pass through (not look), since PostgreSQL's user must reach its part. A home
        into which a restore came to no end is opened by another restore alone.
        """
        if not restoring and self.restoring_file.exists():
            raise ConfigurationError(
                f"A restore into the home {self.path} did not come to its end: "
                "run `dataops restore FILE --replace` again."
            )
        try:
            if not self.path.is_dir():
                self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
            self._check_version()
            for name in _PRIVATE_DIRECTORIES:
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            # Found by trying: a read-only file system allows by its modes what it refuses.
            with tempfile.TemporaryFile(dir=self.path):
                pass
            if not self._version_file.exists():
                write_private(self._version_file, f"{FORMAT}\n")
        except OSError as error:
            raise ConfigurationError(
                f"The home {self.path} cannot be written ({error.strerror}): "
                "make it writable, or set DATAOPS_HOME to a directory of yours."
            ) from None

    def _check_version(self) -> None:
        if not self._version_file.is_file():
            return
        found = self._version_file.read_text(encoding="utf-8", errors="replace").strip()
        if not re.fullmatch("[0-9]{1,9}", found):
            raise ConfigurationError(
                f"{self._version_file} does not hold the format of the home: bring the file back "
                f"(this release writes {FORMAT}), or set DATAOPS_HOME to another directory."
            )
        if int(found) > FORMAT:
            raise ConfigurationError(
                f"The home {self.path} was made by a newer release (format {found}, this one knows {FORMAT}): "
                "start that release, or set DATAOPS_HOME to another directory."
            )
        owner = self._version_file.stat().st_uid
        if owner != os.geteuid():
            raise ConfigurationError(
                f"The home {self.path} belongs to another user (id {owner}): start as that user, "
                "or set DATAOPS_HOME to a directory of yours."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the home for one ``up``. Raises ConfigurationError where another one runs on it."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            started = time.monotonic()
            while not _try_lock(descriptor):
                record = self.read_record()
                patience = _WATCHDOG_PATIENCE if record is not None else _NAMELESS_PATIENCE
                if time.monotonic() - started >= patience or (record is not None and record.supervisor.lives()):
                    who = f" (process {record.supervisor.pid})" if record is not None else ""
                    raise ConfigurationError(
                        f"Another `dataops up`{who} runs on the home {self.path}: stop it with `dataops down` "
                        "(in a checkout: `make down`), or set DATAOPS_HOME to another directory."
                    )
                time.sleep(0.05)  # the watchdog of a killed one still cleans up
            yield
        finally:
            os.close(descriptor)

    def write_record(self, record: ProcessRecord) -> None:
        """Notes the running processes, for whoever must find them later."""
        children = {name: [mark.pid, mark.started] for name, mark in record.children.items()}
        supervisor = [record.supervisor.pid, record.supervisor.started]
        write_private_json(
            self._record_file, {"instance": record.instance, "supervisor": supervisor, "children": children}
        )

    def read_record(self) -> ProcessRecord | None:
        """The processes that were noted last, or None where none are."""
        try:
            stored = json.loads(self._record_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        children = {name: ProcessMark(*mark) for name, mark in stored["children"].items()}
        return ProcessRecord(stored["instance"], ProcessMark(*stored["supervisor"]), children)

    def forget_processes(self) -> None:
        """Removes what is true of a running stack only."""
        self._record_file.unlink(missing_ok=True)
        self.runtime_file.unlink(missing_ok=True)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read (0600), whole or not at all."""
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def write_private_json(path: Path, value: Mapping[str, Any]) -> None:
    """The same for a JSON object."""
    write_private(path, json.dumps(value, indent=2) + "\n")
