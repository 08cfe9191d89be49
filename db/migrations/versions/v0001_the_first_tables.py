"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

data = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

TABLES = (
    "archives",
    "windows",
    "records",
    "record_artists",
    "record_cast",
    "rights",
    "images",
    "record_images",
    "embeddings",
    "matches",
    "batches",
    "attempts",
    "verdicts",
)

KEPT_ON_SQLITE = (
    """CREATE TRIGGER verdicts_never_updated BEFORE UPDATE ON verdicts
    BEGIN SELECT RAISE(ABORT, 'verdicts are never changed; give another one'); END""",
    """CREATE TRIGGER verdicts_never_deleted BEFORE DELETE ON verdicts
    BEGIN SELECT RAISE(ABORT, 'verdicts are never deleted; give another one'); END""",
    # INSERT OR REPLACE deletes without firing a delete trigger
    """CREATE TRIGGER verdicts_never_replaced BEFORE INSERT ON verdicts
    WHEN EXISTS (SELECT 1 FROM verdicts WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'verdicts are never replaced; give another one'); END""",
)
KEPT_ON_POSTGRESQL = (
    """CREATE FUNCTION verdicts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'verdicts are never changed or deleted; give another one'; END $$""",
    """CREATE TRIGGER verdicts_only_grow BEFORE UPDATE OR DELETE ON verdicts
    FOR EACH ROW EXECUTE FUNCTION verdicts_only_grow()""",
    """CREATE TRIGGER verdicts_not_emptied BEFORE TRUNCATE ON verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION verdicts_only_grow()""",
)


def upgrade() -> None:
    op.create_table(
        "archives",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_archives"),
        sa.UniqueConstraint("name", name="uq_archives_name"),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipe_name", sa.Text(), nullable=False),
        sa.Column("recipe_data", data, nullable=False),
        sa.Column("recipe_digest", sa.Text(), nullable=False),
        sa.Column("encoder_name", sa.Text(), nullable=False),
        sa.Column("encoder_checksum", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("process_start", sa.Text(), nullable=True),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_table(
        "records",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("archive_id", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("datestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("date_text", sa.Text(), nullable=False),
        sa.Column("year_from", sa.Integer(), nullable=True),
        sa.Column("year_to", sa.Integer(), nullable=True),
        sa.Column("genre", sa.Text(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("credit_line", sa.Text(), nullable=False),
        sa.Column("landing_url", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name="fk_records_archive_id"),
        sa.PrimaryKeyConstraint("id", name="pk_records"),
        sa.UniqueConstraint("archive_id", "identifier", name="uq_records_archive_id_identifier"),
    )
    op.create_table(
        "windows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("archive_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("problems", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'done', 'failed')", name="ck_windows_state"),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name="fk_windows_archive_id"),
        sa.PrimaryKeyConstraint("id", name="pk_windows"),
    )
    op.create_index("ix_windows_archive_id", "windows", ["archive_id"])

    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("tone", sa.String(16), nullable=False),
        sa.Column("tone_measures", data, nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tone IN ('grayscale', 'toned', 'colour', 'unsure')", name="ck_images_tone"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_images_record_id"),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("sha256", name="uq_images_sha256"),
    )
    op.create_index("ix_images_record_id", "images", ["record_id"])
    op.create_index("ix_images_tone", "images", ["tone"])

    op.create_table(
        "record_artists",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_record_artists_record_id"),
        sa.PrimaryKeyConstraint("record_id", "position", name="pk_record_artists"),
    )
    op.create_table(
        "record_cast",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_record_cast_record_id"),
        sa.PrimaryKeyConstraint("record_id", "position", name="pk_record_cast"),
    )
    op.create_table(
        "rights",
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("derivatives", sa.String(16), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("derivatives IN ('yes', 'no', 'ask', 'unknown')", name="ck_rights_derivatives"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_rights_record_id"),
        sa.PrimaryKeyConstraint("record_id", name="pk_rights"),
    )
    op.create_table(
        "embeddings",
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("encoder_name", sa.Text(), nullable=False),
        sa.Column("encoder_checksum", sa.Text(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_embeddings_image_id"),
        sa.PrimaryKeyConstraint("image_id", "encoder_name", "encoder_checksum", name="pk_embeddings"),
    )
    op.create_table(
        "matches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("style_id", sa.Integer(), nullable=True),
        sa.Column("encoder_name", sa.Text(), nullable=False),
        sa.Column("encoder_checksum", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("reasons", data, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(outcome = 'no match') = (style_id IS NULL)", name="ck_matches_style"),
        sa.CheckConstraint("outcome IN ('matched', 'candidate', 'no match')", name="ck_matches_outcome"),
        sa.ForeignKeyConstraint(["content_id"], ["images.id"], name="fk_matches_content_id"),
        sa.ForeignKeyConstraint(["style_id"], ["images.id"], name="fk_matches_style_id"),
        sa.PrimaryKeyConstraint("id", name="pk_matches"),
        sa.UniqueConstraint(
            "content_id",
            "style_id",
            "encoder_name",
            "encoder_checksum",
            name="uq_matches_content_id_style_id_encoder_name_encoder_checksum",
        ),
    )
    op.create_index("ix_matches_style_id", "matches", ["style_id"])
    op.create_index(
        "uq_matches_no_match",
        "matches",
        ["content_id", "encoder_name", "encoder_checksum"],
        unique=True,
        sqlite_where=sa.text("style_id IS NULL"),
        postgresql_where=sa.text("style_id IS NULL"),
    )

    op.create_table(
        "record_images",
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("image_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("state <> 'held' OR image_id IS NOT NULL", name="ck_record_images_held"),
        sa.CheckConstraint("state IN ('wanted', 'held', 'broken')", name="ck_record_images_state"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_record_images_image_id"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name="fk_record_images_record_id"),
        sa.PrimaryKeyConstraint("record_id", "position", name="pk_record_images"),
    )
    op.create_index("ix_record_images_image_id", "record_images", ["image_id"])
    op.create_index("ix_record_images_state", "record_images", ["state"])

    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("match_id", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("style_sha256", sa.Text(), nullable=False),
        sa.Column("recipe_name", sa.Text(), nullable=False),
        sa.Column("recipe_data", data, nullable=False),
        sa.Column("recipe_digest", sa.Text(), nullable=False),
        sa.Column("encoder_name", sa.Text(), nullable=False),
        sa.Column("weights_checksum", sa.Text(), nullable=False),
        sa.Column("inputs_digest", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("versions", data, nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("iterations", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("content_error_sum", sa.Double(), nullable=True),
        sa.Column("content_error_mean", sa.Double(), nullable=True),
        sa.Column("style_error_sum", sa.Double(), nullable=True),
        sa.Column("style_error_mean", sa.Double(), nullable=True),
        sa.Column("total_error_sum", sa.Double(), nullable=True),
        sa.Column("total_error_mean", sa.Double(), nullable=True),
        sa.Column("measures", data, nullable=True),
        sa.Column("trace", data, nullable=True),
        sa.Column("output_image_id", sa.Integer(), nullable=True),
        sa.Column("error_class", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("transient", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('succeeded', 'rejected', 'failed')", name="ck_attempts_outcome"),
        sa.CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="ck_attempts_closed"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_attempts_batch_id"),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name="fk_attempts_match_id"),
        sa.ForeignKeyConstraint(["output_image_id"], ["images.id"], name="fk_attempts_output_image_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.UniqueConstraint(
            "content_sha256",
            "style_sha256",
            "recipe_digest",
            "weights_checksum",
            "inputs_digest",
            "number",
            name="uq_attempts_number",
        ),
    )
    op.create_index("ix_attempts_batch_id", "attempts", ["batch_id"])
    op.create_index("ix_attempts_match_id", "attempts", ["match_id"])
    op.create_index("ix_attempts_output_image_id", "attempts", ["output_image_id"])
    op.create_index(
        "uq_attempts_claim",
        "attempts",
        ["content_sha256", "style_sha256", "recipe_digest", "weights_checksum", "inputs_digest"],
        unique=True,
        sqlite_where=sa.text("outcome IS NULL OR outcome IN ('succeeded', 'rejected')"),
        postgresql_where=sa.text("outcome IS NULL OR outcome IN ('succeeded', 'rejected')"),
    )

    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("curator", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('approved', 'returned', 'withheld')", name="ck_verdicts_verdict"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_verdicts_attempt_id"),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
    )
    op.create_index("ix_verdicts_attempt_id", "verdicts", ["attempt_id"])
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in KEPT_ON_SQLITE if on_sqlite else KEPT_ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION verdicts_only_grow()")
