"""``dataops templates …``: the arguments of each command, and what it shows."""

from typing import Annotated

import typer

from dataops_cli.asking import completing
from dataops_cli.asking.asking import asking
from dataops_cli.asking.datasets import DatasetTypes
from dataops_cli.asking.output import Form, FormOption, QuietOption
from dataops_core.lifecycle import CompanySize, Industry, Stage

app = typer.Typer(help="Templates: what datasets are made from.", no_args_is_help=True, rich_markup_mode=None)

_COLUMNS = {
    "TEMPLATE ID": "template_id",
    "NAME": "name",
    "TYPE": "dataset_type",
    "INDUSTRY": "industry",
    "USE CASE": "use_case",
    "RECORDS": "default_record_count",
}
_RECOMMENDED = {
    "TYPE": "dataset_type",
    "TEMPLATE": "recommended_template.name",
    "TEMPLATE ID": "recommended_template.template_id",
    "CONFIDENCE": "confidence_score",
    "REASON": "reason",
}


@app.command("list", epilog="Example: dataops templates list --industry fintech")
def list_(
    industry: Annotated[Industry | None, typer.Option(help="Of this industry.")] = None,
    use_case: Annotated[str | None, typer.Option(help="Of this use case, such as compliance.")] = None,
    type_: Annotated[
        str | None, typer.Option("--type", help="Of this dataset type.", autocompletion=completing.dataset_types)
    ] = None,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """List templates."""
    with asking("templates list", output, quiet=quiet) as ask:
        found = ask.client.templates.list(
            industry=industry.value if industry else None, use_case=use_case, dataset_type=type_
        )
        ask.output.rows(found, _COLUMNS, key="template_id")


@app.command("show", epilog="Example: dataops templates show 770e8400-… --output json")
def show(
    template_id: Annotated[
        str,
        typer.Argument(
            metavar="TEMPLATE_ID", help="Its id.", show_default=False, autocompletion=completing.template_ids
        ),
    ],
    output: FormOption = Form.TABLE,
) -> None:
    """Show a template; as JSON with some of the records that it makes."""
    with asking("templates show", output) as ask:
        template = ask.client.templates.get(template_id)
        if output is Form.TABLE:
            topics = ", ".join(topic.title for topic in template.topics)
            fields = ", ".join(field.name for field in template.record_schema)
            told = template.model_dump(mode="json", exclude={"topics", "record_schema", "sample_records", "links"})
            ask.output.one({**told, "topics": topics, "record_schema": fields})
        else:
            ask.output.one(template)


@app.command(
    "recommend", epilog="Example: dataops templates recommend --stage sandbox --type github_repos --industry retail"
)
def recommend(
    stage: Annotated[Stage, typer.Option(help="For this stage.", show_default=False)],
    type_: DatasetTypes,
    industry: Annotated[Industry | None, typer.Option(help="The customer's industry.")] = None,
    use_case: Annotated[str | None, typer.Option(help="What the customer wants, in any words.")] = None,
    size: Annotated[CompanySize | None, typer.Option(help="The size of the customer's company.")] = None,
    output: FormOption = Form.TABLE,
) -> None:
    """Say which template of each type suits a customer best, how surely and why."""
    with asking("templates recommend", output) as ask:
        found = ask.client.templates.recommend(
            client_metadata={
                "industry": industry.value if industry else None,
                "use_case": use_case,
                "company_size": size.value if size else None,
            },
            dataset_types=type_,
            stage=stage.value,
        )
        ask.output.rows(found, _RECOMMENDED, key="dataset_type")
