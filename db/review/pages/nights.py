"""The history of nights, the newest first, and the report on each of them. For everybody who may look."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from db.entries.night import AttemptEntry
from db.entries.review import AuditWord, Role
from db.review.access.auth import Keeping, Looking
from db.review.access.bodies import BoundedRoute
from db.review.access.events import keep_event
from db.review.access.state import State
from db.review.view.environment import tile_address
from db.review.view.filter_form import MOST_NUMBER
from db.review.view.notices import notice_value
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
SHOWN: Final = 30
"""Nights on one page."""


@router.get("/nights")
def nights(
    request: Request, state: State, who: Looking, before: Annotated[int | None, Query(ge=1, le=MOST_NUMBER)] = None
) -> Response:
    """The list; older than one of them where it is named."""
    found = state.catalogue.nights(SHOWN + 1, upto=None if before is None else before - 1)
    older = found[SHOWN - 1].id if len(found) > SHOWN else None
    context = {"nights": found[:SHOWN], "older": older, "before": before, "carries_on": state.nights is not None}
    left = _left_undone(state) if who.may(Role.ADMIN) and before is None else 0
    return render(request, "nights.html.j2", who, context | {"left": left})


def _left_undone(state: State) -> int:
    """Attempts without an outcome at which nobody works."""
    if state.nights is not None and state.nights.at_work():
        return 0
    at_work = {each.id for each in state.catalogue.batches_at_work()}
    return sum(each.left for each in state.catalogue.unfinished_batches() if each.id not in at_work)


@router.post("/nights/resume")
def resume(request: Request, state: State, who: Keeping) -> RedirectResponse:
    """Have what is left undone carried on, where nights run beside the page; elsewhere the page says who does."""
    here = f"{request.scope.get('root_path', '')}/nights"
    if state.nights is None:
        return RedirectResponse(here, 303)
    begun = state.nights.carry_on()
    if begun:
        keep_event(request, AuditWord.CARRIED_ON, who.name, "from the page")
    return RedirectResponse(f"{here}?notice={notice_value('carried-on' if begun else 'night-at-work')}", 303)


@router.get("/nights/{number}")
def night(request: Request, state: State, who: Looking, number: Annotated[int, Path(ge=1, le=MOST_NUMBER)]) -> Response:
    """What one of them came to."""
    root: str = request.scope.get("root_path", "")

    def picture(attempt: AttemptEntry, which: str) -> str:
        sha256 = attempt.content.sha256 if which == "content" else attempt.output_sha256
        return root + tile_address(sha256 or "", "thumb.jpg")

    context = {"morning": state.catalogue.morning(number), "picture": picture}
    return render(request, "night.html.j2", who, context)
