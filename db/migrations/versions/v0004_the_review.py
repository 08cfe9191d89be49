"""The review: the queue, what records are found by, leases, undone verdicts, wishes, curators, sessions.

`verdicts` gets its columns by ALTER TABLE, never by Alembic's batch: a rebuilt table would lose the triggers that keep
history. Attempts and records that are here already enter the queue and the search.
"""

from itertools import chain, islice

import sqlalchemy as sa
from alembic import op

from db.search_terms import search_text, trigrams

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEST_FIRST = ("precedence", "attempt_id")
EQUAL = ("batch_id", "archive_id", "recipe_name", "outcome", "verdict", "curator")
TESTED = (
    "waiting_since", "conflict_since", "verdict", "record_id", "curator", "returned_by", "archive_id", "batch_id",
    "recipe_name", "outcome", "error", "year_from", "year_to",
)
WAITING = "waiting_since IS NOT NULL"
QUEUES = {
    "ix_reviews_all": None,
    "ix_reviews_waiting": WAITING,
    "ix_reviews_conflicts": "conflict_since IS NOT NULL",
}
FILTERS = {f"ix_reviews_{column}": column for column in EQUAL} | {"ix_reviews_redone": "returned_by"}
VERDICT_COLUMNS = ("bulk", "looked_s", "answered", "blind")
VERDICT_INDEXES = ("ix_verdicts_curator", "ix_verdicts_bulk", "ix_verdicts_blind")
TABLES = ("sessions", "curators", "wishes", "undone_verdicts", "leases", "search_triples", "search_texts", "reviews")

KEPT_ON_SQLITE = (
    """CREATE TRIGGER undone_verdicts_never_updated BEFORE UPDATE ON undone_verdicts
    BEGIN SELECT RAISE(ABORT, 'undone verdicts are never changed; give another one'); END""",
    """CREATE TRIGGER undone_verdicts_never_deleted BEFORE DELETE ON undone_verdicts
    BEGIN SELECT RAISE(ABORT, 'undone verdicts are never deleted; give another one'); END""",
    """CREATE TRIGGER undone_verdicts_never_replaced BEFORE INSERT ON undone_verdicts
    WHEN EXISTS (SELECT 1 FROM undone_verdicts WHERE verdict_id = NEW.verdict_id)
    BEGIN SELECT RAISE(ABORT, 'undone verdicts are never replaced; give another one'); END""",
)
KEPT_ON_POSTGRESQL = (
    """CREATE TRIGGER undone_verdicts_only_grow BEFORE UPDATE OR DELETE ON undone_verdicts
    FOR EACH ROW EXECUTE FUNCTION verdicts_only_grow()""",
    """CREATE TRIGGER undone_verdicts_not_emptied BEFORE TRUNCATE ON undone_verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION verdicts_only_grow()""",
)
REVIEWS_OF_OLD = """
INSERT INTO reviews (attempt_id, precedence, batch_id, record_id, archive_id, recipe_name, outcome, error, year_from,
  year_to, waiting_since, verdict_id, verdict, reason, curator, blind)
SELECT a.id, 1 - coalesce(m.score, -1) + CASE WHEN a.outcome = 'rejected' THEN 3 ELSE 0 END, a.batch_id, r.id,
  r.archive_id, a.recipe_name, a.outcome, a.total_error_mean, r.year_from, r.year_to,
  CASE WHEN v.id IS NULL THEN a.closed_at END, v.id, v.verdict, v.reason, v.curator, {false}
FROM attempts a JOIN matches m ON m.id = a.match_id JOIN images i ON i.id = m.content_id
JOIN records r ON r.id = i.record_id
LEFT JOIN verdicts v ON v.id = (SELECT max(id) FROM verdicts WHERE attempt_id = a.id)
WHERE a.output_image_id IS NOT NULL
"""
SEARCHED = """
SELECT id AS record_id, 0 AS field, 0 AS position, title AS word, identifier AS other FROM records
UNION ALL SELECT record_id, 1, position, name, '' FROM record_artists
UNION ALL SELECT record_id, 2, position, actor, role FROM record_cast
ORDER BY 1, 2, 3
"""


def upgrade() -> None:
    _reviews()
    _search()
    _verdicts()
    _wishes()
    _people()
    op.create_index("ix_record_artists_name", "record_artists", ["name", "record_id"])
    op.create_index("ix_record_cast_actor", "record_cast", ["actor", "record_id"])
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in KEPT_ON_SQLITE if on_sqlite else KEPT_ON_POSTGRESQL:
        op.execute(statement)
    op.execute(REVIEWS_OF_OLD.format(false="0" if on_sqlite else "false"))
    _find_old()


def downgrade() -> None:
    op.drop_index("ix_record_cast_actor", "record_cast")
    op.drop_index("ix_record_artists_name", "record_artists")
    for table in TABLES:
        op.drop_table(table)
    for name in VERDICT_INDEXES:
        op.drop_index(name, "verdicts")
    for name in VERDICT_COLUMNS:
        op.execute(f"ALTER TABLE verdicts DROP COLUMN {name}")


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("attempt_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("precedence", sa.Double(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("archive_id", sa.Integer(), nullable=False),
        sa.Column("recipe_name", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("error", sa.Double(), nullable=True),
        sa.Column("year_from", sa.Integer(), nullable=True),
        sa.Column("year_to", sa.Integer(), nullable=True),
        sa.Column("returned_by", sa.Text(), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("conflict_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict_id", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(16), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("curator", sa.Text(), nullable=True),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.CheckConstraint("outcome IN ('succeeded', 'rejected', 'failed')", name="ck_reviews_outcome"),
        sa.CheckConstraint("verdict IN ('approved', 'returned', 'withheld')", name="ck_reviews_verdict"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_reviews_attempt_id"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_reviews_record_id"),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_reviews"),
    )
    for name, where in QUEUES.items():
        _index(name, "reviews", (*BEST_FIRST, *TESTED), where)
    for name, column in FILTERS.items():
        only = f"{WAITING} AND returned_by IS NOT NULL" if column == "returned_by" else None
        _index(name, "reviews", (column, *BEST_FIRST, *(each for each in TESTED if each != column)), only)
    op.create_index("ix_reviews_error", "reviews", ["error"])
    op.create_index("ix_reviews_record_id", "reviews", ["record_id"])
    _index("ix_reviews_wrong_match", "reviews", ("attempt_id",), "reason = 'wrong match'")
    op.create_table(
        "leases",
        sa.Column("attempt_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_leases_attempt_id"),
        sa.PrimaryKeyConstraint("attempt_id", name="pk_leases"),
    )


def _search() -> None:
    op.create_table(
        "search_texts",
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_search_texts_record_id"),
        sa.PrimaryKeyConstraint("record_id", name="pk_search_texts"),
    )
    op.create_table(
        "search_triples",
        sa.Column("triple", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_search_triples_record_id"),
        sa.PrimaryKeyConstraint("triple", "record_id", name="pk_search_triples"),
        sqlite_with_rowid=False,
    )


def _verdicts() -> None:
    op.add_column("verdicts", sa.Column("bulk", sa.Text(), nullable=True))
    op.add_column("verdicts", sa.Column("looked_s", sa.Double(), nullable=True))
    op.add_column("verdicts", sa.Column("answered", sa.Integer(), nullable=True))
    op.add_column("verdicts", sa.Column("blind", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_verdicts_curator", "verdicts", ["curator", "id"])
    _index("ix_verdicts_bulk", "verdicts", ("bulk",), "bulk IS NOT NULL")
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    _index("ix_verdicts_blind", "verdicts", ("attempt_id",), "blind = 1" if on_sqlite else "blind")
    op.create_table(
        "undone_verdicts",
        sa.Column("verdict_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["verdict_id"], ["verdicts.id"], name="fk_undone_verdicts_verdict_id"),
        sa.PrimaryKeyConstraint("verdict_id", name="pk_undone_verdicts"),
    )


def _wishes() -> None:
    op.create_table(
        "wishes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("style_id", sa.Integer(), nullable=False),
        sa.Column("recipe_name", sa.Text(), nullable=False),
        sa.Column("marks_sha256", sa.Text(), nullable=True),
        sa.Column("inputs_digest", sa.Text(), nullable=False),
        sa.Column("wished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_wishes_attempt_id"),
        sa.ForeignKeyConstraint(["content_id"], ["images.id"], name="fk_wishes_content_id"),
        sa.ForeignKeyConstraint(["style_id"], ["images.id"], name="fk_wishes_style_id"),
        sa.PrimaryKeyConstraint("id", name="pk_wishes"),
        sa.UniqueConstraint("content_id", "style_id", "recipe_name", "inputs_digest", name="uq_wishes_wish"),
    )
    op.create_index("ix_wishes_attempt_id", "wishes", ["attempt_id"])
    op.create_index("ix_wishes_inputs_digest", "wishes", ["inputs_digest"])


def _people() -> None:
    op.create_table(
        "curators",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'curator', 'admin')", name="ck_curators_role"),
        sa.PrimaryKeyConstraint("id", name="pk_curators"),
        sa.UniqueConstraint("name", name="uq_curators_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.Text(), nullable=False),
        sa.Column("curator_id", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["curator_id"], ["curators.id"], name="fk_sessions_curator_id"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_curator_id", "sessions", ["curator_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])


def _index(name: str, table: str, columns: tuple[str, ...], where: str | None) -> None:
    only = None if where is None else sa.text(where)
    op.create_index(name, table, list(columns), sqlite_where=only, postgresql_where=only)


def _find_old() -> None:
    """Search texts of the records that are here, some at a time."""
    bind = op.get_bind()
    words: dict[int, list[str]] = {}
    for record_id, _, _, word, other in bind.execute(sa.text(SEARCHED)):
        words.setdefault(record_id, []).extend((word, other))
    texts = ((record_id, search_text(fields)) for record_id, fields in words.items())
    while some := list(islice(texts, 1000)):
        rows = [{"record": record_id, "text": text} for record_id, text in some]
        bind.execute(sa.text("INSERT INTO search_texts (record_id, text) VALUES (:record, :text)"), rows)
        of_each = ([{"triple": triple, "record": record_id} for triple in trigrams(text)] for record_id, text in some)
        if found := list(chain.from_iterable(of_each)):
            bind.execute(sa.text("INSERT INTO search_triples (triple, record_id) VALUES (:triple, :record)"), found)
