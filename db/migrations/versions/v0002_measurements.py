"""Measurements of saved pictures by other encoders."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "measurements",
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("encoder_name", sa.Text(), nullable=False),
        sa.Column("encoder_checksum", sa.Text(), nullable=False),
        sa.Column("content_error_sum", sa.Double(), nullable=True),
        sa.Column("content_error_mean", sa.Double(), nullable=True),
        sa.Column("style_error_sum", sa.Double(), nullable=True),
        sa.Column("style_error_mean", sa.Double(), nullable=True),
        sa.Column("total_error_sum", sa.Double(), nullable=True),
        sa.Column("total_error_mean", sa.Double(), nullable=True),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_measurements_attempt_id"),
        sa.PrimaryKeyConstraint("attempt_id", "encoder_name", "encoder_checksum", name="pk_measurements"),
    )


def downgrade() -> None:
    op.drop_table("measurements")
