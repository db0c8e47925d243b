"""Run by Alembic: on the connection that `nodes.store.migrate` hands over, or, without one, to write SQL."""

from __future__ import annotations

from alembic import context

from nodes.store.tables import METADATA

connection = context.config.attributes.get("connection")
if connection is None:
    context.configure(
        dialect_name=context.config.attributes["dialect"],
        target_metadata=METADATA,
        literal_binds=True,
        transactional_ddl=True,
    )
else:
    context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
