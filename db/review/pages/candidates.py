"""Every result of one content side by side, to choose the best: other styles, other recipes, earlier attempts."""

from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from db.entries.night import Description, EncoderKey
from db.entries.review import QueueEntry
from db.review.access.auth import Looking
from db.review.access.state import ReviewState
from db.review.pages.entry import AskedFor, entry_address
from db.review.view.rendering import render

router = APIRouter()


@dataclass(frozen=True)
class Candidate:
    """An attempt of the content, its entry in the queue, and which small pictures there are."""

    entry: QueueEntry
    style: Description | None
    encoder: EncoderKey
    has_picture: bool
    has_style: bool


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


def candidates_of(state: ReviewState, attempt_id: int) -> list[Candidate]:
    """The attempts with a picture of the same content; the first word of a blind pair stays hidden."""
    has, made = state.tiles.has, state.catalogue.attempts_of_content(attempt_id)
    entries = {each.attempt_id: each for each in state.catalogue.queue_entries([each.attempt_id for each in made])}
    return [
        Candidate(
            entry, each.style, each.encoder, has(entry.output_sha256), bool(each.style and has(each.style.sha256))
        )
        for each in made
        if (entry := entries.get(each.attempt_id))
    ]
