"""A stack in the background: started and waited for, found again, and stopped.

Used by ``dataops down`` and the demo. A background stack is ``dataops up`` in a session of its own, whose lines go to
``$DATAOPS_HOME/logs/up.log``.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from dataops_cli.children import setting_variables
from dataops_cli.cleanup import end_left_over
from dataops_cli.home import Home
from dataops_cli.processes import wait_gone
from dataops_core.errors import ConfigurationError, UnavailableError
from dataops_core.settings import Settings

#: Ending takes at most 20 s, and its last line a moment.
_STOP_SECONDS = 25.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that is ready, and its addresses as it told them itself."""

    home: Path
    public_url: str
    dagster_url: str
    credentials_file: Path

    @property
    def docs_url(self) -> str:
        """The API's description, for a browser."""
        return f"{self.public_url}/docs"


def start_background(settings: Settings, *, with_parent: bool = False, timeout: float = 180.0) -> Stack:
    """Starts a stack and waits until it is ready. ``with_parent``: it ends when this process ends, however that does.

    Raises ConfigurationError with the sentence that the start ended with, UnavailableError where it is not ready in
    ``timeout`` seconds (it is stopped then).
    """
    home = Home(settings.home)
    home.open()
    with home.locked():
        pass  # asked here, before the log of one that runs is emptied
    log = home.logs / "up.log"
    command = [sys.executable, "-m", "dataops_cli.main", "up", *(["--with-parent"] if with_parent else [])]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DATAOPS_")}
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603  the command is ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=inherited | setting_variables(settings),
            start_new_session=True,
        )
    try:
        _wait_ready(process, home, log, timeout)
    except BaseException:
        # Whoever interrupts the start wants nothing started.
        process.terminate()
        process.wait(_STOP_SECONDS)
        raise
    runtime = json.loads(home.runtime_file.read_text(encoding="utf-8"))
    return Stack(home.path, runtime["public_url"], runtime["dagster_url"], home.credentials_file)


def stop(home: Home) -> bool:
    """Ends the stack that runs on a home, and what a killed one left. Returns whether there was anything.

    Raises UnavailableError where it does not end in time.
    """
    record = home.read_record()
    if record is None:
        return False
    if not record.supervisor.lives():
        with home.locked():
            return end_left_over(home)
    record.supervisor.signal(signal.SIGTERM)
    if not wait_gone([record.supervisor], timeout=_STOP_SECONDS):
        raise UnavailableError(
            f"`dataops up` (process {record.supervisor.pid}) did not end within {_STOP_SECONDS:.0f} s: see {home.logs}"
        )
    return True


def runs_on(home: Home) -> bool:
    """Whether a stack runs on this home, or left something there."""
    return home.read_record() is not None


def _wait_ready(process: "subprocess.Popen[bytes]", home: Home, log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not _is_ready(home, process.pid):
        if process.poll() is not None:
            raise ConfigurationError(_last_sentence(log))
        if time.monotonic() >= deadline:
            raise UnavailableError(f"The stack is not ready after {timeout:.0f} s: see {home.logs}")
        time.sleep(_POLL_SECONDS)


def _is_ready(home: Home, supervisor: int) -> bool:
    record = home.read_record()
    if record is None or record.supervisor.pid != supervisor or not home.runtime_file.is_file():
        return False
    return bool(json.loads(home.runtime_file.read_text(encoding="utf-8"))["state"] == "ready")


def _last_sentence(log: Path) -> str:
    """What it refused with, which may have lines (one for each fault of a catalog), else its last line."""
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    refusal = re.search(r"^dataops: (.*)", said, re.MULTILINE | re.DOTALL)
    if refusal is not None:
        return refusal[1]
    return said.splitlines()[-1] if said else f"`dataops up` ended without a word, see {log.parent}"
