"""The columns of a stored ticket. Data only."""

import pyarrow as pa

COMMENT_LIST = pa.list_(
    pa.struct(
        [
            ("id", pa.int64()),
            ("author_id", pa.int64()),
            ("author_name", pa.string()),
            ("public", pa.bool_()),
            ("created_at", pa.string()),
            ("body", pa.string()),
        ]
    )
)
IDS = pa.list_(pa.int64())
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("external_id", pa.string()),
        pa.field("created_at", pa.string(), nullable=False),
        pa.field("updated_at", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("raw_subject", pa.string(), nullable=False),
        pa.field("description", pa.string(), nullable=False),
        pa.field("priority", pa.string()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("recipient", pa.string()),
        pa.field("requester_id", pa.int64(), nullable=False),
        pa.field("submitter_id", pa.int64(), nullable=False),
        pa.field("assignee_id", pa.int64()),
        pa.field("organization_id", pa.int64()),
        pa.field("group_id", pa.int64(), nullable=False),
        pa.field("brand_id", pa.int64(), nullable=False),
        pa.field("collaborator_ids", IDS, nullable=False),
        pa.field("follower_ids", IDS, nullable=False),
        pa.field("email_cc_ids", IDS, nullable=False),
        pa.field("followup_ids", IDS, nullable=False),
        pa.field("tags", pa.list_(pa.string()), nullable=False),
        pa.field("has_incidents", pa.bool_(), nullable=False),
        pa.field("is_public", pa.bool_(), nullable=False),
        pa.field("due_at", pa.string()),
        pa.field("allow_channelback", pa.bool_(), nullable=False),
        pa.field("allow_attachments", pa.bool_(), nullable=False),
        pa.field("from_messaging_channel", pa.bool_(), nullable=False),
        pa.field("via.channel", pa.string(), nullable=False),
        pa.field("_comments", COMMENT_LIST, nullable=False),
        pa.field("_organization", pa.string(), nullable=False),
        pa.field("_group", pa.string(), nullable=False),
        pa.field("_requester_name", pa.string(), nullable=False),
        pa.field("_requester_email", pa.string(), nullable=False),
        pa.field("_assignee_name", pa.string()),
        pa.field("_assignee_email", pa.string()),
        pa.field("_view_url", pa.string(), nullable=False),
        pa.field("_archetype", pa.string(), nullable=False),
        pa.field("_topic", pa.string(), nullable=False),
    ]
)
