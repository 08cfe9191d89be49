"""Alembic's entry: runs on the connection that `db.engine` hands over, within its transaction."""

from alembic import context

from db.models import Archive

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Archive.metadata,  # that of all tables
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
