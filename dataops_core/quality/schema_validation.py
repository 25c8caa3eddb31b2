"""The first check: does every stored record match its type's schema? Pure (``docs/contract.md`` C-60 … C-62).

Belongs here: running the type's pandera schema over the whole frame and turning what it says into an exact count of
valid records. Does not belong here: the schemas (``dataset_types/``).

pandera puts every failing value into its report; 500 bad pages would make a report of 15 MB. So each of its checks is
capped at a few cases, and the count is taken from the checks' boolean output instead, which has one answer per record.
An exception inside a check is a bug and leaves this module as one; it never becomes a failed check.
"""

import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors
from pandera.pandas import DataFrameSchema

from dataops_core.dataset_types.base import DatasetType
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult, percentage

#: Failing rules that ``metrics`` names, and row numbers given for each.
SAMPLE_RULES = 20
SAMPLE_ROWS = 5

Mask = npt.NDArray[np.bool_]

#: What pandera says of the frame as a whole: no record can be called valid then.
_STRUCTURAL = {
    SchemaErrorReason.ADD_MISSING_COLUMN_NO_DEFAULT,
    SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME,
    SchemaErrorReason.COLUMN_NOT_IN_SCHEMA,
    SchemaErrorReason.COLUMN_NOT_ORDERED,
    SchemaErrorReason.DATATYPE_COERCION,
    SchemaErrorReason.DUPLICATE_COLUMN_LABELS,
    SchemaErrorReason.INVALID_COLUMN_NAME,
    SchemaErrorReason.MISMATCH_INDEX,
    SchemaErrorReason.WRONG_DATATYPE,
    SchemaErrorReason.WRONG_FIELD_NAME,
}


def check_schema(table: pa.Table, dataset_type: DatasetType) -> CheckResult:
    """Validates all records of the stored ``table`` lazily by ``dataset_type.schema``.

    Score: share of valid records. A record is invalid by any rule that its row breaks; by a value shared with another
    record where values must be unique (all that share it); and every record is invalid by a missing, unknown or
    wrongly typed column. Passes when there is at least one record and all are valid. ``metrics``: ``records``,
    ``valid``, ``failing_columns`` (column → invalid records) and ``failures`` (rule, column, count, first row numbers;
    no values).
    """
    frame = dataset_type.frame(table, text=False).reset_index(drop=True)
    failures = _failures(frame, dataset_type.schema)
    invalid = np.zeros(len(frame), dtype=np.bool_)
    for _, _, rows in failures:
        invalid |= rows
    records, valid = len(frame), len(frame) - int(invalid.sum())
    passed = records > 0 and valid == records and not failures
    return CheckResult(
        check_type=CheckType.SCHEMA_VALIDATION,
        status=CheckStatus.PASSED if passed else CheckStatus.FAILED,
        score=percentage(valid, records),
        details=f"All {records} records match schema" if passed else f"{valid}/{records} records match schema",
        metrics={
            "records": records,
            "valid": valid,
            "failing_columns": _by_column(failures),
            "failures": [
                {
                    "column": column,
                    "rule": rule,
                    "records": int(rows.sum()),
                    "rows": np.flatnonzero(rows)[:SAMPLE_ROWS].tolist(),
                }
                for column, rule, rows in failures[:SAMPLE_RULES]
            ],
        },
    )


def _by_column(failures: Sequence[tuple[str, str, Mask]]) -> dict[str, int]:
    """Invalid records per column, most first; a rule of the whole frame stands under ``*``."""
    masks: dict[str, Mask] = {}
    for column, _, rows in failures:
        masks[column] = masks[column] | rows if column in masks else rows
    return dict(Counter({column: int(rows.sum()) for column, rows in masks.items()}).most_common())


def _failures(frame: pd.DataFrame, schema: DataFrameSchema) -> list[tuple[str, str, Mask]]:
    """Each rule that was broken: its column (``*`` for the frame), its name and the rows that break it."""
    try:
        _capped(schema).validate(frame, lazy=True)
    except SchemaErrors as report:
        errors: list[SchemaError] = list(report.schema_errors)
    else:
        return []
    structural = [error for error in errors if error.reason_code in _STRUCTURAL]
    failures = []
    for error in errors:
        if error.reason_code is SchemaErrorReason.CHECK_ERROR:
            # A check may stumble over a column that is missing or of another type, which is reported already.
            if structural:
                continue
            raise RuntimeError(f"the schema's check {_rule(error)} of {_column(error)} crashed") from error
        failures.append((_column(error), _rule(error), _rows(error, frame)))
    return failures


def _capped(schema: DataFrameSchema) -> DataFrameSchema:
    """The schema with every check's report cut short: itself where that is so already, else a copy."""
    if all(check.n_failure_cases == SAMPLE_ROWS for check in _checks(schema)):
        return schema
    capped: DataFrameSchema = copy.deepcopy(schema)
    for check in _checks(capped):
        check.n_failure_cases = SAMPLE_ROWS
    return capped


def _checks(schema: DataFrameSchema) -> list[Any]:
    return [*schema.checks, *(check for column in schema.columns.values() for check in column.checks)]


def _rows(error: SchemaError, frame: pd.DataFrame) -> Mask:
    """The rows that break the rule, as a mask over the frame."""
    reason, everything = error.reason_code, np.ones(len(frame), dtype=np.bool_)
    if reason in _STRUCTURAL:
        return everything
    if reason is SchemaErrorReason.SERIES_CONTAINS_NULLS:
        return frame[_column(error)].isna().to_numpy(dtype=np.bool_)
    if reason is SchemaErrorReason.SERIES_CONTAINS_DUPLICATES:
        return frame[_column(error)].duplicated(keep=False).to_numpy(dtype=np.bool_)
    if reason is SchemaErrorReason.DUPLICATES:
        return _shared(frame, error.schema.unique)
    output = error.check_output
    if isinstance(output, pd.DataFrame):
        output = output.all(axis="columns")
    if isinstance(output, pd.Series):
        # Rows that the check left out, being null where null is allowed, pass it.
        broken: Mask = (~output.astype(bool)).reindex(frame.index, fill_value=False).to_numpy(dtype=np.bool_)
        return broken
    # One answer for the whole column: nothing says that any record is better than the others.
    return everything


def _shared(frame: pd.DataFrame, unique: Any) -> Mask:
    """Rows that share the values of columns that must be unique together. pandera takes one set or several."""
    sets = [unique] if all(isinstance(name, str) for name in unique) else unique
    rows = np.zeros(len(frame), dtype=np.bool_)
    for columns in sets:
        rows |= frame.duplicated(subset=list(columns), keep=False).to_numpy(dtype=np.bool_)
    return rows


def _column(error: SchemaError) -> str:
    """The column that the error is about."""
    if error.reason_code in {SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME, SchemaErrorReason.COLUMN_NOT_IN_SCHEMA}:
        return str(error.failure_cases)
    if isinstance(error.schema, DataFrameSchema):
        return "*"
    return str(error.schema.name)


def _rule(error: SchemaError) -> str:
    """The rule's name: of a check its name or error text as declared, else pandera's reason."""
    declared = getattr(error.check, "error", None) or getattr(error.check, "name", None)
    return str(declared or error.reason_code.value if error.reason_code else "unknown")[:120]
