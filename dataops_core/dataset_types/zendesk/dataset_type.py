"""Zendesk tickets, as the Ticketing API returns a ticket, with their comments beside them.

Belongs here: which fields completeness counts, and what a ticket is as a record and as a search document. The record's
strict schema is in ``schema.py``, how rows follow from a specification in ``plan.py`` and ``builder.py`` (which one:
``numbers.py``), what tickets say in ``layout.py``, how they are written in ``markup.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dataops_core.company.model import Hosts
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.cells import plain, unflatten
from dataops_core.dataset_types.zendesk.builder import TicketBuilder
from dataops_core.dataset_types.zendesk.layout import LAYOUTS

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

_ABSENT_WHEN_NULL = frozenset({"external_id", "priority", "recipient", "assignee_id", "organization_id", "due_at"})
#: Numbers that pandas holds as floats where one is missing.
_OPTIONAL_IDS = ("assignee_id", "organization_id")

#: The fields that every ticket has a value for, where it is complete.
_ALWAYS = (
    "id", "url", "created_at", "updated_at", "type", "subject", "raw_subject", "description", "priority", "status",
    "requester_id", "submitter_id", "organization_id", "group_id", "brand_id", "tags", "has_incidents", "is_public",
    "via.channel",
)  # fmt: skip


class ZendeskTickets:
    """The dataset type ``zendesk_tickets``."""

    name = "zendesk_tickets"
    label = "Zendesk"
    object_type = "Ticket"
    category = "TICKETS"
    facets: tuple[str, ...] = ("status", "priority", "type", "group", "organization", "tags")
    filter_facet = "group"
    id_column = "id"
    created_column = "created_at"
    author_column = "_requester_name"
    archetypes = frozenset(LAYOUTS)
    # A ticket is changed, never written anew.
    defects = frozenset({"near_duplicates", "conflicting_facts", "misfiled"})
    seasonal = False
    completeness = (
        *map(FieldRule, _ALWAYS),
        FieldRule("assignee_id", applies=lambda frame: frame["status"] != "new"),
        FieldRule("due_at", applies=lambda frame: frame["type"] == "task"),
        FieldRule("recipient", applies=lambda frame: frame["via.channel"] == "email"),
    )

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.zendesk.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's tickets."""
        return TicketBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the address of every ticket of the company's help desk."""
        return rf"^{re.escape(hosts.support_url)}/agent/tickets/[0-9].*$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":
        """The stored table as a frame; with ``text``, what is searched as ``_text`` beside it."""
        frame: pd.DataFrame = table.to_pandas()
        # Of a column without a null, pandas would make whole numbers.
        frame = frame.astype(dict.fromkeys(_OPTIONAL_IDS, "float64"))
        if text:
            frame = frame.assign(_text=[_text(row) for row in table.to_pylist()]).astype({"_text": "str"})
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Zendesk's API returns the ticket; comments are left to their own resource."""
        record = unflatten(row, absent_when_null=_ABSENT_WHEN_NULL)
        return record | {name: int(record[name]) for name in _OPTIONAL_IDS if name in record}

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document: its description and what followed."""
        priority = plain(row["priority"])
        return Document(
            id=str(row["id"]),
            title=row["subject"],
            body=_text(row),
            mime_type="text/plain",
            view_url=row["_view_url"],
            author_email=row["_requester_email"],
            author_name=row["_requester_name"],
            owner_email=plain(row["_assignee_email"]),
            owner_name=plain(row["_assignee_name"]),
            container=str(row["brand_id"]),
            created_at=_epoch(row["created_at"]),
            updated_at=_epoch(row["updated_at"]),
            status=row["status"],
            properties={
                "status": row["status"],
                **({"priority": priority} if priority else {}),
                "type": row["type"],
                "group": row["_group"],
                "organization": row["_organization"],
                "tags": tuple(plain(row["tags"])),
            },
        )


def _text(row: Mapping[str, Any]) -> str:
    """Description, then each comment under its author's name."""
    comments = [f"{comment['author_name']}:\n{comment['body']}" for comment in plain(row["_comments"])]
    return "\n\n".join([row["description"], *comments])


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


DATASET_TYPE = ZendeskTickets()
