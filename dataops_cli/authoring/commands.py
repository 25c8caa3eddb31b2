"""``dataops templates new``, ``validate``, ``preview`` and ``diff``: templates of one's own, without a server.

Belongs here: the arguments of each command and what it shows. Does not belong here: what a template is, and what is
made of it (``dataops_core/templates``, ``dataops_core/previewing.py``).
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dataops_cli.asking import completing
from dataops_cli.asking.output import Form, FormOption, Output, QuietOption, text
from dataops_cli.commands import command, refuse
from dataops_core.lifecycle import Industry

if TYPE_CHECKING:
    from dataops_cli.authoring.finding import Found
    from dataops_core.templates.comparing import Difference
    from dataops_core.templates.source import Problem

#: Records of either template that a comparison makes, at most.
COMPARED = 200
_SUFFIXES = (".yaml", ".yml")
_DIFFERENT = 1
_PROBLEMS = {"FILE": "file", "LINE": "line", "FIELD": "field", "PROBLEM": "problem"}
_MEANT = "A file, an id or a name."
_EFFECTS = {
    "records": "other records",
    "count": "another number of records",
    "description": "what people read",
    "version": "which version it is",
}


def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.", show_default=False)],
    *,
    type_: Annotated[
        str | None,
        typer.Option("--type", help="Its dataset type; else that of --from.", autocompletion=completing.dataset_types),
    ] = None,
    industry: Annotated[Industry | None, typer.Option(help="Whose vocabulary it uses.")] = None,
    use_case: Annotated[str | None, typer.Option(help="What the company wants, such as pet_care.")] = None,
    name: Annotated[str | None, typer.Option(help="What people see.")] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="TEMPLATE", help=f"What to begin with: {_MEANT.lower()} Else what is nearest."),
    ] = None,
    output: FormOption = Form.TABLE,
    quiet: QuietOption = False,
) -> None:
    """Write a template to begin with: valid as it stands, with an id of its own, each field under what it is."""
    from uuid import uuid4  # noqa: PLC0415  a command starts only what it needs

    from dataops_cli.authoring.finding import find, own_catalog  # noqa: PLC0415
    from dataops_core.templates.loader import check_files  # noqa: PLC0415
    from dataops_core.templates.writing import as_yaml, new_template  # noqa: PLC0415

    with command("templates new"):
        if file.suffix not in _SUFFIXES:
            refuse(f"{file} must end in .yaml or .yml: a folder of templates is read by that.")
        if type_ is None and from_ is None:
            refuse("Say what its records are (--type confluence_pages), or what to begin with (--from).")
        source = find(from_).template if from_ else None
        template = new_template(
            own_catalog(),
            uuid4(),
            dataset_type=type_ or (source.dataset_type if source else ""),
            industry=industry,
            use_case=use_case,
            name=name,
            source=source,
        )
        _write_new(file, as_yaml(template))
        if problems := check_files([file]).problems:
            file.unlink()
            refuse("; ".join(f"{problem.field} {problem.text}" for problem in problems))
        shown = Output(output, quiet=quiet)
        told = {"file": str(file), **template.model_dump(mode="json", include=set(_TOLD))}
        shown.one(told, key="template_id")
        shown.say(f"Change words and counts, then look at it: `dataops templates preview {file}`")


_TOLD = ("template_id", "name", "dataset_type", "industry", "use_case", "record_counts")


def validate(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE|FOLDER…", help="Templates, or folders of such.", show_default=False)
    ],
    *,
    output: FormOption = Form.TABLE,
) -> None:
    """Say what is wrong with files, each with file, line, field and what to do; exit status 1 where anything is."""
    from dataops_core.templates.loader import check_files  # noqa: PLC0415

    with command("templates validate"):
        checked = check_files(paths)
        _show_problems(checked.problems, output)
        if checked.problems:
            raise typer.Exit(_DIFFERENT)
        if output is Form.TABLE:
            for template, file in checked.templates:
                typer.echo(f"{file}: fine: {template.name}, {template.dataset_type}, version {template.version}")
            for vocabulary, file in checked.vocabularies:
                typer.echo(f"{file}: fine: the vocabulary of {vocabulary.industry}")


def preview(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help=_MEANT, show_default=False)],
    *,
    records: Annotated[int, typer.Option(min=1, max=100, help="So many records, from all over the dataset.")] = 3,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page to look at.")] = None,
    output: FormOption = Form.TABLE,
) -> None:
    """Show records that a template makes, and what they say of it: counts, sizes, quotas, quality, words.

    No server is asked. Exit status 1 where the records would not pass the checks of a dataset.
    """
    from dataops_cli.authoring import page, screen  # noqa: PLC0415
    from dataops_core import previewing  # noqa: PLC0415

    with command("templates preview"):
        found = _found(template, output)
        seen = previewing.preview(found.template, found.vocabulary, records=records)
        if html is not None:
            _write_page(html, page.render(seen))
        shown = Output(output)
        if output is Form.TABLE:
            screen.show(seen)
            if html is not None:
                shown.say(f"The page: {html.resolve().as_uri()}")
        elif output is Form.JSON:
            shown.one(
                {
                    "template": seen.template.model_dump(mode="json"),
                    "findings": [asdict(finding) for finding in seen.findings],
                    "records": [sample.record for sample in seen.records],
                }
            )
        else:
            shown.rows([sample.record for sample in seen.records], {}, key="id")
        if any(finding.level is previewing.Level.WRONG for finding in seen.findings):
            raise typer.Exit(_DIFFERENT)


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_MEANT, show_default=False)],
    after: Annotated[str, typer.Argument(metavar="B", help="The same.", show_default=False)],
    *,
    output: FormOption = Form.TABLE,
) -> None:
    """Compare two templates field by field, and records that they make; exit status 1 where they differ.

    It says of each difference what it does, and whether the second one needs a higher version as a change of the first.
    """
    from dataops_core.templates.comparing import differences, version_problem  # noqa: PLC0415

    with command("templates diff"):
        old, new_ = _found(before, output), _found(after, output)
        found = differences(old.template, new_.template)
        problem = version_problem(old.template, new_.template, found)
        if output is Form.NDJSON:
            Output(output).rows([asdict(one) for one in found], {}, key="field")
        elif output is Form.JSON:
            told = {
                "differences": [asdict(one) for one in found],
                "records_compared": _compared(old, new_),
                "records_that_differ": _differing(old, new_),
                "version_problem": problem,
            }
            Output(output).one(told)
        elif found:
            for sign, one in (("---", old), ("+++", new_)):
                typer.echo(f"{sign} {one.source}: {one.template.name}, version {one.template.version}")
            for difference in found:
                _show_difference(difference)
            one_id = old.template.template_id == new_.template.template_id
            typer.echo(f"\n{_records_told(_differing(old, new_), _compared(old, new_), one_id=one_id)}")
            if problem:
                typer.echo(f"As a change of the first: {problem}.")
        if found:
            raise typer.Exit(_DIFFERENT)


def _found(named: str, form: Form) -> "Found":
    """The template that is meant; a file's problems are shown as ``validate`` shows them."""
    from dataops_cli.authoring.finding import FaultyError, find  # noqa: PLC0415

    try:
        return find(named)
    except FaultyError as error:
        _show_problems(error.problems, form)
        raise typer.Exit(2) from None


def _show_problems(problems: "tuple[Problem, ...]", form: Form) -> None:
    if form is Form.TABLE:
        for problem in problems:
            typer.echo(str(problem))
        return
    told = [{"file": one.file, "line": one.line, "field": one.field, "problem": one.text} for one in problems]
    Output(form).rows(told, _PROBLEMS, key="file")


def _show_difference(difference: "Difference") -> None:
    old, new_ = difference.before, difference.after
    typer.secho(f"\n{difference.field}  ({_EFFECTS[difference.effect]})", bold=True)
    if old == new_:
        typer.echo("  the same in another order")
    for sign, value, colour in (("-", old, typer.colors.RED), ("+", new_, typer.colors.GREEN)):
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            typer.secho(f"  {sign} {text(one)}", fg=colour)


def _differing(old: "Found", new_: "Found") -> int | None:
    """How many of the first records differ, with one id for both; None where they are of different types."""
    from dataops_core.previewing import records_that_differ, sample_spec  # noqa: PLC0415

    count = _compared(old, new_)
    if old.template.dataset_type != new_.template.dataset_type:
        return None
    # An id of its own makes every record another, which would say nothing of the rest.
    after = new_.template.model_copy(update={"template_id": old.template.template_id})
    return records_that_differ(
        sample_spec(old.template, old.vocabulary, count), sample_spec(after, new_.vocabulary, count)
    )


def _compared(old: "Found", new_: "Found") -> int:
    from dataops_core.previewing import measured  # noqa: PLC0415

    return min(measured(one.template, COMPARED) for one in (old, new_))


def _records_told(differing: int | None, compared: int, *, one_id: bool) -> str:
    if differing is None:
        return "Their records are of different types."
    if differing:
        said = f"of the first {compared} records of a dataset, {differing} are other ones."
    else:
        said = f"the first {compared} records of a dataset are the same, byte by byte."
    return said.capitalize() if one_id else f"An id of its own makes every record another. With one id, {said}"


def _write_new(file: Path, content: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(f"The folder {file.parent} cannot be made: {error.strerror}.")
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(content)
    except FileExistsError:
        refuse(f"{file} is there already: give another name, or remove it.")
    except OSError as error:
        refuse(f"{file} cannot be written: {error.strerror}.")


def _write_page(file: Path, content: str) -> None:
    try:
        if file.exists() and not file.read_bytes().startswith(content[:15].encode()):
            refuse(f"{file} is there and no page: give another name.")
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        refuse(f"{file} cannot be written: {error.strerror}.")


def register(app: typer.Typer) -> None:
    """Adds the commands to ``dataops templates``."""
    example: dict[str, Any] = {
        "new": (new, "Example: dataops templates new pets.yaml --type confluence_pages --industry retail"),
        "validate": (validate, "Example: dataops templates validate ~/my-templates"),
        "preview": (preview, "Example: dataops templates preview pets.yaml --records 5 --html pets.html"),
        "diff": (diff, 'Example: dataops templates diff "Retail Customer Support - Confluence" pets.yaml'),
    }
    for name, (function, epilog) in example.items():
        app.command(name, epilog=epilog)(function)
