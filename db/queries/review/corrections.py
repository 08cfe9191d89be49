"""What curators put right: words of a record and tones of pictures, with all that was said about them.

What a record says from then on stands in its own row and in those of its artists and cast; the archive's word is kept
beside it, and holds again when a correction is taken back. The next night goes by what stands: whatever its matching
chose for these pictures by the words of before is put down, but for what a curator pinned or approved.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import delete, exists, insert, not_, or_, select, update
from sqlalchemy.orm import Session, aliased

from db.entries.claim import PINNED
from db.entries.corrections import Correctable, CorrectedRecord, PutRight, attributes, value_of
from db.entries.corrections import Correction as Word
from db.entries.night import MatchOutcome, Verdict
from db.errors import UnknownEntry
from db.queries.base.describe import describe, speaking_records
from db.queries.base.review_rows import following
from db.queries.base.search import index_today
from db.queries.base.store import Store, named_by, now
from db.queries.night.history import of_records
from db.tables.night import Attempt, Correction, Image, Match, Record, RecordArtist, RecordCast, ToneGiven
from db.tables.review import Review, SearchText

_content, _chosen = aliased(Image), aliased(Match)


class CorrectionQueries(Store):
    """What was put right, and by whom."""

    def correct(self, image_id: int, curator: str, field: Correctable, said: Sequence[Any]) -> bool:
        """Let the record that speaks for a picture say this in a field; what the archive says is kept beside it.

        The archive's own word takes a correction back. False: the record says so already.

        Raises:
            UnknownEntry: there is no harvested picture of this number.
            ValueError: the field is the tone, which `give_tone` sets.
        """
        return self._put_right(image_id, curator, field, list(said))

    def take_correction_back(self, image_id: int, curator: str, field: Correctable) -> bool:
        """Let the archive's own word hold again; False: it does.

        Raises:
            UnknownEntry, ValueError: as `correct`.
        """
        return self._put_right(image_id, curator, field, None)

    def put_right(self, image_ids: Collection[int]) -> dict[int, PutRight]:
        """What was put right of these harvested pictures, and of the records that speak for them."""
        with self._reading() as session:
            images = session.scalars(select(Image).where(Image.id.in_(image_ids), Image.record_id.is_not(None))).all()
            speaking = _speaking(session, images)
            records = select(Correction).where(Correction.record_id.in_(speaking.values()))
            words = session.scalars(records.order_by(Correction.id)).all()
            given = select(ToneGiven).where(ToneGiven.image_id.in_(image_ids)).order_by(ToneGiven.id)
            tones = session.scalars(given).all()
        said = {
            image.id: [
                *(_tone(each) for each in tones if each.image_id == image.id),
                *(_word(each) for each in words if each.record_id == speaking[image.id]),
            ]
            for image in images
        }
        return {
            image.id: PutRight(
                image.tone, image.machine_tone, tuple(sorted(said[image.id], key=lambda each: each.given_at))
            )
            for image in images
        }

    def corrections(self, identifiers: Collection[str], archive: str | None = None) -> list[CorrectedRecord]:
        """Every word of curators on the records by these identifiers, by archive and identifier, oldest first."""
        with self._reading() as session:
            found = session.execute(of_records(Correction, identifiers, archive))
            return [CorrectedRecord(name, identifier, _word(row)) for row, name, identifier in found.all()]

    def _put_right(self, image_id: int, curator: str, field: Correctable, said: list[Any] | None) -> bool:
        with self._writing() as session:
            record = _record(session, image_id)
            before = value_of(describe(session, [image_id])[image_id], field)
            words = dict(record.archive_words or {})
            corrected, own = field in words, words.pop(field, before)
            after = own if said is None else said
            if after == before and not (corrected and after == own):  # else the archive has come to say the same
                return False
            if after != own:
                words[field] = own
            touched = named_by(session, [record.id]) | {image_id}
            with following(session, self._insert(Review), touched):
                _say(session, record.id, field, after, words)
            word = {"field": field, "curator": curator, "before": before, "after": after, "taken_back": after == own}
            session.add(Correction(record_id=record.id, given_at=now(), **word))
            index_today(session, self._insert(SearchText), [record.id])
            _put_down(session, touched)
            return True


def _record(session: Session, image_id: int) -> Record:
    """The record that speaks for a picture; nobody else changes it until the commit."""
    image = session.get(Image, image_id)
    if image is None or image.record_id is None:
        raise UnknownEntry(f"there is no harvested picture {image_id}; the page of an entry names those that there are")
    return session.get_one(Record, _speaking(session, [image])[image_id], with_for_update=True)


def _speaking(session: Session, images: Collection[Image]) -> dict[int, int]:
    """Image → the record whose words stand beside it, as `describe` has it."""
    live = speaking_records(session, [image.id for image in images])
    return {image.id: live.get(image.id, image.record_id or 0) for image in images}


def _say(
    session: Session, record_id: int, field: Correctable, value: Sequence[Any], archive_words: dict[str, Any]
) -> None:  # fmt: skip
    """Write it where the catalogue reads it. The record's row is written each time, for what is counted as a change."""
    said = attributes({field: value})
    artists, cast = said.pop("artists", None), said.pop("cast", None)
    row = update(Record).where(Record.id == record_id).values(archive_words=archive_words or None, **said)
    session.execute(row)
    if artists is not None:
        _list(session, RecordArtist, record_id, [{"name": artist} for artist in artists])
    if cast is not None:
        _list(session, RecordCast, record_id, [{"role": role, "actor": actor} for role, actor in cast])


def _list(
    session: Session, table: type[RecordArtist | RecordCast], record_id: int, values: list[dict[str, str]]
) -> None:  # fmt: skip
    session.execute(delete(table).where(table.record_id == record_id))
    if values:
        rows = [{"record_id": record_id, "position": place, **each} for place, each in enumerate(values)]
        session.execute(insert(table), rows)


def _put_down(session: Session, image_ids: Collection[int]) -> None:
    """Let contents that are these pictures, or were to take colours of one, find their match anew."""
    approved = exists().where(
        _content.id == _chosen.content_id,
        Attempt.content_sha256 == _content.sha256,
        Review.attempt_id == Attempt.id,
        Review.verdict == Verdict.APPROVED,
    )
    theirs = or_(_chosen.content_id.in_(image_ids), _chosen.style_id.in_(image_ids))
    contents = select(_chosen.content_id).where(theirs, _chosen.outcome == MatchOutcome.MATCHED, not_(approved))
    found = (Match.content_id.in_(contents), Match.rank.is_not(None), Match.matcher_name != PINNED.name)
    put_down = update(Match).where(*found).values(outcome=MatchOutcome.CANDIDATE, rank=None)
    session.execute(put_down, execution_options={"synchronize_session": False})


def _tone(row: ToneGiven) -> Word:
    return Word(Correctable.TONE, row.curator, [row.before], [row.tone], row.taken_back, row.given_at)


def _word(row: Correction) -> Word:
    return Word(row.field, row.curator, row.before, row.after, row.taken_back, row.given_at)
