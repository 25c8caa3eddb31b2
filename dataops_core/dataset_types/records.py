"""What all dataset types share: rows as records, and pandera checks that stay cheap on large text.

Checks match whole values, count bytes rather than characters, and keep at most five failure cases, since pandera would
put every failing page into its error. The exact number of failing rows is in each error's ``check_output``.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandera.dtypes import DataType
from pandera.engines import pandas_engine
from pandera.pandas import Check, Column

#: Failing values that an error may quote.
FAILURE_CASES = 5


class Text(pandas_engine.NpString):
    """Text. pandera's own type looks at every value, even where pandas says that all of them are text already."""

    def check(self, pandera_dtype: DataType, data_container: Any = None) -> "bool | Iterable[bool]":
        """Whether the column is text, or which of its values are."""
        if isinstance(pandera_dtype, pandas_engine.STRING):
            return True
        return super().check(pandera_dtype, data_container)


_TEXT = Text()  # type: ignore[call-arg]  # the base class sets its own type


def is_side_column(name: str) -> bool:
    """Whether a column is no part of the record: it begins with an underscore and holds no dot."""
    return name.startswith("_") and "." not in name


def missing(value: Any) -> bool:
    """Whether a cell of a row holds nothing: None, or what pandas puts in its place."""
    return value is None or value is pd.NA or (isinstance(value, float) and value != value)  # noqa: PLR0124  NaN


def plain(value: Any) -> Any:
    """A cell as JSON has it: NumPy's scalars and arrays as Python's, missing as None."""
    if missing(value):
        return None
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value


def unflatten(row: Mapping[str, Any], *, absent_when_null: Collection[str] = ()) -> dict[str, Any]:
    """The row's columns as a nested record: ``version.number`` becomes ``{"version": {"number": …}}``.

    Side columns are left out. A null stays null, except in ``absent_when_null``, whose fields the vendor leaves out.
    """
    record: dict[str, Any] = {}
    for name, value in row.items():
        if is_side_column(name):
            continue
        cell = plain(value)
        if cell is None and name in absent_when_null:
            continue
        *path, last = name.split(".")
        target = record
        for part in path:
            target = target.setdefault(part, {})
        target[last] = cell
    return record


def arrow_frame(table: pa.Table) -> pd.DataFrame:
    """The table as a frame: text as Arrow-backed ``str``, lists as Python objects."""
    frame: pd.DataFrame = table.to_pandas()
    return frame


def text(
    pattern: str | None = None,
    *,
    nullable: bool = False,
    unique: bool = False,
    required: bool = True,
    checks: Collection[Check] = (),
) -> Column:
    """A column of text, each value matching the whole pattern."""
    rules = [*([matches(pattern)] if pattern else []), *checks]
    return Column(_TEXT, rules, nullable=nullable, unique=unique, required=required)


def matches(pattern: str) -> Check:
    """The whole text matches."""
    return Check(
        lambda values: values.str.fullmatch(pattern),
        name="matches",
        error=f"must match {pattern}",
        n_failure_cases=FAILURE_CASES,
    )


def one_of(*allowed: str) -> Check:
    """The text is one of these."""
    return Check.isin(allowed, n_failure_cases=FAILURE_CASES)


def byte_length(least: int, most: int) -> Check:
    """The text has so many bytes in UTF-8: from offsets alone, where counting characters would read every page."""
    return Check(
        lambda values: _byte_lengths(values).between(least, most),
        name="byte_length",
        error=f"must have {least} to {most} bytes",
        n_failure_cases=FAILURE_CASES,
    )


def characters(least: int, most: int) -> Check:
    """The text has so many characters. For short columns."""
    return Check.str_length(min_value=least, max_value=most, n_failure_cases=FAILURE_CASES)


def between(least: int, most: int) -> Check:
    """The number lies in this range, both ends included."""
    return Check.in_range(least, most, n_failure_cases=FAILURE_CASES)


def moment() -> Check:
    """The text is a moment that the calendar has, in ISO 8601."""
    return Check(
        _are_moments,
        name="moment",
        error="must be a moment of the calendar",
        n_failure_cases=FAILURE_CASES,
    )


def not_blank() -> Check:
    """The text has something besides blanks."""
    return Check(
        lambda values: values.str.contains(r"\S", regex=True),
        name="not_blank",
        error="must not be blank",
        n_failure_cases=FAILURE_CASES,
    )


def each(rule: Callable[[pd.Series], pd.Series], error: str) -> Check:
    """A rule of the whole column: a function from its values to a boolean for each."""
    return Check(rule, name="rule", error=error, n_failure_cases=FAILURE_CASES)


def rows_hold(rule: Callable[[pd.DataFrame], pd.Series], error: str) -> Check:
    """A rule of the whole frame: a function from the frame to a boolean per row."""
    return Check(rule, name="rule", error=error, n_failure_cases=FAILURE_CASES)


def _are_moments(values: pd.Series) -> pd.Series:
    read: pd.Series = pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
    return read.notna()


def _byte_lengths(values: pd.Series) -> pd.Series:
    array = pa.array(values, from_pandas=True)
    lengths = pc.binary_length(array)
    return pd.Series(np.asarray(lengths), index=values.index)
