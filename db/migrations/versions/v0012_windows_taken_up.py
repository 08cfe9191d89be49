"""What a window that is not finished has read: the next night goes on behind it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "read_in_windows",
        sa.Column("window_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name="fk_read_in_windows_window_id_windows"),
        sa.PrimaryKeyConstraint("window_id", "identifier", name="pk_read_in_windows"),
    )


def downgrade() -> None:
    op.drop_table("read_in_windows")
