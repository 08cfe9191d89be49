"""Refits of the matching rule's weights from curators' verdicts, accepted or refused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    data = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.create_table(
        "matcher_refits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("base", data, nullable=False),
        sa.Column("before", data, nullable=False),
        sa.Column("weights", data, nullable=False),
        sa.Column("verdicts", sa.Integer(), nullable=False),
        sa.Column("approved", sa.Integer(), nullable=False),
        sa.Column("loss_before", sa.Double(), nullable=False),
        sa.Column("loss_after", sa.Double(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_matcher_refits"),
    )


def downgrade() -> None:
    op.drop_table("matcher_refits")
