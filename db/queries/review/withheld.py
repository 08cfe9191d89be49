"""Results of what may not be used any more: which pictures nobody is shown, and why."""

from itertools import chain
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.entries.night import HeldBack
from db.queries.base.review_rows import style_names
from db.queries.base.store import Store, chunks
from db.queries.base.usable import allows, may_be_shown
from db.tables.night import Archive, Attempt, Image, Record, RecordImage, Rights
from db.tables.review import Review


class WithheldQueries(Store):
    """What is withheld: kept, and shown to nobody."""

    def withheld_pictures(self) -> frozenset[str]:
        """The sha256 of every picture that belongs to a withheld result and may not be seen."""
        with self._reading() as session:
            made = (
                select(Attempt.content_sha256, Attempt.inputs, Image.sha256, Attempt.trust_sha256)
                .join(Review, Review.attempt_id == Attempt.id)
                .join(Image, Image.id == Attempt.output_image_id)
                .where(Review.withheld.is_(True))
            )
            rows = session.execute(made).all()
            taken = set(chain.from_iterable((content, *style_names(inputs)) for content, inputs, *_ in rows))
            made_here = {sha256 for *_, output, trust in rows for sha256 in (output, trust) if sha256}
            return frozenset(forbidden(session, taken) | made_here)

    def withheld_attempts(self) -> dict[int, list[int]]:
        """The withheld attempts of each batch that has some, in order."""
        found: dict[int, list[int]] = {}
        rows = select(Review.batch_id, Review.attempt_id).where(Review.withheld.is_(True)).order_by(Review.attempt_id)
        with self._reading() as session:
            for batch_id, attempt_id in session.execute(rows):
                found.setdefault(batch_id, []).append(attempt_id)
        return found

    def withheld_because(self, attempt_id: int) -> list[HeldBack]:
        """The records that forbid an attempt's pictures, or leave them open; empty where it is not withheld."""
        with self._reading() as session:
            attempt = session.get(Attempt, attempt_id)
            if attempt is None:
                return []
            against = forbidden(session, {attempt.content_sha256, *style_names(attempt.inputs)})
            rows: Any = session.execute(
                select(Archive.name, Record.identifier, Record.id, Rights.derivatives, Rights.basis)
                .join(Record, Record.archive_id == Archive.id)
                .join(Rights, Rights.record_id == Record.id)
                .join(Image, Image.sha256.in_(against))
                .outerjoin(RecordImage, (RecordImage.record_id == Record.id) & (RecordImage.image_id == Image.id))
                .where(or_(RecordImage.record_id.is_not(None), Record.id == Image.record_id), ~allows(Rights))
                .distinct()
                .order_by(Archive.name, Record.identifier)
            )
            return [
                HeldBack(archive, identifier, f"rights: {word}", basis, number, word)
                for archive, identifier, number, word, basis in rows
            ]


def forbidden(session: Session, names: set[str]) -> set[str]:
    """Those of these pictures, by sha256, that may not be seen."""
    found: set[str] = set()
    for some in chunks(names):
        found |= set(session.scalars(select(Image.sha256).where(Image.sha256.in_(some), ~may_be_shown(Image.id))))
    return found
