"""How many datasets there are, kept by a trigger, so that a list need not count them each time (C-31).

A count is the sum of a few rows. A transaction adds its change to whichever of them nobody else is changing, and makes
one where there is none: so it never waits for another, and what it has changed counts from its commit on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ADD = """
CREATE FUNCTION dataset_counts_add(stage_ text, status_ text, type_ text, change bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dataset_counts SET datasets = datasets + change
    WHERE count_id = (
        SELECT count_id FROM dataset_counts
        WHERE stage = stage_ AND status = status_ AND dataset_type = type_
        LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO dataset_counts (stage, status, dataset_type, datasets) VALUES (stage_, status_, type_, change);
    END IF;
END
$$
"""

_NOTE = """
CREATE FUNCTION dataset_counts_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM dataset_counts;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM dataset_counts_add(OLD.stage, OLD.status, OLD.dataset_type, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM dataset_counts_add(NEW.stage, NEW.status, NEW.dataset_type, 1);
    END IF;
    RETURN NULL;
END
$$
"""

_TRIGGERS = (
    "CREATE TRIGGER counted AFTER INSERT OR DELETE ON datasets FOR EACH ROW EXECUTE FUNCTION dataset_counts_note()",
    """
    CREATE TRIGGER counted_anew AFTER UPDATE OF stage, status, dataset_type ON datasets FOR EACH ROW
    WHEN ((OLD.stage, OLD.status, OLD.dataset_type) IS DISTINCT FROM (NEW.stage, NEW.status, NEW.dataset_type))
    EXECUTE FUNCTION dataset_counts_note()
    """,
    "CREATE TRIGGER counted_none AFTER TRUNCATE ON datasets EXECUTE FUNCTION dataset_counts_note()",
)


def upgrade() -> None:
    """Forwards only."""
    op.create_table(
        "dataset_counts",
        sa.Column("count_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("dataset_type", sa.String(length=64), nullable=False),
        sa.Column("datasets", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("count_id", name=op.f("pk_dataset_counts")),
    )
    op.execute(_ADD)
    op.execute(_NOTE)
    # The triggers first: they lock out every change until all that was there before them is counted.
    for trigger in _TRIGGERS:
        op.execute(trigger)
    op.execute(
        "INSERT INTO dataset_counts (stage, status, dataset_type, datasets)"
        " SELECT stage, status, dataset_type, count(*) FROM datasets GROUP BY stage, status, dataset_type"
    )
