"""Google Drive documents, as the Drive API (v3) returns a file, with their exported text beside them.

Belongs here: which fields completeness counts, and what a file is as a record and as a search document. The record's
strict schema is in ``schema.py``, how rows follow from a specification in ``builder.py``, how documents read and are
written in ``dataset_types/office*.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dataops_core.company.model import Hosts
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.cells import unflatten
from dataops_core.dataset_types.google_drive.builder import NATIVE, FileBuilder

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

#: Drive leaves out what a file does not have.
_ABSENT_WHEN_NULL = frozenset({"description", "md5Checksum"})
_ALWAYS = (
    "kind", "id", "name", "mimeType", "description", "parents", "version", "webViewLink", "iconLink", "createdTime",
    "modifiedTime", "owners", "lastModifyingUser.kind", "lastModifyingUser.displayName",
    "lastModifyingUser.emailAddress", "shared", "ownedByMe", "starred", "trashed", "size", "quotaBytesUsed", "_text",
)  # fmt: skip


class GoogleDriveDocuments:
    """The dataset type ``google_drive_documents``."""

    name = "google_drive_documents"
    label = "Drive"
    object_type = "File"
    category = "COLLABORATIVE_CONTENT"
    facets: tuple[str, ...] = ("mimeType", "folder")
    filter_facet = "folder"
    id_column = "id"
    created_column = "createdTime"
    author_column = "owners.displayName"
    archetypes = frozenset({"proposal", "project_plan", "meeting_notes", "report", "guide", "tracker", "deck"})
    defects = frozenset({"near_duplicates", "stale_versions", "conflicting_facts", "misfiled"})
    seasonal = True
    completeness = (
        *map(FieldRule, _ALWAYS),
        # Files of Google's own kinds have no bytes that could be hashed.
        FieldRule("md5Checksum", applies=lambda frame: ~frame["mimeType"].isin(NATIVE)),
    )

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.google_drive.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's files."""
        return FileBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the address of every file of the company's Drive."""
        return rf"^{re.escape(hosts.drive_url)}/(document|spreadsheets|presentation|file)/d/[A-Za-z0-9_-]+/\S+$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":  # noqa: ARG002  text is stored
        """The stored table as a frame. ``_text`` is always there."""
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Drive's API returns the file."""
        return unflatten(row, absent_when_null=_ABSENT_WHEN_NULL)

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document: its exported text."""
        (owner,) = row["owners"]
        return Document(
            id=row["id"],
            title=row["name"],
            body=row["_text"],
            mime_type="text/plain",
            view_url=row["webViewLink"],
            author_email=owner["emailAddress"],
            author_name=owner["displayName"],
            owner_email=owner["emailAddress"],
            owner_name=owner["displayName"],
            container=row["parents"][0],
            created_at=_epoch(row["createdTime"]),
            updated_at=_epoch(row["modifiedTime"]),
            status=None,
            properties={"mimeType": row["mimeType"], "folder": row["_folder_name"]},
        )


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


DATASET_TYPE = GoogleDriveDocuments()
