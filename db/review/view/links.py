"""Where a page of the queue leads: other queues, the view without one of its filters, neighbours, ready views.

All of them are addresses as `db.review.view.filters` writes them; the words for them stand in the templates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from db.catalogue import Catalogue
from db.entries.night import LIKELY_SAME_DESIGN, WEAK_MATCH, Outcome, Verdict
from db.entries.review import Count, Order, Queue, QueuePage
from db.queries.review.filter import JUDGED
from db.review.view.filter_form import FilterForm, PageForm, place_text


@dataclass(frozen=True)
class Tab:
    """One of the queues, with the filters kept that mean something there."""

    queue: Queue
    query: str
    count: Count


@dataclass(frozen=True)
class Chip:
    """A filter that is set, and the view without it."""

    field: str
    value: str
    query: str


@dataclass(frozen=True)
class Sorted:
    """The view in one of the orders."""

    order: Order
    query: str


@dataclass(frozen=True)
class Pager:
    """The neighbours of a page of the queue; None where there are none."""

    first: str
    earlier: str | None
    later: str | None
    position: int | None
    """Of the page's first entry, counted from 1; None where nobody counted."""


def tabs(view: FilterForm, counts: Mapping[Queue, Count]) -> list[Tab]:
    """All four queues."""
    return [Tab(queue, _in_queue(view, queue).query(), count) for queue, count in counts.items()]


def orders(view: FilterForm) -> list[Sorted]:
    """The view in each order, from its first page on."""
    return [Sorted(order, view.changed(order=order).query()) for order in Order]


def chips(view: FilterForm) -> list[Chip]:
    """What narrows the view, each to be taken away by itself."""
    return [Chip(field, str(value), without(view, field).query()) for field, value in view.narrowing().items()]


def without(view: FilterForm, field: str) -> FilterForm:
    """The view with one filter less."""
    return view.changed(**{field: type(view).model_fields[field].default})


def pager(view: FilterForm, part: PageForm, page: QueuePage) -> Pager:
    """From this page on."""
    some = bool(page.entries)
    moved = part.after or part.before or part.position > 1
    begins = not page.earlier and (some or not moved)
    return Pager(
        view.query(),
        view.query(before=place_text(page.entries[0].place)) if some and page.earlier else None,
        view.query(after=place_text(page.entries[-1].place)) if some and page.later else None,
        1 if begins else part.position or None,
    )


def ready_views(catalogue: Catalogue, reader: str) -> dict[str, str]:
    """Views that are asked for often, each by a word that the template puts into a sentence."""
    latest = catalogue.latest_batch()
    views = {
        "latest": FilterForm(batch_id=latest.id) if latest else None,
        "same design": FilterForm(likeness_from=LIKELY_SAME_DESIGN),
        "another design": FilterForm(likeness_to=LIKELY_SAME_DESIGN),
        "weak": FilterForm(likeness_to=WEAK_MATCH),
        "rejected": FilterForm(outcome=Outcome.REJECTED),
        "returned": FilterForm(queue=Queue.ALL, verdict=Verdict.RETURNED),
        "withheld": FilterForm(queue=Queue.ALL, verdict=Verdict.WITHHELD),
        "mine": FilterForm(queue=Queue.ALL, curator=reader),
    }
    return {word: view.query() for word, view in views.items() if view is not None}


def _in_queue(view: FilterForm, queue: Queue) -> FilterForm:
    there = view.changed(queue=queue)
    return there if queue in JUDGED else there.changed(verdict=None, curator=None)
