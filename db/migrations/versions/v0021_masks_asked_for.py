"""Masks that curators ask with; attempts tell theirs beside their marks, because queries compare both."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLES = ("requests", "attempts")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("mask_sha256", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "mask_sha256")
