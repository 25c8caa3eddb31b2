"""What a person sees of a materialization: a small table, a small plot. Pure functions of what a step returned.

Previews show few records, all of them fictional, and no secret.
"""

import base64
from collections.abc import Sequence
from datetime import date, datetime

import pyarrow as pa
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
    """How many of the times lie in each month, from the first to the last, months without any among them."""
    months = [datetime.fromisoformat(str(moment)).date().replace(day=1) for moment in created.to_pylist() if moment]
    if not months:
        return []
    month, last, counts = min(months), max(months), []
    while month <= last:
        counts.append((month, months.count(month)))
        month = (month.replace(day=28) + (date(2000, 1, 5) - date(2000, 1, 1))).replace(day=1)
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
