"""Try another style: ask for one among other prints, or by words; take a request back; pin several prints together.

A request is kept by the catalogue and made by the next run, and so is what was pinned, which the matching leaves as it
is. Marks are asked for in `db.review.pages.marks`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Self
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from db.entries.night import Description, MatchEntry
from db.entries.review import AttemptRequest, RequestEntry, RequestState
from db.errors import UnknownEntry
from db.queries.review.other_prints import MOST_TOGETHER
from db.review.access.auth import Judging, Looking, Visitor
from db.review.access.bodies import BoundedRoute
from db.review.pages.entry import Asked, AskedFor, entry_address
from db.review.view.error_pages import fault_page
from db.review.view.filter_form import MOST_NUMBER
from db.review.view.insight import may_withdraw
from db.review.view.notices import notice_value
from db.review.view.reasons import Why
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
_FOUND = 48
_ImageId = Annotated[int, Field(ge=1, le=MOST_NUMBER)]


@dataclass(frozen=True)
class OfferedStyle:
    """A colour print to choose, and what came of it before."""

    said: Description
    why: Why | None
    """Of a candidate of the matching; None: found by words, or by the same actor's name."""
    made: int | None
    """The newest attempt in its colours, with a picture."""
    entry: RequestEntry | None
    """For these colours, without marks or a mask."""
    may_ask: bool
    """A night would make something that is not here yet."""
    has_picture: bool


@router.get("/entries/{attempt_id}/styles")
def styles_page(
    request: Request,
    asked: AskedFor,
    who: Looking,
    find: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Prints of other designs, and what the words find.

    Raises:
        UnknownEntry: there is no such attempt.
    """
    attempt = asked.state.catalogue.attempt(asked.attempt_id)
    offer = _Offer.at(asked, who)
    found = asked.state.catalogue.find_styles(find, limit=_FOUND + 1) if find.strip() else []
    context = {
        "attempt": attempt,
        "address": partial(entry_address, asked.view),
        "kept": parse_qsl(asked.view.query()),
        "find": find,
        "candidates": [offer.other(*each) for each in asked.state.catalogue.other_prints(attempt)],
        "pinned": asked.state.catalogue.pinned_styles(attempt.content.image_id),
        "most_together": MOST_TOGETHER,
        "found": [offer.style(said) for said in found[:_FOUND]],
        "more": len(found) > _FOUND,
    }
    return render(request, "styles.html.j2", who, context)


@router.post("/entries/{attempt_id}/requests")
def ask_for_style(
    request: Request, asked: AskedFor, who: Judging, style_id: Annotated[int, Form(ge=1, le=MOST_NUMBER)]
) -> Response:
    """Ask for an attempt in these colours.

    Raises:
        UnknownEntry: there is no such attempt, or the style may not be used.
    """
    asked.state.catalogue.add_request(asked.attempt_id, who.name, AttemptRequest(style_id=style_id))
    return back_to_entry(request, asked, "requested")


@router.post("/entries/{attempt_id}/pin")
def pin(
    request: Request,
    asked: AskedFor,
    who: Judging,
    style_ids: Annotated[list[_ImageId], Form(min_length=1, max_length=MOST_TOGETHER)],
) -> Response:
    """Let the original take the colours of these prints together from the next run on, whatever the matching finds.

    Raises:
        UnknownEntry: there is no such attempt, or a style may not be used.
    """
    content = asked.state.catalogue.attempt(asked.attempt_id).content
    asked.state.catalogue.pin_styles(content.image_id, style_ids, who.name)
    return back_to_entry(request, asked, "pinned")


@router.post("/entries/{attempt_id}/unpin")
def unpin(request: Request, asked: AskedFor, _: Judging) -> Response:
    """Let the matching choose again.

    Raises:
        UnknownEntry: there is no such attempt.
    """
    asked.state.catalogue.pin(asked.state.catalogue.attempt(asked.attempt_id).content.image_id, [])
    return back_to_entry(request, asked, "unpinned")


@router.post("/entries/{attempt_id}/requests/{request_id}/withdraw")
def withdraw(
    request: Request, asked: AskedFor, who: Judging, request_id: Annotated[int, Path(ge=1, le=MOST_NUMBER)]
) -> Response:
    """Take a request back; one that was made in the meantime stays as it is.

    Raises:
        UnknownEntry: the content of this attempt has no such request.
    """
    catalogue = asked.state.catalogue
    entry = _request(asked, who, request_id)
    if entry is None:
        raise UnknownEntry(
            f"entry {asked.attempt_id} has no request {request_id} any more; nothing is left to withdraw"
        )
    if not may_withdraw(entry, who):
        only = f"{entry.curator} asked for it: only {entry.curator} or an admin takes it back."
        return fault_page(request, 403, detail=only)
    if not catalogue.withdraw_request(request_id):
        now = _request(asked, who, request_id)
        became = f"it became entry {now.made}" if now else "it was withdrawn in the meantime"
        return fault_page(request, 409, detail=f"The request is no longer pending: {became}.")
    return back_to_entry(request, asked, "request-withdrawn")


def _request(asked: Asked, who: Visitor, request_id: int) -> RequestEntry | None:
    requests = asked.state.catalogue.requests(asked.attempt_id, reader=who.name)
    return next((each for each in requests if each.id == request_id), None)


def back_to_entry(request: Request, asked: Asked, notice: str) -> RedirectResponse:
    """Back to the entry, within the curator's view, with a notice of what was done."""
    address = entry_address(asked.view, asked.attempt_id, notice=notice_value(notice))
    return RedirectResponse(f"{request.scope.get('root_path', '')}{address}", 303)


@dataclass(frozen=True)
class _Offer:
    """What is known of every style that can be offered for one content."""

    asked: Asked
    made: Mapping[str, int]
    """Style's sha256 → the newest attempt."""
    requests: Mapping[int, RequestEntry]
    """Style's image number → the request for it."""
    tried: Collection[int]
    """Styles that a night would only repeat."""

    @classmethod
    def at(cls, asked: Asked, who: Visitor) -> Self:
        catalogue, attempt_id = asked.state.catalogue, asked.attempt_id
        others = reversed(catalogue.attempts_of_content(attempt_id))
        made = {each.style.sha256: each.attempt_id for each in others if each.style}
        requested = catalogue.requests(attempt_id, reader=who.name)
        requests = {
            each.style_id: each for each in requested if each.style_id and not (each.marks_sha256 or each.mask_sha256)
        }
        return cls(asked, made, requests, catalogue.tried_styles(attempt_id))

    def style(self, said: Description, why: Why | None = None) -> OfferedStyle:
        made, has = self.made.get(said.sha256), self.asked.state.tiles.has(said.sha256)
        entry = self.requests.get(said.image_id)
        may_ask = (entry is None or entry.state is RequestState.MADE) and said.image_id not in self.tried
        return OfferedStyle(said, why, made, entry, may_ask, has)

    def other(self, said: Description, match: MatchEntry | None) -> OfferedStyle:
        return self.style(said, Why(match.reasons, match.score, match.rank) if match else None)
