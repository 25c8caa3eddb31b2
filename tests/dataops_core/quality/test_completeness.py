"""Completeness counts what is really there: a placeholder is no value, a missing record no record (C-61, C-62)."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from dataops_core.dataset_types.base import DatasetType
from dataops_core.lifecycle import CheckStatus
from dataops_core.quality.completeness import PLACEHOLDERS, check_completeness, populated_mask

Replace = Callable[[pa.Table, str, Mapping[int, Any]], pa.Table]
Lacking = Callable[[int], pa.Table]


@pytest.fixture(scope="module")
def table(pages: Callable[..., pa.Table]) -> pa.Table:
    return pages(500, body_bytes=400)


@pytest.fixture
def lacking(table: pa.Table, replaced: Replace) -> Lacking:
    """The table with so many records that lack a summary."""
    return lambda count: replaced(table, "summary", dict.fromkeys(range(count)))


def test_all_records_are_fully_populated(table: pa.Table, page_type: DatasetType) -> None:
    """C-61."""
    result = check_completeness(table, page_type, requested=500)
    assert result.status is CheckStatus.PASSED
    assert result.score == Decimal("100.00")
    assert result.details == "500/500 records fully populated (100%)"
    assert result.metrics["weakest_field"] is None
    assert result.metrics["cell_completeness"] == 100.0


def test_incomplete_records_lower_the_score(page_type: DatasetType, lacking: Lacking) -> None:
    """C-61: the reference's sentence, to the letter."""
    planned = {"incomplete": 10, "near_duplicate": 5}
    result = check_completeness(lacking(10), page_type, requested=500, incomplete_planned=10, defects_planned=planned)
    assert result.metrics["defects_planned"] == planned
    assert result.status is CheckStatus.PASSED
    assert result.score == Decimal("98.00")
    assert result.details == "490/500 records fully populated (98%)"
    assert result.metrics["weakest_field"] == "summary"
    assert result.metrics["fields"]["summary"] == {"applicable": 500, "populated": 490, "percent": 98.0}
    assert (result.metrics["incomplete"], result.metrics["incomplete_unexplained"]) == (10, 0)


def test_defects_beyond_the_plan_are_named(page_type: DatasetType, lacking: Lacking) -> None:
    result = check_completeness(lacking(12), page_type, requested=500, incomplete_planned=10)
    assert result.details == "488/500 records fully populated (97.6%)"
    assert result.metrics["incomplete_unexplained"] == 2


@pytest.mark.parametrize(
    ("incomplete", "present", "shown"),
    [
        (1, 300, "299/300 records fully populated (99.66%)"),  # 99.666…
        (1, 499, "498/499 records fully populated (99.79%)"),  # 99.799…
        (10, 400, "390/400 records fully populated (97.5%)"),
        (3, 50, "47/50 records fully populated (94%)"),
    ],
)
def test_the_percentage_is_rounded_down_and_shown_without_needless_decimals(
    page_type: DatasetType, lacking: Lacking, incomplete: int, present: int, shown: str
) -> None:
    """C-61."""
    result = check_completeness(lacking(incomplete).slice(0, present), page_type, requested=present)
    assert result.details == shown


def test_more_than_95_per_cent_pass_and_95_do_not(page_type: DatasetType, lacking: Lacking) -> None:
    """C-62."""
    at = check_completeness(lacking(25), page_type, requested=500)
    above = check_completeness(lacking(24), page_type, requested=500)
    assert (at.score, at.status) == (Decimal("95.00"), CheckStatus.FAILED)
    assert (above.score, above.status) == (Decimal("95.20"), CheckStatus.PASSED)


def test_one_missing_record_fails_though_the_score_is_high(table: pa.Table, page_type: DatasetType) -> None:
    """C-62: no fewer records than asked for."""
    result = check_completeness(table.slice(0, 499), page_type, requested=500)
    assert (result.score, result.status) == (Decimal("99.80"), CheckStatus.FAILED)


def test_missing_records_do_not_raise_the_score(page_type: DatasetType, lacking: Lacking) -> None:
    result = check_completeness(lacking(10).slice(10), page_type, requested=500)
    assert result.details == "490/500 records fully populated (98%)"
    assert result.status is CheckStatus.FAILED


def test_more_records_than_asked_for_count_in_the_denominator(page_type: DatasetType, lacking: Lacking) -> None:
    result = check_completeness(lacking(10), page_type, requested=400)
    assert result.details == "490/500 records fully populated (98%)"
    assert result.status is CheckStatus.PASSED


def test_no_record_at_all_does_not_pass(table: pa.Table, page_type: DatasetType) -> None:
    result = check_completeness(table.slice(0, 0), page_type, requested=500)
    assert (result.score, result.status) == (Decimal("0.00"), CheckStatus.FAILED)
    assert result.details == "0/500 records fully populated (0%)"


def test_a_missing_column_has_no_value_in_any_record(table: pa.Table, page_type: DatasetType) -> None:
    result = check_completeness(table.drop_columns(["summary"]), page_type, requested=500)
    assert result.details == "0/500 records fully populated (0%)"
    assert result.metrics["weakest_field"] == "summary"


def test_a_field_counts_only_where_its_condition_holds(
    table: pa.Table, page_type: DatasetType, replaced: Replace
) -> None:
    """``resolved`` applies to pages that are done."""
    statuses = table.column("status").to_pylist()
    done, still_open = statuses.index("done"), statuses.index("open")
    result = check_completeness(replaced(table, "resolved", {done: None, still_open: None}), page_type, requested=500)
    assert result.details == "499/500 records fully populated (99.8%)"
    assert result.metrics["fields"]["resolved"]["applicable"] == statuses.count("done")


def test_a_condition_on_a_missing_column_is_judged_as_null(table: pa.Table, page_type: DatasetType) -> None:
    result = check_completeness(table.drop_columns(["status"]), page_type, requested=500)
    assert result.metrics["fields"]["resolved"]["applicable"] == 0


@pytest.mark.parametrize(
    "value", [*PLACEHOLDERS, "", " ", "\n\t ", "\u00a0", "\u200b", "N/A", " Tbd ", "NULL", "  -  "]
)
def test_what_says_nothing_is_no_value(value: str) -> None:
    assert populated_mask(pa.chunked_array([[value]])).tolist() == [False]


@pytest.mark.parametrize(
    "value",
    [
        f"{' ' * 40}",
        f"N/A{' ' * 40}",
        f"{' ' * 40}tbd",
        f"null{chr(10) * 60}",
        f"nil{chr(0x1F) * 40}",
        f"{chr(0x2003) * 20}tbd{chr(0x2003) * 20}",
        f"-{chr(0x200B) * 20}",
    ],
)
def test_length_hides_nothing(value: str) -> None:
    """Only short texts and those with white space at an end are looked at; these are long."""
    assert populated_mask(pa.chunked_array([[value]])).tolist() == [False]


@pytest.mark.parametrize("value", ["0", "no", "Nonesuch", "a-b", " text ", "N/A since May", "…and more", "é"])
def test_what_says_something_is_a_value(value: str) -> None:
    assert populated_mask(pa.chunked_array([[value]])).tolist() == [True]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.chunked_array([[0, 1, None]]), [True, True, False]),
        (pa.chunked_array([[False, True, None]]), [True, True, False]),
        (pa.chunked_array([[0.0, float("nan"), None]]), [True, False, False]),
        (pa.chunked_array([[["a"], [], None, [None]]]), [True, False, False, False]),
        (pa.chunked_array([[["", "N/A"], ["", "b"]]]), [False, True]),
        (pa.chunked_array([[[{"n": 1}], [], [None]]]), [True, False, False]),
        (pa.chunked_array([pa.array(["x", None, "tbd"]).dictionary_encode()]), [True, False, False]),
        (pa.chunked_array([pa.array(["x", " "], pa.large_string())]), [True, False]),
        (pa.chunked_array([["a", "b", None], ["", "c"]]).slice(1, 3), [True, False, False]),
        (pa.chunked_array([[["a"], ["b"], [], ["c"]]]).slice(1, 3), [True, False, True]),
        (pa.chunked_array([pa.nulls(2)]), [False, False]),
        (pa.chunked_array([], pa.string()), []),
    ],
)  # fmt: skip
def test_every_type_of_column_has_its_rule(column: pa.ChunkedArray, expected: list[bool]) -> None:
    assert populated_mask(column).tolist() == expected
