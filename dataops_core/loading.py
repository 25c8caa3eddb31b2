"""Loading modules without the garbage collector in the way.

Python's collector runs again and again while modules load, looks at every object there is, and frees next to nothing:
two fifths of the time that a run's process takes to load. What a process loads once and keeps is made permanent, so
that later collections look at what has come since alone (as ``gc.freeze`` was made for).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def permanently() -> Iterator[None]:
    """Whatever is loaded within stays for the life of the process. For the top of a process, before it has threads."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
