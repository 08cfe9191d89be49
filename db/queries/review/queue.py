"""The queue: what waits for a verdict, best first, page by page at any depth.

The order is (precedence or trust, attempt), one index away; a page begins where its neighbour ended, so that entries
which leave the queue meanwhile shift nothing. Only `QueueQueries.queue` at a position counts its way there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, tuple_
from sqlalchemy.orm import Session

from db.entries.night import Description, VerdictEntry
from db.entries.review import Choice, Count, Lease, NextEntry, Order, Place, Queue, QueueEntry, QueueFilter, QueuePage
from db.errors import UnknownEntry
from db.queries.base.describe import describe
from db.queries.base.store import Store, now
from db.queries.review.filter import Narrowing, conditions, counted, in_queue, measure_of, narrowed, unspoken
from db.queries.review.leases import running
from db.tables.night import Attempt, Image, Match, VerdictGiven
from db.tables.review import LeaseHeld, Review

_KEY = (Review.precedence, Review.attempt_id)
_UNTOLD = 1e9
"""Beyond any measure: no entry that tells one comes after, or before."""
_FALLING = (Order.TRUSTED, Order.ALIKE, Order.LARGE_ERROR, Order.NEWEST)
_SAID = tuple(each.name for each in fields(VerdictEntry))
# of tables, and made once, as in `describe`
_REVIEWS, _ATTEMPTS, _IMAGES, _LEASES, _VERDICTS, _MATCHES = (
    each.__table__ for each in (Review, Attempt, Image, LeaseHeld, VerdictGiven, Match)
)
_CONTENTS = _IMAGES.alias("contents")
_LEASED = and_(_LEASES.c.attempt_id == _REVIEWS.c.attempt_id, _LEASES.c.until > bindparam("moment"))
_BESIDE = (
    select(_REVIEWS, _ATTEMPTS.c.style_sha256, _ATTEMPTS.c.error_message, _IMAGES.c.sha256)
    .add_columns(_CONTENTS.c.id.label("content_id"), _MATCHES.c.reasons)
    .add_columns(_LEASES.c.curator.label("leased_to"), _LEASES.c.until)
    .add_columns(*(_VERDICTS.c[name].label(f"said_{name}") for name in _SAID))
    .join(_ATTEMPTS, _ATTEMPTS.c.id == _REVIEWS.c.attempt_id)
    .join(_CONTENTS, _CONTENTS.c.sha256 == _ATTEMPTS.c.content_sha256)
    .join(_IMAGES, _IMAGES.c.id == _ATTEMPTS.c.output_image_id)
    .outerjoin(_MATCHES, _MATCHES.c.id == _ATTEMPTS.c.match_id)
    .outerjoin(_LEASES, _LEASED)
    .outerjoin(_VERDICTS, _VERDICTS.c.id == _REVIEWS.c.verdict_id)
    .where(_REVIEWS.c.attempt_id.in_(bindparam("some", expanding=True)))
)
_PICTURES = (
    select(_ATTEMPTS.c.content_sha256, _IMAGES.c.sha256, _ATTEMPTS.c.style_sha256)
    .join(_IMAGES, _IMAGES.c.id == _ATTEMPTS.c.output_image_id)
    .where(_ATTEMPTS.c.id == bindparam("attempt_id"))
)


@dataclass(frozen=True)
class PageOf:
    """Which part of a queue: after a place, before one, or from a position (0: the first entry) on."""

    after: Place | None = None
    before: Place | None = None
    position: int = 0
    limit: int = 50


FIRST_PAGE = PageOf()


class QueueQueries(Store):
    """What waits, and what was said."""

    def queue(self, wanted: QueueFilter, page: PageOf = FIRST_PAGE, *, reader: str | None = None) -> QueuePage:
        """Some entries in the queue's order; entries leased to others are among them, and say so.

        Args:
            wanted: which entries.
            page: which part of them.
            reader: the curator who looks: nobody is asked twice for a blind pair, and REDONE holds their returns only.
        """
        with self._reading() as session:
            return _page(session, conditions(session, wanted, reader), page, wanted.order)

    def queue_with_counts(
        self, wanted: QueueFilter, page: PageOf, *, reader: str
    ) -> tuple[QueuePage, dict[Queue, Count]]:
        """`queue` and `queue_counts` together, which look names and words up once."""
        with self._reading() as session:
            narrowing = narrowed(session, wanted)
            found = _page(session, conditions(session, wanted, reader, narrowing), page, wanted.order)
            return found, _counts(session, wanted, reader, narrowing)

    def queue_count(self, wanted: QueueFilter, *, reader: str | None = None) -> Count:
        """How many entries, up to 1,000; at least so many where counting all would take long."""
        with self._reading() as session:
            return counted(session, [wanted], reader)[0]

    def queue_counts(self, wanted: QueueFilter, *, reader: str | None = None) -> dict[Queue, Count]:
        """As `queue_count`, of every queue; verdict and curator narrow only those that have judged entries."""
        with self._reading() as session:
            return _counts(session, wanted, reader)

    def queue_entry(self, attempt_id: int, order: Order = Order.MATCH) -> QueueEntry:
        """One entry, in whatever queue of that order.

        Raises:
            UnknownEntry: there is no such attempt, or it made no picture.
        """
        with self._reading() as session:
            return _entries(session, [_place_of(session, attempt_id, order)])[0]

    def place_of(self, attempt_id: int, order: Order = Order.MATCH) -> Place:
        """Where an entry stands in that order.

        Raises:
            UnknownEntry: there is no such attempt, or it made no picture.
        """
        with self._reading() as session:
            return _place_of(session, attempt_id, order)

    def queue_entries(self, attempt_ids: Collection[int]) -> list[QueueEntry]:
        """Those of these entries that there are, in the queue's order; a page's worth of them."""
        keys = select(*_KEY).where(Review.attempt_id.in_(attempt_ids), Review.withheld.is_(False)).order_by(*_KEY)
        with self._reading() as session:
            return list(_entries(session, [Place(*key) for key in session.execute(keys)]))

    def queue_numbers(self, wanted: QueueFilter, limit: int, *, reader: str | None = None) -> list[int]:
        """The attempts at the queue's head, without what stands beside them."""
        with self._reading() as session:
            found = conditions(session, wanted, reader)
            places, _ = _places(session, found, PageOf(limit=limit), wanted.order)
            return [place.attempt_id for place in places]

    def choices(self, attempt_ids: Collection[int], reader: str) -> list[Choice]:
        """What stands on those of these entries that there are, in the queue's order.

        Args:
            attempt_ids: a few thousand at most.
            reader: the curator who judges; blind pairs on which they have spoken are left out.
        """
        theirs_to_judge = or_(Review.waiting_since.is_(None), *unspoken(reader))
        rows = (
            select(Review.attempt_id, Review.verdict_id, Review.blind, Review.waiting_since, LeaseHeld.curator)
            .outerjoin(LeaseHeld, (LeaseHeld.attempt_id == Review.attempt_id) & running())
            .where(Review.attempt_id.in_(attempt_ids), Review.withheld.is_(False), theirs_to_judge)
            .order_by(*_KEY)
        )
        with self._reading() as session:
            return [
                Choice(attempt_id, None if blind and waiting else verdict_id, leased_to)
                for attempt_id, verdict_id, blind, waiting, leased_to in session.execute(rows)
            ]

    def place_before(self, wanted: QueueFilter, place: Place, *, reader: str | None = None) -> Place | None:
        """Where the entry before this place stands; None: there is none."""
        with self._reading() as session:
            found = conditions(session, wanted, reader)
            places, _ = _places(session, found, PageOf(before=place, limit=1), wanted.order)
            return places[0] if places else None

    def next_unleased(self, wanted: QueueFilter, curator: str, *, after: Place | None = None) -> NextEntry | None:
        """The next entry that no other curator has open; None: there is none behind that place."""
        others = select(LeaseHeld.attempt_id).where(
            LeaseHeld.attempt_id == Review.attempt_id, running(), LeaseHeld.curator != curator
        )
        with self._reading() as session:
            found = [*conditions(session, wanted, curator), ~others.exists()]
            places, _ = _places(session, found, PageOf(after=after, limit=1), wanted.order)
            if not places:
                return None
            pictures = session.execute(_PICTURES, {"attempt_id": places[0].attempt_id}).one()
            return NextEntry(places[0].attempt_id, tuple(filter(None, pictures)))


def _key(order: Order) -> tuple[Any, ...]:
    return measure_of(order), Review.attempt_id


def _place_of(session: Session, attempt_id: int, order: Order) -> Place:
    key = session.execute(select(*_key(order)).where(Review.attempt_id == attempt_id)).one_or_none()
    if key is None:
        raise UnknownEntry(f"there is no attempt {attempt_id} with a picture; `nishiki export` lists them all")
    return _place(*key)


def _place(precedence: float | None, attempt_id: int) -> Place:
    return Place(_UNTOLD if precedence is None else precedence, attempt_id)


def _page(session: Session, found: Sequence[ColumnElement[bool]], page: PageOf, order: Order) -> QueuePage:
    places, further = _places(session, found, page, order)
    back = page.before is not None
    first = page.after is None and not back and not page.position
    last = None if first or not places else places[-back]
    behind = last is not None and _any_beyond(session, found, last, order, earlier=not back)
    earlier, later = (further, behind) if back else (behind, further)
    return QueuePage(_entries(session, places), earlier, later)


def _counts(
    session: Session, wanted: QueueFilter, reader: str | None, narrowing: Sequence[Narrowing] | None = None
) -> dict[Queue, Count]:
    counts = counted(session, [in_queue(wanted, queue) for queue in Queue], reader, narrowing)
    return dict(zip(Queue, counts, strict=True))


def _places(
    session: Session, found: Sequence[ColumnElement[bool]], page: PageOf, order: Order
) -> tuple[list[Place], bool]:
    """The page's places in the queue's order, and whether others follow in the direction of reading."""
    keys = select(*_key(order)).where(*found).limit(page.limit + 1)
    back = page.before is not None
    keys = keys.order_by(*_sorted(order, earlier=back))
    if beside := page.before or page.after:
        keys = keys.where(_beyond(beside, order, earlier=back))
    else:
        keys = keys.offset(page.position)
    places = [Place(*key) for key in session.execute(keys)]
    further, places = len(places) > page.limit, places[: page.limit]
    return (places[::-1] if back else places), further


def _falls(order: Order, *, earlier: bool) -> bool:
    """Does the key fall in this direction of reading?"""
    return (order in _FALLING) is not earlier


def _sorted(order: Order, *, earlier: bool) -> list[Any]:
    return [column.desc() if _falls(order, earlier=earlier) else column for column in _key(order)]


def _beyond(place: Place, order: Order, *, earlier: bool) -> ColumnElement[bool]:
    key, bound = tuple_(*_key(order)), tuple_(place.precedence, place.attempt_id)
    return key < bound if _falls(order, earlier=earlier) else key > bound


def _any_beyond(
    session: Session, found: Sequence[ColumnElement[bool]], place: Place, order: Order, *, earlier: bool
) -> bool:
    one = select(Review.attempt_id).where(*found, _beyond(place, order, earlier=earlier))
    return session.execute(one.order_by(*_sorted(order, earlier=earlier)).limit(1)).first() is not None


def _entries(session: Session, places: Sequence[Place]) -> tuple[QueueEntry, ...]:
    """What stands beside each place; a page's worth of them."""
    some = {"some": [place.attempt_id for place in places], "moment": now()}
    found = {row.attempt_id: row for row in session.execute(_BESIDE, some)}
    said = describe(session, {row.content_id for row in found.values()})
    return tuple(_entry(place, found[place.attempt_id], said) for place in places)


def _entry(place: Place, row: Any, said: Mapping[int, Description]) -> QueueEntry:
    return QueueEntry(
        place=place,
        batch_id=row.batch_id,
        content=said[row.content_id],
        style_sha256=row.style_sha256,
        output_sha256=row.sha256,
        recipe=row.recipe_name,
        outcome=row.outcome,
        refusal=row.error_message,
        likeness=row.likeness,
        trust=row.trust,
        verdict=_shown(row),
        returned_by=row.returned_by,
        conflict=row.conflict_since is not None,
        withheld=row.withheld,
        lease=Lease(row.attempt_id, row.leased_to, row.until) if row.leased_to is not None else None,
        reasons=row.reasons or {},
    )


def _shown(row: Any) -> VerdictEntry | None:
    """The first word of a blind pair is hidden until the second is said."""
    if row.verdict_id is None or (row.blind and row.waiting_since is not None):
        return None
    return VerdictEntry(**{name: getattr(row, f"said_{name}") for name in _SAID})
