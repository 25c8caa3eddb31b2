"""How answers are shown: a table for people, JSON or NDJSON for programs, ids alone when all else is noise.

Answers go to standard output, everything that is said about them to standard error. Does not belong here: asking.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel

#: Wide enough that nothing is cut where no terminal limits it.
_PIPE_WIDTH = 10_000
#: In a terminal, what is longer than this is folded, to not less than that.
_SHORT = 22
_FOLDED = 14
_BETWEEN = 2


class Form(StrEnum):
    """The forms of an answer."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"


FormOption = Annotated[Form, typer.Option("--output", "-o", help="A table, JSON, or one JSON object a line.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only ids, a line each; nothing about progress.")]


class Output:
    """Where a command's answer goes."""

    def __init__(self, form: Form = Form.TABLE, *, quiet: bool = False) -> None:
        self.form = form
        self.quiet = quiet

    def rows(self, items: Iterable["BaseModel | Mapping[str, Any]"], columns: Mapping[str, str], *, key: str) -> None:
        """A list. ``columns``: heading → dotted path in an item as the API has it; ``key``: the one that is its id.

        Two paths with a slash between them are one of the other, as 3/6.
        """
        told = (item if isinstance(item, Mapping) else wire(item) for item in items)
        if self.quiet:
            for item in told:
                typer.echo(item[key])
        elif self.form is Form.NDJSON:
            for item in told:
                typer.echo(json.dumps(item, ensure_ascii=False))
        elif self.form is Form.JSON:
            typer.echo(json.dumps(list(told), indent=2, ensure_ascii=False))
        elif cells := [[_cell(item, path) for path in columns.values()] for item in told]:
            self.table(list(columns), cells)
        else:
            self.say("Nothing found.")

    def one(self, item: "BaseModel | Mapping[str, Any]", *, key: str | None = None) -> None:
        """One thing, whole: a line for each member."""
        told = item if isinstance(item, Mapping) else wire(item)
        if self.quiet and key is not None:
            typer.echo(told[key])
        elif self.form is Form.TABLE:
            flat = dict(flattened(told))
            width = max((len(name) for name in flat), default=0)
            for name, value in flat.items():
                typer.echo(f"{name:<{width}}  {value}".rstrip())
        else:
            indent = 2 if self.form is Form.JSON else None
            typer.echo(json.dumps(told, indent=indent, ensure_ascii=False))

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table: as wide as it has to be, or as the terminal: ids are whole, and what has no room is left out."""
        from rich.console import Console  # noqa: PLC0415  a command starts only what it needs
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        console = Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH, no_color=True)
        table = Table(box=None, pad_edge=False, header_style="bold")
        longest = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
        folds = [most > _SHORT and not heading.endswith("ID") for heading, most in zip(headings, longest, strict=True)]
        least = [_FOLDED if fold else most for fold, most in zip(folds, longest, strict=True)]
        shown = fitting(least, console.width)
        for heading, fold, width in zip(headings[:shown], folds, least, strict=False):
            table.add_column(heading, overflow="fold", no_wrap=not fold, min_width=width)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row[:shown]))
        console.print(table)

    def say(self, sentence: str) -> None:
        """Something about what goes on, for people."""
        if not self.quiet:
            typer.echo(sentence, err=True)


def wire(item: "BaseModel") -> dict[str, Any]:
    """An answer as the API gave it, without the links."""
    told = item.model_dump(mode="json", by_alias=True)
    told.pop("_links", None)
    return told


def fitting(least: Sequence[int], width: int) -> int:
    """How many of the columns fit into so many characters, each at its least width; one at least."""
    ends = accumulate(least, lambda end, column: end + _BETWEEN + column)
    return max(1, sum(end <= width for end in ends))


def _cell(item: Mapping[str, Any], path: str) -> str:
    return "/".join(text(at(item, one)) for one in path.split("/"))


def at(item: Mapping[str, Any], path: str) -> Any:
    """What is at a dotted path, None where there is nothing."""
    found: Any = item
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def text(value: Any) -> str:
    """A value in a cell."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def flattened(value: Mapping[str, Any], above: str = "") -> Iterable[tuple[str, str]]:
    """Each member by its dotted path."""
    for name, member in value.items():
        if isinstance(member, Mapping) and member and name != "_links":
            yield from flattened(member, f"{above}{name}.")
        elif name != "_links":
            yield f"{above}{name}", text(member)
