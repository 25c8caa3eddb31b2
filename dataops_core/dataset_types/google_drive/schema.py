"""The strict pandera schema of a Google Drive file, on the flat columns of the stored table.

Loads pandera and pandas, 0.4 s of a fresh process: nothing but ``GoogleDriveDocuments.schema`` imports it.
"""

import re
from typing import Any

import numpy as np
import pandas as pd
from pandera.pandas import Column, DataFrameSchema

from dataops_core.dataset_types import rules

_GOOGLE = "application/vnd.google-apps."
_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_MAIL = r"[^@\s]+@[^@\s]+"
_ID = re.compile(r"[A-Za-z0-9_-]{19,60}")
_OWNER_KEYS = {"kind", "displayName", "emailAddress", "permissionId", "me"}


def _listed(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray):
        return list(value.tolist())
    return value if isinstance(value, list) else []


def _is_owner(entry: Any) -> bool:
    if type(entry) is not dict or entry.keys() != _OWNER_KEYS or entry["kind"] != "drive#user":
        return False
    texts = [entry[name] for name in ("displayName", "emailAddress", "permissionId")]
    return all(type(text) is str and text for text in texts) and re.fullmatch(_MAIL, entry["emailAddress"]) is not None


def _good_owners(values: pd.Series) -> pd.Series:
    good = [bool(_listed(value)) and all(map(_is_owner, _listed(value))) for value in values]
    return pd.Series(good, index=values.index, dtype=bool)


def _good_parents(values: pd.Series) -> pd.Series:
    good = [
        len(_listed(value)) == 1 and isinstance(_listed(value)[0], str) and _ID.fullmatch(_listed(value)[0]) is not None
        for value in values
    ]
    return pd.Series(good, index=values.index, dtype=bool)


def _moment_column() -> Column:
    return rules.text(rules.matches(_TIMESTAMP), rules.moment())


SCHEMA = DataFrameSchema(
    {
        "kind": rules.text(rules.one_of("drive#file")),
        "id": rules.text(rules.matches(r"[A-Za-z0-9_-]+"), rules.byte_length(19, 60), unique=True),
        "name": rules.text(rules.characters(1, 255), rules.not_blank()),
        "mimeType": rules.text(
            rules.one_of(
                f"{_GOOGLE}document",
                f"{_GOOGLE}spreadsheet",
                f"{_GOOGLE}presentation",
                "application/pdf",
                "text/plain",
            )
        ),
        "description": rules.text(rules.characters(0, 1000), nullable=True),
        "parents": Column(object, rules.each(_good_parents, "parents must be the id of one folder")),
        "version": rules.text(rules.matches(r"\d+")),
        "webViewLink": rules.text(rules.matches(r"https://.+"), unique=True),
        "iconLink": rules.text(rules.matches(r"https://.+")),
        "createdTime": _moment_column(),
        "modifiedTime": _moment_column(),
        "owners": Column(object, rules.each(_good_owners, "owners must be users with a name and an address")),
        "lastModifyingUser.kind": rules.text(rules.one_of("drive#user")),
        "lastModifyingUser.displayName": rules.text(rules.not_blank()),
        "lastModifyingUser.emailAddress": rules.text(rules.matches(_MAIL)),
        "shared": Column(bool),
        "ownedByMe": Column(bool),
        "starred": Column(bool),
        "trashed": Column(bool),
        "size": rules.text(rules.matches(r"\d+")),
        "quotaBytesUsed": rules.text(rules.matches(r"\d+")),
        "md5Checksum": rules.text(rules.matches(r"[0-9a-f]{32}"), nullable=True),
        "_text": rules.text(rules.byte_length(1, 16 * 2**20)),
        "_folder_name": rules.text(),
        "_archetype": rules.text(),
        "_topic": rules.text(),
    },
    checks=[
        rules.rows_hold(
            lambda frame: frame["createdTime"] <= frame["modifiedTime"], "modified no earlier than created"
        ),
        rules.rows_hold(
            lambda frame: frame["md5Checksum"].isna() == frame["mimeType"].str.startswith(_GOOGLE),
            "a file has a hash unless it is one of Google's own kinds",
        ),
    ],
    strict=True,
    name="google_drive_documents",
)
