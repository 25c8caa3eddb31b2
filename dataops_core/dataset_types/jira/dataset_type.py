"""Jira issues, as REST API v3 returns an issue, with their comments beside them.

Belongs here: which fields completeness counts, and what an issue is as a record and as a search document. The record's
strict schema is in ``schema.py``, how rows follow from a specification in ``plan.py`` and ``builder.py`` (which issue:
``numbers.py``), what issues say in ``layout.py``, how they are written in ``markup.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from dataops_core.company.model import Hosts
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.cells import plain, unflatten
from dataops_core.dataset_types.jira.builder import IssueBuilder
from dataops_core.dataset_types.jira.layout import LAYOUTS
from dataops_core.dataset_types.jira.markup import plain_text

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

#: The fields that every issue has a value for, where it is complete.
_ALWAYS = (
    "id", "key", "self", "fields.summary", "fields.description", "fields.issuetype.name", "fields.project.id",
    "fields.project.key", "fields.project.name", "fields.status.name", "fields.status.statusCategory.key",
    "fields.priority.name", "fields.labels", "fields.components", "fields.reporter.accountId",
    "fields.reporter.displayName", "fields.reporter.emailAddress", "fields.created", "fields.updated",
)  # fmt: skip


class JiraIssues:
    """The dataset type ``jira_issues``."""

    name = "jira_issues"
    label = "Jira"
    object_type = "Issue"
    category = "TICKETS"
    facets: tuple[str, ...] = ("status", "priority", "type", "project", "labels")
    filter_facet = "priority"
    id_column = "key"
    created_column = "fields.created"
    author_column = "fields.reporter.displayName"
    archetypes = frozenset(LAYOUTS)
    # An issue is changed, never written anew.
    defects = frozenset({"near_duplicates", "conflicting_facts", "misfiled"})
    seasonal = False
    completeness = (
        *map(FieldRule, _ALWAYS),
        # What nobody has begun needs nobody; what is done has an end.
        FieldRule(
            "fields.assignee.accountId", applies=lambda frame: frame["fields.status.statusCategory.key"] != "new"
        ),
        FieldRule("fields.resolutiondate", applies=lambda frame: frame["fields.status.statusCategory.key"] == "done"),
        FieldRule("fields.resolution.name", applies=lambda frame: frame["fields.status.statusCategory.key"] == "done"),
    )

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.jira.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's issues."""
        return IssueBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the address of every issue of the company."""
        return rf"^{re.escape(hosts.jira_url)}/browse/[A-Z][A-Z0-9]+-.+$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":
        """The stored table as a frame; with ``text``, what is searched as ``_text`` beside it."""
        frame: pd.DataFrame = table.to_pandas()
        if text:
            frame = frame.assign(_text=[_text(row) for row in table.to_pylist()]).astype({"_text": "str"})
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Jira's API returns the issue: its description parsed, comments left to their own resource."""
        record = unflatten(row, null_when_empty=("fields.assignee", "fields.resolution"))
        fields = record["fields"]
        if fields["description"] is not None:
            fields["description"] = orjson.loads(fields["description"])
        if fields["assignee"] is not None:
            fields["assignee"]["active"] = True
        return record

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document: the text of its description and comments."""
        labels = plain(row["fields.labels"])
        return Document(
            id=row["key"],
            title=row["fields.summary"],
            body=_text(row),
            mime_type="text/plain",
            view_url=row["_view_url"],
            author_email=row["fields.reporter.emailAddress"],
            author_name=row["fields.reporter.displayName"],
            owner_email=plain(row["fields.assignee.emailAddress"]),
            owner_name=plain(row["fields.assignee.displayName"]),
            container=row["fields.project.key"],
            created_at=_epoch(row["fields.created"]),
            updated_at=_epoch(row["fields.updated"]),
            status=row["fields.status.name"],
            properties={
                "status": row["fields.status.name"],
                "priority": row["fields.priority.name"],
                "type": row["fields.issuetype.name"],
                "project": row["fields.project.key"],
                "labels": tuple(labels),
            },
        )


def _text(row: Mapping[str, Any]) -> str:
    """Description, then each comment under its author's name."""
    description = plain(row["fields.description"])
    parts = [plain_text(description)] if description else []
    parts += [f"{comment['author_name']}:\n{plain_text(comment['body'])}" for comment in plain(row["_comments"])]
    return "\n\n".join(parts) or row["fields.summary"]


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


DATASET_TYPE = JiraIssues()
