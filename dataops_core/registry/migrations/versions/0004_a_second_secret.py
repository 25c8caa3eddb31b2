"""A secret that was rotated stays valid for a while beside the new one (C-15)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only."""
    op.add_column("api_clients", sa.Column("previous_secret_hash", sa.String(length=64), nullable=True))
    op.add_column("api_clients", sa.Column("previous_secret_until", sa.DateTime(timezone=True), nullable=True))
