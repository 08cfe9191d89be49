"""A `QueueFilter` as SQL: conditions on `Review`, each next to an index in the queue's order.

A name or word that few records have is looked up first; one that many have is tested entry by entry, since then a
page is full soon. Neither database would know which of the two it is.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.models import Archive, RecordArtist, RecordCast
from db.nouns.search import RARE, has_words
from db.review_models import Review
from db.reviewed import Count, Queue, QueueFilter

CAP = 1000
"""Nobody needs to know how many more there are."""


def conditions(session: Session, wanted: QueueFilter, reader: str | None) -> list[ColumnElement[bool]]:
    """All that an entry must fulfil; `reader` sees no blind pair again on which she has spoken."""
    return [
        *_in_queue(wanted.queue, reader),
        *_equal(session, wanted),
        *_ranges(wanted),
        *_named(session, RecordArtist.name, wanted.artist),
        *_named(session, RecordCast.actor, wanted.actor),
        *has_words(session, wanted.words, Review.record_id),
    ]


def counted(session: Session, found: list[ColumnElement[bool]]) -> Count:
    """How many entries, up to CAP."""
    return counts(session, [found])[0]


def counts(session: Session, several: list[list[ColumnElement[bool]]]) -> list[Count]:
    """As `counted`, of several at once."""
    if not several:
        return []
    some = [select(Review.attempt_id).where(*found).limit(CAP + 1).subquery() for found in several]
    numbers = session.execute(select(*(select(func.count()).select_from(each).scalar_subquery() for each in some)))
    return [capped(number) for number in numbers.one()]


def capped(number: int) -> Count:
    """A number as it is told."""
    return Count(min(number, CAP), number > CAP)


def _in_queue(queue: Queue, reader: str | None) -> Iterator[ColumnElement[bool]]:
    if queue is Queue.CONFLICTS:
        yield Review.conflict_since.is_not(None)
    if queue in (Queue.WAITING, Queue.REDONE):
        yield Review.waiting_since.is_not(None)
        if reader is not None:
            yield or_(Review.curator.is_(None), Review.curator != reader)
    if queue is Queue.REDONE:
        yield Review.returned_by.is_not(None)
        if reader is not None:
            yield Review.returned_by == reader


def _equal(session: Session, wanted: QueueFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.archive is not None:
        number = session.execute(select(Archive.id).where(Archive.name == wanted.archive)).scalar()
        yield Review.archive_id == (number or 0)
    values: list[tuple[InstrumentedAttribute[Any], Any]] = [
        (Review.batch_id, wanted.batch_id),
        (Review.recipe_name, wanted.recipe),
        (Review.outcome, wanted.outcome),
        (Review.verdict, wanted.verdict),
        (Review.curator, wanted.curator),
    ]
    for column, value in values:
        if value is not None:
            yield column == value
    if wanted.verdict is not None or wanted.curator is not None:
        yield Review.waiting_since.is_(None)  # the first word of a blind pair is nobody's to find


def _ranges(wanted: QueueFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.year_from is not None:
        yield func.coalesce(Review.year_to, Review.year_from) >= wanted.year_from
    if wanted.year_to is not None:
        yield func.coalesce(Review.year_from, Review.year_to) <= wanted.year_to
    if wanted.error_from is not None:
        yield Review.error >= wanted.error_from
    if wanted.error_to is not None:
        yield Review.error <= wanted.error_to


def _named(session: Session, column: Any, name: str | None) -> Iterator[ColumnElement[bool]]:
    if name is None:
        return
    table = column.class_
    some = select(table.record_id).where(column == name).limit(RARE + 1).subquery()
    if session.execute(select(func.count()).select_from(some)).scalar_one() > RARE:
        yield exists().where(table.record_id == Review.record_id, column == name)
    else:
        yield Review.record_id.in_(select(table.record_id).where(column == name))
