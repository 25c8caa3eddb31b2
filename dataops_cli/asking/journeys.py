"""``dataops journeys …``: the arguments of each command, and what it shows."""

from typing import Annotated

import typer

from dataops_cli.asking import completing
from dataops_cli.asking.asking import asking
from dataops_cli.asking.output import Form, FormOption, text, wire
from dataops_core.lifecycle import JourneyEventType, Stage

app = typer.Typer(
    help="Journeys: where customers stand, and what happens.", no_args_is_help=True, rich_markup_mode=None
)

_JourneyId = Annotated[
    str,
    typer.Argument(
        metavar="JOURNEY_ID", help="The journey's id.", show_default=False, autocompletion=completing.journey_ids
    ),
]


@app.command("show", epilog="Example: dataops journeys show 123e4567-…")
def show(
    journey_id: _JourneyId,
    client: Annotated[str | None, typer.Option(help="The customer, where several have a journey of this id.")] = None,
    output: FormOption = Form.TABLE,
) -> None:
    """Show a journey: its stage, its datasets, its events."""
    with asking("journeys show", output) as ask:
        journey = ask.client.journeys.get(journey_id, client_id=client)
        if output is not Form.TABLE:
            ask.output.one(journey)
            return
        typer.echo(f"Journey {journey.journey_id} is {journey.status}, in the stage {text(journey.current_stage)}.\n")
        columns = ("dataset_id", "name", "stage", "status", "quality_score")
        rows = [[text(wire(dataset)[column]) for column in columns] for dataset in journey.datasets]
        ask.output.table(["DATASET ID", "NAME", "STAGE", "STATUS", "QUALITY"], rows)
        if not journey.events:
            return
        typer.echo()
        of_events = ("event_id", "event", "to_stage", "status", "phase", "occurred_at")
        rows = [[text(wire(event)[column]) for column in of_events] for event in journey.events]
        ask.output.table(["EVENT ID", "EVENT", "TO STAGE", "STATUS", "PHASE", "OCCURRED"], rows)


@app.command(
    "tell", epilog="Example: dataops journeys tell 123e4567-… --client 123e… --event stage_transition --to-stage pilot"
)
def tell(
    journey_id: _JourneyId,
    client: Annotated[str, typer.Option(help="The customer's id.", show_default=False)],
    event: Annotated[JourneyEventType, typer.Option(help="What happened.", show_default=False)],
    to_stage: Annotated[Stage | None, typer.Option(help="The stage that a stage_transition goes to.")] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="What the next stage has; may be repeated. Else what the old has.",
            autocompletion=completing.dataset_types,
        ),
    ] = None,
    output: FormOption = Form.TABLE,
) -> None:
    """Tell that something happened in a journey; it is acted on within seconds."""
    with asking("journeys tell", output) as ask:
        told = ask.client.journeys.tell(
            journey_id,
            event=event.value,
            client_id=client,
            to_stage=to_stage.value if to_stage else None,
            dataset_types=type_ or None,
        )
        ask.output.one(told)
