"""A command that asks the API: a client, an output, and one sentence where something goes wrong.

Exit status: 0 done; 1 it was tried and failed (an operation, the service, the connection); 2 it cannot be done as asked
(arguments, credentials, a request that the API refuses); 130 ended by Ctrl-C, after a sentence about what goes on at
the server. Belongs here: what every such command shares. Does not belong here: what one of them asks.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from dataops_cli.asking.connection import connect
from dataops_cli.asking.output import Form, Output
from dataops_cli.commands import CANNOT, command

if TYPE_CHECKING:
    from a_domain_sdk import DataOpsClient, Operation

FAILED = 1
INTERRUPTED = 130
_SERVER = 500
_TOO_MANY = 429


@dataclass
class Asking:
    """A client, an output, and the operation that is being waited for."""

    client: "DataOpsClient"
    output: Output
    waits_for: str | None = None

    def follow(self, operation: "Operation", *, wait: bool = True) -> "Operation":
        """Shows an operation's progress until it has ended, where that is wanted. Raises OperationError."""
        if not wait:
            self.output.say(f"Operation {operation.operation_id} is under way.")
            return operation
        self.waits_for = operation.operation_id
        _watched(operation, self.output)
        self.waits_for = None
        return operation


@contextmanager
def asking(
    name: str, form: Form = Form.TABLE, *, quiet: bool = False, known: Mapping[str, str] | None = None
) -> Iterator[Asking]:
    """Asks as this command, and ends the program with one sentence where that comes to nothing.

    ``known`` are the credentials, unless they are to be found.
    """
    from a_domain_sdk import APIConnectionError, APIStatusError, DataOpsError, OperationError  # noqa: PLC0415

    with command(name):
        ask: Asking | None = None
        try:
            with connect(known) as client:
                ask = Asking(client, Output(form, quiet=quiet))
                yield ask
                sys.stdout.flush()
        except APIStatusError as error:
            ours = error.status >= _SERVER or error.status == _TOO_MANY
            end(str(error), FAILED if ours else CANNOT)
        except APIConnectionError as error:
            end(f"{error.message} `dataops doctor` says what is wrong here.", FAILED)
        except OperationError as error:
            end(f"{error.message} See it with `dataops operations show {error.operation_id}`.", FAILED)
        except (DataOpsError, ValueError) as error:
            end(str(error), CANNOT)
        except KeyboardInterrupt:
            end(_interrupted(ask), INTERRUPTED)
        except BrokenPipeError:
            # Whoever read this wants no more of it; what is buffered must not be tried again at the end.
            os.dup2(os.open(Path(os.devnull), os.O_WRONLY), sys.stdout.fileno())


def end(sentence: str, status: int) -> NoReturn:
    """Ends the program with this sentence, in one line, and this status."""
    sys.stderr.write(f"dataops: {' '.join(sentence.split())}\n")
    raise typer.Exit(status) from None


def _interrupted(ask: Asking | None) -> str:
    if ask is None or ask.waits_for is None:
        return "Stopped. Nothing goes on at the server that was not asked for before."
    return (
        f"Stopped watching. Operation {ask.waits_for} goes on at the server: "
        f"`dataops operations watch {ask.waits_for}` sees how it ends, "
        f"`dataops operations cancel {ask.waits_for}` ends it."
    )


def _watched(operation: "Operation", output: Output) -> None:
    if output.quiet:
        operation.wait()
        return
    if not sys.stderr.isatty():
        operation.wait(on_progress=lambda seen: output.say(_progress(seen)))
        return
    from rich.console import Console  # noqa: PLC0415  only where there is a terminal to draw on
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("pending", total=100)
        operation.wait(
            on_progress=lambda seen: shown.update(
                task,
                completed=seen.progress.percent_complete,
                description=seen.progress.step_description or seen.status,
            )
        )


def _progress(operation: "Operation") -> str:
    progress = operation.progress
    step = f": {progress.step_description}" if progress.step_description else ""
    return f"{operation.status} {progress.current_step}/{progress.total_steps} ({progress.percent_complete} %){step}"
