"""What is held back and why, what people decide about it, and what fails for how long.

Rights get the word `contradictory` and the number of the rules that judged them; a person's word on a record (release)
or a picture (tone) has a table of its own, as has what could not be read, and what happened on the page.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

data = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
OLD_WORDS = "derivatives IN ('yes', 'no', 'ask', 'unknown')"
WORDS = "derivatives IN ('yes', 'no', 'ask', 'unknown', 'contradictory')"
BEST_FIRST = ("precedence", "attempt_id")
TESTED = (
    "waiting_since", "conflict_since", "verdict", "record_id", "curator", "returned_by", "archive_id", "batch_id",
    "recipe_name", "outcome", "error", "year_from", "year_to",
)
WAITING = "waiting_since IS NOT NULL"
QUEUES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "all": ((), None),
    "waiting": ((), WAITING),
    "redone": (("returned_by",), f"{WAITING} AND returned_by IS NOT NULL"),
    "conflicts": ((), "conflict_since IS NOT NULL"),
    **{name: ((name,), None) for name in ("batch_id", "archive_id", "recipe_name", "outcome", "verdict", "curator")},
}
"""The indexes in the queue's order: what leads to their rows, and which rows they hold."""
TABLES = ("audit_events", "tones_given", "releases", "unreadable_records")


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)
    _words_of_rights(WORDS)
    _create_tables()
    op.create_index("ix_reviews_likeness", "reviews", ["likeness"])
    _queue_indexes((*TESTED, "withheld"))
    op.create_index("ix_attempts_style_sha256", "attempts", ["style_sha256"])
    is_so = sa.text("withheld IS 1" if op.get_bind().dialect.name == "sqlite" else "withheld IS true")
    op.create_index("ix_reviews_withheld", "reviews", ["attempt_id"], sqlite_where=is_so, postgresql_where=is_so)
    likeness = "SELECT m.score FROM attempts a JOIN matches m ON m.id = a.match_id WHERE a.id = reviews.attempt_id"
    op.execute(f"UPDATE reviews SET likeness = ({likeness})")


def downgrade() -> None:
    for table in ("releases", "tones_given"):
        if count := op.get_bind().scalar(sa.text(f"SELECT count(*) FROM {table}")):
            raise ValueError(f"{count} decisions of people in {table} need this schema; nothing was changed")
    op.drop_index("ix_reviews_likeness", "reviews")
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("ix_attempts_style_sha256", "attempts")
    op.drop_index("ix_reviews_withheld", "reviews")
    _queue_indexes(TESTED)
    op.execute("UPDATE rights SET derivatives = 'ask' WHERE derivatives = 'contradictory'")
    _words_of_rights(OLD_WORDS)
    for table, column in _columns():
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column.name}")


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    """By table; made anew each time, for a column belongs to one statement."""
    return [
        ("rights", sa.Column("rules", sa.Integer(), nullable=False, server_default="0")),
        ("record_images", sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True)),
        ("record_images", sa.Column("failed_nights", sa.Integer(), nullable=False, server_default="0")),
        ("record_images", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True)),
        ("images", sa.Column("notes", data, nullable=True)),
        ("search_texts", sa.Column("version", sa.Integer(), nullable=False, server_default="0")),
        ("reviews", sa.Column("likeness", sa.Double(), nullable=True)),
        ("reviews", sa.Column("withheld", sa.Boolean(), nullable=False, server_default=sa.false())),
    ]


def _queue_indexes(tested: tuple[str, ...]) -> None:
    """Made anew: what a queue is tested by stands in the index itself."""
    for name, (equal, only) in QUEUES.items():
        op.drop_index(f"ix_reviews_{name}", "reviews")
        where = None if only is None else sa.text(only)
        columns = [*equal, *BEST_FIRST, *(column for column in tested if column not in equal)]
        op.create_index(f"ix_reviews_{name}", "reviews", columns, sqlite_where=where, postgresql_where=where)


def _words_of_rights(words: str) -> None:
    with op.batch_alter_table("rights") as table:
        table.drop_constraint("ck_rights_derivatives", type_="check")
        table.create_check_constraint("ck_rights_derivatives", words)


def _time(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _create_tables() -> None:
    op.create_table(
        "unreadable_records",
        sa.Column("archive_id", sa.Integer(), autoincrement=False, nullable=False),
        _text("identifier"),
        _text("reason"),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        _time("first_seen_at"),
        _time("last_seen_at"),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name="fk_unreadable_records_archive_id"),
        sa.PrimaryKeyConstraint("archive_id", "identifier", name="pk_unreadable_records"),
    )
    op.create_table(
        "releases",
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        _text("curator"),
        _text("note"),
        _time("given_at"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_releases_record_id"),
        sa.PrimaryKeyConstraint("record_id", name="pk_releases"),
    )
    op.create_table(
        "tones_given",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        _text("curator"),
        sa.Column("tone", sa.String(16), nullable=False),
        sa.Column("before", sa.String(16), nullable=False),
        _time("given_at"),
        sa.CheckConstraint("tone IN ('grayscale', 'toned', 'colour', 'unsure')", name="ck_tones_given_tone"),
        sa.CheckConstraint("before IN ('grayscale', 'toned', 'colour', 'unsure')", name="ck_tones_given_before"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_tones_given_image_id"),
        sa.PrimaryKeyConstraint("id", name="pk_tones_given"),
    )
    op.create_index("ix_tones_given_image_id", "tones_given", ["image_id"])
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer(), nullable=False),
        _time("at"),
        _text("event"),
        _text("curator", nullable=True),
        _text("address", nullable=True),
        _text("detail"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
