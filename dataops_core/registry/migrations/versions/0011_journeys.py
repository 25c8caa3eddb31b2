"""Journeys, their events, and what each event has to do with which dataset.

The audit log's function takes the customer of any audited table that has a ``client_id``.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: Table → resource type, the column with its id.
AUDITED = {"journeys": ("journey", "journey_id"), "journey_events": ("journey_event", "event_id")}


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.create_table(
        "journeys",
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("journey_id", "client_id", name=op.f("pk_journeys")),
    )
    op.create_table(
        "journey_events",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("to_stage", sa.String(length=32), nullable=True),
        sa.Column("dataset_types", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("phase", sa.String(length=32), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("api_client_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.CheckConstraint(
            "event IN ('stage_transition', 'journey_completed')", name=op.f("ck_journey_events_event_known")
        ),
        sa.CheckConstraint(
            "to_stage IN ('sandbox', 'pilot', 'production')", name=op.f("ck_journey_events_to_stage_known")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'in_progress', 'completed', 'failed', 'superseded')",
            name=op.f("ck_journey_events_status_known"),
        ),
        sa.CheckConstraint("phase IN ('provisioning', 'teardown')", name=op.f("ck_journey_events_phase_known")),
        sa.ForeignKeyConstraint(
            ["journey_id", "client_id"],
            ["journeys.journey_id", "journeys.client_id"],
            name=op.f("fk_journey_events_journey_id"),
        ),
        sa.PrimaryKeyConstraint("client_id", "event_id", name=op.f("pk_journey_events")),
    )
    op.create_index(
        "ix_journey_events_newest", "journey_events", ["journey_id", "client_id", "occurred_at", "received_at"]
    )
    op.create_index(
        "ix_journey_events_open",
        "journey_events",
        ["received_at"],
        postgresql_where=sa.text("status IN ('pending', 'in_progress')"),
    )
    for status in ("pending", "in_progress"):
        op.create_index(
            f"uq_journey_events_{status}",
            "journey_events",
            ["journey_id", "client_id"],
            unique=True,
            postgresql_where=sa.text(f"status = '{status}'"),
        )
    op.create_table(
        "journey_event_datasets",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("role IN ('next', 'old', 'leaving')", name=op.f("ck_journey_event_datasets_role_known")),
        sa.ForeignKeyConstraint(
            ["client_id", "event_id"],
            ["journey_events.client_id", "journey_events.event_id"],
            name=op.f("fk_journey_event_datasets_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("client_id", "event_id", "dataset_id", name=op.f("pk_journey_event_datasets")),
    )
    _take_the_customer_of_any_table()
    for table, (resource_type, key) in AUDITED.items():
        op.execute(
            f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION audit_note('{resource_type}', '{key}', '')"
        )


def _take_the_customer_of_any_table() -> None:
    """Changes one branch of the function that migration 0002 made, and nothing else of it."""
    connection = op.get_bind()
    definition = connection.scalar(sa.text("SELECT pg_get_functiondef('audit_note'\\:\\:regproc)"))
    nothing = "        ELSE\n            NULL;\n"
    if definition.count(nothing) != 1:
        raise RuntimeError("audit_note() is not as migration 0002 made it.")
    changed = definition.replace(nothing, "        ELSE\n            customer := (row_ ->> 'client_id')::uuid;\n")
    connection.exec_driver_sql(changed)
