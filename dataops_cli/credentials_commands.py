"""``dataops credentials …``: the arguments of each command, and what it prints for people or, by ``--json``, programs.

Does not belong here: the work (``credentials.py``).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataops_cli.commands import command
from dataops_core.scopes import Scope

if TYPE_CHECKING:
    from dataops_cli.credentials import Credentials

app = typer.Typer(
    help="API clients: who may ask for tokens, with which powers.", no_args_is_help=True, rich_markup_mode=None
)

_ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="The API client's id.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_File = Annotated[Path | None, typer.Option(help="Write the credentials to this new file (0600) and do not show them.")]


@app.command("create", epilog="Example: dataops credentials create --name reports --scope dataops:datasets:read")
def create(
    name: Annotated[str, typer.Option(help="What the API client is called.")] = "made by dataops credentials create",
    scope: Annotated[
        list[Scope] | None, typer.Option(help="A scope it may have; may be repeated. None: dataops:admin.")
    ] = None,
    customer: Annotated[
        list[str] | None,
        typer.Option(help="A customer (client_id of datasets) it is bound to; may be repeated. None: all customers."),
    ] = None,
    file: _File = None,
    as_json: _Json = False,
) -> None:
    """Make an API client. Its secret is shown once, or written to a file."""
    # Imported where they are used: a command starts only what it needs.
    from dataops_cli import credentials  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("credentials create"):
        made = credentials.create(
            Settings.load(),
            name=name,
            scopes=list(dict.fromkeys(scope or [Scope.ADMIN])),
            customers=customer,
            file=file,
        )
        _show(made, f"Made API client {made.client_id} with {', '.join(made.scopes)}", as_json=as_json)


@app.command("list", epilog="Example: dataops credentials list")
def list_(as_json: _Json = False) -> None:
    """List the API clients, oldest first, never a secret."""
    from dataops_cli import credentials  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("credentials list"):
        clients = credentials.list_all(Settings.load())
        typer.echo(json.dumps(clients, indent=2) if as_json else _table(clients))


@app.command("rotate", epilog="Example: dataops credentials rotate 0f1e2d3c-… --grace-hours 2")
def rotate(
    client_id: _ClientId,
    grace_hours: Annotated[
        float, typer.Option(help="How long the secret in use now stays valid beside the new one.", min=0, max=8760)
    ] = 24.0,
    now: Annotated[bool, typer.Option("--now", help="End the secret in use now at once.")] = False,
    file: _File = None,
    as_json: _Json = False,
) -> None:
    """Give an API client a new secret; the one before stays valid for a while."""
    from dataops_cli import credentials  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("credentials rotate"):
        made = credentials.rotate(Settings.load(), client_id, grace_hours=0.0 if now else grace_hours, file=file)
        until = (
            f"stays valid until {made.previous_secret_until}" if made.previous_secret_until else "is not valid any more"
        )
        _show(made, f"API client {made.client_id} has a new secret, and the one before {until}", as_json=as_json)


@app.command("revoke", epilog="Example: dataops credentials revoke 0f1e2d3c-…")
def revoke(
    client_id: _ClientId,
    yes: Annotated[bool, typer.Option("--yes", help="Also the last one with dataops:admin.")] = False,
    as_json: _Json = False,
) -> None:
    """End an API client's access for good; its tokens stop within a minute."""
    from dataops_cli import credentials  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("credentials revoke"):
        revoked = credentials.revoke(Settings.load(), client_id, even_last_admin=yes)
        typer.echo(
            json.dumps(revoked, indent=2)
            if as_json
            else f"Revoked API client {revoked['client_id']}: its tokens stop within a minute."
        )


@app.command("rotate-keys", epilog="Example: dataops credentials rotate-keys")
def rotate_keys(as_json: _Json = False) -> None:
    """Make a new key that signs access tokens; tokens signed before stay valid until they expire."""
    from dataops_cli import credentials  # noqa: PLC0415
    from dataops_core.settings import Settings  # noqa: PLC0415

    with command("credentials rotate-keys"):
        kid = credentials.rotate_keys(Settings.load())
        typer.echo(
            json.dumps({"kid": kid}, indent=2)
            if as_json
            else f"Key {kid} signs within half a minute; tokens signed before stay valid until they expire."
        )


def _show(made: "Credentials", sentence: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made.as_json(), indent=2))
    elif made.file is not None:
        typer.echo(f"{sentence}: {made.file}")
    else:
        typer.echo(f"{sentence}.\n")
        for name, value in made.secrets().items():
            typer.echo(f"  {name:<14} {value}")
        typer.echo("\nThe secret is shown this once; only its hash is kept.")


def _table(clients: Sequence[Mapping[str, Any]]) -> str:
    if not clients:
        return "There is no API client."
    rows = [("CLIENT ID", "STATE", "CREATED", "CUSTOMERS", "NAME", "SCOPES")]
    for client in clients:
        state = client["state"]
        if client["previous_secret_until"]:
            state += f", two secrets until {client['previous_secret_until']}"
        customers = "all" if client["customers"] is None else ",".join(client["customers"]) or "none"
        rows.append(
            (client["client_id"], state, client["created_at"], customers, client["name"], " ".join(client["scopes"]))
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
