"""Faults that curators mark in results; the queue is filtered by them, and by roles."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_KINDS = (
    "colour bleeding", "patches", "wrong colour", "paper tone", "face", "lettering lost", "wrong match", "margins",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "faults",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        *(sa.Column(f"box_{side}", sa.Double(), nullable=True) for side in ("left", "top", "width", "height")),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"kind IN ({', '.join(map(repr, _KINDS))})", name="ck_faults_kind"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_faults_attempt_id_attempts"),
        sa.PrimaryKeyConstraint("id", name="pk_faults"),
    )
    op.create_index("ix_faults_attempt_id", "faults", ["attempt_id"])
    standing = sa.text("taken_off_at IS NULL")
    op.create_index(
        "ix_faults_kind", "faults", ["kind", "attempt_id"], sqlite_where=standing, postgresql_where=standing
    )
    op.create_index("ix_record_cast_role", "record_cast", ["role", "record_id"])


def downgrade() -> None:
    op.drop_index("ix_record_cast_role", "record_cast")
    op.drop_table("faults")
