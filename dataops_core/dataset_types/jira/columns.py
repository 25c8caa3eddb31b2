"""The columns of a stored issue. Data only."""

import pyarrow as pa

COMPONENTS = pa.list_(pa.struct([("self", pa.string()), ("id", pa.string()), ("name", pa.string())]))
COMMENT_LIST = pa.list_(
    pa.struct([(name, pa.string()) for name in ("id", "author_id", "author_name", "created", "body")])
)
_TEXTS = (
    "id", "key", "self", "fields.summary", "fields.description", "fields.issuetype.id", "fields.issuetype.name",
)  # fmt: skip
SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.string(), nullable=name == "fields.description") for name in _TEXTS),
        pa.field("fields.issuetype.subtask", pa.bool_(), nullable=False),
        pa.field("fields.project.id", pa.string(), nullable=False),
        pa.field("fields.project.key", pa.string(), nullable=False),
        pa.field("fields.project.name", pa.string(), nullable=False),
        pa.field("fields.status.id", pa.string(), nullable=False),
        pa.field("fields.status.name", pa.string(), nullable=False),
        pa.field("fields.status.statusCategory.key", pa.string(), nullable=False),
        pa.field("fields.priority.id", pa.string(), nullable=False),
        pa.field("fields.priority.name", pa.string(), nullable=False),
        pa.field("fields.labels", pa.list_(pa.string()), nullable=False),
        pa.field("fields.components", COMPONENTS, nullable=False),
        pa.field("fields.reporter.accountId", pa.string(), nullable=False),
        pa.field("fields.reporter.displayName", pa.string(), nullable=False),
        pa.field("fields.reporter.emailAddress", pa.string(), nullable=False),
        pa.field("fields.reporter.active", pa.bool_(), nullable=False),
        pa.field("fields.assignee.accountId", pa.string()),
        pa.field("fields.assignee.displayName", pa.string()),
        pa.field("fields.assignee.emailAddress", pa.string()),
        pa.field("fields.created", pa.string(), nullable=False),
        pa.field("fields.updated", pa.string(), nullable=False),
        pa.field("fields.resolutiondate", pa.string()),
        pa.field("fields.resolution.id", pa.string()),
        pa.field("fields.resolution.name", pa.string()),
        pa.field("_comments", COMMENT_LIST, nullable=False),
        pa.field("_view_url", pa.string(), nullable=False),
        pa.field("_archetype", pa.string(), nullable=False),
        pa.field("_topic", pa.string(), nullable=False),
    ]
)
