"""The review's tables: the queue, what records are found by, leases, undone verdicts, requests, faults,
saved views, comments, curators, sessions.

As `db.tables.night`: only the catalogue's queries read and write them, and the schema comes from `db/migrations`.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from db.entries.faults import FaultKind
from db.entries.night import Outcome, Verdict
from db.entries.review import Role
from db.tables.base import Base, one_of, partial

_BEST_FIRST = ("precedence", "attempt_id")
_REDONE = "waiting_since IS NOT NULL AND returned_by IS NOT NULL"
_EQUAL = ("batch_id", "archive_id", "recipe_name", "outcome", "verdict", "curator")
"""What filters compare with one value: an index each."""
_TESTED = (
    "waiting_since",
    "conflict_since",
    "verdict",
    "record_id",
    "curator",
    "returned_by",
    "archive_id",
    "batch_id",
    "recipe_name",
    "outcome",
    "error",
    "year_from",
    "year_to",
    "withheld",
)
"""What filters test row by row: in the index itself, so that a row that does not pass costs no look at the table."""


def _best_first(name: str, *equal: str, only: str | None = None) -> Index:
    """An index in the queue's order, of rows that share some values or are of one queue."""
    columns = (*equal, *_BEST_FIRST, *(column for column in _TESTED if column not in equal))
    return Index(name, *columns) if only is None else partial(name, *columns, where=only)


class Review(Base):
    """An attempt with a picture, as the queue needs it: its place, what it is filtered by, the standing verdict.

    Everything here follows from other tables; `db.queries.base.review_rows` keeps it up to date.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        one_of("outcome", Outcome),
        one_of("verdict", Verdict),
        _best_first("ix_reviews_all"),
        _best_first("ix_reviews_waiting", only="waiting_since IS NOT NULL"),
        _best_first("ix_reviews_redone", "returned_by", only=_REDONE),
        _best_first("ix_reviews_conflicts", only="conflict_since IS NOT NULL"),
        *(_best_first(f"ix_reviews_{column}", column) for column in _EQUAL),
        Index("ix_reviews_error", "error", "attempt_id"),
        Index("ix_reviews_likeness", "likeness", "attempt_id"),
        Index("ix_reviews_trust", "trust", "attempt_id", *_TESTED),
        Index("ix_reviews_record_id", "record_id"),
        partial("ix_reviews_withheld", "attempt_id", where="withheld IS true"),
        partial("ix_reviews_wrong_match", "attempt_id", where="reason = 'wrong match'"),
    )
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), primary_key=True, autoincrement=False)
    precedence: Mapped[float]
    batch_id: Mapped[int]
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"))
    archive_id: Mapped[int]
    recipe_name: Mapped[str]
    outcome: Mapped[Outcome]
    error: Mapped[float | None]
    likeness: Mapped[float | None]
    """Of the style print to the content, as the match says."""
    trust: Mapped[float | None]
    """How far its colours are trusted, in [0, 1]."""
    year_from: Mapped[int | None]
    year_to: Mapped[int | None]
    returned_by: Mapped[str | None]
    waiting_since: Mapped[datetime | None]
    conflict_since: Mapped[datetime | None]
    verdict_id: Mapped[int | None]
    verdict: Mapped[Verdict | None]
    reason: Mapped[str | None]
    curator: Mapped[str | None]
    blind: Mapped[bool]
    withheld: Mapped[bool] = mapped_column(server_default=false())
    """Its content may not be used any more: nobody is shown it, and nothing is deleted."""


class Provided(Base):
    """An entry of which harvesters were told (OAI-PMH), and since when they are to be told the same; never deleted."""

    __tablename__ = "provided"
    __table_args__ = (
        Index("ix_provided_datestamp", "datestamp", "attempt_id"),
        Index("ix_provided_archive", "archive_id", "datestamp", "attempt_id"),
    )
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), primary_key=True, autoincrement=False)
    archive_id: Mapped[int]
    verdict_id: Mapped[int]
    """The approval that was told."""
    datestamp: Mapped[datetime]
    """In whole seconds."""
    gone: Mapped[bool]


class SearchText(Base):
    """What a record is found by, normalised."""

    __tablename__ = "search_texts"
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), primary_key=True, autoincrement=False)
    text: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="0", index=True)
    """Of the normalisation; older ones are written again by `nishiki doctor --mend`."""


class SearchTrigram(Base):
    """Three neighbouring letters of a record's search text, as a number (`db.search_terms`)."""

    __tablename__ = "search_trigrams"
    __table_args__ = ({"sqlite_with_rowid": False},)
    trigram: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), primary_key=True, autoincrement=False)


class LeaseHeld(Base):
    """Who has an entry open; past `until` it is nobody's."""

    __tablename__ = "leases"
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), primary_key=True, autoincrement=False)
    curator: Mapped[str]
    until: Mapped[datetime]


class UndoneVerdict(Base):
    """A verdict taken back, by whom and when. It stays in the history; triggers keep this row too."""

    __tablename__ = "undone_verdicts"
    verdict_id: Mapped[int] = mapped_column(ForeignKey("verdicts.id"), primary_key=True, autoincrement=False)
    curator: Mapped[str]
    undone_at: Mapped[datetime]


class CuratorRequest(Base):
    """A further attempt that a curator asked for; the same request twice is one row."""

    __tablename__ = "requests"
    __table_args__ = (UniqueConstraint("content_id", "recipe_name", "inputs_digest"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    curator: Mapped[str]
    content_id: Mapped[int] = mapped_column(ForeignKey("images.id"))
    style_id: Mapped[int | None] = mapped_column(ForeignKey("images.id"))
    recipe_name: Mapped[str]
    marks_sha256: Mapped[str | None]
    mask_sha256: Mapped[str | None]
    inputs_digest: Mapped[str]
    """Of the style, the marks and the mask that are asked for: the same request twice has the same."""
    requested_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class FaultMarked(Base):
    """What a curator finds wrong in a result, and where; a row without a box speaks of all of the picture."""

    __tablename__ = "faults"
    __table_args__ = (
        one_of("kind", FaultKind),
        partial("ix_faults_kind", "kind", "attempt_id", where="taken_off_at IS NULL"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    curator: Mapped[str]
    kind: Mapped[FaultKind]
    box_left: Mapped[float | None]
    box_top: Mapped[float | None]
    box_width: Mapped[float | None]
    box_height: Mapped[float | None]
    """Shares of the picture's width and height, as `db.entries.faults.Box`."""
    marked_at: Mapped[datetime]
    taken_off_at: Mapped[datetime | None]


class Comparison(Base):
    """Which of two results of one print a curator took for the better, blind; once for each pair while it stands."""

    __tablename__ = "comparisons"
    __table_args__ = (
        partial("uq_comparisons_standing", "curator", "attempt_id", "other_id", where="undone_at IS NULL", unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    curator: Mapped[str]
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    """Of the recipe whose digest comes first."""
    other_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    left_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"))
    chosen_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id"))
    """None: neither was the better."""
    given_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class ViewSaved(Base):
    """A view of the queue that a curator keeps."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("curator", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    curator: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    saved_at: Mapped[datetime]


class ViewAssigned(Base):
    """A view of the queue that a curator is asked to judge."""

    __tablename__ = "assignments"
    id: Mapped[int] = mapped_column(primary_key=True)
    curator: Mapped[str]
    name: Mapped[str]
    query: Mapped[str]
    note: Mapped[str]
    assigned_by: Mapped[str]
    assigned_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class CommentSaid(Base):
    """What a curator says to the others on an entry."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_curator", "curator", "attempt_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id"), index=True)
    curator: Mapped[str]
    text: Mapped[str]
    said_at: Mapped[datetime]


class Curator(Base):
    """A person with an account on the review page; the password is kept as its hash only."""

    __tablename__ = "curators"
    __table_args__ = (one_of("role", Role),)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role]
    password_hash: Mapped[str]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class CuratorSession(Base):
    """A curator's open session, known by its token's sha256: who reads the database cannot take it over."""

    __tablename__ = "sessions"
    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    curator_id: Mapped[int] = mapped_column(ForeignKey("curators.id"), index=True)
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ApiToken(Base):
    """By which a program speaks for a curator, known by its sha256 alone; what was revoked stays on record."""

    __tablename__ = "tokens"
    __table_args__ = (one_of("role", Role),)
    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    curator_id: Mapped[int] = mapped_column(ForeignKey("curators.id"), index=True)
    role: Mapped[Role]
    label: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class AuditEvent(Base):
    """What happened on the page that an administrator answers for: sign-ins, failures, roles, exports."""

    __tablename__ = "audit_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    event: Mapped[str]
    curator: Mapped[str | None]
    address: Mapped[str | None]
    detail: Mapped[str]
