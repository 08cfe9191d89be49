"""The catalogue's tables, one class for each thing in the glossary.

Only `db.catalogue` and its queries read and write them; Alembic compares them with the database. The schema
itself comes from `db/migrations`, never from here. Rows never leave `db`: entries do.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from db.entries.corrections import Correctable
from db.entries.night import Derivatives, MatchOutcome, Outcome, Tone, Verdict, WindowState
from db.entries.nights import NightEnding
from db.tables.base import Base, PictureState, one_of, partial


class Archive(Base):
    """An institution's collection that we read from."""

    __tablename__ = "archives"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    address: Mapped[str]


class Window(Base):
    """A span of datestamps harvested as one unit; an open bound is empty."""

    __tablename__ = "windows"
    __table_args__ = (one_of("state", WindowState),)
    id: Mapped[int] = mapped_column(primary_key=True)
    archive_id: Mapped[int] = mapped_column(ForeignKey("archives.id"), index=True)
    start: Mapped[datetime | None]
    until: Mapped[datetime | None]
    state: Mapped[WindowState]
    records: Mapped[int]
    problems: Mapped[int]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class ReadInWindow(Base):
    """What a window that is not finished has read, of an archive that is asked for every record by itself."""

    __tablename__ = "read_in_windows"
    window_id: Mapped[int] = mapped_column(ForeignKey("windows.id"), primary_key=True)
    identifier: Mapped[str] = mapped_column(primary_key=True)
    read_at: Mapped[datetime]


class Record(Base):
    """One description as the archive gave it; `digest` covers the whole entry, to see what changed."""

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("archive_id", "identifier"),
        Index("ix_records_genre", "archive_id", "genre"),
        partial("ix_records_deleted", "id", where="deleted_at IS NOT NULL"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    archive_id: Mapped[int] = mapped_column(ForeignKey("archives.id"))
    identifier: Mapped[str]
    datestamp: Mapped[datetime]
    digest: Mapped[str]
    raw: Mapped[str]
    title: Mapped[str]
    date_text: Mapped[str]
    year_from: Mapped[int | None]
    year_to: Mapped[int | None]
    genre: Mapped[str | None]
    holder: Mapped[str]
    credit_line: Mapped[str]
    landing_url: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    archive_words: Mapped[dict[str, Any] | None]
    """What the archive says where a curator put the record right, by `Correctable`; a harvest writes it anew."""
    authorities: Mapped[list[Any] | None]
    """[name, address] of its people in authority files."""


class Correction(Base):
    """A curator's word on what a record says, in place of `before`. History only grows; what stands follows from
    `Record.archive_words`.
    """

    __tablename__ = "corrections"
    __table_args__ = (one_of("field", Correctable),)
    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), index=True)
    field: Mapped[Correctable]
    curator: Mapped[str]
    before: Mapped[list[Any]]
    after: Mapped[list[Any]]
    taken_back: Mapped[bool]
    """The archive's own word holds again."""
    given_at: Mapped[datetime] = mapped_column(index=True)


class RecordArtist(Base):
    """An artist of a record, in the archive's order: rows, so that one SQL finds them on both databases."""

    __tablename__ = "record_artists"
    __table_args__ = (Index("ix_record_artists_name", "name", "record_id"),)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]


class RecordCast(Base):
    """An actor in a role, in the archive's order; either may be empty."""

    __tablename__ = "record_cast"
    __table_args__ = (
        Index("ix_record_cast_actor", "actor", "record_id"),
        Index("ix_record_cast_role", "role", "record_id"),
    )
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str]
    actor: Mapped[str]


class Rights(Base):
    """What may be done with a record's pictures, and on what basis."""

    __tablename__ = "rights"
    __table_args__ = (one_of("derivatives", Derivatives),)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), primary_key=True, autoincrement=False)
    derivatives: Mapped[Derivatives]
    basis: Mapped[str]
    uri: Mapped[str | None]
    text: Mapped[str]
    rules: Mapped[int] = mapped_column(server_default="0", index=True)
    """Version of the rules that judged the text; older ones are judged again by `nishiki doctor`."""


class FormerRecord(Base):
    """What a record said until it changed, with the rights that it had then."""

    __tablename__ = "former_records"
    __table_args__ = (one_of("derivatives", Derivatives),)
    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), index=True)
    datestamp: Mapped[datetime]
    raw: Mapped[str]
    deleted_at: Mapped[datetime | None]
    derivatives: Mapped[Derivatives]
    basis: Mapped[str]
    uri: Mapped[str | None]
    text: Mapped[str]
    replaced_at: Mapped[datetime] = mapped_column(index=True)


class Release(Base):
    """A person's word that a record may be used, which its rights leave open; it lapses when they change."""

    __tablename__ = "releases"
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), primary_key=True, autoincrement=False)
    curator: Mapped[str]
    note: Mapped[str]
    given_at: Mapped[datetime]


class UnreadableRecord(Base):
    """What an archive gave that could not be read as a record, with the bytes where they were had."""

    __tablename__ = "unreadable_records"
    archive_id: Mapped[int] = mapped_column(ForeignKey("archives.id"), primary_key=True, autoincrement=False)
    identifier: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    raw: Mapped[bytes | None]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class Image(Base):
    """Stored picture bytes. `record_id` is the record that first brought them; empty: made by an attempt."""

    __tablename__ = "images"
    __table_args__ = (one_of("tone", Tone),)
    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("records.id"), index=True)
    width: Mapped[int]
    height: Mapped[int]
    mode: Mapped[str]
    bytes: Mapped[int] = mapped_column(BigInteger)
    tone: Mapped[Tone] = mapped_column(index=True)
    tone_measures: Mapped[dict[str, Any]]
    machine_tone: Mapped[Tone | None]
    """What the machine says where a curator's word stands."""
    notes: Mapped[list[Any] | None]
    """What decoding corrected, sentences for a person."""
    fetched_at: Mapped[datetime]


class ToneGiven(Base):
    """A curator's word on an image's tone, which `images.tone` follows; `before` is what it was until then."""

    __tablename__ = "tones_given"
    __table_args__ = (one_of("tone", Tone), one_of("before", Tone))
    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), index=True)
    curator: Mapped[str]
    tone: Mapped[Tone]
    before: Mapped[Tone]
    given_at: Mapped[datetime]
    taken_back: Mapped[bool] = mapped_column(server_default=false())
    """The machine's word holds again."""


class RecordImage(Base):
    """A picture that a record names, and the image that we hold of it."""

    __tablename__ = "record_images"
    __table_args__ = (
        one_of("state", PictureState),
        CheckConstraint("state <> 'held' OR image_id IS NOT NULL", name="held"),
        partial("ix_record_images_missing", "record_id", where="image_id IS NULL"),
    )
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reference: Mapped[str]
    url: Mapped[str | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    fetched_at: Mapped[datetime | None]
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"), index=True)
    state: Mapped[PictureState] = mapped_column(index=True)
    problem: Mapped[str | None]
    tries: Mapped[int]
    failed_at: Mapped[datetime | None]
    failed_nights: Mapped[int] = mapped_column(server_default="0")
    """Nights on which it could not be had, since it last could."""
    next_try_at: Mapped[datetime | None]
    """Asked again from then on; empty: the next night."""


class Embedding(Base):
    """An image as the encoder sees it: float32, little-endian, `dim` numbers."""

    __tablename__ = "embeddings"
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    encoder_name: Mapped[str] = mapped_column(primary_key=True)
    encoder_checksum: Mapped[str] = mapped_column(primary_key=True)
    dim: Mapped[int]
    vector: Mapped[bytes]


class Match(Base):
    """What one matcher found: the chosen pair, a candidate, or that there is none."""

    __tablename__ = "matches"
    __table_args__ = (
        one_of("outcome", MatchOutcome),
        CheckConstraint("(outcome = 'no match') = (style_id IS NULL)", name="style"),
        UniqueConstraint("content_id", "style_id", "matcher_name", "matcher_version"),
        partial(
            "uq_matches_no_match",
            "content_id",
            "matcher_name",
            "matcher_version",
            where="style_id IS NULL",
            unique=True,
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    style_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"), index=True)
    matcher_name: Mapped[str]
    matcher_version: Mapped[str]
    outcome: Mapped[MatchOutcome]
    rank: Mapped[int | None]
    score: Mapped[float | None]
    reasons: Mapped[dict[str, Any]]
    registration: Mapped[dict[str, Any] | None]
    """What maps the style onto the content, where both are of one design."""
    inputs_digest: Mapped[str | None]
    """Of an attempt that takes this style and nothing else: what the claim compares."""
    made_at: Mapped[datetime]


class MatcherRefit(Base):
    """The matching rule's weights by curators' verdicts, accepted or refused; `db.entries.match.RefitEntry`."""

    __tablename__ = "matcher_refits"
    id: Mapped[int] = mapped_column(primary_key=True)
    base: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any]]
    weights: Mapped[dict[str, Any]]
    verdicts: Mapped[int]
    approved: Mapped[int]
    loss_before: Mapped[float]
    loss_after: Mapped[float]
    why: Mapped[str]
    made_at: Mapped[datetime]


class Model(Base):
    """A trained colorizer whose file is kept; by its name it is a recipe."""

    __tablename__ = "models"
    checksum: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    method: Mapped[str]
    settings: Mapped[dict[str, Any]]
    snapshot: Mapped[str]
    learned_from: Mapped[int]
    held_out: Mapped[int]
    measures: Mapped[dict[str, Any]]
    code: Mapped[str]
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Batch(Base):
    """The matches that one night takes on; whoever works at them has a lease."""

    __tablename__ = "batches"
    id: Mapped[int] = mapped_column(primary_key=True)
    recipe_name: Mapped[str]
    recipe_data: Mapped[dict[str, Any]]
    recipe_digest: Mapped[str]
    styles: Mapped[int]
    """How many style images the recipe needs."""
    encoder_name: Mapped[str]
    encoder_checksum: Mapped[str]
    models: Mapped[list[Any]]
    models_digest: Mapped[str]
    started_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class BatchLease(Base):
    """A process at work on a batch, until it has ended. Rows stay, so that no number is given twice."""

    __tablename__ = "batch_leases"
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"), index=True)
    host: Mapped[str]
    pid: Mapped[int]
    process_start: Mapped[str]
    """Names the boot and the clock tick at which it began; empty where the system tells none."""
    heartbeat_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


CLAIM = ("content_sha256", "recipe_digest", "models_digest", "inputs_digest")
SET_ASIDE = text("error_class = 'SetAside'")
"""Over these pictures workers died, as often as was tried."""
CLAIMED = text("outcome IS NULL OR outcome IN ('succeeded', 'rejected')")


class Attempt(Base):
    """One colorization of one content, by a recipe with its models and inputs; without an outcome it is pending.

    The index over `CLAIM` is the claim itself: one attempt per key is pending, succeeded or rejected, however
    many processes take batches at once. A failed one leaves the index and frees the key for its next number.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        one_of("outcome", Outcome),
        CheckConstraint("(outcome IS NULL) = (closed_at IS NULL)", name="closed"),
        UniqueConstraint(*CLAIM, "number", name="uq_attempts_number"),
        Index("ix_attempts_style_sha256", "style_sha256"),
        partial("ix_attempts_set_aside", "id", where=SET_ASIDE.text),
        partial("uq_attempts_claim", *CLAIM, where=CLAIMED.text, unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"), index=True)
    match_id: Mapped[int | None] = mapped_column(ForeignKey("matches.id"), index=True)
    content_sha256: Mapped[str]
    style_sha256: Mapped[str | None]
    """The first style of the inputs; it, the marks and the mask stand here again because queries compare them."""
    marks_sha256: Mapped[str | None]
    mask_sha256: Mapped[str | None]
    recipe_name: Mapped[str]
    recipe_data: Mapped[dict[str, Any]]
    recipe_digest: Mapped[str]
    encoder_name: Mapped[str]
    weights_checksum: Mapped[str]
    """Name and checksum of the encoder that the errors were taken with; one of the models."""
    models: Mapped[list[Any]]
    models_digest: Mapped[str]
    inputs: Mapped[dict[str, Any]]
    """As `db.entries.claim.Inputs.data` gives them."""
    inputs_digest: Mapped[str]
    number: Mapped[int]
    lease: Mapped[int | None]
    """The number of the lease that took it last. No foreign key: an empty batch goes with its leases, and would ask all
    attempts."""
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    """How often it was taken, but for what was handed back."""
    outcome: Mapped[Outcome | None]
    device: Mapped[str | None]
    versions: Mapped[dict[str, Any] | None]
    seed: Mapped[int | None] = mapped_column(BigInteger)
    iterations: Mapped[int | None]
    seconds: Mapped[float | None]
    content_error_sum: Mapped[float | None]
    content_error_mean: Mapped[float | None]
    style_error_sum: Mapped[float | None]
    style_error_mean: Mapped[float | None]
    total_error_sum: Mapped[float | None]
    total_error_mean: Mapped[float | None]
    measures: Mapped[dict[str, Any] | None]
    trace: Mapped[list[Any] | None]
    output_image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"), index=True)
    trust_sha256: Mapped[str | None]
    """The map of trust, a file beside the output's."""
    error_class: Mapped[str | None]
    error_message: Mapped[str | None]
    transient: Mapped[bool]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Measurement(Base):
    """The relative errors of an attempt's saved picture by another encoder than its own."""

    __tablename__ = "measurements"
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), primary_key=True, autoincrement=False)
    encoder_name: Mapped[str] = mapped_column(primary_key=True)
    encoder_checksum: Mapped[str] = mapped_column(primary_key=True)
    content_error_sum: Mapped[float | None]
    content_error_mean: Mapped[float | None]
    style_error_sum: Mapped[float | None]
    style_error_mean: Mapped[float | None]
    total_error_sum: Mapped[float | None]
    total_error_mean: Mapped[float | None]
    measured_at: Mapped[datetime]


class Night(Base):
    """A night: who ran it, how it ended, what it came to; `db.entries.nights.NightEntry`. Without an end it is open."""

    __tablename__ = "nights"
    __table_args__ = (
        one_of("ending", NightEnding),
        CheckConstraint("(ending IS NULL) = (ended_at IS NULL)", name="ended"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    process_start: Mapped[str]
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ending: Mapped[NightEnding | None]
    exit_code: Mapped[int | None]
    reason: Mapped[str]
    seconds: Mapped[dict[str, Any]]
    counts: Mapped[dict[str, Any]]


_BLIND_WORD = ("attempt_id", "id", "curator", "verdict", "given_at", "bulk", "blind")
"""All that agreement asks of one; SQLite wants the condition's columns in the index, too, or it reads each row."""


class VerdictGiven(Base):
    """The curator's word on an attempt. Triggers refuse every update and delete: history only grows."""

    __tablename__ = "verdicts"
    __table_args__ = (
        one_of("verdict", Verdict),
        Index("ix_verdicts_verdict", "verdict"),
        partial("ix_verdicts_looked", "curator", "looked_s", where="bulk IS NULL AND looked_s IS NOT NULL"),
        Index("ix_verdicts_curator", "curator", "id"),
        partial("ix_verdicts_bulk", "bulk", where="bulk IS NOT NULL"),
        partial("ix_verdicts_blind", *_BLIND_WORD, where="blind AND bulk IS NULL"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    curator: Mapped[str]
    verdict: Mapped[Verdict]
    reason: Mapped[str]
    note: Mapped[str]
    given_at: Mapped[datetime]
    bulk: Mapped[str | None]
    """Names the step in which several were given."""
    looked_s: Mapped[float | None]
    answered: Mapped[int | None]
    """The verdict that stood before the curator when they gave theirs."""
    blind: Mapped[bool] = mapped_column(server_default=false())
    """One of a blind pair: whoever gave it was shown no other."""
