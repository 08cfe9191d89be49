"""The history of nights, the newest first, and the report on each of them. For everybody who may look."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from db.entries.night import AttemptEntry
from db.review.access.auth import Looking
from db.review.access.state import State
from db.review.view.environment import tile_address
from db.review.view.filter_form import MOST_NUMBER
from db.review.view.rendering import render

router = APIRouter()
SHOWN: Final = 30
"""Nights on one page."""


@router.get("/nights")
def nights(
    request: Request, state: State, who: Looking, before: Annotated[int | None, Query(ge=1, le=MOST_NUMBER)] = None
) -> Response:
    """The list; older than one of them where it is named."""
    found = state.catalogue.nights(SHOWN + 1, upto=None if before is None else before - 1)
    older = found[SHOWN - 1].id if len(found) > SHOWN else None
    return render(request, "nights.html.j2", who, {"nights": found[:SHOWN], "older": older, "before": before})


@router.get("/nights/{number}")
def night(request: Request, state: State, who: Looking, number: Annotated[int, Path(ge=1, le=MOST_NUMBER)]) -> Response:
    """What one of them came to."""
    root: str = request.scope.get("root_path", "")

    def picture(attempt: AttemptEntry, which: str) -> str:
        sha256 = attempt.content.sha256 if which == "content" else attempt.output_sha256
        return root + tile_address(sha256 or "", "thumb.jpg")

    context = {"morning": state.catalogue.morning(number), "picture": picture}
    return render(request, "night.html.j2", who, context)
