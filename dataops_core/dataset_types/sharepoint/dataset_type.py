"""SharePoint documents, as Microsoft Graph returns a file of a document library, with their text beside them.

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
from dataops_core.dataset_types.sharepoint.builder import FOLDERS, ItemBuilder

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

_ALWAYS = (
    "id", "name", "webUrl", "eTag", "cTag", "size", "createdDateTime", "lastModifiedDateTime", "createdBy.user.id",
    "createdBy.user.displayName", "lastModifiedBy.user.id", "lastModifiedBy.user.displayName", "file.mimeType",
    "file.hashes.quickXorHash", "fileSystemInfo.createdDateTime", "fileSystemInfo.lastModifiedDateTime",
    "parentReference.driveId", "parentReference.driveType", "parentReference.id", "parentReference.path",
    "parentReference.siteId", "description", "_text",
)  # fmt: skip


class SharepointDocuments:
    """The dataset type ``sharepoint_documents``."""

    name = "sharepoint_documents"
    label = "SharePoint"
    object_type = "File"
    category = "COLLABORATIVE_CONTENT"
    facets: tuple[str, ...] = ("mimeType", "site")
    filter_facet = "site"
    id_column = "id"
    created_column = "createdDateTime"
    author_column = "createdBy.user.displayName"
    archetypes = frozenset(FOLDERS)
    defects = frozenset({"near_duplicates", "stale_versions", "conflicting_facts", "misfiled"})
    seasonal = True
    completeness = tuple(map(FieldRule, _ALWAYS))

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.sharepoint.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's files."""
        return ItemBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the address of every file of the company's document libraries."""
        return rf"^{re.escape(hosts.sharepoint_url)}/sites/[a-z0-9-]+/Shared%20Documents/.+$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":  # noqa: ARG002  text is stored
        """The stored table as a frame. ``_text`` is always there."""
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Graph returns the file."""
        return unflatten(row)

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document. Who changed a file last answers for it."""
        return Document(
            id=row["id"],
            title=row["_title"],
            body=row["_text"],
            mime_type="text/plain",
            view_url=row["webUrl"],
            author_email=row["_author_email"],
            author_name=row["createdBy.user.displayName"],
            owner_email=row["_editor_email"],
            owner_name=row["lastModifiedBy.user.displayName"],
            container=row["parentReference.siteId"],
            created_at=_epoch(row["createdDateTime"]),
            updated_at=_epoch(row["lastModifiedDateTime"]),
            status=None,
            properties={"mimeType": row["file.mimeType"], "site": row["_site_name"]},
        )


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


DATASET_TYPE = SharepointDocuments()
