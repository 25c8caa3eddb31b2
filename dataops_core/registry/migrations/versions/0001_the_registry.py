"""The registry as the first release has it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.create_table(
        "api_clients",
        sa.Column("api_client_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("customers", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("api_client_id", name=op.f("pk_api_clients")),
    )
    op.create_table(
        "connectors",
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column(
            "status",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("datasource", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("generation", sa.Text(), nullable=True),
        sa.Column("document_count", sa.Integer(), nullable=False),
        sa.Column("id_digest", sa.String(length=64), nullable=True),
        sa.Column("index_bytes", sa.BigInteger(), nullable=False),
        sa.Column("upload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "status IN ('connecting', 'healthy', 'degraded', 'unhealthy', 'disconnected')",
            name=op.f("ck_connectors_status_known"),
        ),
        sa.PrimaryKeyConstraint("connector_id", name=op.f("pk_connectors")),
    )
    op.create_index(op.f("ix_connectors_dataset_id"), "connectors", ["dataset_id"], unique=False)
    op.create_table(
        "customers",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("company_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_customers")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("secret_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_table(
        "operations",
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "operation_type",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stage",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("current_step", sa.SmallInteger(), nullable=False),
        sa.Column("total_steps", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("estimated_completion", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("run_id", sa.String(length=36), nullable=True),
        sa.Column("launch_lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("launch_attempts", sa.Integer(), nullable=False),
        sa.Column("rerun_of", sa.Uuid(), nullable=True),
        sa.Column("api_client_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.CheckConstraint(
            "operation_type IN ('dataset_provisioning', 'dataset_teardown', 'quality_validation', 'dataset_restore')",
            name=op.f("ck_operations_operation_type_known"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'in_progress', 'completed', 'failed', 'cancelled')",
            name=op.f("ck_operations_status_known"),
        ),
        sa.PrimaryKeyConstraint("operation_id", name=op.f("pk_operations")),
    )
    op.create_index(op.f("ix_operations_client_id"), "operations", ["client_id"], unique=False)
    op.create_index(
        "ix_operations_open",
        "operations",
        ["beat_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'in_progress')"),
    )
    op.create_index(op.f("ix_operations_run_id"), "operations", ["run_id"], unique=False)
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=False),
        sa.Column("public_jwk", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "connector_tokens",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("connector_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('search', 'index')", name=op.f("ck_connector_tokens_kind_known")),
        sa.ForeignKeyConstraint(
            ["connector_id"],
            ["connectors.connector_id"],
            name=op.f("fk_connector_tokens_connector_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_connector_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_connector_tokens_token_hash")),
    )
    op.create_index(op.f("ix_connector_tokens_connector_id"), "connector_tokens", ["connector_id"], unique=False)
    op.create_table(
        "datasets",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dataset_type", sa.String(length=64), nullable=False),
        sa.Column(
            "stage",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("template_name", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("requested_count", sa.Integer(), nullable=False),
        sa.Column("record_count", sa.Integer(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("quality_score", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("records_path", sa.Text(), nullable=True),
        sa.Column("records_sha256", sa.String(length=64), nullable=True),
        sa.Column("upload_id", sa.Text(), nullable=True),
        sa.Column("archive_path", sa.Text(), nullable=True),
        sa.Column("has_remains", sa.Boolean(), nullable=False),
        sa.CheckConstraint("stage IN ('sandbox', 'pilot', 'production')", name=op.f("ck_datasets_stage_known")),
        sa.CheckConstraint(
            "status IN ('provisioning', 'validating', 'ready', 'failed', 'teardown', 'archived')",
            name=op.f("ck_datasets_status_known"),
        ),
        sa.ForeignKeyConstraint(["client_id"], ["customers.client_id"], name=op.f("fk_datasets_client_id")),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_datasets")),
    )
    op.create_index(op.f("ix_datasets_client_id"), "datasets", ["client_id"], unique=False)
    op.create_index("ix_datasets_created_at_dataset_id", "datasets", ["created_at", "dataset_id"], unique=False)
    op.create_index(op.f("ix_datasets_journey_id"), "datasets", ["journey_id"], unique=False)
    op.create_index(
        "uq_datasets_live_place",
        "datasets",
        ["client_id", "stage", "dataset_type"],
        unique=True,
        postgresql_where=sa.text("status IN ('provisioning', 'ready', 'teardown', 'validating')"),
    )
    op.create_table(
        "operation_datasets",
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_type", sa.String(length=64), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("steps_done", sa.SmallInteger(), nullable=False),
        sa.Column(
            "outcome",
            sa.String(length=32),
            nullable=True,
        ),
        sa.Column("quality_score", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("records_path", sa.Text(), nullable=True),
        sa.Column("upload_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('ready', 'failed', 'archived', 'deleted', 'cancelled')",
            name=op.f("ck_operation_datasets_outcome_known"),
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"],
            ["operations.operation_id"],
            name=op.f("fk_operation_datasets_operation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("operation_id", "dataset_id", name=op.f("pk_operation_datasets")),
    )
    op.create_index("ix_operation_datasets_dataset_id", "operation_datasets", ["dataset_id"], unique=False)
    op.create_index(
        "uq_operation_datasets_active",
        "operation_datasets",
        ["dataset_id"],
        unique=True,
        postgresql_where=sa.text("active"),
    )
    op.create_table(
        "quality_results",
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "check_type",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.String(length=32),
            nullable=False,
        ),
        sa.Column("score", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("metrics", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("executed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "check_type IN ('schema_validation', 'data_completeness', 'connector_health', 'sample_query_success')",
            name=op.f("ck_quality_results_check_type_known"),
        ),
        sa.CheckConstraint(
            "status IN ('passed', 'failed', 'pending', 'error')", name=op.f("ck_quality_results_status_known")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.dataset_id"], name=op.f("fk_quality_results_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_quality_results")),
    )
    op.create_index(
        "ix_quality_results_newest", "quality_results", ["dataset_id", "check_type", "executed_at"], unique=False
    )
    op.create_table(
        "usage_days",
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("queries", sa.BigInteger(), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("last_accessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.dataset_id"], name=op.f("fk_usage_days_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dataset_id", "day", name=op.f("pk_usage_days")),
    )
