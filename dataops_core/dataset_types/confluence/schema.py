"""The strict pandera schema of a Confluence page, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``ConfluencePages.schema`` imports it.
"""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules
from dataops_core.dataset_types.confluence.columns import LABELS

_LABEL_KEYS = {"id", "name", "prefix"}
_PREFIXES = ("global", "my", "team")
_ACCOUNT = r"[0-9a-zA-Z:-]+"
_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"


def _good_labels(labels: pd.Series) -> pd.Series:
    """Every label is an object of id, name and a known prefix."""
    return pd.Series([_are_labels(entries) for entries in labels], index=labels.index, dtype=bool)


def _are_labels(entries: Any) -> bool:
    if not isinstance(entries, np.ndarray | list):
        return False
    for entry in entries.tolist() if isinstance(entries, np.ndarray) else entries:
        if type(entry) is not dict or entry.keys() != _LABEL_KEYS or entry["prefix"] not in _PREFIXES:
            return False
        if type(entry["id"]) is not str or type(entry["name"]) is not str:
            return False
    return True


def _are_stored_labels(column: pa.Array) -> bool:
    """Whether all of a stored column are lists of such labels."""
    if column.type != LABELS or column.null_count:
        return False
    entries = column.flatten()
    id_, name, prefix = entries.flatten()
    known = pc.all(pc.is_in(prefix, value_set=pa.array(_PREFIXES))).as_py() is not False  # null where there is none
    return known and not entries.null_count + id_.null_count + name.null_count


def _account(*, nullable: bool = False) -> Column:
    # The length apart: a counted repetition makes a regular expression ten times as slow.
    return rules.text(rules.matches(_ACCOUNT), rules.byte_length(24, 60), nullable=nullable)


def _moment_column() -> Column:
    return rules.text(rules.matches(_TIMESTAMP), rules.moment())


SCHEMA = DataFrameSchema(
    {
        "id": rules.text(rules.matches(r"\d+"), unique=True),
        "status": rules.text(rules.one_of("current", "draft", "archived", "trashed")),
        "title": rules.text(rules.characters(1, 255), rules.not_blank()),
        "spaceId": rules.text(rules.matches(r"\d+")),
        "parentId": rules.text(rules.matches(r"\d+"), nullable=True),
        "parentType": rules.text(rules.one_of("page", "whiteboard", "database", "embed", "folder"), nullable=True),
        "position": Column("int64", rules.between(-(2**31), 2**31 - 1)),
        "authorId": _account(),
        "ownerId": _account(nullable=True),
        "lastOwnerId": _account(nullable=True),
        "createdAt": _moment_column(),
        "version.createdAt": _moment_column(),
        "version.number": Column("int64", rules.between(1, 2**31 - 1)),
        "version.message": rules.text(rules.characters(0, 500)),
        "version.minorEdit": Column(bool),
        "version.authorId": _account(),
        "body.storage.representation": rules.text(rules.one_of("storage")),
        "body.storage.value": rules.text(rules.byte_length(1, 16 * 2**20)),
        "labels.results": rules.listed(_good_labels, "labels must have id, name and prefix", stored=_are_stored_labels),
        "_links.webui": rules.text(rules.matches(r"/spaces/.+")),
        "_links.editui": rules.text(rules.matches(r"/pages/.+")),
        "_links.tinyui": rules.text(rules.matches(r"/x/.+")),
        "_view_url": rules.text(rules.matches(r"https://.+"), unique=True),
        "_space_key": rules.text(rules.matches(r"[A-Z][A-Z0-9]+")),
        "_archetype": rules.text(),
        "_topic": rules.text(),
        "_author_name": rules.text(),
        "_author_email": rules.text(rules.matches(r"[^@\s]+@[^@\s]+")),
        "_owner_name": rules.text(nullable=True),
        "_owner_email": rules.text(rules.matches(r"[^@\s]+@[^@\s]+"), nullable=True),
        "_text": rules.text(required=False),
    },
    checks=[
        rules.rows_hold(
            lambda frame: frame["createdAt"] <= frame["version.createdAt"], "a version is no older than its page"
        ),
        rules.rows_hold(
            lambda frame: frame["parentId"].isna() == frame["parentType"].isna(), "a parent has an id and a type"
        ),
    ],
    metadata={rules.ROWS: ("createdAt", "version.createdAt", "parentId", "parentType")},
    strict=True,
    name="confluence_pages",
)
