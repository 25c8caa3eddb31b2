"""What the schemas of all dataset types are made of: pandera checks that stay cheap on large text.

Checks match whole values, count bytes rather than characters, and keep at most five failure cases, since pandera would
put every failing page into its error. The exact number of failing rows is in each error's ``check_output``. Does not
belong here: rows (``cells.py``).
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandera.dtypes import DataType
from pandera.engines import pandas_engine
from pandera.pandas import Check, Column, DataFrameSchema

from dataops_core.dataset_types.cells import JSON_TYPE, missing

#: Failing values that an error may quote.
FAILURE_CASES = 5


class Text(pandas_engine.NpString):
    """Text. pandera's own type looks at every value, even where pandas says that all of them are text already."""

    def check(self, pandera_dtype: DataType, data_container: Any = None) -> "bool | Iterable[bool]":
        """Whether the column is text, or which of its values are."""
        if isinstance(pandera_dtype, pandas_engine.STRING):
            return True
        return super().check(pandera_dtype, data_container)


#: Where a column of text keeps its check and the rules that this is made of.
_RULES = "rules"
#: Where a column of lists keeps its check, and the function that tells the same of it as it is stored.
_STORED = "stored"
#: Where a schema's metadata names the columns that its rules of whole rows look at.
ROWS = "rows"

#: Some text, to see whether Arrow knows a pattern.
_ANY = pa.array([""])
_TEXT = Text()  # type: ignore[call-arg]  # the base class sets its own type


@dataclass(frozen=True, slots=True)
class Rule:
    """What a text must be: for a whole column by Arrow, and for one value. Null is another rule's affair."""

    column: Callable[[pa.Array], pa.Array]
    value: Callable[[str], bool]
    error: str


def text(*rules: Rule, nullable: bool = False, unique: bool = False, required: bool = True) -> Column:
    """A column of text that keeps all the rules. They make one check, since each costs pandera more than the rule."""
    if not rules:
        return Column(_TEXT, nullable=nullable, unique=unique, required=required, metadata={_RULES: (None, ())})

    def check(values: pd.Series) -> pd.Series:
        if isinstance(values.dtype, pd.StringDtype):
            array = pa.array(values)
            kept = reduce(pc.and_, (rule.column(array) for rule in rules))
            return pd.Series(np.asarray(pc.fill_null(kept, True)), index=values.index)
        # A column that something else than text has got into.
        return values.map(
            lambda value: missing(value) or (isinstance(value, str) and all(r.value(value) for r in rules))
        )

    one = _check(check, "; ".join(rule.error for rule in rules))
    return Column(_TEXT, one, nullable=nullable, unique=unique, required=required, metadata={_RULES: (one, rules)})


def rules_of(column: Column) -> "tuple[Rule, ...] | None":
    """The rules that a column of :func:`text` has, where these are all it has; else None."""
    check, rules = (column.metadata or {}).get(_RULES, (None, None))
    return rules if column.checks == ([] if check is None else [check]) else None


def listed(rule: Callable[[pd.Series], pd.Series], error: str, *, stored: Callable[[pa.Array], bool]) -> Column:
    """A column of lists, none of which is null: :func:`each`, and whether ``stored`` lists keep the rule, all of them.

    Of an array of any type; where that is False, the rule itself decides.
    """
    one = each(rule, error)
    return Column(object, one, metadata={_STORED: (one, stored)})


def stored_rule_of(column: Column) -> "Callable[[pa.Array], bool] | None":
    """What :func:`listed` tells of a column as it is stored, where that is all there is to tell; else None."""
    check, rule = (column.metadata or {}).get(_STORED, (None, None))
    return rule if column.checks == [check] and not column.nullable and not column.unique else None


def json_text(rule: Callable[[Any], bool], kind: str, error: str, *, nullable: bool = False) -> Column:
    """A column whose texts are JSON, which the record holds parsed, as an ``object`` or an ``array`` (``kind``)."""

    def check(values: pd.Series) -> pd.Series:
        return values.map(lambda value: missing(value) or _is_json(value, rule))

    return Column(_TEXT, _check(check, error), nullable=nullable, metadata={JSON_TYPE: kind})


def _is_json(value: Any, rule: Callable[[Any], bool]) -> bool:
    try:
        return rule(orjson.loads(value))
    except (orjson.JSONDecodeError, TypeError):
        return False


def matches(pattern: str) -> Rule:
    """The whole text matches a regular expression that RE2 and Python read alike.

    Raises ValueError for one that RE2 does not know: lookahead, or more than a thousand times.
    """
    whole, compiled = f"^(?:{pattern})$", re.compile(pattern)
    try:
        pc.match_substring_regex(_ANY, whole)
    except pa.ArrowInvalid as error:
        raise ValueError(f"The pattern {pattern} is none that Arrow can look for. {error}") from None
    return Rule(
        lambda array: pc.match_substring_regex(array, whole),
        lambda value: compiled.fullmatch(value) is not None,
        f"must match {pattern}",
    )


def one_of(*allowed: str) -> Rule:
    """The text is one of these."""
    known = pa.array(allowed)
    return Rule(
        lambda array: pc.or_(pc.is_in(array, value_set=known), array.is_null()),
        lambda value: value in allowed,
        f"must be one of {', '.join(allowed)}",
    )


def byte_length(least: int, most: int) -> Rule:
    """The text has so many bytes in UTF-8: from offsets alone, where counting characters would read every page."""
    return Rule(
        lambda array: _between(pc.binary_length(array), least, most),
        lambda value: least <= len(value.encode()) <= most,
        f"must have {least} to {most} bytes",
    )


def characters(least: int, most: int) -> Rule:
    """The text has so many characters. For short columns."""
    return Rule(
        lambda array: _between(pc.utf8_length(array), least, most),
        lambda value: least <= len(value) <= most,
        f"must have {least} to {most} characters",
    )


def not_blank() -> Rule:
    """The text has something besides blanks."""
    return matches(r"(?s:.*\S.*)")


def moment() -> Rule:
    """The text is a moment that the calendar has, in ISO 8601."""
    return Rule(
        lambda array: pc.or_(_moments_of(array), array.is_null()),
        lambda value: bool(_are_moments(pd.Series([value])).all()),
        "must be a moment of the calendar",
    )


def between(least: int, most: int) -> Check:
    """The number lies in this range, both ends included."""
    return Check.in_range(least, most, n_failure_cases=FAILURE_CASES)


def each(rule: Callable[[pd.Series], pd.Series], error: str) -> Check:
    """A rule of the whole column: a function from its values to a boolean for each."""
    return _check(rule, error)


def rows_hold(rule: Callable[[pd.DataFrame], pd.Series], error: str) -> Check:
    """A rule of the whole frame: a function from the frame to a boolean per row."""
    return _check(rule, error)


def columns_of_rows(schema: DataFrameSchema) -> Collection[str]:
    """The columns that a schema's rules of whole rows look at: all, if it has such rules and does not name them."""
    named: Collection[str] = (schema.metadata or {}).get(ROWS, schema.columns)
    return named if schema.checks else ()


def _check(rule: Callable[..., pd.Series], error: str) -> Check:
    # Leaving nulls to the rule saves pandera a copy of every column without them.
    return Check(rule, name=error, error=error, ignore_na=False, n_failure_cases=FAILURE_CASES)


def _between(lengths: pa.Array, least: int, most: int) -> pa.Array:
    return pc.and_(pc.greater_equal(lengths, least), pc.less_equal(lengths, most))


def _moments_of(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.timestamp("us", "UTC")).is_valid()
    except pa.ArrowInvalid:  # one at least is none, or lacks its zone: which ones, pandas says
        return pa.array(_are_moments(array.to_pandas()))


def _are_moments(values: pd.Series) -> pd.Series:
    read: pd.Series = pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
    return read.notna()
