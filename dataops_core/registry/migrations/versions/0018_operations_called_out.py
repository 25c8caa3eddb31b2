"""Each change of an operation that a client can see is called out (NOTIFY), so that who waits for it need not look."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

#: Of an operation's row and of a dataset's part of it, what an answer of the API shows and what changes.
_SHOWN = {
    "operations": (
        "status",
        "attempt",
        "current_step",
        "total_steps",
        "started_at",
        "estimated_completion",
        "completed_at",
        "error",
        "run_id",
    ),
    "operation_datasets": ("outcome", "quality_score"),
}

_CALL = """
CREATE FUNCTION operations_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('dataops_operations', NEW.operation_id::text);
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Forwards only. What a transaction calls out more than once is heard once, when it has been committed."""
    op.execute(_CALL)
    for table, shown in _SHOWN.items():
        before, after = (", ".join(f"{row}.{column}" for column in shown) for row in ("OLD", "NEW"))
        op.execute(
            f"CREATE TRIGGER called AFTER UPDATE OF {', '.join(shown)} ON {table} FOR EACH ROW "
            f"WHEN (({before}) IS DISTINCT FROM ({after})) EXECUTE FUNCTION operations_call()"
        )
