"""Claims by models and inputs, matches by matcher, and the glossary's words: requests, trigrams, lightness.

What an attempt took besides its content (styles, marks) and the models that it was made with become data with a digest
each; matches belong to a matcher's version, which yesterday's encoder becomes. `verdicts` is left as it is. The digests
are those of `db.entries.claim` as it was when this was written; a test holds one to the other.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SOME = 1000
MATCHER, ALGORITHM = "embedding", "1-"
OLD_CLAIM = ("content_sha256", "style_sha256", "recipe_digest", "weights_checksum", "inputs_digest")
CLAIM = ("content_sha256", "recipe_digest", "models_digest", "inputs_digest")
CLAIMED = sa.text("outcome IS NULL OR outcome IN ('succeeded', 'rejected')")
NO_STYLE = sa.text("style_id IS NULL")
MEASURES = {
    "luma": "lightness",
    "luma_ssim": "lightness_ssim",
    "luma_difference_mean": "lightness_difference_mean",
    "luma_difference_p99": "lightness_difference_p99",
}
"""Names of measures and of a recipe's parameter, in recipes and in figures."""

data = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def _table(name: str, *columns: str, **typed: Any) -> Any:
    return sa.table(name, *map(sa.column, columns), *(sa.column(column, kind) for column, kind in typed.items()))


attempts = _table(
    "attempts", "id", "match_id", "style_sha256", "marks_sha256", "encoder_name", "weights_checksum", "models_digest",
    "inputs_digest", models=data, inputs=data, measures=data, recipe_data=data,
)  # fmt: skip
batches = _table(
    "batches", "id", "styles", "encoder_name", "encoder_checksum", "models_digest", models=data, recipe_data=data
)
matches = _table("matches", "id", "content_id", "style_id", "encoder_name", "encoder_checksum", "outcome", "rank")
matched = _table("matches", "id", "style_id", "matcher_name", "matcher_version", "inputs_digest")
images = _table("images", "id", "sha256")


def upgrade() -> None:
    marks = _marks()
    _requests()
    _rename_trigrams("search_triples", "triple", "search_trigrams", "trigram")
    _matches()
    _batches()
    _attempts(marks)


def downgrade() -> None:
    _refuse_what_has_no_place()
    _attempts_back()
    _batches_back()
    _matches_back()
    _rename_trigrams("search_trigrams", "trigram", "search_triples", "triple")
    _wishes_back()


def digest(value: Any) -> str:
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def inputs_of(style: str | None, marks: str | None) -> dict[str, Any]:
    styles = [] if style is None else [{"sha256": style, "registration": None}]
    return {"styles": styles, "marks_sha256": marks, "mask_sha256": None}


def models_of(name: str, checksum: str) -> dict[str, Any]:
    encoder = {"role": "encoder", "name": name, "checksum": checksum}
    return {"models": [encoder], "models_digest": digest([["encoder", checksum]])}


def renamed(value: Any, names: dict[str, str]) -> Any:
    """The same with other keys, at any depth."""
    if isinstance(value, dict):
        return {names.get(key, key): renamed(item, names) for key, item in value.items()}
    return [renamed(item, names) for item in value] if isinstance(value, list) else value


def marks_digest(marks: str | None) -> str:
    """What stood in 0004 for the inputs: nothing, or the marks."""
    if marks is None:
        return ""
    return hashlib.sha256(json.dumps({"marks": marks}, ensure_ascii=False).encode()).hexdigest()


def _marks() -> dict[str, str | None]:
    """Digest of 0004 → the marks behind it; requests keep them for ever, taken back or not."""
    found = op.get_bind().scalars(sa.text("SELECT DISTINCT marks_sha256 FROM wishes")).all()
    return {marks_digest(marks): marks for marks in (None, *found)}


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("style_id", sa.Integer(), nullable=True),
        sa.Column("recipe_name", sa.Text(), nullable=False),
        sa.Column("marks_sha256", sa.Text(), nullable=True),
        sa.Column("inputs_digest", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_requests_attempt_id"),
        sa.ForeignKeyConstraint(["content_id"], ["images.id"], name="fk_requests_content_id"),
        sa.ForeignKeyConstraint(["style_id"], ["images.id"], name="fk_requests_style_id"),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.UniqueConstraint(
            "content_id", "recipe_name", "inputs_digest", name="uq_requests_content_id_recipe_name_inputs_digest"
        ),
    )
    op.create_index("ix_requests_attempt_id", "requests", ["attempt_id"])
    op.execute(
        "INSERT INTO requests SELECT id, attempt_id, curator, content_id, style_id, recipe_name, marks_sha256,"
        " CAST(id AS TEXT), wished_at, withdrawn_at FROM wishes"
    )
    op.drop_table("wishes")
    _count_on("requests")
    rows = _table("requests", "id", "style_id", "marks_sha256", "inputs_digest")
    named = sa.select(rows.c.id, images.c.sha256, rows.c.marks_sha256).join(images, images.c.id == rows.c.style_id)
    _update(rows, [(row, {"inputs_digest": digest(inputs_of(*taken))}) for row, *taken in op.get_bind().execute(named)])


def _wishes_back() -> None:
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
    op.execute(
        "INSERT INTO wishes SELECT id, attempt_id, curator, content_id, style_id, recipe_name, marks_sha256,"
        " CAST(id AS TEXT), requested_at, withdrawn_at FROM requests"
    )
    op.drop_table("requests")
    _count_on("wishes")
    rows = _table("wishes", "id", "marks_sha256", "inputs_digest")
    found = op.get_bind().execute(sa.select(rows.c.id, rows.c.marks_sha256)).all()
    _update(rows, [(row, {"inputs_digest": marks_digest(marks)}) for row, marks in found])


def _rename_trigrams(table: str, column: str, to_table: str, to_column: str) -> None:
    op.rename_table(table, to_table)
    op.execute(f"ALTER TABLE {to_table} RENAME COLUMN {column} TO {to_column}")
    if not _on_sqlite():  # SQLite keeps the names of constraints, and never tells them
        op.execute(f"ALTER INDEX pk_{table} RENAME TO pk_{to_table}")
        op.execute(f"ALTER TABLE {to_table} RENAME CONSTRAINT fk_{table}_record_id TO fk_{to_table}_record_id")


def _matches() -> None:
    _merge_matches()
    _drop_indexes("matches", "ix_matches_style_id", "uq_matches_no_match")
    op.execute(f"UPDATE matches SET encoder_name = '{MATCHER}', encoder_checksum = '{ALGORITHM}' || encoder_checksum")
    op.execute("ALTER TABLE matches RENAME COLUMN encoder_name TO matcher_name")
    op.execute("ALTER TABLE matches RENAME COLUMN encoder_checksum TO matcher_version")
    with op.batch_alter_table("matches") as table:
        table.drop_constraint("uq_matches_content_id_style_id_encoder_name_encoder_checksum", type_="unique")
        table.add_column(sa.Column("registration", data, nullable=True))
        table.add_column(sa.Column("inputs_digest", sa.Text(), nullable=True))
        table.create_unique_constraint(
            "uq_matches_content_id_style_id_matcher_name_matcher_version",
            ["content_id", "style_id", "matcher_name", "matcher_version"],
        )
    _match_indexes("matcher_name", "matcher_version")
    styles = sa.select(images).where(images.c.id.in_(sa.select(matched.c.style_id)))
    for style, sha256 in op.get_bind().execute(styles).all():
        known = {"inputs_digest": digest(inputs_of(sha256, None))}
        op.execute(sa.update(matched).where(matched.c.style_id == style).values(known))


def _merge_matches() -> None:
    """One encoder under two names is one matcher: the last name's matches stay, others become candidates of theirs."""
    twice = sa.select(matches.c.content_id, matches.c.encoder_checksum).group_by(matches.c.content_id)
    twice = twice.group_by(matches.c.encoder_checksum).having(sa.func.count(matches.c.encoder_name.distinct()) > 1)
    for content, checksum in op.get_bind().execute(twice).all():
        same = (matches.c.content_id == content, matches.c.encoder_checksum == checksum)
        rows = op.get_bind().execute(sa.select(matches).where(*same).order_by(matches.c.id.desc())).all()
        last = [row for row in rows if row.encoder_name == rows[0].encoder_name]
        kept = {row.style_id: row.id for row in last}
        for row in rows:
            if row in last:
                continue
            stays = kept.setdefault(row.style_id, row.id)
            if row.style_id is not None and stays == row.id:
                unranked = {"outcome": "candidate", "rank": None}
                op.execute(sa.update(matches).where(matches.c.id == row.id).values(unranked))
                continue
            op.execute(sa.update(attempts).where(attempts.c.match_id == row.id).values(match_id=stays))
            op.execute(sa.delete(matches).where(matches.c.id == row.id))


def _matches_back() -> None:
    _drop_indexes("matches", "ix_matches_style_id", "uq_matches_no_match")
    op.execute(sa.delete(matched).where(matched.c.matcher_name != MATCHER))
    names = op.get_bind().execute(sa.text(_ENCODERS)).all()
    op.execute("ALTER TABLE matches RENAME COLUMN matcher_name TO encoder_name")
    op.execute("ALTER TABLE matches RENAME COLUMN matcher_version TO encoder_checksum")
    with op.batch_alter_table("matches") as table:
        table.drop_constraint("uq_matches_content_id_style_id_matcher_name_matcher_version", type_="unique")
        table.drop_column("registration")
        table.drop_column("inputs_digest")
        table.create_unique_constraint(
            "uq_matches_content_id_style_id_encoder_name_encoder_checksum",
            ["content_id", "style_id", "encoder_name", "encoder_checksum"],
        )
    op.execute(f"UPDATE matches SET encoder_checksum = substr(encoder_checksum, {len(ALGORITHM) + 1})")
    for checksum, name in names:
        op.execute(sa.update(matches).where(matches.c.encoder_checksum == checksum).values(encoder_name=name))
    _match_indexes("encoder_name", "encoder_checksum")


_ENCODERS = """
SELECT encoder_checksum, max(encoder_name) FROM (SELECT encoder_checksum, encoder_name FROM embeddings
  UNION SELECT encoder_checksum, encoder_name FROM batches) AS known GROUP BY encoder_checksum
"""


def _match_indexes(name: str, version: str) -> None:
    op.create_index("ix_matches_style_id", "matches", ["style_id"])
    op.create_index(
        "uq_matches_no_match",
        "matches",
        ["content_id", name, version],
        unique=True,
        sqlite_where=NO_STYLE,
        postgresql_where=NO_STYLE,
    )


def _batches() -> None:
    for column in (sa.Column("styles", sa.Integer()), sa.Column("models", data), sa.Column("models_digest", sa.Text())):
        op.add_column("batches", column)
    for page in _pages(batches, "encoder_name", "encoder_checksum", "recipe_data"):
        _update(
            batches,
            [
                (row, {"styles": 1, "recipe_data": renamed(recipe, MEASURES), **models_of(name, checksum)})
                for row, name, checksum, recipe in page
            ],
        )
    with op.batch_alter_table("batches") as table:
        table.alter_column("styles", existing_type=sa.Integer(), nullable=False)
        table.alter_column("models", existing_type=data, nullable=False)
        table.alter_column("models_digest", existing_type=sa.Text(), nullable=False)


def _batches_back() -> None:
    old = {new: name for name, new in MEASURES.items()}
    for page in _pages(batches, "recipe_data"):
        _update(batches, [(row, {"recipe_data": renamed(recipe, old)}) for row, recipe in page])
    with op.batch_alter_table("batches") as table:
        for column in ("styles", "models", "models_digest"):
            table.drop_column(column)


def _attempts(marks: dict[str, str | None]) -> None:
    _drop_indexes("attempts", *_PLAIN, "uq_attempts_claim")
    for column in (sa.Column("marks_sha256", sa.Text()), sa.Column("models", data), sa.Column("models_digest", sa.Text()),
                   sa.Column("inputs", data)):  # fmt: skip
        op.add_column("attempts", column)
    known = ("style_sha256", "inputs_digest", "encoder_name", "weights_checksum", "measures", "recipe_data")
    models = cache(models_of)
    for page in _pages(attempts, *known):
        rows = []
        for row, style, drawn, name, checksum, measures, recipe in page:
            inputs = inputs_of(style, marks[drawn])
            new = {"marks_sha256": marks[drawn], "inputs": inputs, "inputs_digest": digest(inputs)}
            words = {"measures": renamed(measures, MEASURES), "recipe_data": renamed(recipe, MEASURES)}
            rows.append((row, new | words | models(name, checksum)))
        _update(attempts, rows)
    with op.batch_alter_table("attempts") as table:
        table.alter_column("match_id", existing_type=sa.Integer(), nullable=True)
        table.alter_column("style_sha256", existing_type=sa.Text(), nullable=True)
        table.alter_column("models", existing_type=data, nullable=False)
        table.alter_column("models_digest", existing_type=sa.Text(), nullable=False)
        table.alter_column("inputs", existing_type=data, nullable=False)
        table.drop_constraint("uq_attempts_number", type_="unique")
        table.create_unique_constraint("uq_attempts_number", [*CLAIM, "number"])
    _attempt_indexes(CLAIM)


def _attempts_back() -> None:
    _drop_indexes("attempts", *_PLAIN, "uq_attempts_claim")
    with op.batch_alter_table("attempts") as table:
        table.drop_constraint("uq_attempts_number", type_="unique")  # digests lose the style, row by row
    old = {new: name for name, new in MEASURES.items()}
    for page in _pages(attempts, "marks_sha256", "measures", "recipe_data"):
        _update(
            attempts,
            [
                (
                    row,
                    {
                        "inputs_digest": marks_digest(marks),
                        "measures": renamed(measures, old),
                        "recipe_data": renamed(recipe, old),
                    },
                )
                for row, marks, measures, recipe in page
            ],
        )
    with op.batch_alter_table("attempts") as table:
        for column in ("marks_sha256", "models", "models_digest", "inputs"):
            table.drop_column(column)
        table.alter_column("match_id", existing_type=sa.Integer(), nullable=False)
        table.alter_column("style_sha256", existing_type=sa.Text(), nullable=False)
        table.create_unique_constraint("uq_attempts_number", [*OLD_CLAIM, "number"])
    _attempt_indexes(OLD_CLAIM)


_PLAIN = ("ix_attempts_batch_id", "ix_attempts_match_id", "ix_attempts_output_image_id")


def _attempt_indexes(claim: tuple[str, ...]) -> None:
    for name in _PLAIN:
        op.create_index(name, "attempts", [name.removeprefix("ix_attempts_")])
    op.create_index(
        "uq_attempts_claim", "attempts", list(claim), unique=True, sqlite_where=CLAIMED, postgresql_where=CLAIMED
    )


def _refuse_what_has_no_place() -> None:
    """0004 knows attempts of one match, one style and one model only; leaving others out would lose verdicts."""
    others = sa.text(
        "SELECT count(*) FROM attempts LEFT JOIN matches ON matches.id = attempts.match_id "
        "WHERE match_id IS NULL OR style_sha256 IS NULL OR matcher_name <> :matcher"
    )
    asked = sa.text("SELECT count(*) FROM requests WHERE style_id IS NULL")
    count = op.get_bind().scalar(others, {"matcher": MATCHER}) + op.get_bind().scalar(asked)
    several = sum(
        len(inputs["styles"]) > 1 or len(models) > 1
        for page in _pages(attempts, "inputs", "models")
        for _, inputs, models in page
    )
    if count + several:
        raise ValueError(f"{count + several} attempts or requests need this schema; nothing was changed")


def _drop_indexes(table: str, *names: str) -> None:
    for name in names:
        op.drop_index(name, table)


def _pages(table: Any, *columns: str) -> Iterator[list[Any]]:
    """All rows, some at a time, their numbers first."""
    last = 0
    rows = sa.select(table.c.id, *(table.c[name] for name in columns)).order_by(table.c.id).limit(SOME)
    while page := op.get_bind().execute(rows.where(table.c.id > last)).all():
        yield list(page)
        last = page[-1][0]


def _update(table: Any, rows: list[tuple[int, dict[str, Any]]]) -> None:
    by_columns: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row, values in rows:
        by_columns[tuple(values)].append({f"new_{name}": value for name, value in values.items()} | {"row": row})
    for names, some in by_columns.items():
        new = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
        op.get_bind().execute(sa.update(table).where(table.c.id == sa.bindparam("row")).values(new), some)


def _count_on(table: str) -> None:
    """PostgreSQL numbers on from the last row."""
    if not _on_sqlite():
        last = f"(SELECT max(id) FROM {table})"
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce({last}, 1), {last} IS NOT NULL)")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
