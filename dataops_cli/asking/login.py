"""``dataops login`` and ``logout``: the API that commands ask, kept for this user."""

import sys
from typing import Annotated

import typer

from dataops_cli.asking.asking import asking
from dataops_cli.asking.connection import keep, login_file, stronger_than_login
from dataops_cli.commands import refuse


def login(
    base_url: Annotated[
        str, typer.Option(help="Address of the API, with /v1/dataops.", prompt="Address of the API, with /v1/dataops")
    ],
    client_id: Annotated[str, typer.Option(help="Id of the API client.", prompt="Id of the API client")],
    token_url: Annotated[str | None, typer.Option(help="Address of the token endpoint; else /token there.")] = None,
    secret_stdin: Annotated[bool, typer.Option("--secret-stdin", help="Read the secret from standard input.")] = False,
) -> None:
    """Log in to an API, and keep that for the commands to come. The secret is asked for, and never an argument."""
    secret = sys.stdin.readline().strip() if secret_stdin else typer.prompt("Its secret", hide_input=True)
    if not secret:
        refuse("No secret came in: with --secret-stdin it is the first line of standard input.")
    known = {"base_url": base_url, "client_id": client_id, "client_secret": secret}
    known |= {"token_url": token_url} if token_url else {}
    with asking("login", known=known) as ask:
        ask.client.access_token()
        typer.echo(f"Logged in to {ask.client.base_url}; kept in {keep(known)}.")
    stronger = stronger_than_login()
    if stronger:
        typer.echo(f"It counts where {stronger} is not set: commands ask what that names.", err=True)


def logout() -> None:
    """Forget the API that was logged in to. Its token ends by itself within an hour."""
    file = login_file()
    if file.exists():
        file.unlink()
        typer.echo(f"Removed {file}.")
    else:
        typer.echo("Nobody is logged in.")
