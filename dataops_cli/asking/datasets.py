"""``dataops datasets …``: the arguments of each command, and what it shows."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from dataops_cli.asking import completing
from dataops_cli.asking.asking import asking, end
from dataops_cli.asking.output import Form, FormOption, QuietOption
from dataops_cli.commands import CANNOT
from dataops_core.lifecycle import DatasetStatus, Stage, TeardownReason

if TYPE_CHECKING:
    from a_domain_sdk import GroundTruth, Operation, OperationDataset, Records
    from dataops_cli.asking import completing
from dataops_cli.asking.asking import Asking

app = typer.Typer(help="Datasets: make them, see them, take them away.", no_args_is_help=True, rich_markup_mode=None)

DatasetId = Annotated[
    str,
    typer.Argument(
        metavar="DATASET_ID", help="The dataset's id.", show_default=False, autocompletion=completing.dataset_ids
    ),
]
DatasetTypes = Annotated[
    list[str],
    typer.Option(
        "--type",
        help="A dataset type, such as confluence_pages; may be repeated.",
        show_default=False,
        autocompletion=completing.dataset_types,
    ),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return at once; the operation's id is the answer.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many.")]
_COLUMNS = {
    "DATASET ID": "dataset_id",
    "NAME": "name",
    "STATUS": "status",
    "RECORDS": "record_count",
    "QUALITY": "quality_score",
    "CREATED": "created_at",
}
_BEGUN = {"OPERATION ID": "operation_id", "STATUS": "status"}
_FILES = (".parquet", ".ndjson", ".jsonl")
_QUESTION = {"QUERY ID": "query_id", "KIND": "kind", "QUESTION": "text", "ANSWER": "answer"}
_DEFECT = {"RECORD ID": "record_id", "DEFECT": "kind", "OTHER RECORD ID": "related_record_id", "DETAIL": "detail"}
_OUTCOME = {"DATASET ID": "dataset_id", "TYPE": "dataset_type", "STATUS": "status", "QUALITY": "quality_score"}


@app.command(
    "provision", epilog="Example: dataops datasets provision --client 123e… --stage sandbox --type confluence_pages"
)
def provision(
    client: Annotated[str, typer.Option(help="The customer's id.", show_default=False)],
    stage: Annotated[Stage, typer.Option(help="The stage of the customer's journey.", show_default=False)],
    type_: DatasetTypes,
    journey: Annotated[str | None, typer.Option(help="The journey's id; a new one unless given.")] = None,
    records: Annotated[int | None, typer.Option(min=20, help="Records of each dataset; else the template's.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Makes the same records again.")] = None,
    locale: Annotated[str | None, typer.Option(help="Of the customer's company, such as de_DE.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A custom field, such as client_name=ACME; may be repeated."),
    ] = None,
    template: Annotated[
        list[str] | None, typer.Option(metavar="TYPE=TEMPLATE_ID", help="A template for a type; may be repeated.")
    ] = None,
    no_wait: NoWait = False,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Make datasets for a customer's stage, and watch them become ready."""
    from uuid import uuid4  # noqa: PLC0415  a command starts only what it needs

    with asking("datasets provision", output, quiet=quiet) as ask:
        overrides = pairs(template, "--template")
        fields = pairs(field, "--field")
        operation = ask.begin(
            lambda: ask.client.datasets.create(
                journey_id=journey or uuid4(),
                client_id=client,
                stage=stage.value,
                dataset_types=type_,
                template_overrides=overrides or None,
                metadata={"tags": tag or [], "custom_fields": fields},
                generation=cast("Any", {"record_count": records, "seed": seed, "locale": locale}),
            )
        )
        show_outcome(ask, operation, wait=not no_wait)


@app.command("list", epilog="Example: dataops datasets list --status ready --output ndjson | jq .name")
def list_(
    client: Annotated[str | None, typer.Option(help="Of this customer.")] = None,
    journey: Annotated[str | None, typer.Option(help="Of this journey.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Of this stage.")] = None,
    status: Annotated[DatasetStatus | None, typer.Option(help="In this status.")] = None,
    type_: Annotated[
        str | None, typer.Option("--type", help="Of this type.", autocompletion=completing.dataset_types)
    ] = None,
    tag: Annotated[str | None, typer.Option(help="With this tag.")] = None,
    limit: Limit = 100,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """List datasets, newest first."""
    with asking("datasets list", output, quiet=quiet) as ask:
        found = ask.client.datasets.list(
            client_id=client,
            journey_id=journey,
            stage=stage.value if stage else None,
            status=status.value if status else None,
            dataset_type=type_,
            tag=tag,
            per_page=min(limit, 100),
        )
        ask.output.rows(islice(found, limit), _COLUMNS, key="dataset_id")


@app.command("show", epilog="Example: dataops datasets show 550e8400-…")
def show(dataset_id: DatasetId, output: FormOption = Form.TABLE, quiet: QuietOption = False) -> None:
    """Show one dataset, whole."""
    with asking("datasets show", output, quiet=quiet) as ask:
        ask.output.one(ask.client.datasets.get(dataset_id), key="dataset_id")


@app.command("usage", epilog="Example: dataops datasets usage 550e8400-… --output json")
def usage(dataset_id: DatasetId, output: FormOption = Form.TABLE) -> None:
    """Show how much a dataset was searched, and what it takes up."""
    with asking("datasets usage", output) as ask:
        ask.output.one(ask.client.datasets.get_usage(dataset_id))


@app.command("records", epilog="Example: dataops datasets records 550e8400-… --save records.parquet")
def records(
    dataset_id: DatasetId,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; all unless given.")] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all to this file: *.parquet, or *.ndjson.")
    ] = None,
    output: FormOption = Form.NDJSON,
) -> None:
    """Print a dataset's records, one JSON object a line, as they come; as a table, each field on a line of its own."""
    with asking("datasets records", output) as ask:
        found = ask.client.datasets.records(dataset_id)
        if save is not None:
            if limit is not None:
                raise ValueError("--save writes all records: leave out --limit, or redirect what is printed")
            if save.suffix not in _FILES:
                raise ValueError(f"--save {save}: must end in {', '.join(_FILES)}")
            _saved(ask, found, save)
            return
        if output is not Form.TABLE:
            ask.output.rows(islice(found, limit), {}, key="")
            return
        for record in islice(found, limit):
            ask.output.one(record)
            typer.echo()


@app.command("ground-truth", epilog="Example: dataops datasets ground-truth 550e8400-… --beir acme.zip")
def ground_truth(
    dataset_id: DatasetId,
    kind: Annotated[
        str | None,
        typer.Option(help="Of this kind, such as multi_hop.", autocompletion=completing.question_kinds),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many; all unless given.")] = None,
    beir: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all, with the documents, to this zip file in BEIR's form."),
    ] = None,
    defects: Annotated[bool, typer.Option("--defects", help="What is wrong with records on purpose instead.")] = False,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Show questions about a dataset whose answers are known."""
    with asking("datasets ground-truth", output, quiet=quiet) as ask:
        found = ask.client.datasets.ground_truth(dataset_id, kind=cast("Any", kind))
        if defects and (kind is not None or beir is not None):
            raise ValueError("--defects shows no questions: leave out --kind and --beir")
        if beir is not None:
            if limit is not None or kind is not None:
                raise ValueError("--beir writes all questions: leave out --limit and --kind")
            if beir.suffix != ".zip":
                raise ValueError(f"--beir {beir}: must end in .zip")
            _saved(ask, found, beir)
            return
        if defects:
            ask.output.rows(islice(found.defects(), limit), _DEFECT, key="record_id")
            return
        ask.output.rows(islice(found, limit), _QUESTION, key="query_id")


@app.command("delete", epilog="Example: dataops datasets list --tag old --quiet | xargs dataops datasets delete")
def delete(
    dataset_ids: Annotated[
        list[str],
        typer.Argument(
            metavar="DATASET_ID…", help="One or more.", show_default=False, autocompletion=completing.dataset_ids
        ),
    ],
    reason: Annotated[TeardownReason, typer.Option(help="Why.")] = TeardownReason.MANUAL,
    no_archive: Annotated[bool, typer.Option("--no-archive", help="Leave nothing of it, no archive either.")] = False,
    no_wait: NoWait = False,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Tear datasets down; an archive of each is kept."""
    with asking("datasets delete", output, quiet=quiet) as ask:
        for one in dataset_ids:
            with ask.one_of_many():
                ask.begin(partial(ask.client.datasets.delete, one, reason=reason.value, archive=not no_archive))
        if no_wait:
            ask.output.rows([operation.state for operation in ask.begun], _BEGUN, key="operation_id")
        elif ask.begun:
            ask.output.rows(_outcomes(ask, list(ask.begun)), _OUTCOME, key="dataset_id")


@app.command("restore", epilog="Example: dataops datasets restore 550e8400-…")
def restore(
    dataset_id: DatasetId, no_wait: NoWait = False, output: FormOption = Form.TABLE, quiet: QuietOption = False
) -> None:
    """Make an archived dataset ready again, from its archive."""
    with asking("datasets restore", output, quiet=quiet) as ask:
        show_outcome(ask, ask.begin(lambda: ask.client.datasets.restore(dataset_id)), wait=not no_wait)


def _outcomes(ask: "Asking", operations: "list[Operation]") -> "Iterator[OperationDataset]":
    for operation in operations:
        with ask.one_of_many():
            yield from ask.follow(operation).result.datasets


def _saved(ask: "Asking", found: "GroundTruth | Records", file: Path) -> None:
    """Writes all of it to the file."""
    try:
        ask.output.say(f"Saved {found.save(file)}.")
    except OSError as error:
        end(f"{file} cannot be written ({error.strerror}).", CANNOT)


def show_outcome(ask: "Asking", operation: "Operation", *, wait: bool) -> None:
    """Watches an operation, where that is wanted, and shows what came of it; else the operation."""
    ask.follow(operation, wait=wait)
    if wait:
        ask.output.rows(operation.result.datasets, _OUTCOME, key="dataset_id")
    elif ask.output.form is Form.TABLE:
        typer.echo(operation.operation_id)
    else:
        ask.output.one(operation.state, key="operation_id")


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a dictionary. Raises ValueError for one without a name."""
    found: dict[str, str] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise ValueError(f"{option} {one}: must be NAME=VALUE")
        found[name] = value
    return found
