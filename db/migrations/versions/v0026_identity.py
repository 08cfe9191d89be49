"""Which catalogue this is, so that a home and a backup are not taken for another's."""

from uuid import NAMESPACE_OID, uuid4, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "identity",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_identity"),
    )
    # Of one that has been harvested into, by its first moment: a copy of before, upgraded another time, is the same.
    first = op.get_bind().execute(sa.text("SELECT CAST(min(opened_at) AS TEXT) FROM windows")).scalar()
    op.bulk_insert(table, [{"name": (uuid5(NAMESPACE_OID, first) if first else uuid4()).hex}])


def downgrade() -> None:
    op.drop_table("identity")
