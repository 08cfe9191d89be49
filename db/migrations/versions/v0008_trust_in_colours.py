"""How far a result's colours are trusted: the map's file beside the attempt, and the figure that the queue is sorted by."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TESTED = (
    "waiting_since", "conflict_since", "verdict", "record_id", "curator", "returned_by", "archive_id", "batch_id",
    "recipe_name", "outcome", "error", "year_from", "year_to", "withheld",
)  # fmt: skip


def upgrade() -> None:
    op.add_column("attempts", sa.Column("trust_sha256", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("trust", sa.Double(), nullable=True))
    op.create_index("ix_reviews_trust", "reviews", ["trust", "attempt_id", *TESTED])


def downgrade() -> None:
    op.drop_index("ix_reviews_trust", "reviews")
    op.execute("ALTER TABLE reviews DROP COLUMN trust")
    op.execute("ALTER TABLE attempts DROP COLUMN trust_sha256")
