"""Embeddings are made of the framed print, no longer of the whole scan: those at hand go, the next night makes them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM embeddings")


def downgrade() -> None:
    op.execute("DELETE FROM embeddings")
