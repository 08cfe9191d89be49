"""Leases: several processes work on one batch, and tries are counted when an attempt is taken."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

HELD_BY = ("host", "pid", "process_start", "token", "heartbeat_at")


def upgrade() -> None:
    op.create_table(
        "batch_leases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_start", sa.Text(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_batch_leases_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_batch_leases"),
    )
    op.create_index("ix_batch_leases_batch_id", "batch_leases", ["batch_id"])
    op.add_column("attempts", sa.Column("lease", sa.Integer(), nullable=True))
    op.add_column("attempts", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    aside = sa.text("error_class = 'SetAside'")
    op.create_index("ix_attempts_set_aside", "attempts", ["id"], sqlite_where=aside, postgresql_where=aside)
    for column in HELD_BY:
        op.execute(f"ALTER TABLE batches DROP COLUMN {column}")


def downgrade() -> None:
    for name in HELD_BY[:3]:
        op.add_column("batches", sa.Column(name, sa.Integer() if name == "pid" else sa.Text(), nullable=True))
    op.add_column("batches", sa.Column("token", sa.Integer(), nullable=False, server_default="1"))
    long_ago = sa.text("'2000-01-01 00:00:00+00:00'")
    op.add_column(
        "batches", sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False, server_default=long_ago)
    )
    op.drop_index("ix_attempts_set_aside", "attempts")
    for column in ("tries", "lease"):
        op.execute(f"ALTER TABLE attempts DROP COLUMN {column}")
    op.drop_table("batch_leases")
