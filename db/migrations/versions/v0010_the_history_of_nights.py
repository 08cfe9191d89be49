"""A row for each night: who ran it, how it ended, what it came to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = ", ".join(repr(word) for word in ("done", "failed", "waiting", "stopped", "killed"))
    data = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.create_table(
        "nights",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_start", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending", sa.String(16), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seconds", data, nullable=False),
        sa.Column("counts", data, nullable=False),
        sa.CheckConstraint(f"ending IN ({words})", name="ck_nights_ending"),
        sa.CheckConstraint("(ending IS NULL) = (ended_at IS NULL)", name="ck_nights_ended"),
        sa.PrimaryKeyConstraint("id", name="pk_nights"),
    )


def downgrade() -> None:
    op.drop_table("nights")
