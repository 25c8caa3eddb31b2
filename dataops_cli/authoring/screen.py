"""A preview in the terminal: what was found, then records to read. As wide as the terminal."""

import shutil
import textwrap

import typer

from dataops_core.previewing import Level, Preview, SampleRecord

#: Lines of each record's text.
_LINES = 10
_MARKS = {Level.FINE: ("ok", typer.colors.GREEN), Level.NOTE: ("note", typer.colors.YELLOW)}
_WRONG = ("WRONG", typer.colors.RED)


def show(preview: Preview) -> None:
    """Prints the preview."""
    width = min(shutil.get_terminal_size().columns, 120)
    template = preview.template
    typer.secho(f"{template.name}, version {template.version}", bold=True)
    typer.echo(f"{template.dataset_type}, {template.industry}, {template.use_case}; {template.template_id}")
    typer.echo(_wrapped(template.description, width))
    typer.echo(f"\nWhat {preview.count} records of {preview.company} are like:")
    for finding in preview.findings:
        mark, colour = _MARKS.get(finding.level, _WRONG)
        typer.secho(f"  {mark:<6}", fg=colour, nl=False)
        typer.echo(_wrapped(f"{finding.what}: {finding.text}", width, 8).lstrip())
    for place, sample in enumerate(preview.records, start=1):
        _show_record(sample, f"{place}/{len(preview.records)}", width)


def _show_record(sample: SampleRecord, place: str, width: int) -> None:
    document = sample.document
    typer.secho(f"\n{place}  {document.title}", bold=True)
    told = [document.author_name, sample.archetype, sample.topic, f"{len(sample.text.encode()):,} bytes of text"]
    typer.echo(_wrapped(", ".join(filter(None, told)), width, 5))
    typer.echo(f"     {document.view_url}")
    lines = [line for part in sample.text.splitlines() if part.strip() for line in textwrap.wrap(part, width - 7)]
    for line in lines[:_LINES]:
        typer.echo(f"     | {line}")
    if len(lines) > _LINES:
        typer.echo(f"     | … {len(lines) - _LINES} more lines")


def _wrapped(words: str, width: int, indent: int = 0) -> str:
    return textwrap.fill(words, width, initial_indent=" " * indent, subsequent_indent=" " * indent)
