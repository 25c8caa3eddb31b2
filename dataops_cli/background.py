"""A stack that runs without a terminal: started detached, waited for, and stopped by the record in its home."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from dataops_cli.cleanup import end_left_over
from dataops_cli.home import Home
from dataops_cli.processes import wait_gone
from dataops_cli.up import READY_LINE
from dataops_core.errors import ConfigurationError
from dataops_core.settings import Settings

_READY_SECONDS = 180.0
#: What ``up`` promises, and a little for the machine.
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.1


def start_background(settings: Settings, *, environment: Mapping[str, str] | None = None) -> str:
    """Starts ``dataops up`` detached and waits until everything is ready. Returns its line that says so.

    ``environment`` is what it runs with (this process' unless given). Raises ConfigurationError with its own last words
    where it ends before, and ends it where it does not get ready.
    """
    home = Home(settings.home)
    home.open()
    log = home.logs / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dataops_cli.main", "up"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if environment is None else environment) | {"DATAOPS_HOME": str(settings.home)},
            start_new_session=True,
        )
    try:
        return _wait_ready(process, log)
    except BaseException:
        if process.poll() is None:
            process.terminate()
            process.wait(_STOP_SECONDS)
        raise


def _wait_ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        said = log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in said:
            if line.startswith(READY_LINE):
                return line
        if ended:
            raise ConfigurationError(said[-1].removeprefix("dataops: ") if said else f"It did not start; see {log}.")
        time.sleep(_POLL_SECONDS)
    raise ConfigurationError(f"It was not ready within {_READY_SECONDS:g} s; see {log.parent}.")


def stop(path: Path) -> str:
    """Stops the ``up`` of a home, or ends what a killed one left. Returns what happened, in a sentence.

    Raises ConfigurationError where it does not end in time.
    """
    home = Home(path)
    record = home.read_record() if path.is_dir() else None
    if record is None:
        return f"Nothing runs on {path}."
    if record.supervisor.lives():
        record.supervisor.signal(signal.SIGTERM)
        if not wait_gone([record.supervisor], timeout=_STOP_SECONDS):
            raise ConfigurationError(f"`dataops up` (process {record.supervisor.pid}) does not end; see {home.logs}.")
        return f"Stopped what ran on {path}."
    with home.locked():
        end_left_over(home)
    return f"Ended what a killed `dataops up` had left on {path}."


def addresses(settings: Settings) -> dict[str, str]:
    """What a running stack noted of itself: ``public_url``, ``api_url``, … Raises ConfigurationError without one."""
    try:
        stored: dict[str, str] = json.loads(settings.runtime_path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"Nothing runs on {settings.home}: start it with `dataops up`.") from None
    return stored
