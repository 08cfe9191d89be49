"""The queue in the order of likeness and of error, an index away."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_MEASURES = ("error", "likeness")


def upgrade() -> None:
    for measure in _MEASURES:
        op.drop_index(f"ix_reviews_{measure}", "reviews")
        op.create_index(f"ix_reviews_{measure}", "reviews", [measure, "attempt_id"])


def downgrade() -> None:
    for measure in _MEASURES:
        op.drop_index(f"ix_reviews_{measure}", "reviews")
        op.create_index(f"ix_reviews_{measure}", "reviews", [measure])
