"""What connectors served on days that are kept no more: one row for each dataset, so that totals stay (C-55)."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only."""
    op.create_table(
        "usage_before",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("queries", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("last_accessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.dataset_id"], name=op.f("fk_usage_before_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_usage_before")),
    )
    # By age, for who removes them: few rows of the day before yesterday are among all that there are.
    op.create_index("ix_usage_days_day", "usage_days", ["day"])
