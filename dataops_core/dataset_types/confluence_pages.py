"""Confluence pages, as REST API v2 returns a page with its body in storage format and its labels.

Belongs here: the record's strict schema, which fields completeness counts, and what a page is as a search document.
How rows follow from a specification is in ``confluence_builder.py``, how pages read in ``confluence_layout.py``, how
they are written in ``confluence_markup.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandera.pandas import Column, DataFrameSchema

from dataops_core.company.model import Company
from dataops_core.connectors.embedded.text import HTML, plain_text
from dataops_core.dataset_types import records
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.confluence_builder import PageBuilder
from dataops_core.templates.archetypes import ARCHETYPES

_LABEL_KEYS = {"id", "name", "prefix"}
_PREFIXES = ("global", "my", "team")
_ACCOUNT = r"[0-9a-zA-Z:-]+"
_TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"
_ABSENT_WHEN_NULL = frozenset({"parentId", "parentType", "lastOwnerId"})


def _good_labels(labels: pd.Series) -> pd.Series:
    """Every label is an object of id, name and a known prefix."""
    return pd.Series([_are_labels(entries) for entries in labels], index=labels.index, dtype=bool)


def _are_labels(entries: Any) -> bool:
    if not isinstance(entries, np.ndarray | list):
        return False
    for entry in entries:
        if type(entry) is not dict or entry.keys() != _LABEL_KEYS or entry["prefix"] not in _PREFIXES:
            return False
        if type(entry["id"]) is not str or type(entry["name"]) is not str:
            return False
    return True


def _account(*, nullable: bool = False) -> Column:
    # The length apart: a counted repetition makes a regular expression ten times as slow.
    return records.text(records.matches(_ACCOUNT), records.byte_length(24, 60), nullable=nullable)


def _moment_column() -> Column:
    return records.text(records.matches(_TIMESTAMP), records.moment())


_PAGE_SCHEMA = DataFrameSchema(
    {
        "id": records.text(records.matches(r"\d+"), unique=True),
        "status": records.text(records.one_of("current", "draft", "archived", "trashed")),
        "title": records.text(records.characters(1, 255), records.not_blank()),
        "spaceId": records.text(records.matches(r"\d+")),
        "parentId": records.text(records.matches(r"\d+"), nullable=True),
        "parentType": records.text(records.one_of("page", "whiteboard", "database", "embed", "folder"), nullable=True),
        "position": Column("int64", records.between(-(2**31), 2**31 - 1)),
        "authorId": _account(),
        "ownerId": _account(nullable=True),
        "lastOwnerId": _account(nullable=True),
        "createdAt": _moment_column(),
        "version.createdAt": _moment_column(),
        "version.number": Column("int64", records.between(1, 2**31 - 1)),
        "version.message": records.text(records.characters(0, 500)),
        "version.minorEdit": Column(bool),
        "version.authorId": _account(),
        "body.storage.representation": records.text(records.one_of("storage")),
        "body.storage.value": records.text(records.byte_length(1, 16 * 2**20)),
        "labels.results": Column(object, records.each(_good_labels, "labels must have id, name and prefix")),
        "_links.webui": records.text(records.matches(r"/spaces/.+")),
        "_links.editui": records.text(records.matches(r"/pages/.+")),
        "_links.tinyui": records.text(records.matches(r"/x/.+")),
        "_view_url": records.text(records.matches(r"https://.+"), unique=True),
        "_space_key": records.text(records.matches(r"[A-Z][A-Z0-9]+")),
        "_archetype": records.text(),
        "_topic": records.text(),
        "_author_name": records.text(),
        "_author_email": records.text(records.matches(r"[^@\s]+@[^@\s]+")),
        "_owner_name": records.text(nullable=True),
        "_owner_email": records.text(records.matches(r"[^@\s]+@[^@\s]+"), nullable=True),
        "_text": records.text(required=False),
    },
    checks=[
        records.rows_hold(
            lambda frame: frame["createdAt"] <= frame["version.createdAt"], "a version is no older than its page"
        ),
        records.rows_hold(
            lambda frame: frame["parentId"].isna() == frame["parentType"].isna(), "a parent has an id and a type"
        ),
    ],
    strict=True,
    name="confluence_pages",
)


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
    schema = _PAGE_SCHEMA
    created_column = "createdAt"
    archetypes = ARCHETYPES["confluence_pages"]
    completeness = (
        *map(FieldRule, _ALWAYS),
        # A space's first page has no parent; any other has both halves of the reference.
        FieldRule("parentId", applies=lambda frame: frame["parentType"].notna()),
        FieldRule("parentType", applies=lambda frame: frame["parentId"].notna()),
    )

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's pages."""
        return PageBuilder(spec)

    def url_pattern(self, company: Company) -> str:
        """Matches the address of every page of the company's wiki."""
        return rf"^{re.escape(company.wiki_url)}/spaces/[A-Z0-9]+/pages/[0-9]+/.*$"

    def frame(self, table: pa.Table, *, text: bool = False) -> pd.DataFrame:
        """The stored table as a frame; with ``text``, the bodies' text as ``_text`` beside them."""
        frame = records.arrow_frame(table)
        if text:
            bodies = [plain_text(body, HTML) for body in frame["body.storage.value"]]
            frame["_text"] = pd.Series(bodies, index=frame.index, dtype="str")
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Confluence's API returns the page."""
        return records.unflatten(row, absent_when_null=_ABSENT_WHEN_NULL)

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document, with its body as Confluence stores it."""
        return Document(
            id=row["id"],
            title=row["title"],
            body=row["body.storage.value"],
            mime_type=HTML,
            view_url=row["_view_url"],
            author_email=records.plain(row["_author_email"]),
            author_name=records.plain(row["_author_name"]),
            owner_email=records.plain(row["_owner_email"]),
            owner_name=records.plain(row["_owner_name"]),
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
