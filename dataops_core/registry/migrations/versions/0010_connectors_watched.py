"""What is remembered of the looks at a connector, so that its status follows what lasts."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COUNTS = ("consecutive_failures", "consecutive_passes", "consecutive_clean")


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.add_column("connectors", sa.Column("finding", sa.String(length=32), nullable=True))
    op.add_column("connectors", sa.Column("status_since", sa.DateTime(timezone=True), nullable=True))
    for name in _COUNTS:
        op.add_column("connectors", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_check_constraint(
        op.f("ck_connectors_finding_known"), "connectors", "finding IN ('clean', 'strained', 'unclear', 'failed')"
    )
    # A look that changes nothing is no change of the product.
    noise = ",".join(("last_checked_at", "upload", "finding", "status_since", *_COUNTS))
    op.execute("DROP TRIGGER audit ON connectors")
    op.execute(
        "CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON connectors "
        f"FOR EACH ROW EXECUTE FUNCTION audit_note('connector', 'connector_id', '{noise}')"
    )
