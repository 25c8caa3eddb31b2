"""What a person sees of a materialization."""

import base64
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from uuid import UUID
from xml.etree import ElementTree

import pyarrow as pa

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import DatasetType, FieldRule, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.figures.counting import Figures
from dataops_core.lifecycle import Stage
from dataops_core.templates.loader import load_catalog
from dataops_pipeline.previews import plots, sample_table


def _records(name: str) -> pa.Table:
    catalog = load_catalog()
    template = catalog.for_type(name)[0]
    vocabulary = catalog.vocabulary(template.industry)
    spec = GenerationSpec(template, vocabulary, build_company(UUID(int=1)), Stage.SANDBOX, 1, 60)
    return pa.Table.from_batches([DATASET_TYPES[name].builder(spec).rows(0, 60)])


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


def test_a_plot_is_an_image_within_the_text_with_words_for_those_who_do_not_see_it() -> None:
    kind = DATASET_TYPES["confluence_pages"]
    table = _records(kind.name)
    shown = plots(Figures.of(kind, table.to_batches()))
    assert list(shown) == ["created", "authors", "lengths", "completeness"]
    for plot in shown.values():
        assert plot.md_str is not None
        found = re.fullmatch(r"!\[([^\[\]]+)\]\(data:image/svg\+xml;base64,([^)]+)\)", plot.md_str)
        assert found is not None
        words, encoded = found.groups()
        svg = ElementTree.fromstring(base64.b64decode(encoded))  # noqa: S314  our own
        assert svg.get("role") == "img"
        assert svg.get("aria-label") == words
        assert "http" not in base64.b64decode(encoded).decode().replace("http://www.w3.org/2000/svg", "")


def test_words_cannot_end_an_images_description() -> None:
    hostile = pa.table({"author": ["a](x) <b>"], "created": ["2026-01-02"], "title": ["t"]})
    toy = SimpleNamespace(created_column="created", author_column="author", completeness=(FieldRule("title"),))
    plot = plots(Figures.of(cast("DatasetType", toy), hostile.to_batches()))["authors"]
    assert plot.md_str is not None
    assert plot.md_str.startswith("![Records of the busiest authors, of 1: a (x)  b  1](data:")
