"""How the matching rule weighs what prints share, and what curators' verdicts have made of it."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.entries.match import LEAST_VERDICTS
from db.review.access.auth import Looking
from db.review.access.state import State
from db.review.view.rendering import render

router = APIRouter()


@router.get("/matching")
def matching_page(request: Request, state: State, who: Looking) -> Response:
    """The weights in force after the last refit, and the refits."""
    refits = state.catalogue.refits()
    accepted = [each for each in refits if each.accepted and each.base == refits[0].base]
    context = {
        "refits": refits,
        "base": refits[0].base if refits else {},
        "in_force": accepted[0].weights if accepted else refits[0].base if refits else {},
        "version": accepted[0].id if accepted else None,
        "judged": state.catalogue.telling_verdicts(),
        "needed": LEAST_VERDICTS,
    }
    return render(request, "matching.html.j2", who, context)
