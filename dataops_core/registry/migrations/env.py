"""Alembic's entry point. ``registry.migrate`` is the only caller and hands the connection over."""

from alembic import context

from dataops_core.registry.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
