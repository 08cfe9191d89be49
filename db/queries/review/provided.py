"""What harvesters are told (OAI-PMH): which entries may leave, since when, and which may not any more.

`renew_provided` compares what was told with what may leave now and dates every difference; nothing told is forgotten,
so that whoever harvested an entry hears that it is gone. Between two renewals a page of records asks the rights again.
"""

from collections.abc import Collection, Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, false, func, literal, not_, select, tuple_, update
from sqlalchemy.orm import Session

from db.entries.review import Provided as ProvidedEntry
from db.entries.review import QueueFilter, Span
from db.pathless import archive_label
from db.queries.base.corrections import MOMENTS
from db.queries.base.review_rows import made_from
from db.queries.base.store import chunks, now
from db.queries.review.approved import ApprovedQueries, leaving
from db.tables.night import Archive, RecordImage
from db.tables.review import Provided, Review

UNFINISHED: Final = timedelta(seconds=10)
"""So long may a change take from its time to its commit."""
_COLUMNS: Final = ("attempt_id", "archive_id", "verdict_id", "datestamp", "gone")
_TOLD: Final = tuple(getattr(Provided, each.name) for each in fields(ProvidedEntry))
_KEY: Final = (Provided.datestamp, Provided.attempt_id)


class ProvidedQueries(ApprovedQueries):
    """What harvesters are told."""

    def renew_provided(self) -> None:
        """Date what came, changed and went since the last time."""
        with self._writing() as session:
            moment = now().replace(microsecond=0)
            last = session.scalar(select(func.max(Provided.datestamp)))
            _withdraw(session, moment)
            if last is not None:
                _date(session, _said_otherwise(session, last - UNFINISHED), moment)
            self._admit(session, moment)

    def provided(self, span: Span, after: tuple[datetime, int] | None, limit: int) -> list[ProvidedEntry]:
        """The entries of a span, the longest unchanged first; `after`: datestamp and number of the one before."""
        page = select(*_TOLD).where(*_within(span), *_behind(after)).order_by(*_KEY).limit(limit)
        with self._reading() as session:
            return [ProvidedEntry(*row) for row in session.execute(page)]

    def provided_entry(self, attempt_id: int) -> ProvidedEntry | None:
        """What is told of one entry; None where nothing ever was."""
        with self._reading() as session:
            row = session.execute(select(*_TOLD).where(Provided.attempt_id == attempt_id)).one_or_none()
            return None if row is None else ProvidedEntry(*row)

    def provided_count(self, span: Span, after: tuple[datetime, int] | None = None) -> int:
        """How many entries `provided` would give without a limit."""
        number = select(func.count()).select_from(Provided).where(*_within(span), *_behind(after))
        with self._reading() as session:
            return session.execute(number).scalar_one()

    def provided_since(self) -> datetime | None:
        """The earliest datestamp; None where nothing is told yet."""
        with self._reading() as session:
            return session.scalar(select(func.min(Provided.datestamp)))

    def provided_archives(self) -> dict[int, str]:
        """The archives of provided entries by number, as they are shown."""
        known = exists().where(Provided.archive_id == Archive.id)
        with self._reading() as session:
            rows = session.execute(select(Archive.id, Archive.name).where(known).order_by(Archive.id))
            return {number: archive_label(name) for number, name in rows}

    def _admit(self, session: Session, moment: datetime) -> None:
        """Tell of what is new, approved again, or of another archive now."""
        same = exists().where(
            Provided.attempt_id == Review.attempt_id,
            Provided.archive_id == Review.archive_id,
            Provided.verdict_id == Review.verdict_id,
            Provided.gone.is_(False),
        )
        told = literal(moment, Provided.datestamp.type)
        rows = select(Review.attempt_id, Review.archive_id, Review.verdict_id, told, false())
        put = self._insert(Provided).from_select(_COLUMNS, rows.where(*leaving(session, QueueFilter()), not_(same)))
        again = {name: put.excluded[name] for name in _COLUMNS[1:]}
        session.execute(put.on_conflict_do_update(index_elements=["attempt_id"], set_=again))


def _within(span: Span) -> Iterator[ColumnElement[bool]]:
    if span.since is not None:
        yield Provided.datestamp >= span.since
    if span.until is not None:
        yield Provided.datestamp <= span.until
    if span.archive_id is not None:
        yield Provided.archive_id == span.archive_id


def _behind(after: tuple[datetime, int] | None) -> Iterator[ColumnElement[bool]]:
    if after is not None:
        yield tuple_(*_KEY) > tuple_(literal(after[0], Provided.datestamp.type), after[1])


def _withdraw(session: Session, moment: datetime) -> None:
    stays = exists().where(and_(Review.attempt_id == Provided.attempt_id, *leaving(session, QueueFilter())))
    gone = update(Provided).where(Provided.gone.is_(False), not_(stays)).values(gone=True, datestamp=moment)
    session.execute(gone, execution_options={"synchronize_session": False})


def _said_otherwise(session: Session, since: datetime) -> set[int]:
    """The attempts of whose pictures a record has said something else since then."""
    images: set[int] = set()
    for record_id, at in MOMENTS:
        changed = select(RecordImage.image_id).join(record_id.class_, record_id == RecordImage.record_id)
        images |= set(session.scalars(changed.where(at > since)))
    return made_from(session, images)


def _date(session: Session, attempt_ids: Collection[int], moment: datetime) -> None:
    for some in chunks(attempt_ids):
        these = update(Provided).where(Provided.attempt_id.in_(some), Provided.gone.is_(False))
        session.execute(these.values(datestamp=moment), execution_options={"synchronize_session": False})
