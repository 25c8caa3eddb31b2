"""What is removed by age: a date where an archive was, a narrow way out of the audit log, an index by age.

``audit_prune`` is the one way to remove entries of the audit log: the oldest ones alone, none younger than 30 days by
the database's own clock, so many at a time, and what it did is an entry itself. Any other UPDATE, DELETE or TRUNCATE is
refused as before: the trigger looks whether that function is what runs the statement.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PRUNE = r"""
CREATE FUNCTION audit_prune(older_than timestamptz, at_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    who jsonb := coalesce(nullif(current_setting('dataops.acting', true), ''), '{}')::jsonb;
    old bigint[];
    removed integer;
BEGIN
    IF older_than > now() - interval '30 days' THEN
        RAISE EXCEPTION 'The audit log keeps 30 days at least: nothing was removed.';
    END IF;
    SELECT array_agg(audit_id) INTO old FROM (
        SELECT audit_id FROM audit_log WHERE occurred_at < older_than
            ORDER BY occurred_at, audit_id LIMIT at_most FOR UPDATE SKIP LOCKED) AS oldest;
    -- On one line: the trigger reads the third line of the call stack.
    DELETE FROM audit_log WHERE audit_id = ANY (old);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        INSERT INTO audit_log (occurred_at, actor_kind, actor_id, request_id, action, resource_type, resource_id,
                               before)
        VALUES (clock_timestamp(), coalesce(who ->> 'kind', 'system'), who ->> 'id', who ->> 'request_id', 'deleted',
                'audit_log', 'audit_log', jsonb_build_object('entries', removed, 'older_than', older_than));
    END IF;
    RETURN removed;
END
$$
"""

_REFUSE = r"""
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    callers text;
BEGIN
    GET DIAGNOSTICS callers = PG_CONTEXT;
    IF TG_OP = 'DELETE' AND split_part(callers, E'\n', 3) LIKE '%audit_prune(timestamp with time zone,integer)%' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'The audit log is append-only: % is refused.', TG_OP
        USING HINT = 'docs/security.md says how what is too old is removed.';
END
$$
"""


def upgrade() -> None:
    """Forwards only: a release that must go back restores a backup."""
    op.add_column("datasets", sa.Column("archive_removed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_quality_results_executed_at", "quality_results", ["executed_at"])
    for function in (_PRUNE, _REFUSE):
        op.execute(sa.text(function.replace(":", r"\:")))
