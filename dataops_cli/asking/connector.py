"""``dataops connector …``: the arguments of each command, and what it shows."""

from typing import Annotated, Any

import typer

from dataops_cli.asking.asking import FAILED, asking, end
from dataops_cli.asking.datasets import DatasetId
from dataops_cli.asking.output import Form, FormOption, QuietOption
from dataops_cli.commands import CANNOT

app = typer.Typer(help="Connectors: what makes datasets searchable.", no_args_is_help=True, rich_markup_mode=None)

_TOKEN_SECONDS = 60
_SNIPPET = 160
_CONNECTING = "connecting"


@app.command("show", epilog="Example: dataops connector show 550e8400-…")
def show(dataset_id: DatasetId, output: FormOption = Form.TABLE) -> None:
    """Show the state of a dataset's connector and of its tokens."""
    with asking("connector show", output) as ask:
        ask.output.one(ask.client.datasets.get_connector(dataset_id))


@app.command("search", epilog='Example: dataops connector search 550e8400-… "release checklist"')
def search(
    dataset_id: DatasetId,
    query: Annotated[str, typer.Argument(help="What to look for.", show_default=False)],
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Search a dataset as its users would, with a token for a minute."""
    with asking("connector search", output, quiet=quiet) as ask:
        connector = ask.client.datasets.get_connector(dataset_id)
        token = ask.client.datasets.create_connector_token(dataset_id, kind="search", expires_in=_TOKEN_SECONDS)
        try:
            hits = _search(connector.endpoint_url, token.token, query, limit)
        finally:
            ask.client.datasets.revoke_connector_token(dataset_id, token.token_id)
        if not hits and connector.status == _CONNECTING:
            ask.output.say("The connector serves nothing yet: `dataops datasets show` says how far the dataset is.")
        if output is Form.TABLE:
            hits = [{**hit, "found": _found(hit)} for hit in hits]
        ask.output.rows(hits, {"TITLE": "title", "FOUND": "found", "URL": "url"}, key="url")


def _search(endpoint_url: str, token: str, query: str, limit: int) -> list[dict[str, Any]]:
    import httpx  # noqa: PLC0415  a command starts only what it needs

    try:
        answer = httpx.post(
            f"{endpoint_url}/api/search",
            headers={"Authorization": f"Bearer {token}"},
            json={"query": query, "page_size": limit},
            timeout=30,
        )
        told: dict[str, Any] = answer.json()
    except httpx.HTTPError as error:
        end(f"The connector at {endpoint_url} did not answer: {error}", FAILED)
    except ValueError:
        end(f"What answers at {endpoint_url} is no connector: HTTP {answer.status_code}.", FAILED)
    if not answer.is_success:
        reasons = "".join(f"; {one['pointer'].strip('/')}: {one['detail']}" for one in told.get("errors") or ())
        request = f", request {told['request_id']}" if "request_id" in told else ""
        code = f"{told.get('code') or 'HTTP'} {answer.status_code}{request}"
        end(f"{str(told.get('detail')).rstrip('.')}{reasons} ({code})", CANNOT if answer.is_client_error else FAILED)
    hits: list[dict[str, Any]] = told["results"]
    return hits


def _found(hit: dict[str, Any]) -> str:
    return " ".join(" … ".join(hit.get("snippets") or ()).split())[:_SNIPPET]
