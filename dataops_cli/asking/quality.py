"""``dataops quality …``: the arguments of each command, and what it shows."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from dataops_cli.asking.asking import asking
from dataops_cli.asking.datasets import DatasetId, NoWait, show_outcome
from dataops_cli.asking.output import Form, FormOption, QuietOption, text, wire
from dataops_core.lifecycle import CheckType

if TYPE_CHECKING:
    from a_domain_sdk import PastCheck, Quality
    from dataops_cli.asking.asking import Asking

app = typer.Typer(help="Quality: how good datasets are, and were.", no_args_is_help=True, rich_markup_mode=None)

_BARS = "▁▂▃▄▅▆▇█"
_CHART = 40
_PAST = {
    "EXECUTED": "executed_at",
    "CHECK": "check_type",
    "STATUS": "status",
    "SCORE": "score",
    "DETAILS": "details",
}


@app.command("show", epilog="Example: dataops quality show 550e8400-…")
def show(dataset_id: DatasetId, output: FormOption = Form.TABLE) -> None:
    """Show a dataset's score and the four checks behind it."""
    with asking("quality show", output) as ask:
        _show(ask, ask.client.quality.get(dataset_id))


@app.command("validate", epilog="Example: dataops quality validate 550e8400-… --check connector_health --force")
def validate(
    dataset_id: DatasetId,
    check: Annotated[
        list[CheckType] | None, typer.Option(help="This check; may be repeated. All unless given.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also what was checked in the last minutes.")] = False,
    no_wait: NoWait = False,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Check a ready dataset again, and show what came of it."""
    with asking("quality validate", output, quiet=quiet) as ask:
        operation = ask.begin(
            lambda: ask.client.quality.validate(
                dataset_id, checks=[one.value for one in check] if check else None, force_revalidation=force
            )
        )
        if no_wait:
            show_outcome(ask, operation, wait=False)
            return
        ask.follow(operation)
        if operation.run_id is None:
            ask.output.say("All of this was checked within the last minutes: nothing was checked again. --force does.")
        if quiet:
            typer.echo(operation.operation_id)
        else:
            _show(ask, ask.client.quality.get(dataset_id))


@app.command("history", epilog="Example: dataops quality history 550e8400-… --check data_completeness")
def history(
    dataset_id: DatasetId,
    check: Annotated[CheckType | None, typer.Option(help="Of this check alone.")] = None,
    since: Annotated[str | None, typer.Option(help="From this moment on (ISO 8601).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 200,
    output: FormOption = Form.TABLE,
) -> None:
    """Show what a dataset's checks said over time: a small chart of each, or every evaluation as JSON."""
    with asking("quality history", output) as ask:
        found = ask.client.quality.history(
            dataset_id, check_type=check.value if check else None, since=since, limit=limit
        )
        past = list(islice(found, limit))
        if output is not Form.TABLE or not past:
            ask.output.rows(past, _PAST, key="check_id")
            return
        kinds = dict.fromkeys(one.check_type for one in past)
        rows = [_charted(kind, [one for one in past if one.check_type == kind]) for kind in kinds]
        ask.output.table(
            ["CHECK", "LAST", "LOWEST", "FROM", "TO", "SCORES, OLDEST FIRST (0 TO 100; ! COULD NOT TELL)"], rows
        )


def _show(ask: "Asking", quality: "Quality") -> None:
    if ask.output.form is not Form.TABLE:
        ask.output.one(quality)
        return
    verdict = "meets" if quality.meets_threshold else "does not meet"
    typer.echo(f"{text(quality.overall_score)} {verdict} the threshold of {quality.threshold:g}.")
    checks = wire(quality.checks)
    ask.output.table(
        ["CHECK", "SCORE", "WEIGHT", "STATUS", "DETAILS"],
        [
            [name, *(text(check[key]) for key in ("score", "weight", "status", "details"))]
            for name, check in checks.items()
        ],
    )


def _charted(kind: str, past: "Sequence[PastCheck]") -> list[str]:
    scores = [one.score for one in past if one.score is not None]
    bars = "".join(bar(one.score) for one in past[-_CHART:])
    return [
        kind,
        text(past[-1].score),
        text(min(scores, default=None)),
        _day(past[0].executed_at),
        _day(past[-1].executed_at),
        bars,
    ]


def bar(score: float | None) -> str:
    """A score of 0 to 100 as one letter."""
    return "!" if score is None else _BARS[min(len(_BARS) - 1, int(score / 100 * len(_BARS)))]


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
