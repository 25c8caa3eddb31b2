"""Rows of a stored table as records: columns named by dotted paths, cells as JSON has them.

Belongs here: what needs neither pandas nor pandera, and must not load them. Does not belong here: rules (``rules.py``).
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

#: Where the metadata of a schema's column says what its text is once parsed: an ``object`` or an ``array``.
JSON_TYPE = "json_type"


def is_side_column(name: str) -> bool:
    """Whether a column is no part of the record: it begins with an underscore and holds no dot."""
    return name.startswith("_") and "." not in name


def missing(value: Any) -> bool:
    """Whether a cell of a row holds nothing: None, or what pandas puts in its place."""
    if isinstance(value, float):
        return value != value  # noqa: PLR0124  NaN
    return value is None or type(value).__name__ == "NAType"  # pandas' NA, by its name: pandas stays unloaded


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


def unflatten(
    row: Mapping[str, Any], *, absent_when_null: Collection[str] = (), null_when_empty: Collection[str] = ()
) -> dict[str, Any]:
    """The row's columns as a nested record: ``version.number`` becomes ``{"version": {"number": …}}``.

    Side columns are left out. A null stays null, except in ``absent_when_null``, whose fields the vendor leaves out.
    An object of ``null_when_empty``, named by its dotted path, is null itself where all its fields are.
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
    for name in null_when_empty:
        *path, last = name.split(".")
        target = record
        for part in path:
            target = target[part]
        if all(cell is None for cell in target[last].values()):
            target[last] = None
    return record
