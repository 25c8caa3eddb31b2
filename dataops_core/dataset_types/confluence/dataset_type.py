"""Confluence pages, as REST API v2 returns a page with its body in storage format and its labels.

Belongs here: which fields completeness counts, and what a page is as a record and as a search document. The record's
strict schema is in ``schema.py``, how rows follow from a specification in ``builder.py``, how
pages read in ``layout.py``, how they are written in ``markup.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dataops_core.company.model import Hosts
from dataops_core.connectors.embedded.text import HTML, plain_text
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.cells import plain, unflatten
from dataops_core.dataset_types.confluence.builder import PageBuilder
from dataops_core.dataset_types.confluence.layout import LAYOUTS

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

_ABSENT_WHEN_NULL = frozenset({"parentId", "parentType", "lastOwnerId"})

#: The fields that every page has a value for, where it is complete.
_ALWAYS = (
    "id", "status", "title", "spaceId", "position", "authorId", "ownerId", "createdAt", "version.createdAt",
    "version.number", "version.message", "version.minorEdit", "version.authorId", "body.storage.representation",
    "body.storage.value", "labels.results", "_links.webui", "_links.editui", "_links.tinyui",
)  # fmt: skip


class ConfluencePages:
    """The dataset type ``confluence_pages``."""

    name = "confluence_pages"
    label = "Confluence"
    object_type = "Page"
    category = "KNOWLEDGE_HUB"
    facets: tuple[str, ...] = ("labels", "status", "version", "space")
    filter_facet = "space"
    id_column = "id"
    created_column = "createdAt"
    author_column = "_author_name"
    archetypes = frozenset(LAYOUTS)
    defects = frozenset({"near_duplicates", "stale_versions", "conflicting_facts", "misfiled"})
    seasonal = True
    completeness = (
        *map(FieldRule, _ALWAYS),
        # A space's first page has no parent; any other has both halves of the reference.
        FieldRule("parentId", applies=lambda frame: frame["parentType"].notna()),
        FieldRule("parentType", applies=lambda frame: frame["parentId"].notna()),
    )

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.confluence.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's pages."""
        return PageBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the address of every page of the company's wiki."""
        return rf"^{re.escape(hosts.wiki_url)}/spaces/[A-Z0-9]+/pages/[0-9]+/.*$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":
        """The stored table as a frame; with ``text``, the bodies' text as ``_text`` beside them."""
        frame: pd.DataFrame = table.to_pandas()
        if text:
            bodies = [plain_text(body, HTML) for body in frame["body.storage.value"]]
            frame = frame.assign(_text=bodies).astype({"_text": "str"})
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Confluence's API returns the page."""
        return unflatten(row, absent_when_null=_ABSENT_WHEN_NULL)

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document, with its body as Confluence stores it."""
        return Document(
            id=row["id"],
            title=row["title"],
            body=row["body.storage.value"],
            mime_type=HTML,
            view_url=row["_view_url"],
            author_email=plain(row["_author_email"]),
            author_name=plain(row["_author_name"]),
            owner_email=plain(row["_owner_email"]),
            owner_name=plain(row["_owner_name"]),
            container=row["spaceId"],
            created_at=_epoch(row["createdAt"]),
            updated_at=_epoch(row["version.createdAt"]),
            status=row["status"],
            properties={
                "labels": tuple(entry["name"] for entry in row["labels.results"]),
                "status": row["status"],
                "version": str(row["version.number"]),
                "space": row["_space_key"],
            },
        )


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


DATASET_TYPE = ConfluencePages()
