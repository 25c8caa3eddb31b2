"""Indexes in the order of the list, so that a page far back is found in them alone (C-30)."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only."""
    op.drop_index("ix_datasets_created_at_dataset_id", table_name="datasets")
    newest = sa.text("created_at DESC")
    op.create_index("ix_datasets_newest", "datasets", [newest, "dataset_id"])
    op.create_index("ix_datasets_status_newest", "datasets", ["status", newest, "dataset_id"])
