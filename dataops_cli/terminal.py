"""What the supervisor says to the person who started it: compact plain lines, each once.

A terminal that went away (its window closed, the pipe's reader ended) must not end the supervisor midway: what cannot
be said is left unsaid.
"""

import os
import sys
from pathlib import Path


class Terminal:
    """Standard output as long as somebody reads it."""

    def __init__(self) -> None:
        self._open = True

    def line(self, text: str) -> None:
        """Says one line."""
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
