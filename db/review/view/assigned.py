"""Assigned views as pages tell of them: where they lead, and how many entries they still show their curators."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from db.entries.desk import Assignment
from db.entries.review import Count
from db.review.view.filter_form import FilterForm

Counting = Callable[[FilterForm, str], Count]
"""A view and its reader → how many entries."""


@dataclass(frozen=True)
class AssignedView:
    """One of them."""

    said: Assignment
    view: FilterForm | None
    """None: it has a filter that the page does not know any more."""
    count: Count | None
    """None where nobody needs it: of such a view, and of what is done."""


def assigned_views(some: Iterable[Assignment], counting: Counting) -> list[AssignedView]:
    """Each with its entries as they are now."""
    return [_assigned(each, FilterForm.kept(each.query), counting) for each in some]


def _assigned(said: Assignment, view: FilterForm | None, counting: Counting) -> AssignedView:
    wanted = view is not None and said.done_at is None
    return AssignedView(said, view, counting(view, said.curator.name) if view and wanted else None)
