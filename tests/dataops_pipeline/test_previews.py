"""What a person sees of a materialization."""

import base64
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from uuid import UUID
from xml.etree import ElementTree

import pyarrow as pa
import pytest

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


@pytest.mark.parametrize("name", list(DATASET_TYPES))
def test_the_sample_shows_of_every_type_what_a_reader_asks_first(name: str) -> None:
    kind, sample = DATASET_TYPES[name], _records(name).slice(30, 5)  # beyond the first pages of spaces
    table = sample_table(sample, kind)
    assert [column.name for column in table.schema.columns] == ["title", "kind", "author", "created", "begins"]
    assert len(table.records) == 5
    for shown, row in zip(table.records, sample.to_pylist(), strict=True):
        document = kind.document(row)
        assert (shown.data["title"], shown.data["author"]) == (document.title, document.author_name)
        assert shown.data["created"] == str(datetime.fromtimestamp(document.created_at, UTC).date())
        # A space's first page is of no kind that templates weigh.
        assert shown.data["kind"] in {*kind.archetypes, "space_home"}
        assert 20 < len(str(shown.data["begins"])) <= 91
        assert "<" not in str(shown.data["begins"])


def test_a_plot_is_an_image_within_the_text_with_words_for_those_who_do_not_see_it() -> None:
    kind = DATASET_TYPES["confluence_pages"]
    table = _records(kind.name)
    figures = Figures.of(kind, table.to_batches())
    shown, authors = plots(figures).md_str, figures.author_count
    assert shown is not None
    parts = shown.split("\n\n")
    titles = ["Records per month", f"Records of the busiest authors, of {authors}", "Length of a record's text"]
    assert parts[::2] == [f"#### {title}" for title in [*titles, "Records with a value, by field"]]
    for image in parts[1::2]:
        found = re.fullmatch(r"!\[([^\[\]]+)\]\(data:image/svg\+xml;base64,([^)]+)\)", image)
        assert found is not None
        words, encoded = found.groups()
        svg = ElementTree.fromstring(base64.b64decode(encoded))  # noqa: S314  our own
        assert svg.get("role") == "img"
        assert svg.get("aria-label") == words
        assert "http" not in base64.b64decode(encoded).decode().replace("http://www.w3.org/2000/svg", "")


def test_words_cannot_end_an_images_description() -> None:
    hostile = pa.table({"author": ["a](x) <b>"], "created": ["2026-01-02"], "title": ["t"]})
    toy = SimpleNamespace(created_column="created", author_column="author", completeness=(FieldRule("title"),))
    shown = plots(Figures.of(cast("DatasetType", toy), hostile.to_batches())).md_str
    assert shown is not None
    assert "![Records of the busiest authors, of 1: a (x)  b  1](data:" in shown
