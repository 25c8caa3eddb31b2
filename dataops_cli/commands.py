"""What every command is: an actor in the audit log, and one that refuses with one sentence on standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.errors import DataOpsError

#: The exit status that says that it cannot be done as asked.
CANNOT = 2
#: That of what was ended by Ctrl-C.
INTERRUPTED = 130


@contextmanager
def command(name: str) -> Iterator[None]:
    """Acts as this command, and ends the program with one sentence where something of ours says no."""
    try:
        with acting(Acting(ActorKind.COMMAND_LINE, f"dataops {name}")):
            yield
    except DataOpsError as error:
        refuse(error.message)
    except PermissionError as error:
        refuse(
            f"{error.filename} is not for this user ({error.strerror}): run it as the user of the home, "
            "or set DATAOPS_HOME to a directory of yours."
        )


def refuse(sentence: str) -> NoReturn:
    """Ends the program with this sentence and the status for what cannot be done as asked."""
    sys.stderr.write(f"dataops: {sentence}\n")
    raise typer.Exit(CANNOT) from None
