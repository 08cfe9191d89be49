"""The catalogue in numbers: what `nishiki status` prints."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.engine import HEAD
from db.entries.night import COMPOSITION, TONES, MatchOutcome, Outcome, Tone, Verdict, WindowState
from db.queries.base.store import Store
from db.queries.base.tallies import counts_of
from db.queries.night.batches import batch_entry
from db.tables.base import PictureState
from db.tables.night import (
    SET_ASIDE,
    Archive,
    Attempt,
    Batch,
    Embedding,
    Image,
    Record,
    RecordImage,
    UnreadableRecord,
    VerdictGiven,
    Window,
)
from db.tables.review import CuratorRequest, UndoneVerdict

_LIVE = " live"
"""Behind an archive's number, its records that are not deleted."""
NAMED = 20
"""Pictures set aside that are named, the newest."""


class StatusQueries(Store):
    """Counts, in one transaction."""

    def status(self) -> dict[str, Any]:
        """Counts of everything, ready for JSON: live records and the pictures they name, harvested images."""
        with self._reading() as session:
            counts = counts_of(session)
            records = counts["records"]
            live = {word.removesuffix(_LIVE): number for word, number in records.items() if word.endswith(_LIVE)}
            return {
                "records": sum(live.values()),
                "deleted_records": records.total() - sum(live.values()),
                "images": _words(Tone, counts["images"]),
                "pictures": _words(PictureState, counts["record_images"] - _of_deleted(session)),
                "matches": _words(MatchOutcome, counts["matches"]),
                "attempts": {"pending": counts["attempts"]["pending"], **_words(Outcome, counts["attempts"])},
                "verdicts": _words(Verdict, _verdicts(session)),
                "set_aside": set_aside(session, NAMED),
                "unreadable": session.scalar(select(func.count()).select_from(UnreadableRecord)),
                **_latest(session),
                "schema": HEAD,
                "archives": _archives(session, live),
            }

    def pending(self) -> int:
        """Attempts of all batches that have no outcome, whoever holds them."""
        with self._reading() as session:
            return counts_of(session)["attempts"]["pending"]

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
        """The sha256 of every file that a row names: images, superseded ones too, what curators drew, maps of trust."""
        columns = (CuratorRequest.marks_sha256, CuratorRequest.mask_sha256)
        with self._reading() as session:
            files = set(session.scalars(select(Image.sha256)))
            for drawn in columns:
                files |= set(filter(None, session.scalars(select(drawn).where(drawn.is_not(None)))))
        return files | self.trust_names()

    def trust_names(self) -> set[str]:
        """The sha256 of every map of trust."""
        maps = select(Attempt.trust_sha256).where(Attempt.trust_sha256.is_not(None))
        with self._reading() as session:
            return set(filter(None, session.scalars(maps)))


def _words(words: type[StrEnum], found: Counter[str]) -> dict[str, int]:
    """How many of each word, those with none too."""
    return {str(word): found[word] for word in words}


def _of_deleted(session: Session) -> Counter[str]:
    """Pictures that deleted records name, by state."""
    deleted = select(Record.id).where(Record.deleted_at.is_not(None))
    counted = select(RecordImage.state, func.count()).where(RecordImage.record_id.in_(deleted))
    return Counter({str(state): number for state, number in session.execute(counted.group_by(RecordImage.state))})


def _verdicts(session: Session) -> Counter[str]:
    """Those that stand: few are taken back."""
    given = select(VerdictGiven.verdict, func.count()).group_by(VerdictGiven.verdict)
    undone = given.join(UndoneVerdict, UndoneVerdict.verdict_id == VerdictGiven.id)
    all_given, taken_back = (Counter(dict(session.execute(each).all())) for each in (given, undone))
    return Counter({str(word): number for word, number in (all_given - taken_back).items()})


def set_aside(session: Session, most: int) -> list[dict[str, Any]]:
    """The newest pictures over which workers died, as often as was tried."""
    named = (
        select(Attempt.id, Record.identifier, Attempt.error_message)
        .join(Image, Image.sha256 == Attempt.content_sha256)
        .join(Record, Record.id == Image.record_id)
        .where(SET_ASIDE)
        .order_by(Attempt.id.desc())
        .limit(most)
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


def _archives(session: Session, live: Mapping[str, int]) -> list[dict[str, Any]]:
    """By name; `last_harvest` is when a window was last finished, `last_window` the state of the newest one."""
    last = (
        select(func.max(Window.closed_at, type_=Window.closed_at.type))
        .where(Window.archive_id == Archive.id, Window.state == WindowState.DONE)
        .scalar_subquery()
    )
    newest = (
        select(Window.state).where(Window.archive_id == Archive.id).order_by(Window.id.desc()).limit(1)
    ).scalar_subquery()
    missing = select(Record.archive_id, func.count()).join(RecordImage, RecordImage.record_id == Record.id)
    missing = missing.where(Record.deleted_at.is_(None), RecordImage.image_id.is_(None))
    wanted: dict[int, int] = dict(session.execute(missing.group_by(Record.archive_id)).all())
    listed = select(Archive, last, newest).order_by(Archive.name)
    return [
        {
            "id": archive.id,
            "name": archive.name,
            "kind": archive.kind,
            "address": archive.address,
            "records": live.get(str(archive.id), 0),
            "last_harvest": closed_at and closed_at.isoformat(),
            "last_window": state and state.value,
            "wanted_pictures": wanted.get(archive.id, 0),
        }
        for archive, closed_at, state in session.execute(listed)
    ]
