"""The trace that an operation belongs to, by which its run joins the request that asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.add_column("operations", sa.Column("traceparent", sa.String(length=55), nullable=True))
