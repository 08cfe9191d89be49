"""What curators put right in records, beside the archive's words; the machine's tone beside a curator's."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
_FIELDS = "field IN ('tone', 'genre', 'artists', 'cast', 'years')"
_BEFORE = "SELECT before FROM tones_given WHERE image_id = images.id ORDER BY id LIMIT 1"


def upgrade() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(16), nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("before", _JSON, nullable=False),
        sa.Column("after", _JSON, nullable=False),
        sa.Column("taken_back", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(_FIELDS, name="ck_corrections_field"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_corrections_record_id"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_index("ix_corrections_record_id", "corrections", ["record_id"])
    op.create_index("ix_corrections_given_at", "corrections", ["given_at"])
    op.add_column("records", sa.Column("archive_words", _JSON, nullable=True))
    op.add_column("images", sa.Column("machine_tone", sa.String(16), nullable=True))
    op.add_column("tones_given", sa.Column("taken_back", sa.Boolean(), nullable=False, server_default=sa.false()))
    given = "SELECT image_id FROM tones_given"
    op.execute(f"UPDATE images SET machine_tone = ({_BEFORE}) WHERE id IN ({given})")


def downgrade() -> None:
    op.drop_column("tones_given", "taken_back")
    op.drop_column("images", "machine_tone")
    op.drop_column("records", "archive_words")
    op.drop_table("corrections")
