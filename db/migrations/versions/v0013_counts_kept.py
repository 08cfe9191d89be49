"""Counts and changes of the large tables, kept by triggers, and the night's questions that follow from them.

SQLite adds to one row for each count, since its writers take turns. PostgreSQL's writers each append what they add, so
that none waits for another; the night sums it up (`db.queries.base.tallies`). Either way a count is written with the
row that it counts. A table that Alembic's batch rebuilds loses its triggers: make them again with it.
"""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WORDS = {
    "attempts": ("coalesce({0}outcome, 'pending')", "true"),
    "images": ("{0}tone", "{0}record_id IS NOT NULL"),
    "matches": ("{0}outcome", "true"),
    "record_images": ("{0}state", "true"),
    "records": ("{0}archive_id || CASE WHEN {0}deleted_at IS NULL THEN ' live' ELSE ' deleted' END", "true"),
}
"""By table what is counted of each row, and of which rows."""
CHANGES = (
    *WORDS, "embeddings", "rights", "releases", "unreadable_records", "reviews", "requests",
)  # fmt: skip
EVENTS = {"INSERT": (("NEW", 1),), "DELETE": (("OLD", -1),), "UPDATE": (("OLD", -1), ("NEW", 1))}
KNOWN = {
    "attempts": ("pending", "succeeded", "rejected", "failed"),
    "images": ("grayscale", "toned", "colour", "unsure"),
    "matches": ("matched", "candidate", "no match"),
    "record_images": ("wanted", "held", "broken"),
}
INDEXES = (
    ("ix_rights_rules", "rights", ["rules"], None),
    ("ix_search_texts_version", "search_texts", ["version"], None),
    ("ix_verdicts_verdict", "verdicts", ["verdict"], None),
    ("ix_verdicts_looked", "verdicts", ["curator", "looked_s"], "bulk IS NULL AND looked_s IS NOT NULL"),
    ("ix_records_genre", "records", ["archive_id", "genre"], None),
    ("ix_records_deleted", "records", ["id"], "deleted_at IS NOT NULL"),
    ("ix_record_images_missing", "record_images", ["record_id"], "image_id IS NULL"),
)


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tallies"),
    )
    op.create_index("ix_tallies_subject", "tallies", ["subject", "word"])
    op.create_table(
        "answers",
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("state", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("question", name="pk_answers"),
    )
    for name, table, columns, where in INDEXES:
        only = where and sa.text(where)
        op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)
    for statement in (_counted(), *(_on_postgresql() if _postgresql() else _on_sqlite())):
        op.execute(statement)


def downgrade() -> None:
    names = [f"tally_{table}_{event.lower()}" for table in CHANGES for event in EVENTS]
    for table in CHANGES if _postgresql() else ():
        op.execute(f"DROP TRIGGER change_{table} ON {table}")
    for table in WORDS if _postgresql() else ():
        for event in EVENTS:
            op.execute(f"DROP TRIGGER tally_{table}_{event.lower()} ON {table}")
        op.execute(f"DROP FUNCTION tally_{table}()")
    for name in () if _postgresql() else names:
        op.execute(f"DROP TRIGGER {name}")
    op.execute("DROP FUNCTION nishiki_change()" if _postgresql() else "DROP TRIGGER tally_archives_insert")
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table)
    op.drop_table("answers")
    op.drop_table("tallies")


def _postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _counted() -> str:
    """What there is by now; on SQLite each count has its row, nought too."""
    rows = [
        f"SELECT '{table}' AS subject, CAST({word.format('')} AS TEXT) AS word, 1 AS number FROM {table} WHERE {which.format('')}"
        for table, (word, which) in WORDS.items()
    ]
    rows += [f"SELECT '{table}', '{word}', 0" for table, words in KNOWN.items() for word in words]
    rows += [f"SELECT 'records', id || ' {word}', 0 FROM archives" for word in ("live", "deleted")]
    rows += [f"SELECT 'changes', '{table}', 0" for table in CHANGES]
    every = " UNION ALL ".join(rows)
    return (
        "INSERT INTO tallies (subject, word, number) "
        f"SELECT subject, word, sum(number) FROM ({every}) AS counted GROUP BY subject, word"
    )


def _on_sqlite() -> Iterator[str]:
    for table in CHANGES:
        for event, rows in EVENTS.items():
            steps = [_added("'changes'", f"'{table}'", 1)]
            if table in WORDS:
                word, which = WORDS[table]
                steps += [
                    _added(f"'{table}'", word.format(f"{row}."), number, which.format(f"{row}.")) for row, number in rows
                ]
            name = f"tally_{table}_{event.lower()}"
            yield f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {' '.join(steps)} END"
    yield (
        "CREATE TRIGGER tally_archives_insert AFTER INSERT ON archives BEGIN INSERT INTO tallies (subject, word, number) "
        "VALUES ('records', NEW.id || ' live', 0), ('records', NEW.id || ' deleted', 0); END"
    )


def _added(subject: str, word: str, number: int, which: str = "true") -> str:
    return f"UPDATE tallies SET number = number + {number} WHERE subject = {subject} AND word = {word} AND {which};"


def _on_postgresql() -> Iterator[str]:
    yield (
        "CREATE FUNCTION nishiki_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO tallies (subject, word, number) VALUES ('changes', TG_TABLE_NAME, 1); RETURN NULL; END $$"
    )
    for table in CHANGES:
        yield (
            f"CREATE TRIGGER change_{table} AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION nishiki_change()"
        )
    for table, (word, which) in WORDS.items():
        steps = [f"IF TG_OP = '{event}' THEN {_appended(table, word, which, rows)} END IF;" for event, rows in EVENTS.items()]
        yield (
            f"CREATE FUNCTION tally_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {' '.join(steps)} "
            "RETURN NULL; END $$"
        )
        for event, rows in EVENTS.items():
            seen = " ".join(f"{row} TABLE AS {row.lower()}_rows" for row, _ in rows)
            yield (
                f"CREATE TRIGGER tally_{table}_{event.lower()} AFTER {event} ON {table} REFERENCING {seen} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}()"
            )


def _appended(table: str, word: str, which: str, rows: tuple[tuple[str, int], ...]) -> str:
    every = " UNION ALL ".join(
        f"SELECT {word.format('')} AS word, {number} AS number FROM {row.lower()}_rows WHERE {which.format('')}"
        for row, number in rows
    )
    return (
        f"INSERT INTO tallies (subject, word, number) SELECT '{table}', word, sum(number) FROM ({every}) AS counted "
        "GROUP BY word HAVING sum(number) <> 0;"
    )
