"""What may leave the catalogue: entries that a curator approved, all of whose pictures may be used today.

Exports and providers ask here and nowhere else. Whatever is in doubt stays: a conflict that nobody settled, the first
word of a blind pair, a result of which one picture is withheld. Rights are asked of the records themselves, beside what
`reviews` holds of them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import chain, product

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.entries.night import AttemptEntry, Verdict
from db.entries.review import Approved, Order, Queue, QueueFilter
from db.queries.base.corrections import MOMENTS
from db.queries.base.review_rows import style_names
from db.queries.base.store import chunks
from db.queries.night.attempts import AttemptQueries
from db.queries.review.filter import conditions
from db.queries.review.withheld import forbidden
from db.tables.night import Attempt, Image, RecordImage
from db.tables.review import Review

PAGE = 200
"""Entries read at once."""


class ApprovedQueries(AttemptQueries):
    """Approved entries, and whether they still are."""

    def approved(self, wanted: QueueFilter) -> Iterator[list[Approved]]:
        """Pages of what may leave, by number; the filter narrows, whatever queue and verdict it names."""
        last = 0
        while True:
            with self._reading() as session:
                chosen = select(Review.attempt_id).where(*leaving(session, wanted), Review.attempt_id > last)
                numbers = session.scalars(chosen.order_by(Review.attempt_id).limit(PAGE)).all()
                allowed = _allowed(session, numbers)
            if allowed:
                yield self._approved(allowed)
            if len(numbers) < PAGE:
                return
            last = numbers[-1]

    def still_approved(self, attempt_ids: Collection[int], wanted: QueueFilter) -> set[int]:
        """Those of these that may leave, as things stand at this moment."""
        found: set[int] = set()
        with self._reading() as session:
            for some in chunks(attempt_ids):
                chosen = select(Review.attempt_id).where(*leaving(session, wanted), Review.attempt_id.in_(some))
                found |= _allowed(session, session.scalars(chosen).all())
        return found

    def approved_among(self, attempt_ids: Collection[int]) -> list[Approved]:
        """Those of these that may leave now, by number."""
        found = self._approved(attempt_ids)
        allowed = self.still_approved(attempt_ids, QueueFilter())  # asked last: what is withheld now is not told
        return [each for each in found if each.attempt.id in allowed]

    def _approved(self, numbers: Collection[int]) -> list[Approved]:
        words = self.verdicts(numbers)
        attempts: Iterator[AttemptEntry] = self._attempts(Attempt.id.in_(sorted(numbers)))
        found = [each for each in attempts if each.id in words]
        with self._reading() as session:
            changed = _changed(session, {said.sha256 for each in found for said in (each.content, *each.styles)})
        return [_entry(each, words[each.id].given_at, changed) for each in found]


def _entry(attempt: AttemptEntry, approved_at: datetime, changed: Mapping[str, datetime]) -> Approved:
    moments = (changed.get(said.sha256, approved_at) for said in (attempt.content, *attempt.styles))
    return Approved(attempt, approved_at, max(approved_at, *moments))


def _changed(session: Session, names: Collection[str]) -> dict[str, datetime]:
    """When a record of these pictures, by sha256, last came to say something else; of those whose records ever did."""
    found: dict[str, datetime] = {}
    for some, (record_id, at) in product(chunks(names), MOMENTS):
        rows = (
            select(Image.sha256, func.max(at))
            .join(RecordImage, RecordImage.image_id == Image.id)
            .join(record_id.class_, record_id == RecordImage.record_id)
            .where(Image.sha256.in_(some))
            .group_by(Image.sha256)
        )
        for name, moment in session.execute(rows):
            found[name] = max(moment, found.get(name, moment))
    return found


def leaving(session: Session, wanted: QueueFilter) -> list[ColumnElement[bool]]:
    """As `conditions`, of what is approved beyond doubt."""
    approved = replace(wanted, queue=Queue.ALL, order=Order.MATCH, verdict=Verdict.APPROVED)
    return [*conditions(session, approved, None), Review.conflict_since.is_(None)]


def _allowed(session: Session, numbers: Collection[int]) -> set[int]:
    """Those of these of which every picture may be seen by its records' own words."""
    rows = session.execute(
        select(Attempt.id, Attempt.content_sha256, Attempt.inputs).where(Attempt.id.in_(list(numbers)))
    )
    taken = {number: {content, *style_names(inputs)} for number, content, inputs in rows}
    never = forbidden(session, set(chain.from_iterable(taken.values())))
    return {number for number, names in taken.items() if not names & never}
