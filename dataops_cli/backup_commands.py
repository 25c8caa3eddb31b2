"""``dataops backup`` and ``dataops restore``: the arguments, and what is said at the end.

Does not belong here: the work (``backup/``).
"""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_cli.commands import command
from dataops_core.clock import rfc3339

if TYPE_CHECKING:
    from dataops_cli.backup.archive import Manifest

_MEGABYTE = 1_000_000


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file to write (0600).", show_default=False)],
) -> None:
    """Write a whole installation into one file: databases, records, archives, indexes, keys. It may go on running."""
    # Imported where they are used: a command starts only what it needs.
    from dataops_cli.backup.make import make_backup  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("backup"):
        signal.signal(signal.SIGTERM, _end)
        made = make_backup(Settings.load(), file)
        typer.echo(
            f"Backed up {_counted(made.manifest)} in {len(made.manifest.files)} files, "
            f"{made.bytes / _MEGABYTE:.1f} MB: {made.file}"
        )
        if made.holds_secret:
            typer.echo("Keep it as you would keep a key: whoever has it has the installation's secrets.")
        else:
            typer.echo("It does not hold the secret key: keep DATAOPS_SECRET_KEY, or it cannot be restored.")
        if made.manifest.storage_url is not None:
            typer.echo(f"It does not hold records and archives: keep {made.manifest.storage_url}, too.")
        _tell_missing(made.manifest)


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `dataops backup` has written.", show_default=False)
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where something is there already; it is set aside.")
    ] = False,
) -> None:
    """Bring an installation back out of a backup, into an empty home and database."""
    from dataops_cli.backup.restore import restore as bring_back  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("restore"):
        signal.signal(signal.SIGTERM, _end)
        restored = bring_back(Settings.load(), file, replace=replace)
        told = restored.manifest
        typer.echo(
            f"Restored {_counted(told)} as of {rfc3339(told.made_at)} into {restored.home}: start it with `dataops up`."
        )
        if restored.interrupted:
            typer.echo(
                f"Operations that were under way then and are failed now, to be retried: {restored.interrupted}."
            )
        for place in restored.aside:
            typer.echo(f"What was there before is kept: {place}.")
        if told.templates_dir is not None:
            typer.echo(f"It was served with DATAOPS_TEMPLATES_DIR={told.templates_dir}: bring that folder along.")
        _tell_missing(told)


def _counted(manifest: "Manifest") -> str:
    counts = manifest.counts
    return f"{counts['datasets']} datasets and {counts['operations']} operations"


def _tell_missing(manifest: "Manifest") -> None:
    for name in manifest.missing:
        typer.echo(f"Missing: {name}, which the registry names, was not there when the backup was made.")


def _end(_number: int, _frame: FrameType | None) -> None:
    """Ends as Ctrl-C does, so that nothing is left behind."""
    sys.exit(128 + signal.SIGTERM)
