"""What every command is: an actor in the audit log, and one that refuses with one sentence on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.errors import DataOpsError

#: The exit status that says that it cannot be done as asked.
CANNOT = 2


@contextmanager
def command(name: str) -> Iterator[None]:
    """Acts as this command, and ends the program with one sentence where something of ours says no."""
    try:
        with acting(Acting(ActorKind.COMMAND_LINE, f"dataops {name}")):
            yield
    except DataOpsError as error:
        sys.stderr.write(f"dataops: {error.message}\n")
        raise typer.Exit(CANNOT) from None
