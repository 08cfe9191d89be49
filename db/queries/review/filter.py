"""A `QueueFilter` as SQL: conditions on `Review`, each next to an index in the queue's order.

A name, word or error that few have is looked up first; one that many have is tested entry by entry, since then a page
is full soon. Neither database would know which of the two it is. Counts test so many entries and no more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, func, not_, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.entries.faults import FaultKind
from db.entries.review import Count, Order, Queue, QueueFilter
from db.pathless import archive_label
from db.queries.base.review_rows import hidden
from db.queries.base.search import RARE, by_words, one_by_one
from db.tables.night import Archive, RecordArtist, RecordCast
from db.tables.review import FaultMarked, Review

CAP = 1000
"""Nobody needs to know how many more there are."""
HEAD = 3000
"""Entries of a queue that facets look at one by one."""
TESTED = 1000
"""Entries of each queue that a count tests one by one: a page tells four of them."""
JUDGED = (Queue.ALL, Queue.CONFLICTS)
"""Queues whose entries can be found by verdict and curator: nothing that waits has them."""
_KEY = (Review.precedence, Review.attempt_id)
_LEAST = -1.0
"""No likeness, error or trust is less."""
_MEASURES: dict[Order, InstrumentedAttribute[Any]] = {
    Order.MATCH: Review.precedence,
    Order.DOUBTED: Review.trust,
    Order.TRUSTED: Review.trust,
    Order.UNLIKE: Review.likeness,
    Order.ALIKE: Review.likeness,
    Order.LARGE_ERROR: Review.error,
    Order.SMALL_ERROR: Review.error,
    Order.NEWEST: Review.attempt_id,
    Order.OLDEST: Review.attempt_id,
}
Narrowing = tuple[ColumnElement[bool], bool]
"""A condition, and whether it leads to few entries."""


def measure_of(order: Order) -> InstrumentedAttribute[Any]:
    """What an order goes by first; then comes the attempt's number."""
    return _MEASURES[order]


def conditions(
    session: Session, wanted: QueueFilter, reader: str | None, narrowing: Sequence[Narrowing] | None = None
) -> list[ColumnElement[bool]]:
    """All that an entry must fulfil; `reader` sees no blind pair again on which they have spoken.

    `narrowing` is what `narrowed` has found for this filter before.
    """
    found = narrowed(session, wanted) if narrowing is None else narrowing
    return [*_indexed(session, wanted, reader), *(condition for condition, _ in found)]


def narrowed(session: Session, wanted: QueueFilter) -> list[Narrowing]:
    """What no index in the queue's order leads to, the same for every queue; names and words are looked up for it."""
    return [*_narrowed(session, wanted)]


def countable(session: Session, wanted: QueueFilter, reader: str | None) -> tuple[list[ColumnElement[bool]], bool]:
    """As `conditions`, but of the queue's HEAD where more would have to be tested; and whether that leaves some out."""
    return _countable(session, [*_indexed(session, wanted, reader)], narrowed(session, wanted), HEAD)


def _countable(
    session: Session, indexed: list[ColumnElement[bool]], narrowing: Sequence[Narrowing], most: int
) -> tuple[list[ColumnElement[bool]], bool]:
    found = [*indexed, *(condition for condition, _ in narrowing)]
    if not narrowing or any(few for _, few in narrowing):
        return found, False
    ends = session.execute(select(*_KEY).where(*indexed).order_by(*_KEY).offset(most).limit(1)).one_or_none()
    if ends is None:
        return found, False
    bounds = (_literal(column, end) for column, end in zip(_KEY, ends, strict=True))
    return [*found, tuple_(*_KEY) < tuple_(*bounds)], True


def _literal(column: ColumnElement[Any] | InstrumentedAttribute[Any], value: Any) -> BindParameter[Any]:
    """A value that stands in the statement itself, so that PostgreSQL plans for it: how much it leads to decides."""
    return bindparam(None, value, column.type, literal_execute=True)


def counted(
    session: Session, several: Sequence[QueueFilter], reader: str | None, narrowing: Sequence[Narrowing] | None = None
) -> list[Count]:
    """How many entries each of them finds, up to CAP; fewer than there are where finding all would take long.

    Args:
        session: a transaction that is open.
        several: filters that differ only in what an index leads to, so that names and words are looked up once.
        reader: as `conditions`.
        narrowing: as `conditions`.
    """
    found = narrowed(session, several[0]) if narrowing is None else narrowing
    there = [_countable(session, [*_indexed(session, each, reader)], found, TESTED) for each in several]
    numbers = counts(session, [each for each, _ in there])
    return [Count(count.number, count.more or longer) for count, (_, longer) in zip(numbers, there, strict=True)]


def in_queue(wanted: QueueFilter, queue: Queue) -> QueueFilter:
    """The same of another queue, without what nothing there can have."""
    there = replace(wanted, queue=queue)
    return there if queue in JUDGED else replace(there, verdict=None, curator=None)


def counts(session: Session, several: list[list[ColumnElement[bool]]]) -> list[Count]:
    """How many entries fulfil each of several lists of conditions, up to CAP."""
    if not several:
        return []
    some = [select(Review.attempt_id).where(*found).limit(CAP + 1).subquery() for found in several]
    numbers = session.execute(select(*(select(func.count()).select_from(each).scalar_subquery() for each in some)))
    return [capped(number) for number in numbers.one()]


def capped(number: int) -> Count:
    """A number as it is told."""
    return Count(min(number, CAP), number > CAP)


def unspoken(reader: str | None) -> Iterator[ColumnElement[bool]]:
    """Of what waits: the curator has said no word on it. Only blind pairs wait with a first word."""
    if reader is not None:
        yield or_(Review.curator.is_(None), Review.curator != reader)


def _indexed(session: Session, wanted: QueueFilter, reader: str | None) -> Iterator[ColumnElement[bool]]:
    yield from _in_queue(wanted.queue, reader)
    yield from _equal(session, wanted)


def _in_queue(queue: Queue, reader: str | None) -> Iterator[ColumnElement[bool]]:
    yield Review.withheld.is_(False)
    if queue is Queue.CONFLICTS:
        yield Review.conflict_since.is_not(None)
    if queue in (Queue.WAITING, Queue.REDONE):
        yield Review.waiting_since.is_not(None)
        yield from unspoken(reader)
    if queue is Queue.REDONE:
        yield Review.returned_by.is_not(None)
        if reader is not None:
            yield Review.returned_by == reader


def _equal(session: Session, wanted: QueueFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.archive is not None:
        names = dict(session.execute(select(Archive.id, Archive.name)).all())
        found = (number for number, name in names.items() if wanted.archive in (name, archive_label(name)))
        yield Review.archive_id == next(found, 0)
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


def _narrowed(session: Session, wanted: QueueFilter) -> Iterator[Narrowing]:
    if wanted.year_from is not None:
        yield func.coalesce(Review.year_to, Review.year_from) >= wanted.year_from, False
    if wanted.year_to is not None:
        yield func.coalesce(Review.year_from, Review.year_to) <= wanted.year_to, False
    for figure in ("likeness", "error", "trust"):
        low, high = getattr(wanted, f"{figure}_from"), getattr(wanted, f"{figure}_to")
        if (low, high) == (None, None) and measure_of(wanted.order).key == figure:
            low = _LEAST
        yield from _within_range(session, figure, low, high)
    yield from _named(session, RecordArtist.name, wanted.artist)
    yield from _named(session, RecordCast.actor, wanted.actor)
    yield from _named(session, RecordCast.role, wanted.role)
    if wanted.fault is not None:
        yield from _marked(session, wanted.fault)
    yield from by_words(session, wanted.words, Review.record_id, RARE)


def _within_range(session: Session, figure: str, low: float | None, high: float | None) -> Iterator[Narrowing]:
    if low is None and high is None:
        return
    known = aliased(Review)  # for itself, so that the databases begin with it
    of_these = select(known.attempt_id).where(*_within(getattr(known, figure), low, high))
    if _few(session, of_these):
        yield Review.attempt_id.in_(of_these), True
    else:
        # as a sum, or SQLite would take the index of the figure and sort what it leads to
        yield from ((bound, False) for bound in _within(getattr(Review, figure) + 0.0, low, high))


def _within(column: Any, low: float | None, high: float | None) -> list[ColumnElement[bool]]:
    least, most = (None if value is None else _literal(column, value) for value in (low, high))
    return [*([] if least is None else [column >= least]), *([] if most is None else [column <= most])]


def _named(session: Session, column: Any, name: str | None) -> Iterator[Narrowing]:
    if name is None:
        return
    table = column.class_
    of_name = select(table.record_id).where(column == name)
    if _few(session, of_name):
        yield Review.record_id.in_(of_name), True
    else:
        yield one_by_one(select(table.record_id).where(table.record_id == Review.record_id, column == name)), False


def _marked(session: Session, kind: FaultKind) -> Iterator[Narrowing]:
    """With a fault of this kind; where a second curator has yet to judge, nobody is told of the first one's."""
    of_kind = select(FaultMarked.attempt_id).where(FaultMarked.kind == kind, FaultMarked.taken_off_at.is_(None))
    yield not_(hidden()), False
    yield Review.attempt_id.in_(of_kind), _few(session, of_kind)


def _few(session: Session, some: Any) -> bool:
    return bool(session.execute(select(func.count()).select_from(some.limit(RARE + 1).subquery())).scalar_one() <= RARE)
