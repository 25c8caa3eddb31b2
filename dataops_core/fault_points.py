"""Points in the work at which a test holds a process, to kill it or another one at exactly that moment.

For tests alone: inert unless the environment variable :data:`VARIABLE` of the process names a folder. No setting,
request or row of the registry leads here. A test arms a point by a file of its name in that folder; the next process to
come there takes the file away (``<point>.<its pid>``) and goes on when that is gone, too. ``tests/faults`` uses them.
"""

import os
import time
from pathlib import Path

#: Not one of ours by its name: ``dataops up`` hands its children none of those but the settings.
VARIABLE = "FAULT_POINTS"

#: A test that died must not hold a process for ever.
_LONGEST_HOLD = 300.0
_POLL_SECONDS = 0.01


def reached(point: str) -> None:
    """Says that this process is at the point, and stays there for as long as a test holds it."""
    folder = os.environ.get(VARIABLE)
    if folder:
        _hold(Path(folder), point)


def _hold(folder: Path, point: str) -> None:
    held = folder / f"{point}.{os.getpid()}"
    try:
        (folder / point).rename(held)
    except FileNotFoundError:
        return
    deadline = time.monotonic() + _LONGEST_HOLD
    while held.exists() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
