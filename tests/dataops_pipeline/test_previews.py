"""What a person sees of a materialization."""

import base64
from datetime import UTC, date, datetime

import pyarrow as pa

from dataops_pipeline.previews import months_plot, per_month, sample_table


def test_the_sample_shows_short_columns_of_the_record_and_no_side_column() -> None:
    sample = pa.table(
        {
            "id": ["1", "2"],
            "title": ["Settlement batches", None],
            "body": ["long " * 100, "text"],
            "labels": [["runbook", "payments"], []],
            "createdAt": [datetime(2026, 1, 5, 10, 30, tzinfo=UTC)] * 2,
            "nothing": pa.nulls(2, pa.string()),
            "_text": ["searched", "text"],
        }
    )
    table = sample_table(sample)
    assert [column.name for column in table.schema.columns] == ["id", "title", "labels", "createdAt"]
    assert table.records[0].data == {
        "id": "1",
        "title": "Settlement batches",
        "labels": "runbook, payments",
        "createdAt": "2026-01-05T10:30:00+00:00",
    }
    assert table.records[1].data["title"] == ""


def test_a_wide_record_shows_eight_columns() -> None:
    sample = pa.table({f"column_{number}": ["value"] for number in range(20)})
    assert len(sample_table(sample).schema.columns) == 8


def test_months_without_records_are_counted_as_none() -> None:
    days = ((2025, 11, 30), (2026, 2, 1), (2026, 2, 28))
    moments = [*(datetime(*day, 23, 59, tzinfo=UTC) for day in days), None]
    assert per_month(pa.chunked_array([pa.array(moments)])) == [
        (date(2025, 11, 1), 1),
        (date(2025, 12, 1), 0),
        (date(2026, 1, 1), 0),
        (date(2026, 2, 1), 2),
    ]
    assert per_month(pa.chunked_array([pa.array(["2025-11-30T08:00:00.000Z"])])) == [(date(2025, 11, 1), 1)]
    assert per_month(pa.chunked_array([], pa.string())) == []


def test_the_plot_is_an_image_within_the_text_with_a_bar_per_month() -> None:
    plot = months_plot([(date(2026, 1, 1), 4), (date(2026, 2, 1), 8)])
    assert plot.md_str is not None
    prefix, _, encoded = plot.md_str.partition("base64,")
    assert prefix == "![Records per month](data:image/svg+xml;"
    svg = base64.b64decode(encoded.rstrip(")")).decode()
    assert svg.count("<rect") == 2
    assert "2026-02: 8" in svg
    assert months_plot([]).md_str == "No times to plot."
