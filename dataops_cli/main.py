"""``dataops``, the command line: each command calls one function and turns an error into one sentence.

Exit status: 0 done; 1 it was tried and failed; 2 it cannot be done as asked (settings, home, ports, arguments), and the
sentence on standard error says what to do.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dataops_core.acting import Acting, ActorKind, acting
from dataops_core.errors import DataOpsError
from dataops_core.scopes import Scope
from dataops_core.settings import Settings

app = typer.Typer(name="dataops", help="Provisions, proves and tears down mock datasets.", no_args_is_help=True)
credentials_app = typer.Typer(help="API clients: who may ask for tokens.", no_args_is_help=True)
app.add_typer(credentials_app, name="credentials")

CANNOT = 2


@contextmanager
def _command(name: str) -> Iterator[None]:
    """Acts as this command, and ends the program with one sentence where something of ours says no."""
    try:
        with acting(Acting(ActorKind.COMMAND_LINE, f"dataops {name}")):
            yield
    except DataOpsError as error:
        sys.stderr.write(f"dataops: {error.message}\n")
        raise typer.Exit(CANNOT) from None


@app.command()
def up(
    background: Annotated[
        bool, typer.Option("--background", help="Return when all is ready, and leave it running.")
    ] = False,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Serve everything in the foreground, until Ctrl-C."""
    # Imported where they are used: a command starts only what it needs.
    from dataops_cli.background import start_background  # noqa: PLC0415
    from dataops_cli.up import up as serve  # noqa: PLC0415

    with _command("up"):
        settings = Settings.load()
        if background:
            stack = start_background(settings)
            typer.echo(
                f"Ready: API {stack.docs_url}, Dagster UI {stack.dagster_url} (no login), "
                f"credentials {stack.credentials_file}. `dataops down` stops it."
            )
        else:
            serve(settings, with_parent=with_parent)


@app.command()
def down() -> None:
    """Stop what runs on the home, and a demo that was left running."""
    from dataops_cli.background import runs_on, stop  # noqa: PLC0415
    from dataops_cli.demo_home import demo_home  # noqa: PLC0415
    from dataops_cli.home import Home  # noqa: PLC0415

    with _command("down"):
        home = Settings.load().home
        running = [path for path in dict.fromkeys((home, demo_home())) if runs_on(Home(path))]
        for path in running:
            stop(Home(path))
            typer.echo(f"Stopped what ran on {path}.")
        if not running:
            typer.echo(f"Nothing runs on {home}.")


@app.command()
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", envvar="KEEP", help="Leave everything running, with the datasets ready.")
    ] = False,
) -> None:
    """Watch one request become two ready datasets, on a stack of the demo's own; then clean everything up."""
    from dataops_cli.demo import run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(keep=keep))


@credentials_app.command("create")
def create_credentials(
    name: Annotated[str, typer.Option(help="What the API client is called.")] = "made by dataops credentials create",
    scope: Annotated[list[Scope] | None, typer.Option(help="A scope it may have; may be repeated.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="Where to write them (0600); else $DATAOPS_HOME/credentials.json.")
    ] = None,
) -> None:
    """Make another API client (with admin scope unless told otherwise) and write its credentials."""
    from dataops_cli.credentials import create  # noqa: PLC0415

    with _command("credentials create"):
        typer.echo(create(Settings.load(), name=name, scopes=scope or [Scope.ADMIN], file=file))


if __name__ == "__main__":
    app()
