"""What the pictures of a dataset show: counted by batches, drawn as bars, said in words."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from statistics import mean
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from dataops_core.company.build import build_company
from dataops_core.dataset_types.base import DatasetType, FieldRule, GenerationSpec
from dataops_core.dataset_types.known import DATASET_TYPES
from dataops_core.figures.counting import Figures, filled, text_bytes
from dataops_core.figures.drawing import (
    authors_picture,
    completeness_picture,
    fields_picture,
    months_picture,
    pictures,
    sizes_picture,
)
from dataops_core.lifecycle import Stage
from dataops_core.quality.completeness import check_completeness
from dataops_core.templates.loader import load_catalog

SVG = "{http://www.w3.org/2000/svg}"


class Toy:
    """As much of a dataset type as figures need."""

    created_column = "created"
    author_column = "owners.name"
    completeness = (
        FieldRule("title"),
        FieldRule("labels"),
        FieldRule("due", applies=lambda frame: frame["due"].notna()),
    )


def toy(*rows: dict[str, Any]) -> Figures:
    schema = pa.schema(
        {
            "created": pa.string(),
            "title": pa.string(),
            "labels": pa.list_(pa.string()),
            "owners": pa.list_(pa.struct({"name": pa.string()})),
            "due": pa.int64(),
        }
    )
    table = pa.Table.from_pylist(list(rows), schema)
    return Figures.of(Toy(), table.to_batches(max_chunksize=2))  # type: ignore[arg-type]


def row(created: str | None, name: str | None, **fields: Any) -> dict[str, Any]:
    return {"created": created, "owners": [{"name": name}], "title": "title", "labels": ["a"], "due": 1} | fields


@pytest.fixture(scope="module")
def made() -> Callable[[str], pa.Table]:
    def table(name: str) -> pa.Table:
        catalog = load_catalog()
        template = catalog.for_type(name)[0]
        vocabulary = catalog.vocabulary(template.industry)
        spec = GenerationSpec(template, vocabulary, build_company(UUID(int=1)), Stage.SANDBOX, 1, 300)
        return pa.Table.from_batches([DATASET_TYPES[name].builder(spec).rows(0, 300)])

    return table


def test_months_without_records_are_counted_as_none() -> None:
    figures = toy(row("2025-11-30T23:59:00Z", "x"), row("2026-02-01", "x"), row("2026-02-28", "x"), row(None, "x"))
    expected = [(date(2025, 11, 1), 1), (date(2025, 12, 1), 0), (date(2026, 1, 1), 0), (date(2026, 2, 1), 2)]
    assert figures.months() == expected
    assert toy().months() == []


def test_authors_are_counted_over_all_batches_the_busiest_first() -> None:
    figures = toy(*(row("2026-01-01", name) for name in ("Bo", "Al", "Cy", "Cy", None, "Al", "Cy")))
    assert figures.authors() == [("Cy", 3), ("Al", 2), ("Bo", 1)]
    assert figures.authors(2) == [("Cy", 3), ("Al", 2)]
    assert figures.author_count == 3


def test_a_value_is_one_that_is_not_null_and_not_empty() -> None:
    figures = toy(
        row("2026-01-01", "x"),
        row("2026-01-01", "x", title="", labels=[]),
        row("2026-01-01", "x", title=None, labels=None, due=None),
    )
    assert figures.fields() == [("title", 1, True), ("labels", 1, True), ("due", 2, False)]


def test_text_is_counted_in_lists_and_objects_in_bytes_of_any_part_of_a_column() -> None:
    nested = pa.array([[{"said": "äb", "number": 1}, {"said": "c", "number": 2}], [], None, [{"said": "dd"}], [{}]])
    assert text_bytes(nested).tolist() == [4, 0, 0, 2, 0]
    assert text_bytes(nested.slice(3)).tolist() == [2, 0]
    texts = pa.array(["one", None, "", "three"])
    assert text_bytes(texts.slice(1)).tolist() == [0, 0, 5]
    assert (filled(texts), filled(texts.slice(3)), filled(nested)) == (2, 1, 3)
    assert text_bytes(pa.array([1, None])).tolist() == [0, 0]


def test_sizes_are_steps_of_one_ratio_that_hold_every_record() -> None:
    figures = toy(*(row("2026-01-01", "x", title="t" * size) for size in (40, 80, 160, 320, 640, 40_000)))
    steps = figures.sizes(most=6)
    assert len(steps) <= 6
    assert sum(count for _, count in steps) == 6
    starts = [start for start, _ in steps]
    assert starts == sorted(starts)
    assert starts[0] <= 40 + 13 < starts[1]


@pytest.mark.parametrize("name", list(DATASET_TYPES))
def test_what_is_counted_of_every_type_is_what_its_records_say(name: str, made: Callable[[str], pa.Table]) -> None:
    kind, table = DATASET_TYPES[name], made(name)
    rows = table.to_pylist()
    figures = Figures.of(kind, table.to_batches(max_chunksize=128))
    documents = [kind.document(one) for one in rows]
    assert figures.count == 300
    assert dict(figures.authors(1000)) == Counter(one.author_name for one in documents)
    assert sum(count for _, count in figures.months()) == 300
    text = mean(sum(map(_bytes, one.values())) for one in rows)
    assert figures.mean_bytes == round(text)
    checked = check_completeness(table, kind, requested=300).metrics["fields"]
    for field, count, always in figures.fields():
        assert count == checked[field]["populated"] if always else count >= checked[field]["populated"]


def _bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, dict):
        return sum(map(_bytes, value.values()))
    return sum(map(_bytes, value)) if isinstance(value, list) else 0


def test_a_picture_has_a_bar_for_each_count_and_says_the_same_in_words() -> None:
    months = months_picture([(date(2026, 1, 1), 4), (date(2026, 2, 1), 8)])
    assert months.alt == "Records per month: from 2026-01 to 2026-02, at most 8 in 2026-02"
    assert _labels(months.svg) == ["2026-01: 4", "2026-02: 8"]
    authors = authors_picture([("Ann <b> & Co", 3), ("Bo", 1)], 17)
    assert _labels(authors.svg) == ["Ann <b> & Co: 3", "Bo: 1"]
    assert authors.alt == "Records of the busiest authors, of 17: Ann <b> & Co 3, Bo 1"
    sizes = sizes_picture([(900, 2), (2048, 5)], 1536)
    assert sizes.alt == "Length of a record's text: from 900 B to 2 KiB, mean 1.5 KiB"


def test_fields_that_lack_something_come_first_and_are_never_rounded_to_whole() -> None:
    fields = [("full", 3000, True), ("some", 600, False), ("nearly", 2999, True), ("less", 2900, True)]
    picture = fields_picture(fields, 3000)
    assert _labels(picture.svg) == ["less: 96.6 %", "nearly: 99.9 %", "some: 20 %, conditional"]
    assert picture.alt.endswith("1 fields have a value in each of 3,000 records")
    many = fields_picture([(f"field {number}", number, True) for number in range(20)], 20)
    assert len(_labels(many.svg)) == 12
    assert "8 more lack some" in many.alt


def test_of_fields_that_should_have_values_those_that_lack_some_are_shown() -> None:
    counted = {
        "full": {"applicable": 20, "populated": 20},
        "due": {"applicable": 5, "populated": 4},
        "title": {"applicable": 2000, "populated": 1999},
        "nowhere": {"applicable": 0, "populated": 0},
    }
    picture = completeness_picture(counted)
    assert _labels(picture.svg) == ["due: 4 of 5", "title: 1,999 of 2,000"]
    assert picture.alt.endswith("due 4 of 5, title 1,999 of 2,000, 2 fields lack none")
    assert _labels(completeness_picture({"full": counted["full"]}).svg) == []


def test_without_records_there_is_a_sentence(made: Callable[[str], pa.Table]) -> None:
    kind: DatasetType = DATASET_TYPES["slack_messages"]
    for picture in pictures(Figures.of(kind, made(kind.name).slice(0, 0).to_batches())).values():
        assert picture.alt == f"{picture.title}: there are no records"
        assert _labels(picture.svg) == []


def _labels(svg: str) -> list[str]:
    """What each bar says when it is pointed at; fails where the picture is not well-formed."""
    bars = ElementTree.fromstring(svg).iter(f"{SVG}rect")  # noqa: S314  our own
    return [str(bar.findtext(f"{SVG}title")) for bar in bars]
