"""Assign a view of the queue to somebody, mark it as done, take it back; desk and queue show what is assigned."""

from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Path, Request
from fastapi.responses import RedirectResponse
from pydantic import AfterValidator, BaseModel, Field

from db.entries.desk import Assignment, NotAssigned
from db.entries.review import AuditWord, Role
from db.queries.review.accounts import spelt
from db.review.access.auth import Judging, Visitor
from db.review.access.bodies import BoundedRoute
from db.review.access.events import keep_event
from db.review.access.state import ReviewState, State
from db.review.pages.desk import ViewName
from db.review.view.filter_form import MOST_NUMBER, FilterForm
from db.review.view.filters import View
from db.review.view.notices import notice_value

router = APIRouter(route_class=BoundedRoute)
_NOTICES: Final = {
    AuditWord.ASSIGNMENT_DONE: "assignment-done",
    AuditWord.ASSIGNMENT_TAKEN_BACK: "assignment-taken-back",
}
_Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]


class Asking(BaseModel):
    """The form that asks somebody."""

    curator: Annotated[str, AfterValidator(spelt), Field(max_length=200)]
    name: ViewName
    note: Annotated[str, Field(max_length=500)] = ""


@router.post("/assignments")
def assign(
    request: Request, state: State, who: Judging, view: View, form: Annotated[Asking, Form()]
) -> RedirectResponse:
    """Ask somebody to judge what the view of the address shows, and show it again."""
    refused = _refused(state, view, form, who)
    if refused is None:
        keep_event(request, AuditWord.ASSIGNED, who.name, _detail(who.name, form.curator, form.name))
    notice = notice_value(f"assign-{refused}" if refused else "assigned")
    return RedirectResponse(f"{request.scope.get('root_path', '')}/?{view.query(notice=notice)}", 303)


@router.post("/assignments/{assignment_id}/done")
def done(request: Request, state: State, who: Judging, assignment_id: _Number) -> RedirectResponse:
    """Mark one's own as done, or, as an admin, anybody's.

    Raises:
        HTTPException: 403, it is somebody else's.
    """
    found = state.catalogue.open_assignment(assignment_id)
    _refuse_others(who, found.curator.name if found else None, "assigned to another")
    kept = state.catalogue.finish_assignment(assignment_id)
    return _told(request, who, found if kept else None, AuditWord.ASSIGNMENT_DONE)


@router.post("/assignments/{assignment_id}/remove")
def take_back(request: Request, state: State, who: Judging, assignment_id: _Number) -> RedirectResponse:
    """Take back what one assigned, or, as an admin, what anybody did.

    Raises:
        HTTPException: 403, somebody else assigned it.
    """
    found = state.catalogue.open_assignment(assignment_id)
    _refuse_others(who, found.by if found else None, "assigned by another")
    kept = state.catalogue.take_back_assignment(assignment_id)
    return _told(request, who, found if kept else None, AuditWord.ASSIGNMENT_TAKEN_BACK)


def _refused(state: ReviewState, view: FilterForm, form: Asking, who: Visitor) -> NotAssigned | None:
    """Assign it; else why not."""
    if not state.catalogue.queue_numbers(view.wanted(), 1, reader=form.curator):
        return NotAssigned.NOTHING
    asked = {"name": form.name, "note": form.note.strip(), "by": who.name}
    return state.catalogue.assign_view(form.curator, view.query(), **asked)


def _refuse_others(who: Visitor, name: str | None, word: str) -> None:
    if name not in (None, who.name) and not who.may(Role.ADMIN):
        raise HTTPException(403, word)


def _told(request: Request, who: Visitor, changed: Assignment | None, event: AuditWord) -> RedirectResponse:
    """Back to the desk; None: it was done or taken back in the meantime."""
    if changed:
        keep_event(request, event, who.name, _detail(changed.by, changed.curator.name, changed.name))
    notice = notice_value(_NOTICES[event] if changed else "assignment-gone")
    return RedirectResponse(f"{request.scope.get('root_path', '')}/desk?notice={notice}", 303)


def _detail(by: str, curator: str, name: str) -> str:
    return f"{by} → {curator}: {name}"
