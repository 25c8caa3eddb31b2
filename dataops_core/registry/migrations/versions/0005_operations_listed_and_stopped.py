"""Operations listed newest first, and the runs that a cancellation has left to be stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.create_index("ix_operations_created_at_operation_id", "operations", ["created_at", "operation_id"], unique=False)
    op.create_table(
        "run_stops",
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_stops")),
    )
