"""What the queue's filters can be set to, with how many entries each value leaves, up to 1,000.

A field's own value does not narrow its facet, so that another can be chosen. Batches, archives, recipes, curators
are few and read off the indexes; artists and actors are many: those most frequent at the queue's head are offered.
"""

from collections import Counter
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db.entries import Outcome, Verdict
from db.models import Archive, RecordArtist, RecordCast
from db.nouns.review_filter import CAP, conditions, counted, counts
from db.nouns.store import Store
from db.review_models import Review
from db.reviewed import Count, Facet, Facets, Queue, QueueFilter

MOST = 20
"""Values offered for one field."""
_FIELDS = ("batch_id", "archive", "recipe", "outcome", "verdict", "curator")
_JUDGED = ("verdict", "curator")
"""Nothing that waits has them."""


class ReviewFacetsPart(Store):
    """What to choose from."""

    def facets(self, wanted: QueueFilter, *, reader: str | None = None) -> Facets:
        """Counted values for each field of the filter; values that leave nothing are left out."""
        with self._reading() as session:
            found = conditions(session, wanted, reader)
            values = {
                field: _facet(session, field, wanted, reader)
                for field in _FIELDS
                if wanted.queue in (Queue.ALL, Queue.CONFLICTS) or field not in _JUDGED
            }
            values["artist"] = _names(session, RecordArtist.name, found)
            values["actor"] = _names(session, RecordCast.actor, found)
            return Facets(counted(session, found), values)


def _facet(session: Session, field: str, wanted: QueueFilter, reader: str | None) -> tuple[Facet, ...]:
    others = conditions(session, replace(wanted, **{field: None}), reader)
    options = _options(session, field)
    settled = [Review.waiting_since.is_(None)] if field in _JUDGED else []
    narrowed = [[*others, *settled, condition] for _, condition in options]
    numbers = counts(session, narrowed)
    pairs = zip(options, numbers, strict=True)
    return tuple(Facet(value, count) for (value, _), count in pairs if count.number)


def _options(session: Session, field: str) -> list[tuple[str, ColumnElement[bool]]]:
    """A field's values, each with its condition."""
    match field:
        case "outcome":
            return [(str(word), Review.outcome == word) for word in (Outcome.SUCCEEDED, Outcome.REJECTED)]
        case "verdict":
            return [(str(word), Review.verdict == word) for word in Verdict]
        case "archive":
            rows = session.execute(select(Archive.name, Archive.id).order_by(Archive.name))
            return [(name, Review.archive_id == number) for name, number in rows]
        case "batch_id":
            return [(str(each), Review.batch_id == each) for each in _distinct(session, Review.batch_id, newest=True)]
    column: Any = {"recipe": Review.recipe_name, "curator": Review.curator}[field]
    return [(each, column == each) for each in _distinct(session, column)]


def _distinct(session: Session, column: Any, *, newest: bool = False) -> list[Any]:
    """A column's values, one step in its index for each: a DISTINCT would read all rows."""
    values: list[Any] = []
    step = select(column).where(column.is_not(None)).order_by(column.desc() if newest else column).limit(1)
    while len(values) < MOST:
        further = step if not values else step.where(column < values[-1] if newest else column > values[-1])
        value = session.execute(further).scalar()
        if value is None:
            break
        values.append(value)
    return values


def _names(session: Session, column: Any, found: list[ColumnElement[bool]]) -> tuple[Facet, ...]:
    """The names most frequent among the first CAP entries, counted there; more where that is not all."""
    key = (Review.precedence, Review.attempt_id)
    head = select(Review.record_id).where(*found).order_by(*key).limit(CAP + 1)
    records = list(session.scalars(head))
    more, records = len(records) > CAP, records[:CAP]
    names: Counter[str] = Counter()
    weight = Counter(records)
    rows = select(column.class_.record_id, column).where(column.class_.record_id.in_(weight), column != "").distinct()
    for record_id, name in session.execute(rows):
        names[name] += weight[record_id]
    return _capped(names, more=more)


def _capped(names: Counter[str], *, more: bool) -> tuple[Facet, ...]:
    ranked = sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]
    return tuple(Facet(name, Count(number, more)) for name, number in ranked)
