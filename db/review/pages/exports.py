"""Packages of approved entries, made from the page into the folder that the operator set; an admin begins them.

Curators see what lies there and how the newest export goes. What leaves is decided by `db.exports.package` alone.
"""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from db.entries.review import AuditWord, Queue
from db.entries.review import Order as QueueOrder
from db.exports.background import Kept
from db.exports.package import Order
from db.review.access.auth import Judging, Keeping
from db.review.access.bodies import BoundedRoute
from db.review.access.events import keep_event
from db.review.access.state import State
from db.review.view.filter_form import FilterForm
from db.review.view.filters import View
from db.review.view.links import Chip, chips
from db.review.view.notices import notice_value
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
_Told = Literal["true", "false"]
"""No `bool`: of a form FastAPI takes what is left out for false, as of a box."""


@router.get("/exports")
def exports_page(request: Request, state: State, who: Judging, view: View) -> Response:
    """What can be exported of this view, what is at work, and what lies in the folder."""
    leaving, exports = _leaving(view), state.exports
    context = {
        "view": leaving,
        "chips": chips(leaving),
        "tiles": state.settings.export_tiles,
        "going": exports and exports.newest(),
        "packages": [(each, _chips(each)) for each in exports.packages()] if exports else [],
    }
    return render(request, "exports.html.j2", who, context)


@router.post("/exports")
def begin(
    request: Request, state: State, who: Keeping, view: View, tiles: Annotated[_Told | None, Form()] = None
) -> RedirectResponse:
    """Export what is approved of this view, with tiles or without as the form says, or else the settings.

    Where there is no place for it, the page says what to do.
    """
    leaving, here = _leaving(view), f"{request.scope.get('root_path', '')}/exports"
    if state.exports is None:
        return RedirectResponse(here, 303)
    tiled = state.settings.export_tiles if tiles is None else tiles == "true"
    name = state.exports.begin(Order("", leaving.wanted(), leaving.query(), tiled))
    if name is not None:
        keep_event(request, AuditWord.EXPORTED, who.name, f"package {name}, from the page")
    notice = notice_value("export-begun" if name else "export-at-work")
    return RedirectResponse(f"{here}?{leaving.query(notice=notice)}", 303)


def _leaving(view: FilterForm) -> FilterForm:
    """The view without what says nothing to an export, so that one filter is one package."""
    return view.changed(queue=Queue.WAITING, order=QueueOrder.MATCH, verdict=None)


def _chips(package: Kept) -> list[Chip] | None:
    """The package's filter; None where this program does not read it any more."""
    try:
        return chips(FilterForm.model_validate(dict(parse_qsl(package.narrowing))))
    except ValidationError:
        return None
