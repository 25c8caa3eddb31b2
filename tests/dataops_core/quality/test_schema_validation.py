"""Schema validation counts valid records exactly, whatever is wrong with the others (C-61, C-62)."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pandera.pandas as pandera
import pyarrow as pa
import pytest

from dataops_core.dataset_types.base import DatasetType
from dataops_core.lifecycle import CheckStatus
from dataops_core.quality.schema_validation import SAMPLE_ROWS, check_schema

Replace = Callable[[pa.Table, str, Mapping[int, Any]], pa.Table]


@pytest.fixture(scope="module")
def table(pages: Callable[..., pa.Table]) -> pa.Table:
    return pages(500, body_bytes=400)


def test_all_records_match(table: pa.Table, page_type: DatasetType) -> None:
    """C-61."""
    result = check_schema(table, page_type)
    assert result.status is CheckStatus.PASSED
    assert result.score == Decimal("100.00")
    assert result.details == "All 500 records match schema"
    assert result.metrics == {"records": 500, "valid": 500, "failing_columns": {}, "failures": []}


def test_records_that_break_a_rule_are_counted(table: pa.Table, page_type: DatasetType, replaced: Replace) -> None:
    """C-61."""
    result = check_schema(replaced(table, "status", {3: "lost", 4: "lost", 400: "?"}), page_type)
    assert result.status is CheckStatus.FAILED
    assert result.score == Decimal("99.40")
    assert result.details == "497/500 records match schema"
    assert result.metrics["failing_columns"] == {"status": 3}
    [failure] = result.metrics["failures"]
    assert (failure["column"], failure["records"], failure["rows"]) == ("status", 3, [3, 4, 400])


def test_a_record_with_two_faults_is_one_invalid_record(
    table: pa.Table, page_type: DatasetType, replaced: Replace
) -> None:
    broken = replaced(replaced(table, "status", {7: "lost"}), "version", {7: 0, 8: 0})
    result = check_schema(broken, page_type)
    assert result.details == "498/500 records match schema"
    assert result.metrics["failing_columns"] == {"version": 2, "status": 1}


def test_the_count_is_exact_beyond_the_cap_and_contents_stay_out(
    table: pa.Table, page_type: DatasetType, replaced: Replace
) -> None:
    """pandera's report would hold every failing value; ours holds names and a few row numbers."""
    secret = "lost " * 5000
    result = check_schema(replaced(table, "status", dict.fromkeys(range(450), secret)), page_type)
    assert result.details == "50/500 records match schema"
    assert result.metrics["failures"][0]["rows"] == list(range(SAMPLE_ROWS))
    assert len(json.dumps(result.metrics)) < 1000


@pytest.mark.parametrize("rows", [[5], [5, 6, 499]])
def test_null_where_none_may_be_is_invalid(
    table: pa.Table, page_type: DatasetType, replaced: Replace, rows: list[int]
) -> None:
    result = check_schema(replaced(table, "title", dict.fromkeys(rows)), page_type)
    assert result.details == f"{500 - len(rows)}/500 records match schema"


def test_null_where_it_may_be_is_valid(table: pa.Table, page_type: DatasetType, replaced: Replace) -> None:
    result = check_schema(replaced(table, "summary", {5: None}), page_type)
    assert result.status is CheckStatus.PASSED


def test_all_records_that_share_an_id_are_invalid(table: pa.Table, page_type: DatasetType, replaced: Replace) -> None:
    ids = table.column("id").to_pylist()
    result = check_schema(replaced(table, "id", {10: ids[9], 11: ids[9]}), page_type)
    assert result.details == "497/500 records match schema"
    assert result.metrics["failures"][0]["rows"] == [9, 10, 11]


def test_a_missing_column_leaves_no_valid_record(table: pa.Table, page_type: DatasetType) -> None:
    result = check_schema(table.drop_columns(["space"]), page_type)
    assert result.status is CheckStatus.FAILED
    assert result.score == Decimal("0.00")
    assert result.details == "0/500 records match schema"
    assert "space" in result.metrics["failing_columns"]


def test_an_unknown_column_leaves_no_valid_record(table: pa.Table, page_type: DatasetType) -> None:
    result = check_schema(table.append_column("extra", pa.nulls(500, pa.string())), page_type)
    assert result.details == "0/500 records match schema"
    assert result.metrics["failing_columns"] == {"extra": 500}


def test_a_column_of_another_type_leaves_no_valid_record(table: pa.Table, page_type: DatasetType) -> None:
    """Its checks crash on it; that is the data's fault, not a bug."""
    position = table.column_names.index("title")
    numbers = table.set_column(position, "title", pa.array(range(500)))
    result = check_schema(numbers, page_type)
    assert result.details == "0/500 records match schema"
    assert result.metrics["failing_columns"] == {"title": 500}


def test_no_record_at_all_does_not_pass(table: pa.Table, page_type: DatasetType) -> None:
    result = check_schema(table.slice(0, 0), page_type)
    assert result.status is CheckStatus.FAILED
    assert result.details == "0/0 records match schema"


class _Variant:
    """A dataset type with another schema."""

    def __init__(self, base: DatasetType, schema: pandera.DataFrameSchema) -> None:
        self._base = base
        self.schema = schema

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)


def test_rules_of_the_whole_frame_are_counted_by_row(table: pa.Table, page_type: DatasetType) -> None:
    rule = pandera.Check(lambda frame: frame["version"] < 8, name="versions below 8")
    variant = _Variant(page_type, pandera.DataFrameSchema(dict(page_type.schema.columns), checks=rule, strict=True))
    eights = sum(version == 8 for version in table.column("version").to_pylist())
    result = check_schema(table, variant)
    assert eights > 0
    assert result.details == f"{500 - eights}/500 records match schema"
    assert result.metrics["failing_columns"] == {"*": eights}


def test_columns_that_must_be_unique_together_are_counted_by_row(table: pa.Table, page_type: DatasetType) -> None:
    schema = pandera.DataFrameSchema(dict(page_type.schema.columns), unique=["author", "space", "version"])
    keys = list(zip(*(table.column(name).to_pylist() for name in ("author", "space", "version")), strict=True))
    shared = sum(keys.count(key) > 1 for key in keys)
    assert check_schema(table, _Variant(page_type, schema)).metrics["valid"] == 500 - shared


def test_a_check_that_crashes_is_a_bug_and_no_failed_check(table: pa.Table, page_type: DatasetType) -> None:
    def crash(_: Any) -> Any:
        raise ZeroDivisionError("a bug")

    columns = {**page_type.schema.columns, "space": pandera.Column(str, pandera.Check(crash, name="buggy"))}
    with pytest.raises(RuntimeError, match="buggy of space crashed"):
        check_schema(table, _Variant(page_type, pandera.DataFrameSchema(columns)))


def test_the_types_own_schema_is_left_as_it_is(table: pa.Table, page_type: DatasetType) -> None:
    check_schema(table, page_type)
    assert all(check.n_failure_cases is None for column in page_type.schema.columns.values() for check in column.checks)
