"""A command that asks the API: a client, an output, and one sentence where something goes wrong.

Exit status: 0 done; 1 it was tried and failed (an operation, the service, the connection); 2 it cannot be done as asked
(arguments, credentials, a request that the API refuses); 130 ended by Ctrl-C, after a sentence about what goes on at
the server. Belongs here: what every such command shares. Does not belong here: what one of them asks.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from dataops_cli.asking.connection import connect
from dataops_cli.asking.output import Form, Output
from dataops_cli.commands import CANNOT, INTERRUPTED, command

if TYPE_CHECKING:
    from a_domain_sdk import DataOpsClient, Operation

FAILED = 1
_SERVER = 500
_TOO_MANY = 429
_TEARDOWN = "dataset_teardown"  # which nobody can cancel


@dataclass
class Asking:
    """A client, an output, the operations that were begun and not seen to end, and how well all went so far."""

    client: "DataOpsClient"
    output: Output
    begun: "list[Operation]" = field(default_factory=list)
    unanswered: bool = False
    status: int = 0

    def begin(self, ask: "Callable[[], Operation]") -> "Operation":
        """Asks for an operation, and knows of it from then on."""
        self.unanswered = True
        operation = ask()
        self.unanswered = False
        self.begun.append(operation)
        return operation

    def follow(self, operation: "Operation", *, wait: bool = True) -> "Operation":
        """Shows an operation's progress until it has ended, where that is wanted. Raises OperationError."""
        if not wait:
            self.output.say(f"Operation {operation.operation_id} is under way.")
            return operation
        if operation not in self.begun:
            self.begun.append(operation)
        _watched(operation, self.output)
        self.begun.remove(operation)
        return operation

    @contextmanager
    def one_of_many(self) -> Iterator[None]:
        """What is refused or fails in here is said, and keeps nothing else from being done."""
        from a_domain_sdk import APIStatusError, OperationError  # noqa: PLC0415  a command starts only what it needs

        try:
            yield
        except (APIStatusError, OperationError) as error:
            sentence, status = _told(error)
            _say(sentence)
            self.unanswered = False
            self.status = self.status or status


@contextmanager
def writing() -> Iterator[None]:
    """Ends the program with one sentence where an answer cannot be written, without one where nobody reads it."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # What is buffered must not be tried again at the end. Who reads no more wants no more.
        os.dup2(os.open(Path(os.devnull), os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            end(f"{error.filename or 'The answer'} cannot be written ({error.strerror}).", FAILED)


@contextmanager
def asking(
    name: str, form: Form = Form.TABLE, *, quiet: bool = False, known: Mapping[str, str] | None = None
) -> Iterator[Asking]:
    """Asks as this command, and ends the program with one sentence where that comes to nothing.

    ``known`` are the credentials, unless they are to be found.
    """
    from a_domain_sdk import DataOpsError  # noqa: PLC0415

    with writing(), command(name):
        ask: Asking | None = None
        try:
            with connect(known) as client:
                ask = Asking(client, Output(form, quiet=quiet))
                yield ask
                sys.stdout.flush()
        except (DataOpsError, ValueError) as error:
            end(*_told(error))
        except KeyboardInterrupt:
            end(_interrupted(ask), INTERRUPTED)
        if ask is not None and ask.status:
            raise typer.Exit(ask.status)


def _told(error: Exception) -> tuple[str, int]:
    """What went wrong in one sentence, and the exit status for it."""
    from a_domain_sdk import APIConnectionError, APIStatusError, OperationError  # noqa: PLC0415

    if isinstance(error, APIStatusError):
        ours = error.status >= _SERVER or error.status == _TOO_MANY
        return str(error), FAILED if ours else CANNOT
    if isinstance(error, APIConnectionError):
        return f"{error.message.rstrip('.')}. `dataops doctor` says what is wrong here.", FAILED
    if isinstance(error, OperationError):
        return f"{error.message} See it with `dataops operations show {error.operation_id}`.", FAILED
    return str(error), CANNOT


def end(sentence: str, status: int) -> NoReturn:
    """Ends the program with this sentence, in one line, and this status."""
    _say(sentence)
    raise typer.Exit(status) from None


def _say(sentence: str) -> None:
    sys.stderr.write(f"dataops: {' '.join(sentence.split())}\n")


def _interrupted(ask: Asking | None) -> str:
    if ask is None or not (ask.begun or ask.unanswered):
        return "Stopped."
    if not ask.begun:
        return "Stopped before the server had answered: `dataops operations list` shows what it has begun."
    first, *others = (operation.operation_id for operation in ask.begun)
    watch = f"`dataops operations watch {first}` sees how"
    if others:
        return (
            f"Stopped watching. Operations {', '.join([first, *others])} go on at the server: {watch} the first ends."
        )
    ends = "" if ask.begun[0].operation_type == _TEARDOWN else f", `dataops operations cancel {first}` ends it"
    return f"Stopped watching. Operation {first} goes on at the server: {watch} it ends{ends}."


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
