"""What a person sees of a materialization: a small table, small plots. Pure functions of what a step returned.

Previews show few records, all of them fictional, and no secret.
"""

import base64
import re
from datetime import datetime

import pyarrow as pa
from dagster import MarkdownMetadataValue, MetadataValue, TableColumn, TableMetadataValue, TableRecord, TableSchema

from dataops_core.figures.counting import Figures
from dataops_core.figures.drawing import Picture, pictures

#: A column that says more than this in one cell is text to be searched, not to be shown in a table.
_CELL = 90
_COLUMNS = 8
#: What would end or change the words that stand for an image.
_MARKDOWN = re.compile(r"[\[\]\\`*<>\n]+")


def sample_table(sample: pa.Table) -> TableMetadataValue:
    """The rows as a table: columns of the record whose values are short, at most eight."""
    rows = sample.to_pylist()
    shown = [
        name
        for name in sample.column_names
        if not name.startswith("_") and rows and all(len(_cell(row[name])) <= _CELL for row in rows)
    ]
    shown = [name for name in shown if any(_cell(row[name]) for row in rows)][:_COLUMNS]
    return MetadataValue.table(
        records=[TableRecord({name: _cell(row[name]) for name in shown}) for row in rows],
        schema=TableSchema(columns=[TableColumn(name, "string") for name in shown]),
    )


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


def plots(figures: Figures) -> dict[str, MarkdownMetadataValue]:
    """The pictures of a dataset, each by its name: images within the text, so that nothing is fetched to show them."""
    return {name: _image(picture) for name, picture in pictures(figures).items()}


def _image(picture: Picture) -> MarkdownMetadataValue:
    encoded = base64.b64encode(picture.svg.encode()).decode()
    words = _MARKDOWN.sub(" ", picture.alt)
    return MetadataValue.md(f"![{words}](data:image/svg+xml;base64,{encoded})")
