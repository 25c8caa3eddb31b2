"""The columns of a stored page. Data only."""

import pyarrow as pa

LABELS = pa.list_(pa.struct([("id", pa.string()), ("name", pa.string()), ("prefix", pa.string())]))
SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("spaceId", pa.string(), nullable=False),
        pa.field("parentId", pa.string()),
        pa.field("parentType", pa.string()),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("authorId", pa.string(), nullable=False),
        pa.field("ownerId", pa.string()),
        pa.field("lastOwnerId", pa.string()),
        pa.field("createdAt", pa.string(), nullable=False),
        pa.field("version.createdAt", pa.string(), nullable=False),
        pa.field("version.number", pa.int64(), nullable=False),
        pa.field("version.message", pa.string(), nullable=False),
        pa.field("version.minorEdit", pa.bool_(), nullable=False),
        pa.field("version.authorId", pa.string(), nullable=False),
        pa.field("body.storage.representation", pa.string(), nullable=False),
        pa.field("body.storage.value", pa.string(), nullable=False),
        pa.field("labels.results", LABELS, nullable=False),
        pa.field("_links.webui", pa.string(), nullable=False),
        pa.field("_links.editui", pa.string(), nullable=False),
        pa.field("_links.tinyui", pa.string(), nullable=False),
        pa.field("_view_url", pa.string(), nullable=False),
        pa.field("_space_key", pa.string(), nullable=False),
        pa.field("_archetype", pa.string(), nullable=False),
        pa.field("_topic", pa.string(), nullable=False),
        pa.field("_author_name", pa.string(), nullable=False),
        pa.field("_author_email", pa.string(), nullable=False),
        pa.field("_owner_name", pa.string()),
        pa.field("_owner_email", pa.string()),
    ]
)
