"""A curator's desk: what the night brought, what waits for them, their own views, what others said to them."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import AfterValidator, Field

from db.entries.desk import SavedView
from db.entries.review import Count, Queue, QueueFilter, Role
from db.review.access.auth import Judging, Visitor
from db.review.access.bodies import BoundedRoute
from db.review.access.state import ReviewState, State
from db.review.pages.entry import COMMENT_LENGTH, AskedFor
from db.review.pages.requests import back_to_entry
from db.review.view.assigned import assigned_views
from db.review.view.filter_form import MOST_NUMBER, FilterForm
from db.review.view.filters import View
from db.review.view.notices import notice_value
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
SHOWN: Final = 20
"""Of comments, and of requests."""


def _written(text: str) -> str:
    """Without what stands around it.

    Raises:
        ValueError: nothing is left.
    """
    if not (said := text.replace("\r\n", "\n").strip()):
        raise ValueError("nothing was written")
    return said


ViewName = Annotated[str, AfterValidator(_written), Field(max_length=100)]


@dataclass(frozen=True)
class OwnView:
    """A view that they keep, and how many entries it has now."""

    id: int
    name: str
    query: str
    count: Count


@router.get("/desk")
def desk(request: Request, state: State, who: Judging) -> Response:
    """The page."""
    catalogue, counting = state.catalogue, partial(_count, state)
    counts = catalogue.queue_counts(QueueFilter(), reader=who.name)
    context = {
        "nights": catalogue.nights(1),
        "counts": {queue: counts[queue] for queue in (Queue.WAITING, Queue.REDONE, Queue.CONFLICTS)},
        "views": [each for saved in catalogue.saved_views(who.name) if (each := _own(state, saved, who))],
        "assigned": assigned_views(catalogue.assigned_to(who.name), counting),
        "given": assigned_views(catalogue.assigned_by(None if who.may(Role.ADMIN) else who.name), counting),
        "comments": catalogue.comments_for(who.name, SHOWN),
        "requests": catalogue.requests_of(who.name, SHOWN),
    }
    return render(request, "desk.html.j2", who, context)


@router.post("/views")
def save(
    request: Request,
    state: State,
    who: Judging,
    view: View,
    name: Annotated[ViewName, Form()],
) -> Response:
    """Keep the view that the address names under this name, and show it."""
    kept = state.catalogue.save_view(who.name, name, view.query())
    notice = notice_value("view-saved" if kept else "views-full")
    return RedirectResponse(f"{request.scope.get('root_path', '')}/?{view.query(notice=notice)}", 303)


@router.post("/views/{view_id}/remove")
def remove(
    request: Request, state: State, who: Judging, view_id: Annotated[int, Path(ge=1, le=MOST_NUMBER)]
) -> Response:
    """Remove one of their own."""
    state.catalogue.forget_view(who.name, view_id)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/desk", 303)


@router.post("/entries/{attempt_id}/comments")
def comment(
    request: Request,
    asked: AskedFor,
    who: Judging,
    text: Annotated[str, Form(), AfterValidator(_written), Field(max_length=COMMENT_LENGTH)],
) -> Response:
    """Say something on an entry.

    Raises:
        UnknownEntry: there is no such attempt, or it made no picture.
    """
    asked.state.catalogue.comment(asked.attempt_id, who.name, text)
    return back_to_entry(request, asked, "comment-kept")


def _own(state: ReviewState, saved: SavedView, who: Visitor) -> OwnView | None:
    """None for a view with a filter that the page does not know any more."""
    view = FilterForm.kept(saved.query)
    return OwnView(saved.id, saved.name, view.query(), _count(state, view, who.name)) if view else None


def _count(state: ReviewState, view: FilterForm, reader: str) -> Count:
    return state.catalogue.queue_count(view.wanted(), reader=reader)
