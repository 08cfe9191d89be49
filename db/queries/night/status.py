"""The catalogue in numbers: what `nishiki status` prints."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.engine import HEAD
from db.entries.night import COMPOSITION, TONES, MatchOutcome, Outcome, Tone, Verdict, WindowState
from db.queries.base.review_rows import not_undone
from db.queries.base.store import Store
from db.queries.base.usable import harvested
from db.queries.night.dispatch import batch_entry
from db.tables.base import PictureState
from db.tables.night import (
    SET_ASIDE,
    Archive,
    Attempt,
    Batch,
    Embedding,
    Image,
    Match,
    Record,
    RecordImage,
    VerdictGiven,
    Window,
)
from db.tables.review import CuratorRequest

_LIVE = Record.deleted_at.is_(None)
NAMED = 20
"""Pictures set aside that are named, the newest."""


class StatusQueries(Store):
    """Counts, in one transaction."""

    def status(self) -> dict[str, Any]:
        """Counts of everything, ready for JSON: live records and the pictures they name, harvested images."""
        with self._reading() as session:
            named = RecordImage.record_id.in_(select(Record.id).where(_LIVE))
            attempts = _counts(session, Attempt.outcome, Outcome)
            pending = select(func.count()).select_from(Attempt).where(Attempt.outcome.is_(None))
            return {
                "records": _records(session, _LIVE),
                "deleted_records": _records(session, Record.deleted_at.is_not(None)),
                "images": _counts(session, Image.tone, Tone, harvested()),
                "pictures": _counts(session, RecordImage.state, PictureState, named),
                "matches": _counts(session, Match.outcome, MatchOutcome),
                "attempts": {"pending": session.execute(pending).scalar_one(), **attempts},
                "verdicts": _counts(session, VerdictGiven.verdict, Verdict, not_undone()),
                "set_aside": _set_aside(session),
                **_latest(session),
                "schema": HEAD,
                "archives": _archives(session),
            }

    def harvested_names(self) -> set[str]:
        """The sha256 of every picture that an archive brought; each has a working copy."""
        with self._reading() as session:
            return set(session.scalars(select(Image.sha256).where(Image.record_id.is_not(None))))

    def result_names(self, *, pending: bool) -> set[str]:
        """The sha256 of every picture that an attempt made, or of those that are being made again."""
        state = Attempt.outcome.is_(None) if pending else Attempt.outcome.is_not(None)
        made = select(Image.sha256).join(Attempt, Attempt.output_image_id == Image.id)
        with self._reading() as session:
            return set(session.scalars(made.where(state)))

    def picture_names(self) -> set[str]:
        """The sha256 of every file that a row names: images, superseded ones too, curators' marks, maps of trust."""
        marks = select(CuratorRequest.marks_sha256).where(CuratorRequest.marks_sha256.is_not(None))
        with self._reading() as session:
            files = {*session.scalars(select(Image.sha256)), *filter(None, session.scalars(marks))}
        return files | self.trust_names()

    def trust_names(self) -> set[str]:
        """The sha256 of every map of trust."""
        maps = select(Attempt.trust_sha256).where(Attempt.trust_sha256.is_not(None))
        with self._reading() as session:
            return set(filter(None, session.scalars(maps)))


def _records(session: Session, which: ColumnElement[bool]) -> int:
    return session.execute(select(func.count()).select_from(Record).where(which)).scalar_one()


def _counts(
    session: Session,
    column: InstrumentedAttribute[Any],
    words: type[StrEnum],
    which: ColumnElement[bool] | None = None,
) -> dict[str, int]:
    """How many of each word, those with none too."""
    counted = select(column, func.count()).group_by(column)
    found: dict[StrEnum | None, int] = dict(session.execute(counted if which is None else counted.where(which)).all())
    return {str(word): found.get(word, 0) for word in words}


def _set_aside(session: Session) -> list[dict[str, Any]]:
    """Pictures over which workers died, as often as was tried."""
    named = (
        select(Attempt.id, Record.identifier, Attempt.error_message)
        .join(Image, Image.sha256 == Attempt.content_sha256)
        .join(Record, Record.id == Image.record_id)
        .where(SET_ASIDE)
        .order_by(Attempt.id.desc())
        .limit(NAMED)
    )
    return [{"attempt": number, "record": name, "error": why} for number, name, why in session.execute(named)]


def _latest(session: Session) -> dict[str, Any]:
    """The batch that was taken last, and its encoder, or else that of the embeddings."""
    batch_id = session.execute(select(func.max(Batch.id))).scalar()
    if batch_id is None:
        last = select(Embedding.encoder_name, Embedding.encoder_checksum).order_by(Embedding.image_id.desc()).limit(1)
        found = session.execute(last.where(Embedding.encoder_name.not_in([TONES.name, COMPOSITION.name]))).first()
        encoder = found and {"name": found[0], "checksum": found[1]}
        return {"encoder": encoder, "batch": None}
    batch = batch_entry(session, batch_id)
    done = batch.taken - batch.left
    return {
        "encoder": {"name": batch.encoder.name, "checksum": batch.encoder.checksum},
        "batch": {"id": batch.id, "recipe": batch.recipe.name, "done": done, "left": batch.left},
    }


def _archives(session: Session) -> list[dict[str, Any]]:
    """By name; `last_harvest` is when a window was last finished, `last_window` the state of the newest one."""
    records = select(func.count()).where(Record.archive_id == Archive.id, _LIVE).scalar_subquery()
    last = (
        select(func.max(Window.closed_at, type_=Window.closed_at.type))
        .where(Window.archive_id == Archive.id, Window.state == WindowState.DONE)
        .scalar_subquery()
    )
    newest = (
        select(Window.state).where(Window.archive_id == Archive.id).order_by(Window.id.desc()).limit(1)
    ).scalar_subquery()
    wanted = (
        select(func.count())
        .select_from(RecordImage)
        .join(Record, Record.id == RecordImage.record_id)
        .where(Record.archive_id == Archive.id, _LIVE, RecordImage.image_id.is_(None))
    ).scalar_subquery()
    listed = select(Archive, records, last, newest, wanted).order_by(Archive.name)
    return [
        {
            "id": archive.id,
            "name": archive.name,
            "kind": archive.kind,
            "address": archive.address,
            "records": count,
            "last_harvest": closed_at and closed_at.isoformat(),
            "last_window": state and state.value,
            "wanted_pictures": pictures,
        }
        for archive, count, closed_at, state, pictures in session.execute(listed)
    ]
