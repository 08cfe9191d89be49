"""Alembic's entry: runs on the connection that `db.engine` hands over, within its transaction."""

from alembic import context

from db.tables import identity, night, review, tallies  # noqa: F401  # importing them makes the tables known
from db.tables.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
