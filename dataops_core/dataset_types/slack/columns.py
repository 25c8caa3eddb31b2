"""The columns of a stored message. Data only."""

import pyarrow as pa

REACTION_LIST = pa.list_(pa.struct([("name", pa.string()), ("users", pa.list_(pa.string())), ("count", pa.int64())]))
SCHEMA = pa.schema(
    [
        pa.field("type", pa.string(), nullable=False),
        pa.field("ts", pa.string(), nullable=False),
        pa.field("user", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("team", pa.string(), nullable=False),
        pa.field("client_msg_id", pa.string(), nullable=False),
        pa.field("thread_ts", pa.string()),
        pa.field("reply_count", pa.int64()),
        pa.field("reply_users", pa.list_(pa.string())),
        pa.field("reply_users_count", pa.int64()),
        pa.field("latest_reply", pa.string()),
        pa.field("reactions", REACTION_LIST),
        pa.field("permalink", pa.string(), nullable=False),
        pa.field("_document_id", pa.string(), nullable=False),
        pa.field("_channel_id", pa.string(), nullable=False),
        pa.field("_channel_name", pa.string(), nullable=False),
        pa.field("_posted_at", pa.string(), nullable=False),
        pa.field("_archetype", pa.string(), nullable=False),
        pa.field("_topic", pa.string(), nullable=False),
        pa.field("_author_name", pa.string(), nullable=False),
        pa.field("_author_email", pa.string(), nullable=False),
        pa.field("_addressee_name", pa.string(), nullable=False),
    ]
)
