"""Every result of one content side by side, to choose the best: other styles, other recipes, earlier attempts."""

from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from db.review.access.auth import Looking
from db.review.pages.entry import AskedFor, entry_address
from db.review.view.candidates import candidates_of
from db.review.view.rendering import render

router = APIRouter()


@router.get("/entries/{attempt_id}/candidates")
def candidates_page(request: Request, asked: AskedFor, who: Looking) -> HTMLResponse:
    """This result among the others of the same content, newest first.

    Raises:
        UnknownEntry: there is no such attempt.
    """
    attempt = asked.state.catalogue.attempt(asked.attempt_id)
    shown = candidates_of(asked.state, asked.attempt_id)
    encoders = {each.encoder for each in shown if each.entry.likeness is not None}
    context = {
        "attempt": attempt,
        "candidates": shown,
        "one_encoder": len(encoders) < 2,
        "address": partial(entry_address, asked.view),
    }
    return render(request, "candidates.html.j2", who, context)
