"""Which of two results of one print a curator took for the better, without knowing their recipes."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ("attempt_id", "other_id", "left_id", "chosen_id")
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=name == "chosen_id") for name in columns),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        *(sa.ForeignKeyConstraint([name], ["attempts.id"], name=f"fk_comparisons_{name}") for name in columns),
        sa.PrimaryKeyConstraint("id", name="pk_comparisons"),
    )
    standing = sa.text("undone_at IS NULL")
    op.create_index(
        "uq_comparisons_standing",
        "comparisons",
        ["curator", "attempt_id", "other_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )


def downgrade() -> None:
    op.drop_table("comparisons")
