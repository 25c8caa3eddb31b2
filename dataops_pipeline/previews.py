"""What a person sees of a materialization: a small table, a small plot. Pure functions of what a step returned.

Previews show few records, all of them fictional, and no secret.
"""

import base64
from collections.abc import Sequence
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from dagster import MarkdownMetadataValue, MetadataValue, TableColumn, TableMetadataValue, TableRecord, TableSchema

#: A column that says more than this in one cell is text to be searched, not to be shown in a table.
_CELL = 90
_COLUMNS = 8

_WIDTH, _HEIGHT, _GAP = 480, 110, 2


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


def per_month(created: pa.ChunkedArray) -> list[tuple[date, int]]:
    """How many of the times (timestamps or ISO 8601) lie in each month, empty months between the first and last too."""
    texts = pc.utf8_slice_codeunits(pc.cast(created.drop_null(), pa.string()), 0, 7)
    found = {date.fromisoformat(f"{entry['values']}-01"): entry["counts"] for entry in texts.value_counts().to_pylist()}
    if not found:
        return []
    month, last, counts = min(found), max(found), []
    while month <= last:
        counts.append((month, found.get(month, 0)))
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return counts


def months_plot(counts: Sequence[tuple[date, int]]) -> MarkdownMetadataValue:
    """Records per month as a bar chart: an image within the text, so that nothing is fetched to show it."""
    if not counts:
        return MetadataValue.md("No times to plot.")
    most = max(count for _, count in counts)
    step = _WIDTH / len(counts)
    bars = "".join(
        f'<rect x="{number * step:.1f}" y="{_HEIGHT - _HEIGHT * count / most:.1f}" '
        f'width="{max(1.0, step - _GAP):.1f}" height="{_HEIGHT * count / most:.1f}" fill="#4F43DD">'
        f"<title>{month:%Y-%m}: {count}</title></rect>"
        for number, (month, count) in enumerate(counts)
    )
    first, last = f"{counts[0][0]:%Y-%m}", f"{counts[-1][0]:%Y-%m}"
    label = 'font-family="sans-serif" font-size="11" fill="#808080"'
    caption = f"records per month, at most {most}"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT + 18}">{bars}'
        f'<text x="0" y="{_HEIGHT + 14}" {label}>{first}</text>'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT + 14}" text-anchor="middle" {label}>{caption}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 14}" text-anchor="end" {label}>{last}</text></svg>'
    )
    return MetadataValue.md(
        f"![Records per month](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
    )
