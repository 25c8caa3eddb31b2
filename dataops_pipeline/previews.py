"""What a person sees of a materialization: a small table, small plots. Pure functions of what a step returned.

Previews show few records, all of them fictional, and no secret.
"""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from dagster import MarkdownMetadataValue, MetadataValue, TableColumn, TableMetadataValue, TableRecord, TableSchema

from dataops_core.connectors.embedded.text import plain_text
from dataops_core.dataset_types.base import DatasetType
from dataops_core.figures.counting import Figures
from dataops_core.figures.drawing import Picture, completeness_picture, pictures

#: How much of a record's text a cell shows.
_BEGINS = 90
#: What would end or change the words that stand for an image.
_MARKDOWN = re.compile(r"[\[\]\\`*<>\n]+")


def sample_table(sample: pa.Table, dataset_type: DatasetType) -> TableMetadataValue:
    """The rows as a table of what every type has: a title, a kind, an author, a day, and how the text begins."""
    records = []
    for row in sample.to_pylist():
        document = dataset_type.document(row)
        text = " ".join(plain_text(document.body[: 20 * _BEGINS], document.mime_type).split())
        records.append(
            TableRecord(
                {
                    "title": document.title,
                    "kind": row["_archetype"],
                    "author": document.author_name or "",
                    "created": f"{datetime.fromtimestamp(document.created_at, UTC):%Y-%m-%d}",
                    "begins": text if len(text) <= _BEGINS else f"{text[:_BEGINS]}…",
                }
            )
        )
    columns = ("title", "kind", "author", "created", "begins")
    return MetadataValue.table(
        records=records, schema=TableSchema(columns=[TableColumn(name, "string") for name in columns])
    )


def plots(figures: Figures) -> MarkdownMetadataValue:
    """The pictures of a dataset, one below the other: images within the text, so that nothing has to be fetched."""
    return MetadataValue.md("\n\n".join(_image(picture) for picture in pictures(figures).values()))


def completeness_plot(metrics: Mapping[str, Any]) -> MarkdownMetadataValue:
    """Which fields lack how many values, as the completeness check counted them."""
    return MetadataValue.md(_image(completeness_picture(metrics["fields"])))


def _image(picture: Picture) -> str:
    encoded = base64.b64encode(picture.svg.encode()).decode()
    words = _MARKDOWN.sub(" ", picture.alt)
    return f"#### {picture.title}\n\n![{words}](data:image/svg+xml;base64,{encoded})"
