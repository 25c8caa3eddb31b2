"""Whether pandera would find nothing wrong with a frame, told sooner than by pandera.

pandera spends most of a validation on its own way from column to column. Nearly all frames are sound, and of those
nothing else is asked. So the rules are applied here without a report, and pandera makes the report of whatever is
not surely sound: this never refuses anything itself. Does not belong here: rules (``dataset_types/rules.py``), counting
(``schema_validation.py``).
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandera.dtypes import DataType
from pandera.engines.pandas_engine import Engine
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types.rules import Rule, rules_of, stored_rule_of


def accepted(frame: pd.DataFrame, schema: DataFrameSchema, *, sound: Collection[str] = ()) -> bool:
    """True where ``schema.validate(frame)`` surely raises nothing; False where it raises, or nothing is sure.

    The ``sound`` columns, which :func:`sound_as_stored` has looked at, need not be in the frame, but for what rules of
    whole rows look at.
    """
    if not _is_simple(schema) or not frame.columns.is_unique or not set(frame.columns) <= set(schema.columns):
        return False
    try:
        return all(
            name in sound or (_is_accepted(frame[name], column) if name in frame.columns else not column.required)
            for name, column in schema.columns.items()
        ) and all(check(frame).check_passed for check in schema.checks)
    except Exception:
        return False


def sound_as_stored(table: pa.Table, schema: DataFrameSchema) -> list[str]:
    """The columns of texts and lists that keep their rules as Arrow has them: to make a frame of them costs more."""
    names = [name for name in schema.columns if table.column_names.count(name) == 1]
    return [name for name in names if _is_sound(table[name], schema.columns[name])]


def _is_sound(values: pa.ChunkedArray, column: Column) -> bool:
    array = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    stored, rules = stored_rule_of(column), rules_of(column)
    if stored is not None:
        return stored(array)
    return rules is not None and pa.types.is_string(array.type) and _keep(array, column, rules)


def _keep(array: pa.Array, column: Column, rules: Sequence[Rule]) -> bool:
    """Whether all texts of a column keep its rules."""
    return (
        (column.nullable or not array.null_count)
        and (not column.unique or pc.count_distinct(array, mode="all").as_py() == len(array))
        and all(pc.all(rule.column(array)).as_py() is not False for rule in rules)
    )


def _is_simple(schema: DataFrameSchema) -> bool:
    """Whether the schema has nothing but columns and rules: it changes no frame, and says nothing of order or index."""
    changes = schema.coerce or schema.parsers or schema.add_missing_columns or schema.drop_invalid_rows
    more = schema.index is not None or schema.dtype is not None or schema.ordered or schema.unique
    columns = schema.columns.values()
    return not (
        changes
        or more
        or schema.strict == "filter"
        or any(column.regex or column.coerce or column.parsers or column.drop_invalid_rows for column in columns)
    )


def _is_accepted(values: pd.Series, column: Column) -> bool:
    rules = rules_of(column)
    if rules is not None and isinstance(values.dtype, pd.StringDtype):
        return _keep(pa.array(values), column, rules)
    return (
        (column.nullable or not values.isna().any())
        and (not column.unique or values.is_unique)
        and (column.dtype is None or _is_of(values, column.dtype))
        and all(check(values).check_passed for check in column.checks)
    )


def _is_of(values: pd.Series, kind: DataType) -> bool:
    # One answer, or one for each value.
    found: Any = kind.check(Engine.dtype(values.dtype), values)
    return bool(np.all(found))
