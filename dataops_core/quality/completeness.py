"""The second check: is every record there, and does every field that applies have a value? Pure (C-60 … C-62).

Belongs here: what "populated" means, and the count over all rows of what is stored, by Arrow kernels. Does not belong
here: which fields count (``dataset_types/``), and what the generator planned: the score is measured, never set.

A field is populated when it is not null, not blank after trimming, not a placeholder and, for a list, has at least
one populated element. False and zero are values. A conditional field counts only in records where its condition
holds. Missing records lower the score like incomplete ones: the denominator is max(present, asked for).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dataops_core.dataset_types.base import DatasetType, FieldRule
from dataops_core.generation.pieces import Records, in_pieces
from dataops_core.lifecycle import CheckStatus, CheckType
from dataops_core.quality.model import CheckResult, percentage

#: A dataset passes above this percentage.
MINIMUM = 95

#: What people and programs write where they have nothing to say, in lower case.
PLACEHOLDERS = (
    "-", "--", "---", "–", "—", "?", "??", "???", ".", "...", "…",  # noqa: RUF001
    "n/a", "n.a.", "#n/a", "na", "nan", "nil", "none", "null", "<null>", "(null)", "undefined",
    "tba", "tbc", "tbd", "to be defined", "to be determined", "todo", "xxx", "placeholder",
)  # fmt: skip

#: Only a text this short, or one with white space at an end, can be blank or a placeholder; bodies are not copied.
_SHORT_BYTES = max(len(word.encode()) for word in PLACEHOLDERS)

#: White space in ASCII, as Unicode has it.
_BLANKS = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "

Mask = npt.NDArray[np.bool_]


def check_completeness(
    records: pa.Table | Records,
    dataset_type: DatasetType,
    *,
    requested: int,
    incomplete_planned: int | None = None,
    defects_planned: Mapping[str, int] | None = None,
) -> CheckResult:
    """Counts fully populated ones of the stored ``records`` among max(present, ``requested``), piece by piece.

    Passes above 95 % and with no fewer records than asked for. ``incomplete_planned`` is how many incomplete records
    the generator was to make, ``defects_planned`` how many records with each kind of defect: both change nothing but
    the metrics. ``metrics``: ``records``, ``requested``, ``fully_populated``, ``incomplete``, ``incomplete_planned``,
    ``incomplete_unexplained`` and ``defects_planned`` (None without a plan), ``cell_completeness``, ``weakest_field``
    (None when all are full) and ``fields`` (column → applicable, populated, percent).
    """
    rules = dataset_type.completeness
    present = full_records = 0
    applicable, filled = np.zeros(len(rules), dtype=np.int64), np.zeros(len(rules), dtype=np.int64)
    for piece in in_pieces(records).pieces():
        table = _with_all_columns(piece, dataset_type)
        whole = np.ones(table.num_rows, dtype=np.bool_)
        for place, (rule, applies) in enumerate(zip(rules, _applicability(table, dataset_type), strict=True)):
            populated = populated_mask(table.column(rule.column))
            whole &= populated | ~applies
            applicable[place] += applies.sum()
            filled[place] += (populated & applies).sum()
        present += table.num_rows
        full_records += int(whole.sum())
    fields: dict[str, dict[str, Any]] = {
        rule.column: {
            "applicable": counted,
            "populated": full,
            "percent": float(percentage(full, counted)) if counted else 100.0,
        }
        for rule, counted, full in zip(rules, applicable.tolist(), filled.tolist(), strict=True)
    }
    applicable_cells, populated_cells = int(applicable.sum()), int(filled.sum())
    expected = max(present, requested)
    score = percentage(full_records, expected)
    # The exact ratio decides, not the rounded score.
    passed = present >= requested and full_records * 100 > MINIMUM * expected
    incomplete = present - full_records
    return CheckResult(
        check_type=CheckType.DATA_COMPLETENESS,
        status=CheckStatus.PASSED if passed else CheckStatus.FAILED,
        score=score,
        details=f"{full_records}/{expected} records fully populated ({_plain(score)}%)",
        metrics={
            "records": present,
            "requested": requested,
            "fully_populated": full_records,
            "incomplete": incomplete,
            "incomplete_planned": incomplete_planned,
            "incomplete_unexplained": None if incomplete_planned is None else max(0, incomplete - incomplete_planned),
            "defects_planned": None if defects_planned is None else dict(defects_planned),
            "cell_completeness": float(percentage(populated_cells, applicable_cells)),
            "weakest_field": _weakest(fields),
            "fields": fields,
        },
    )


def populated_mask(column: pa.ChunkedArray) -> Mask:
    """Which cells of the column have a value."""
    if column.length() == 0:
        return np.zeros(0, dtype=np.bool_)
    return np.concatenate([_populated(chunk) for chunk in column.chunks])


def _populated(array: pa.Array) -> Mask:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _populated(array.dictionary_decode())
    present = _numpy(pc.is_valid(array))
    if pa.types.is_null(kind):
        return present
    if pa.types.is_floating(kind):
        return present & ~_numpy(pc.is_nan(array))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return present & ~_without_value(array)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        parents = pc.list_parent_indices(array).to_numpy(zero_copy_only=False)
        filled = parents[_populated(pc.list_flatten(array))]
        return present & (np.bincount(filled, minlength=len(array)) > 0)
    return present


def _without_value(array: pa.Array) -> Mask:
    """Which texts are blank or a placeholder."""
    edges = pc.or_(_is_space(pc.utf8_slice_codeunits(array, 0, 1)), _may_end_blank(array))
    suspects = np.flatnonzero(_numpy(pc.or_(pc.less_equal(pc.binary_length(array), _SHORT_BYTES), edges)))
    if not len(suspects):
        return np.zeros(len(array), dtype=np.bool_)
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(array.take(pa.array(suspects))))
    # Invisible characters make no value either.
    texts = pc.utf8_trim(texts, "\u200b\u2060\ufeff\u00ad \t\r\n")
    empty = pc.is_in(texts, value_set=pa.array(["", *PLACEHOLDERS], type=array.type))
    without = np.zeros(len(array), dtype=np.bool_)
    without[suspects] = _numpy(empty)
    return without


def _may_end_blank(array: pa.Array) -> pa.Array:
    """Which texts may have white space at their end: by the last byte, since the last character takes a look at all."""
    last = pc.binary_slice(array.view(pa.large_binary() if pa.types.is_large_string(array.type) else pa.binary()), -1)
    blank = pc.is_in(last, value_set=pa.array([bytes([byte]) for byte in _BLANKS], type=last.type))
    return pc.or_(blank, pc.greater_equal(last, pa.scalar(b"\x80", type=last.type)))


def _is_space(ends: pa.Array) -> pa.Array:
    invisible = pc.is_in(ends, value_set=pa.array(["\u200b", "\u2060", "\ufeff", "\u00ad"], type=ends.type))
    return pc.or_(pc.utf8_is_space(ends), invisible)


def _numpy(array: pa.Array) -> Mask:
    """A boolean array with nulls as False."""
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def _with_all_columns(table: pa.Table, dataset_type: DatasetType) -> pa.Table:
    """The table with a column of nulls for each that it lacks: a missing column is a field without a value."""
    needed = {*dataset_type.schema.columns, *(rule.column for rule in dataset_type.completeness)}
    for name in sorted(needed - set(table.column_names)):
        table = table.append_column(name, pa.nulls(table.num_rows))
    return table


def _applicability(table: pa.Table, dataset_type: DatasetType) -> Sequence[Mask]:
    """Per rule, the rows in which its field counts. The frame is made only where a condition asks for it."""
    rules: Sequence[FieldRule] = dataset_type.completeness
    everywhere = np.ones(table.num_rows, dtype=np.bool_)
    if all(rule.applies is None for rule in rules):
        return [everywhere] * len(rules)
    frame = dataset_type.frame(table, text=False)
    return [
        everywhere if rule.applies is None else np.asarray(rule.applies(frame), dtype=np.bool_).copy() for rule in rules
    ]


def _weakest(fields: dict[str, dict[str, Any]]) -> str | None:
    """The field with the smallest share of values, None when none lacks any."""
    lacking = {name: cells["percent"] for name, cells in fields.items() if cells["populated"] < cells["applicable"]}
    return min(lacking, key=lambda name: (lacking[name], name)) if lacking else None


def _plain(score: Decimal) -> str:
    """98.00 as ``98``, 97.50 as ``97.5``, 97.42 as it is."""
    return f"{score:f}".rstrip("0").rstrip(".")
