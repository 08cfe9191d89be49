"""Colour here: a curator draws dots and strokes on the original, and asks for an attempt that spreads them.

The browser draws (`static/marks.js`) and sends JSON; it is untrusted here. Durable when: the file of marks first, then
the request that names it; a crash between the two leaves a file that `nishiki doctor` finds.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.entries.night import ImageEntry
from db.entries.review import AttemptRequest
from db.errors import PictureMissing
from db.review.access.auth import Judging
from db.review.access.bodies import BoundedRoute
from db.review.pages.entry import Asked, AskedFor, entry_address
from db.review.pages.requests import back_to_entry
from db.review.view.error_pages import fault_page
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
PIGMENTS: Final = {"beni": "#d2625c", "bengara": "#93452f", "gamboge": "#d6a02e", "ai": "#345474", "sumi": "#262428"}
"""As `colorize` knows them; a test holds them to it."""
PAPER: Final = "#e6d9bd"
"""Unprinted: a warm white; of a mark's colour the lightness is not used."""
MOST_POINTS: Final = 20_000
ONLY_MARKS: Final = "nishiki/marks"
"""The recipe that colours by marks alone; the others lay them over what they find themselves."""

_Coordinate = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Mark(BaseModel):
    """A dot (one point) or a stroke, in pixels of the content at full size."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    points: Annotated[tuple[tuple[_Coordinate, _Coordinate], ...], Field(min_length=1, max_length=MOST_POINTS)]
    width: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class Marks(BaseModel):
    """What is kept, as `colorize` reads it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marks: Annotated[tuple[Mark, ...], Field(min_length=1, max_length=MOST_POINTS)]

    def faults(self, content: ImageEntry) -> Iterator[str]:
        """What does not fit on this content, in words."""
        count = sum(len(mark.points) for mark in self.marks)
        if count > MOST_POINTS:
            yield f"There are {count:,} points, over the limit of {MOST_POINTS:,}: remove some marks."
        widest = max(content.width, content.height) / 4
        for number, mark in enumerate(self.marks, start=1):
            if mark.width > widest:
                yield f"Mark {number} is {mark.width:g} pixels wide; {widest:g} are the most on this picture."
            if any(x >= content.width or y >= content.height for x, y in mark.points):
                yield f"Mark {number} lies outside the picture of {content.width} × {content.height} pixels."


class Sent(Marks):
    """What the browser sends."""

    recipe: Annotated[str, Field(max_length=200)]


@router.get("/entries/{attempt_id}/marks")
def marks_page(request: Request, asked: AskedFor, who: Judging) -> HTMLResponse:
    """The original to draw on, with the marks that were drawn on it last.

    Raises:
        UnknownEntry: there is no such attempt.
    """
    state = asked.state
    attempt = state.catalogue.attempt(asked.attempt_id)
    content = state.catalogue.image(attempt.content.image_id)
    context = {
        "attempt": attempt,
        "content": content,
        "has_tiles": state.tiles.has(content.sha256),
        "result": attempt.output_sha256 if attempt.output_sha256 and state.tiles.has(attempt.output_sha256) else None,
        "recipes": state.marking_recipes,
        "chosen_recipe": chosen_recipe(state.marking_recipes, attempt.recipe.name),
        "only_marks": ONLY_MARKS,
        "pigments": PIGMENTS,
        "paper": PAPER,
        "most_points": MOST_POINTS,
        "earlier": _earlier(asked, who.name),
        "address": partial(entry_address, asked.view),
    }
    return render(request, "marks.html.j2", who, context)


@router.post("/entries/{attempt_id}/marks")
def ask_for_marks(request: Request, asked: AskedFor, who: Judging) -> Response:
    """Keep the marks, and ask for an attempt with them.

    Raises:
        RequestValidationError: what was sent is no marks.
        UnknownEntry: there is no such attempt, or its style may not be used any more.
        CatalogueFull: no room for the marks.
    """
    state, sent = asked.state, _sent(request)
    if sent.recipe not in state.marking_recipes:
        return fault_page(request, 422, detail=f"No recipe {sent.recipe[:80]!r} takes marks here; choose another.")
    content = state.catalogue.image(state.catalogue.attempt(asked.attempt_id).content.image_id)
    if faults := list(sent.faults(content)):
        return fault_page(request, 422, detail=" ".join(faults[:5]))
    kept = state.catalogue.pictures.add(sent.model_dump_json(include={"marks"}).encode(), ".json")
    state.catalogue.add_request(asked.attempt_id, who.name, AttemptRequest(marks_sha256=kept, recipe=sent.recipe))
    return back_to_entry(request, asked, "requested")


def _sent(request: Request) -> Sent:
    try:
        return Sent.model_validate_json(request.state.body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


def chosen_recipe(offered: Sequence[str], own: str) -> str | None:
    """The entry's own, so that what is asked for mends what is seen; else the first."""
    return own if own in offered else next(iter(offered), None)


def _earlier(asked: Asked, reader: str) -> str:
    """The marks drawn on this content last, as JSON; empty where there are none, or they are none of this page's."""
    requests = asked.state.catalogue.requests(asked.attempt_id, reader=reader)
    drawn = [each.marks_sha256 for each in requests if each.marks_sha256]
    if not drawn:
        return ""
    try:
        return Marks.model_validate_json(asked.state.catalogue.pictures.read(drawn[-1])).model_dump_json()
    except (PictureMissing, ValidationError):
        return ""
