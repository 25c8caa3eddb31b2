"""A dataset's evaluations in the order of time: any page of its history costs what the first one costs."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.create_index(
        "ix_quality_results_history", "quality_results", ["dataset_id", "executed_at", "check_id"], unique=False
    )
