"""What a record said before it changed, with the rights that it had then."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = ", ".join(repr(word) for word in ("yes", "no", "ask", "unknown", "contradictory"))
    op.create_table(
        "former_records",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("datestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("derivatives", sa.String(16), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"derivatives IN ({words})", name="ck_former_records_derivatives"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_former_records_record_id"),
        sa.PrimaryKeyConstraint("id", name="pk_former_records"),
    )
    op.create_index("ix_former_records_record_id", "former_records", ["record_id"])


def downgrade() -> None:
    op.drop_table("former_records")
