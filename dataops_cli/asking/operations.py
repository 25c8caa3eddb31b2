"""``dataops operations …``: the arguments of each command, and what it shows."""

from itertools import islice
from typing import Annotated

import typer

from dataops_cli.asking import completing
from dataops_cli.asking.asking import asking
from dataops_cli.asking.datasets import Limit, NoWait, show_outcome
from dataops_cli.asking.output import Form, FormOption, QuietOption
from dataops_core.lifecycle import OperationStatus, OperationType

app = typer.Typer(help="Operations: what goes on at the server.", no_args_is_help=True, rich_markup_mode=None)

_OperationId = Annotated[
    str,
    typer.Argument(
        metavar="OPERATION_ID", help="The operation's id.", show_default=False, autocompletion=completing.operation_ids
    ),
]
_COLUMNS = {
    "OPERATION ID": "operation_id",
    "TYPE": "operation_type",
    "STATUS": "status",
    "STEP": "progress.current_step/progress.total_steps",
    "STARTED": "started_at",
    "SECONDS": "duration_seconds",
    "ERROR": "error.code",
}


@app.command("list", epilog="Example: dataops operations list --status failed")
def list_(
    status: Annotated[OperationStatus | None, typer.Option(help="In this status.")] = None,
    type_: Annotated[OperationType | None, typer.Option("--type", help="Of this type.")] = None,
    client: Annotated[str | None, typer.Option(help="Of this customer.")] = None,
    dataset: Annotated[
        str | None, typer.Option(help="About this dataset.", autocompletion=completing.dataset_ids)
    ] = None,
    limit: Limit = 50,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """List operations, newest first."""
    with asking("operations list", output, quiet=quiet) as ask:
        found = ask.client.operations.list(
            status=status.value if status else None,
            operation_type=type_.value if type_ else None,
            client_id=client,
            dataset_id=dataset,
            per_page=min(limit, 100),
        )
        ask.output.rows(islice(found, limit), _COLUMNS, key="operation_id")


@app.command("show", epilog="Example: dataops operations show 990e8400-…")
def show(operation_id: _OperationId, output: FormOption = Form.TABLE) -> None:
    """Show one operation as it stands."""
    with asking("operations show", output) as ask:
        ask.output.one(ask.client.operations.get(operation_id).state)


@app.command("watch", epilog="Example: dataops operations watch 990e8400-…")
def watch(operation_id: _OperationId, output: FormOption = Form.TABLE, quiet: QuietOption = False) -> None:
    """Watch an operation until it has ended, and show what came of it."""
    with asking("operations watch", output, quiet=quiet) as ask:
        show_outcome(ask, ask.client.operations.get(operation_id), wait=True)


@app.command("cancel", epilog="Example: dataops operations cancel 990e8400-…")
def cancel(operation_id: _OperationId, output: FormOption = Form.TABLE) -> None:
    """End an operation that is under way; a teardown cannot be cancelled."""
    with asking("operations cancel", output) as ask:
        ask.output.one(ask.client.operations.cancel(operation_id).state)


@app.command("retry", epilog="Example: dataops operations retry 990e8400-…")
def retry(
    operation_id: _OperationId, no_wait: NoWait = False, output: FormOption = Form.TABLE, quiet: QuietOption = False
) -> None:
    """Do again what failed or was cancelled, and watch it."""
    with asking("operations retry", output, quiet=quiet) as ask:
        show_outcome(ask, ask.begin(lambda: ask.client.operations.retry(operation_id)), wait=not no_wait)
