"""What agreement asks of blind words stands in their index: at a million records the rows lie far apart."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_NAME = "ix_verdicts_blind"


def upgrade() -> None:
    op.drop_index(_NAME, "verdicts")
    _create(["attempt_id", "id", "curator", "verdict", "given_at", "bulk", "blind"], also=" AND bulk IS NULL")


def downgrade() -> None:
    op.drop_index(_NAME, "verdicts")
    _create(["attempt_id"])


def _create(columns: list[str], also: str = "") -> None:
    blind = "blind = 1" if op.get_bind().dialect.name == "sqlite" else "blind"
    only = sa.text(f"{blind}{also}")
    op.create_index(_NAME, "verdicts", columns, sqlite_where=only, postgresql_where=only)
