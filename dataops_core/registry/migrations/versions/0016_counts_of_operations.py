"""How many operations there are, kept by a trigger as datasets are since 0012: their list has a total, too."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ADD = """
CREATE FUNCTION operation_counts_add(status_ text, type_ text, change bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE operation_counts SET operations = operations + change
    WHERE count_id = (
        SELECT count_id FROM operation_counts
        WHERE status = status_ AND operation_type = type_
        LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO operation_counts (status, operation_type, operations) VALUES (status_, type_, change);
    END IF;
END
$$
"""

_NOTE = """
CREATE FUNCTION operation_counts_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM operation_counts;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM operation_counts_add(OLD.status, OLD.operation_type, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM operation_counts_add(NEW.status, NEW.operation_type, 1);
    END IF;
    RETURN NULL;
END
$$
"""

_TRIGGERS = (
    "CREATE TRIGGER counted AFTER INSERT OR DELETE ON operations FOR EACH ROW EXECUTE FUNCTION operation_counts_note()",
    """
    CREATE TRIGGER counted_anew AFTER UPDATE OF status, operation_type ON operations FOR EACH ROW
    WHEN ((OLD.status, OLD.operation_type) IS DISTINCT FROM (NEW.status, NEW.operation_type))
    EXECUTE FUNCTION operation_counts_note()
    """,
    "CREATE TRIGGER counted_none AFTER TRUNCATE ON operations EXECUTE FUNCTION operation_counts_note()",
)


def upgrade() -> None:
    """Forwards only."""
    op.create_table(
        "operation_counts",
        sa.Column("count_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("operation_type", sa.String(length=32), nullable=False),
        sa.Column("operations", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("count_id", name=op.f("pk_operation_counts")),
    )
    op.execute(_ADD)
    op.execute(_NOTE)
    # The triggers first: they lock out every change until all that was there before them is counted.
    for trigger in _TRIGGERS:
        op.execute(trigger)
    op.execute(
        "INSERT INTO operation_counts (status, operation_type, operations)"
        " SELECT status, operation_type, count(*) FROM operations GROUP BY status, operation_type"
    )
