"""The audit log: every change of the product, noted by triggers that no code can go around.

A column of an audited table is noted unless it is named here as noise (heartbeats, progress, leases). What a secret was
or became is never noted, only that it changed: a column whose name speaks of a secret is one.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Table → resource type, the column with its id, and the columns that are noise.
AUDITED = {
    "installation": ("installation", "id", ""),
    "customers": ("customer", "client_id", ""),
    "api_clients": ("api_client", "api_client_id", "last_used_at"),
    "signing_keys": ("signing_key", "kid", ""),
    "datasets": ("dataset", "dataset_id", "updated_at,operation_id,has_remains"),
    "operations": (
        "operation",
        "operation_id",
        "beat_at,current_step,estimated_completion,launch_lease_until,launch_attempts,traceparent",
    ),
    "connectors": ("connector", "connector_id", "last_checked_at,upload"),
    "connector_tokens": ("connector_token", "token_id", "last_used_at"),
}

_NOTE = r"""
CREATE FUNCTION audit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    who jsonb := coalesce(nullif(current_setting('dataops.acting', true), ''), '{}')::jsonb;
    type_ text := TG_ARGV[0];
    noise text[] := string_to_array(TG_ARGV[2], ',');
    row_ jsonb;
    before_ jsonb;
    after_ jsonb;
    same text[];
    customer uuid;
    operation uuid := (who ->> 'operation_id')::uuid;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        row_ := to_jsonb(OLD);
        before_ := row_ - noise;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        row_ := to_jsonb(NEW);
        after_ := row_ - noise;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF before_ = after_ THEN
            RETURN NULL;
        END IF;
        SELECT coalesce(array_agg(key), '{}') INTO same
            FROM jsonb_each(before_) WHERE value = after_ -> key;
        before_ := before_ - same;
        after_ := after_ - same;
    END IF;
    CASE type_
        WHEN 'dataset', 'customer' THEN
            customer := (row_ ->> 'client_id')::uuid;
        WHEN 'operation' THEN
            customer := (row_ ->> 'client_id')::uuid;
            operation := (row_ ->> 'operation_id')::uuid;
        WHEN 'operation_dataset' THEN
            operation := (row_ ->> 'operation_id')::uuid;
            SELECT o.client_id INTO customer FROM operations o WHERE o.operation_id = operation;
        WHEN 'connector' THEN
            SELECT d.client_id INTO customer FROM datasets d WHERE d.dataset_id = (row_ ->> 'dataset_id')::uuid;
        WHEN 'connector_token' THEN
            SELECT d.client_id INTO customer FROM connectors c JOIN datasets d USING (dataset_id)
                WHERE c.connector_id = (row_ ->> 'connector_id')::uuid;
        ELSE
            NULL;
    END CASE;
    IF type_ = 'dataset' AND operation IS NULL THEN
        IF TG_OP = 'INSERT' THEN
            operation := (row_ ->> 'operation_id')::uuid;
        ELSIF TG_OP = 'UPDATE' AND before_ ? 'status' THEN
            -- A dataset moves for its active operation, and there is one at most.
            SELECT o.operation_id INTO operation FROM operation_datasets o
                WHERE o.dataset_id = (row_ ->> 'dataset_id')::uuid AND o.active;
        END IF;
    END IF;
    INSERT INTO audit_log (occurred_at, actor_kind, actor_id, request_id, operation_id, action, resource_type,
                           resource_id, client_id, before, after)
    VALUES (clock_timestamp(), coalesce(who ->> 'kind', 'system'), who ->> 'id', who ->> 'request_id', operation,
            CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END,
            type_, row_ ->> TG_ARGV[1], customer, audit_without_secrets(before_), audit_without_secrets(after_));
    RETURN NULL;
END
$$
"""

_WITHOUT_SECRETS = r"""
CREATE FUNCTION audit_without_secrets(columns jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT coalesce(jsonb_object_agg(
        key,
        CASE WHEN key ~ '(secret|private|password|hash)' AND value <> 'null' THEN '"(secret)"' ELSE value END
    ), '{}')
    FROM jsonb_each(columns)
$$
"""

_REFUSE = r"""
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is append-only: % is refused.', TG_OP
        USING HINT = 'docs/operating.md says how the owner of the table removes what is too old.';
END
$$
"""


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.create_table(
        "audit_log",
        sa.Column("audit_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("operation_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("resource_type", sa.String(length=32), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "actor_kind IN ('api_client', 'run', 'command_line', 'connector_token', 'system')",
            name=op.f("ck_audit_log_actor_kind_known"),
        ),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_newest", "audit_log", ["occurred_at", "audit_id"])
    for name, column in (
        ("resource", "resource_id"),
        ("actor", "actor_id"),
        ("operation", "operation_id"),
        ("request", "request_id"),
    ):
        op.create_index(f"ix_audit_log_{name}", "audit_log", [column, "occurred_at", "audit_id"])
    for function in (_WITHOUT_SECRETS, _NOTE, _REFUSE):
        op.execute(sa.text(function.replace(":", r"\:")))
    for table, (resource_type, key, noise) in AUDITED.items():
        op.execute(
            f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION audit_note('{resource_type}', '{key}', '{noise}')"
        )
    op.execute(
        "CREATE TRIGGER audit AFTER UPDATE ON operation_datasets FOR EACH ROW "
        "WHEN (OLD.outcome IS DISTINCT FROM NEW.outcome) "
        "EXECUTE FUNCTION audit_note('operation_dataset', 'dataset_id', 'active,position,steps_done')"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )
