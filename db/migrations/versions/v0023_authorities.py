"""Addresses of a record's people in authority files: ULAN, VIAF, Wikidata."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    data = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.add_column("records", sa.Column("authorities", data, nullable=True))


def downgrade() -> None:
    op.drop_column("records", "authorities")
