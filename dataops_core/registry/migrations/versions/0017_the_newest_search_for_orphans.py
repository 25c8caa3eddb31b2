"""What the newest search for orphans found, for who watches the installation by its figures."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.create_table(
        "orphan_search",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("searched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_orphan_search_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orphan_search")),
    )
