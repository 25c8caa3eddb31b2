"""A small process beside ``dataops up`` that ends its children when it was killed and can no longer do so.

It waits for the end of a pipe whose other end only the supervisor has: the kernel closes that when the supervisor dies,
however it dies. Called ``python -m dataops_cli.watchdog HOME DESCRIPTOR``; imports little, to stay small.
"""

import os
import signal
import sys
from pathlib import Path

from dataops_cli.cleanup import end_left_over
from dataops_cli.home import Home
from dataops_cli.processes import wait_gone
from dataops_core.errors import ConfigurationError

#: What the supervisor writes when it ended everything itself.
ALL_ENDED = b"."

_DYING_SECONDS = 10.0


def main(home: Home, descriptor: int) -> int:
    """Waits for the supervisor's end, then ends what it left."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Whoever signals everything at once wants the supervisor to end, and then this has nothing to do.
        signal.signal(number, signal.SIG_IGN)
    if os.read(descriptor, 1) == ALL_ENDED:
        return 0
    record = home.read_record()
    if record is not None:
        # The kernel closes a dying process' files one by one: the pipe may go before the home's lock.
        wait_gone([record.supervisor], timeout=_DYING_SECONDS)
    try:
        with home.locked():
            end_left_over(home)
    except ConfigurationError:
        return 0  # the next `up` is there already, and does it itself
    return 0


if __name__ == "__main__":
    sys.exit(main(Home(Path(sys.argv[1])), int(sys.argv[2])))
