"""What the queue's filters can be set to, with how many entries each value leaves, up to 1,000.

A field's own value does not narrow its facet, so that another can be chosen. One pass over the queue's head counts
all fields; where the queue is longer and nothing else narrows it, values that are few in its head are counted by
themselves.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db.entries.night import Outcome
from db.entries.review import Count, Facet, Facets, Queue, QueueFilter
from db.pathless import archive_label
from db.queries.base.search import these
from db.queries.base.store import Store
from db.queries.review.filter import CAP, HEAD, JUDGED, capped, countable, counted, counts
from db.tables.night import Archive, RecordArtist, RecordCast
from db.tables.review import Review

MOST = 20
"""Values offered for one field."""
_NAMED = 1000
"""Entries whose artists and actors are counted."""
_COLUMNS: dict[str, Any] = {
    "batch_id": Review.batch_id,
    "archive": Review.archive_id,
    "recipe": Review.recipe_name,
    "verdict": Review.verdict,
    "curator": Review.curator,
}
_JUDGED = ("verdict", "curator")
"""Nothing that waits has them."""
_ORDER = (Review.precedence, Review.attempt_id)


class FacetQueries(Store):
    """What to choose from."""

    def facets(self, wanted: QueueFilter, *, reader: str | None = None) -> Facets:
        """The most frequent values for each field of the filter; names are counted at the queue's head only."""
        fields = [field for field in _COLUMNS if wanted.queue in JUDGED or field not in _JUDGED]
        with self._reading() as session:
            head = _head(session, wanted, reader)
            names = session.execute(select(Archive.id, Archive.name)).all()
            archives = {number: archive_label(name) for number, name in names}
            free = [field for field in fields if getattr(wanted, field) is None]
            rows = _rows(session, head, free)
            values_of, total = _counted(session, head, free, rows)
            for field in set(fields) - set(free):
                other = _head(session, _without(wanted, field), reader)
                values_of |= _counted(session, other, [field], _rows(session, other, [field]))[0]
            values = {field: _facet(values_of[field], archives if field == "archive" else {}) for field in fields}
            values["outcome"] = _outcomes(session, wanted, reader)
            records = Counter(row[-1] for row in rows[:_NAMED])
            more = head.longer or len(rows) > _NAMED
            values["artist"] = _names(session, RecordArtist.name, records, more=more)
            values["actor"] = _names(session, RecordCast.actor, records, more=more)
            return Facets(total, values)


@dataclass(frozen=True)
class _Head:
    """Where to count."""

    found: list[ColumnElement[bool]]
    longer: bool
    """Other entries are left out."""
    whole: bool
    """It is a queue that nothing narrows, so that one index leads to each value of a field."""


def _head(session: Session, wanted: QueueFilter, reader: str | None) -> _Head:
    found, longer = countable(session, wanted, reader)
    narrowed = any(getattr(wanted, field) is not None for field in (*_COLUMNS, "outcome"))
    return _Head(found, longer, not narrowed and wanted.queue in (Queue.WAITING, Queue.ALL))


def _rows(session: Session, head: _Head, fields: list[str]) -> Sequence[Any]:
    """Of each entry in order: what it has in these fields, whether it is settled, and its record."""
    columns = [*(_COLUMNS[field] for field in fields), Review.waiting_since.is_(None).label("settled")]
    some = select(*columns, Review.record_id).where(*head.found).order_by(*_ORDER).limit(HEAD + 1)
    return session.execute(some).all()


def _counted(
    session: Session, head: _Head, fields: list[str], rows: Sequence[Any]
) -> tuple[dict[str, dict[Any, Count]], Count]:
    """Field → value → how many, and how many in all."""
    numbers: dict[str, Counter[Any]] = {field: Counter() for field in fields}
    for *row, settled, _ in rows:
        for field, value in zip(fields, row, strict=True):
            if value is not None and (settled or field not in _JUDGED):
                numbers[field][value] += 1
    total = len(rows)
    counted = {field: {value: capped(number) for value, number in _most(numbers[field])} for field in fields}
    if total > HEAD and head.whole:
        counted = {field: known | _exact(session, head.found, field, known) for field, known in counted.items()}
    elif total > HEAD or head.longer:
        counted = {field: {value: _at_least(each) for value, each in known.items()} for field, known in counted.items()}
    return counted, Count(capped(total).number, total > CAP or head.longer)


def _outcomes(session: Session, wanted: QueueFilter, reader: str | None) -> tuple[Facet, ...]:
    """Each by itself: what was rejected comes last in every queue, behind its head."""
    numbers = counted(session, [replace(wanted, outcome=outcome) for outcome in Outcome], reader)
    return tuple(Facet(outcome, count) for outcome, count in zip(Outcome, numbers, strict=True) if count.number)


def _without(wanted: QueueFilter, field: str) -> QueueFilter:
    nothing: dict[str, Any] = {field: None}
    return replace(wanted, **nothing)


def _at_least(count: Count) -> Count:
    return Count(count.number, more=True)


def _exact(session: Session, found: list[ColumnElement[bool]], field: str, known: dict[Any, Count]) -> dict[Any, Count]:
    """Values that a longer queue may have more of, counted by themselves."""
    few = [value for value, count in known.items() if not count.more]
    settled = [Review.waiting_since.is_(None)] if field in _JUDGED else []
    again = counts(session, [[*found, *settled, _COLUMNS[field] == value] for value in few])
    return dict(zip(few, again, strict=True))


def _facet(counted: dict[Any, Count], names: dict[Any, str]) -> tuple[Facet, ...]:
    return tuple(Facet(str(names.get(value, value)), count) for value, count in counted.items())


def _most(numbers: Counter[Any]) -> list[tuple[Any, int]]:
    """The most frequent values; of those equally frequent the first by name."""
    return sorted(numbers.items(), key=lambda pair: (-pair[1], str(pair[0])))[:MOST]


def _names(session: Session, column: Any, records: Counter[int], *, more: bool) -> tuple[Facet, ...]:
    table = column.class_
    names: Counter[str] = Counter()
    rows = select(table.record_id, column).where(table.record_id.in_(these(records)), column != "").distinct()
    for record_id, name in session.execute(rows):
        names[name] += records[record_id]
    return tuple(Facet(name, Count(number, more)) for name, number in _most(names))
