"""``dataops``, the command line: each command calls one function and turns an error into one sentence.

Exit status: 0 done; 1 it was tried and failed; 2 it cannot be done as asked (settings, home, ports, arguments), and the
sentence on standard error says what to do.
"""

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from dataops_cli import backup_commands, credentials_commands
from dataops_cli.asking import connector, datasets, doctor, journeys, login, operations, quality, templates
from dataops_cli.authoring import commands as authoring
from dataops_cli.commands import INTERRUPTED, command

# Plain help: rich would take as long to load as all the rest of it.
app = typer.Typer(
    name="dataops",
    help="Provisions, proves and tears down mock datasets.",
    epilog="Example: dataops demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def run() -> None:
    """The program: what is wrong with the arguments is told as every error is, in one sentence."""
    try:
        sys.exit(app(prog_name="dataops", standalone_mode=False))
    except TyperException as error:
        told = error.format_message()
        if not told.startswith("Usage: "):  # which is help, for want of arguments
            context = getattr(error, "ctx", None)
            see = context.command_path if context is not None else "dataops"
            told = " ".join(told.replace("Value error, ", "").split())
            told = f"dataops: {told if told.endswith(('.', '?')) else f'{told}.'} See `{see} --help`."
        typer.echo(told, err=True)
        sys.exit(error.exit_code)
    except typer.Abort:
        typer.echo("dataops: Stopped: nothing was answered.", err=True)
        sys.exit(INTERRUPTED)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  a command starts only what it needs

        typer.echo(f"dataops {version('dataops-lifecycle')}")
        raise typer.Exit


@app.callback()
def dataops(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Provisions, proves and tears down mock datasets."""


@app.command(epilog="Example: dataops up --background")
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
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("up"):
        settings = Settings.load()
        if background:
            stack = start_background(settings)
            typer.echo(
                f"Ready: API {stack.docs_url}, Dagster UI {stack.dagster_url} (no login), "
                f"credentials {stack.credentials_file}. `dataops down` stops it."
            )
        else:
            serve(settings, with_parent=with_parent)


@app.command(epilog="Example: DATAOPS_HOME=/srv/dataops dataops down")
def down() -> None:
    """Stop what runs on the home, and a demo that was left running."""
    from dataops_cli.background import runs_on, stop  # noqa: PLC0415
    from dataops_cli.demo_home import demo_home  # noqa: PLC0415
    from dataops_cli.home import Home  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("down"):
        home = Settings.load().home
        running = [path for path in dict.fromkeys((home, demo_home())) if runs_on(Home(path))]
        for path in running:
            stop(Home(path))
            typer.echo(f"Stopped what ran on {path}.")
        if not running:
            typer.echo(f"Nothing runs on {home}.")


@app.command(epilog="Example: dataops demo --keep")
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", envvar="KEEP", help="Leave everything running, with the datasets ready.")
    ] = False,
) -> None:
    """Watch one request become two ready datasets, on a stack of the demo's own; then clean everything up."""
    from dataops_cli.demo import run_demo  # noqa: PLC0415

    raise typer.Exit(run_demo(keep=keep))


app.command("doctor", epilog="Example: dataops doctor --output json")(doctor.doctor)
app.command("login", epilog="Example: dataops login --base-url https://api.example/v1/dataops --client-id 0f1e…")(
    login.login
)
app.command("logout", epilog="Example: dataops logout")(login.logout)
app.command("backup", epilog="Example: dataops backup /backups/monday.tar")(backup_commands.backup)
app.command("restore", epilog="Example: DATAOPS_HOME=/srv/dataops dataops restore /backups/monday.tar")(
    backup_commands.restore
)


@app.command(epilog="Example: dataops orphans --dry-run")
def orphans(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; show what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Look for what nobody owns; repair what is safe, remove what is due, show the rest."""
    from dataops_cli import orphans as work  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415
    from dataops_core.upkeep.orphans.model import Verdict  # noqa: PLC0415

    with command("orphans"):
        report = work.search(Settings.load(), dry_run=dry_run)
        typer.echo(work.as_json(report) if as_json else work.as_text(report))
    if report.of(Verdict.FAILED):
        raise typer.Exit(1)


for _name, _commands in {
    "datasets": datasets,
    "quality": quality,
    "templates": templates,
    "operations": operations,
    "journeys": journeys,
    "connector": connector,
    "credentials": credentials_commands,
}.items():
    app.add_typer(_commands.app, name=_name)
authoring.register(templates.app)

if __name__ == "__main__":
    run()
