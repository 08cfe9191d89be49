"""Taking back: a curator's last verdict that stands, or the whole of their last bulk."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from db.entries.review import Undone
from db.review.access.auth import Judging
from db.review.access.bodies import BoundedRoute
from db.review.access.state import State
from db.review.view.filter_form import FilterForm
from db.review.view.filters import view_left
from db.review.view.notices import notice_value

router = APIRouter(route_class=BoundedRoute)


@router.post("/undo")
def undo(request: Request, state: State, who: Judging) -> RedirectResponse:
    """Take it back and show the entry, or the queue that has the bulk's entries again."""
    address = _shown_after(state.catalogue.undo_verdict(who.name), view_left(request))
    return RedirectResponse(request.scope.get("root_path", "") + address, 303)


def _shown_after(undone: Undone | None, view: FilterForm) -> str:
    """In the view that they are working through."""
    if undone is None:
        return f"/?{view.query(notice=notice_value('nothing-to-undo'))}"
    told = view.query(notice=notice_value("undone", len(undone.attempt_ids)))
    return f"/entries/{undone.attempt_ids[0]}?{told}" if undone.bulk is None else f"/?{told}"
