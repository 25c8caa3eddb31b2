"""What the supervisor says to the person who started it: compact plain lines, each once.

A terminal that went away (its window closed, the pipe's reader ended) must not end the supervisor midway: what cannot
be said is left unsaid. A running supervisor's lines are in its log as well (``logs/supervisor.log``), for programs.
"""

import logging
import os
import sys
from pathlib import Path

_log = logging.getLogger("dataops.supervisor")


class Terminal:
    """Standard output as long as somebody reads it."""

    def __init__(self) -> None:
        self._open = True

    def line(self, text: str, *, level: int = logging.INFO) -> None:
        """Says one line, and writes it into the log."""
        _log.log(level, "%s", text)
        if not self._open:
            return
        try:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            self._open = False
            # What is still buffered would be tried again, and fail again, when the interpreter ends.
            descriptor = os.open(Path(os.devnull), os.O_WRONLY)
            os.dup2(descriptor, 1)
            os.close(descriptor)
