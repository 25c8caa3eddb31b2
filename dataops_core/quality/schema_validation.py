"""The first check: does every stored record match its type's schema? Pure (``docs/contract.md`` C-60 … C-62).

Belongs here: running the type's pandera schema over the whole frame and turning what it says into an exact count of
valid records. Does not belong here: the schemas (``dataset_types/``).

pandera puts every failing value into its report; 500 bad pages would make a report of 15 MB. So each of its checks is
capped at a few cases, and the count is taken from the checks' boolean output instead, which has one answer per record.
An exception inside a check is a bug and leaves this module as one; it never becomes a failed check.
"""

import copy
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandera.errors import SchemaError, SchemaErrorReason, SchemaErrors
from pandera.pandas import DataFrameSchema

from dataops_core.dataset_types.base import DatasetType
from dataops_core.dataset_types.rules import columns_of_rows
from dataops_core.generation.pieces import Records, in_pieces
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.acceptance import accepted, sound_as_stored
from dataops_core.quality.model import CheckResult, percentage
from dataops_core.quality.repeats import Repeats

#: Failing rules that ``metrics`` names, and row numbers given for each.
SAMPLE_RULES = 20
SAMPLE_ROWS = 5

Mask = npt.NDArray[np.bool_]
#: A rule that was broken: its column (``*`` for the frame), its name, and the rows (None: every record there is).
_Failure: TypeAlias = tuple[str, str, Mask | None]

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


def check_schema(records: pa.Table | Records, dataset_type: DatasetType) -> CheckResult:
    """Validates all stored ``records`` lazily by ``dataset_type.schema``, piece by piece.

    Score: share of valid records. A record is invalid by any rule that its row breaks; by a value shared with another
    record where values must be unique (all that share it); and every record is invalid by a missing, unknown or
    wrongly typed column. Passes when there is at least one record and all are valid. ``metrics``: ``records``,
    ``valid``, ``failing_columns`` (column → invalid records) and ``failures`` (rule, column, count, first row numbers;
    no values).
    """
    tally = _Tally(dataset_type.schema)
    for piece, schema, repeated in _validated(in_pieces(records), dataset_type):
        tally.add(piece.num_rows, [*_failures(piece, schema, dataset_type), *repeated])
    count, valid = tally.records, tally.valid
    passed = count > 0 and valid == count and not tally.failures
    return CheckResult(
        check_type=CheckType.SCHEMA_VALIDATION,
        status=CheckStatus.PASSED if passed else CheckStatus.FAILED,
        score=percentage(valid, count),
        details=f"All {count} records match schema" if passed else f"{valid}/{count} records match schema",
        metrics={
            "records": count,
            "valid": valid,
            "failing_columns": tally.by_column(),
            "failures": tally.named()[:SAMPLE_RULES],
        },
    )


@dataclass(slots=True)
class _Broken:
    """How often a rule was broken, and the first rows that broke it."""

    records: int = 0
    rows: list[int] = field(default_factory=list)


class _Tally:
    """What the pieces looked at so far have shown. A rule that every record breaks is one that no piece can hold."""

    def __init__(self, schema: DataFrameSchema) -> None:
        self._places = {name: place for place, name in enumerate(schema.columns)}
        self.records = self._invalid = 0
        self.failures: dict[tuple[str, str], _Broken] = {}
        self._columns: Counter[str] = Counter()
        self._whole: set[tuple[str, str]] = set()

    def add(self, records: int, failures: Sequence[_Failure]) -> None:
        """The failures of the next rows."""
        invalid = np.zeros(records, dtype=np.bool_)
        columns: dict[str, Mask] = {}
        for column, rule, rows in failures:
            broken = self.failures.setdefault((column, rule), _Broken())
            if rows is None:
                self._whole.add((column, rule))
                continue
            broken.records += int(rows.sum())
            broken.rows += (np.flatnonzero(rows)[: SAMPLE_ROWS - len(broken.rows)] + self.records).tolist()
            invalid |= rows
            columns[column] = columns[column] | rows if column in columns else rows
        self._columns.update({column: int(rows.sum()) for column, rows in columns.items()})
        self._invalid += int(invalid.sum())
        self.records += records

    @property
    def valid(self) -> int:
        """How many records keep all rules."""
        return 0 if self._whole else self.records - self._invalid

    def by_column(self) -> dict[str, int]:
        """Invalid records per column, most first; a rule of the whole frame stands under ``*``."""
        counted = {column: self._columns[column] for column, _ in self._ordered()}
        whole = {column: self.records for column, _ in self._whole}
        return dict(Counter(counted | whole).most_common())

    def named(self) -> list[dict[str, Any]]:
        """The rules that were broken, in the order of the schema."""
        return [
            {"column": column, "rule": rule, "records": broken.records, "rows": broken.rows}
            if (column, rule) not in self._whole
            else {
                "column": column,
                "rule": rule,
                "records": self.records,
                "rows": list(range(min(SAMPLE_ROWS, self.records))),
            }
            for (column, rule), broken in self._ordered().items()
        ]

    def _ordered(self) -> dict[tuple[str, str], _Broken]:
        """Unknown columns first, rules of the whole frame last."""
        last = len(self._places)
        return dict(
            sorted(
                self.failures.items(),
                key=lambda entry: (last if entry[0][0] == "*" else self._places.get(entry[0][0], -1), *entry[0]),
            )
        )


def _validated(
    records: Records, dataset_type: DatasetType
) -> Iterator[tuple[pa.Table, DataFrameSchema, list[_Failure]]]:
    """Each piece, the schema that it must match, and which of its rows repeat what stands elsewhere.

    Of one piece pandera itself sees all repetitions; those of several are sought beforehand, among their hashes.
    """
    pieces = records.pieces()
    first, second = next(pieces), next(pieces, None)
    if second is None:
        yield first, dataset_type.schema, []
        return
    repeated = _repeated(records, dataset_type)
    apart = _without_uniqueness(dataset_type.schema)
    start = 0
    for piece in chain((first, second), pieces):
        stop = start + piece.num_rows
        yield (
            piece,
            apart,
            [(column, rule, rows[start:stop]) for column, rule, rows in repeated if rows[start:stop].any()],
        )
        start = stop


def _framed(table: pa.Table, dataset_type: DatasetType) -> pd.DataFrame:
    return dataset_type.frame(table, text=False).reset_index(drop=True)


def _repeated(records: Records, dataset_type: DatasetType) -> list[tuple[str, str, Mask]]:
    """Of each rule that values are unique and that some break: its column, its name and the rows."""
    schema, present = dataset_type.schema, set(records.schema.names)
    rules = [
        (name, SchemaErrorReason.SERIES_CONTAINS_DUPLICATES.value, [name])
        for name, column in schema.columns.items()
        if column.unique
    ] + [("*", SchemaErrorReason.DUPLICATES.value, columns) for columns in _unique_together(schema)]
    rules = [rule for rule in rules if present.issuperset(rule[2])]
    needed = [name for name in records.schema.names if any(name in columns for _, _, columns in rules)]
    with ExitStack() as stack:
        repeats = [stack.enter_context(closing(Repeats())) for _ in rules]
        for piece in records.pieces(needed) if rules else ():
            frame = piece.to_pandas()
            for (_, _, columns), seen in zip(rules, repeats, strict=True):
                numbers = pd.util.hash_pandas_object(frame[columns], index=False, categorize=False)
                seen.add(np.asarray(numbers, dtype=np.uint64))
        masks = [(column, rule, seen.rows()) for (column, rule, _), seen in zip(rules, repeats, strict=True)]
    return [(column, rule, rows) for column, rule, rows in masks if rows.any()]


def _unique_together(schema: DataFrameSchema) -> list[list[str]]:
    """Sets of columns whose values must be unique together. pandera takes one set or several."""
    if not schema.unique:
        return []
    alone = all(isinstance(name, str) for name in schema.unique)
    return [list(schema.unique)] if alone else [list(columns) for columns in schema.unique]


def _without_uniqueness(schema: DataFrameSchema) -> DataFrameSchema:
    """The schema less what only all records together can tell."""
    apart: DataFrameSchema = copy.deepcopy(schema)
    apart.unique = None
    for column in apart.columns.values():
        column.unique = False
    return apart


def _failures(table: pa.Table, schema: DataFrameSchema, dataset_type: DatasetType) -> list[_Failure]:
    """Each rule that was broken: its column (``*`` for the frame), its name and the rows that break it."""
    sound = sound_as_stored(table, schema)
    in_rows = columns_of_rows(schema)
    frame = _framed(table.drop_columns([name for name in sound if name not in in_rows]), dataset_type)
    if accepted(frame, schema, sound=sound):
        return []
    if sound:
        frame = _framed(table, dataset_type)
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


def _rows(error: SchemaError, frame: pd.DataFrame) -> Mask | None:
    """The rows that break the rule, as a mask over the frame; None for every record there is."""
    reason = error.reason_code
    if reason in _STRUCTURAL:
        return None
    if reason is SchemaErrorReason.SERIES_CONTAINS_NULLS:
        return frame[_column(error)].isna().to_numpy(dtype=np.bool_)
    if reason is SchemaErrorReason.SERIES_CONTAINS_DUPLICATES:
        return frame[_column(error)].duplicated(keep=False).to_numpy(dtype=np.bool_)
    if reason is SchemaErrorReason.DUPLICATES:
        return _shared(frame, error.schema)
    output = error.check_output
    if isinstance(output, pd.DataFrame):
        output = output.all(axis="columns")
    if isinstance(output, pd.Series):
        # Rows that the check left out, being null where null is allowed, pass it.
        broken: Mask = (~output.astype(bool)).reindex(frame.index, fill_value=False).to_numpy(dtype=np.bool_)
        return broken
    # One answer for the whole column: nothing says that any record is better than the others.
    return None


def _shared(frame: pd.DataFrame, schema: DataFrameSchema) -> Mask:
    """Rows that share the values of columns that must be unique together."""
    rows = np.zeros(len(frame), dtype=np.bool_)
    for columns in _unique_together(schema):
        rows |= frame.duplicated(subset=columns, keep=False).to_numpy(dtype=np.bool_)
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
