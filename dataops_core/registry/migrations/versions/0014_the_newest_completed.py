"""An index to the newest completed operations, by which the end of a new one is estimated at each request (C-42)."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only."""
    op.create_index(
        "ix_operations_newest_completed",
        "operations",
        ["operation_type", sa.text("completed_at DESC")],
        postgresql_where=sa.text("status = 'completed' AND run_id IS NOT NULL"),
    )
