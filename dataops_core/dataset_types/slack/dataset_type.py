"""Slack messages, as the Web API returns a channel's messages, threads with their replies beside them.

Belongs here: which fields completeness counts, and what a message is as a record and as a search document. The record's
strict schema is in ``schema.py``, how rows follow from a specification in ``builder.py`` and ``threads.py``, what
people write in ``layout.py``, how it is written in ``markup.py``.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dataops_core.company.model import Hosts
from dataops_core.dataset_types.base import Document, FieldRule, GenerationSpec, RecordBuilder
from dataops_core.dataset_types.cells import plain, unflatten
from dataops_core.dataset_types.slack.builder import MessageBuilder
from dataops_core.dataset_types.slack.layout import LAYOUTS
from dataops_core.dataset_types.slack.markup import plain_message

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

#: Slack leaves out what a message does not have.
_ABSENT_WHEN_NULL = frozenset(
    {"thread_ts", "reply_count", "reply_users", "reply_users_count", "latest_reply", "reactions"}
)
_ALWAYS = ("type", "ts", "user", "text", "team", "client_msg_id", "permalink")
#: What the first message of a thread with replies says of them.
_OF_REPLIES = ("thread_ts", "reply_users", "reply_users_count", "latest_reply")
_LEAD = 80


class SlackMessages:
    """The dataset type ``slack_messages``."""

    name = "slack_messages"
    label = "Slack"
    object_type = "Message"
    category = "MESSAGING"
    facets: tuple[str, ...] = ("channel", "thread")
    filter_facet = "channel"
    id_column = "_document_id"
    created_column = "_posted_at"
    author_column = "_author_name"
    archetypes = frozenset(LAYOUTS)
    # A message is not written anew.
    defects = frozenset({"near_duplicates", "conflicting_facts", "misfiled"})
    seasonal = True
    completeness = (
        *map(FieldRule, _ALWAYS),
        *(FieldRule(name, applies=lambda frame: frame["reply_count"].notna()) for name in _OF_REPLIES),
    )

    @property
    def schema(self) -> "DataFrameSchema":
        """The strict schema of the frame, loaded with pandera when it is first asked for."""
        from dataops_core.dataset_types.slack.schema import SCHEMA  # noqa: PLC0415  see base.DatasetType.schema

        return SCHEMA

    def builder(self, spec: GenerationSpec) -> RecordBuilder:
        """A builder of the specification's messages."""
        return MessageBuilder(spec)

    def url_pattern(self, hosts: Hosts) -> str:
        """Matches the permalink of every message of the company's workspace."""
        return rf"^{re.escape(hosts.slack_url)}/archives/C[A-Z0-9]+/p[0-9]+\S*$"

    def frame(self, table: pa.Table, *, text: bool = False) -> "pd.DataFrame":
        """The stored table as a frame; with ``text``, what messages say as ``_text`` beside them."""
        # Whole numbers stay whole where some are missing.
        frame: pd.DataFrame = table.to_pandas().astype({"reply_count": "Int64", "reply_users_count": "Int64"})
        if text:
            said = zip(frame["text"], frame["_addressee_name"], strict=True)
            frame = frame.assign(_text=[plain_message(*each) for each in said]).astype({"_text": "str"})
        return frame

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as Slack's API returns the message."""
        return unflatten(row, absent_when_null=_ABSENT_WHEN_NULL)

    def document(self, row: Mapping[str, Any]) -> Document:
        """The row as a search document. A message has no title: how it begins, who wrote it, where and when is one."""
        body = plain_message(row["text"], row["_addressee_name"])
        posted = datetime.fromisoformat(row["_posted_at"])
        channel, name = row["_channel_id"], row["_channel_name"]
        return Document(
            id=row["_document_id"],
            title=f"{_lead(body)} ({row['_author_name']} in #{name}, {posted:%Y-%m-%d %H:%M})",
            body=body,
            mime_type="text/plain",
            view_url=row["permalink"],
            author_email=row["_author_email"],
            author_name=row["_author_name"],
            owner_email=None,
            owner_name=None,
            container=channel,
            created_at=int(posted.timestamp()),
            updated_at=int(posted.timestamp()),
            status=None,
            properties={"channel": name, "thread": f"{channel}-{plain(row['thread_ts']) or row['ts']}"},
        )


def _lead(body: str) -> str:
    """How a message begins: its first words up to so many characters, on one line."""
    words = " ".join(body[: 2 * _LEAD].split())
    return words if len(words) <= _LEAD else f"{words[:_LEAD].rpartition(' ')[0]} …"


DATASET_TYPE = SlackMessages()
