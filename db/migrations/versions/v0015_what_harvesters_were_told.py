"""Entries of which harvesters were told, and a way to what records said before by the time of the change."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provided",
        sa.Column("attempt_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("archive_id", sa.Integer(), nullable=False),
        sa.Column("verdict_id", sa.Integer(), nullable=False),
        sa.Column("datestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_provided_attempt_id"),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_provided"),
    )
    op.create_index("ix_provided_datestamp", "provided", ["datestamp", "attempt_id"])
    op.create_index("ix_provided_archive", "provided", ["archive_id", "datestamp", "attempt_id"])
    op.create_index("ix_former_records_replaced_at", "former_records", ["replaced_at"])


def downgrade() -> None:
    op.drop_index("ix_former_records_replaced_at", "former_records")
    op.drop_table("provided")
