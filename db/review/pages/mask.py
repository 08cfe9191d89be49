"""Colour a part: a curator paints over what is to be coloured, and asks for an attempt that leaves the rest.

The browser paints (`static/mask.js`) and sends a PNG of the original's size, or a file that the curator chose; it is
untrusted here. Durable when: the mask first, then the request that names it, as for marks.
"""

import struct
from functools import partial
from io import BytesIO
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from db.entries.night import ImageEntry
from db.entries.review import AttemptRequest
from db.review.access.auth import Judging
from db.review.access.bodies import BoundedRoute
from db.review.pages.entry import AskedFor, entry_address
from db.review.pages.marks import MOST_POINTS, chosen_recipe
from db.review.pages.requests import back_to_entry
from db.review.view.error_pages import fault_page
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
BLACK, WHITE, GRAY_SHARE = 5, 250, 0.02
"""As `colorize` reads masks: codes up to and from which a pixel is black or white, and what part may be neither."""
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


class BadMask(ValueError):
    """What was sent is no mask of this picture; the message says why."""


@router.get("/entries/{attempt_id}/mask")
def mask_page(request: Request, asked: AskedFor, who: Judging) -> HTMLResponse:
    """The original to paint on.

    Raises:
        UnknownEntry: there is no such attempt.
    """
    state = asked.state
    attempt = state.catalogue.attempt(asked.attempt_id)
    content = state.catalogue.image(attempt.content.image_id)
    recipes = state.masking_recipes()
    context = {
        "attempt": attempt,
        "content": content,
        "has_tiles": state.tiles.has(content.sha256),
        "recipes": recipes,
        "chosen_recipe": chosen_recipe(recipes, attempt.recipe.name),
        "most_points": MOST_POINTS,
        "address": partial(entry_address, asked.view),
    }
    return render(request, "mask.html.j2", who, context)


@router.post("/entries/{attempt_id}/mask")
def ask_for_part(
    request: Request, asked: AskedFor, who: Judging, by: Annotated[str, Query(max_length=200)]
) -> Response:
    """Keep the mask, and ask for an attempt by a recipe that colours what is white in it.

    Raises:
        UnknownEntry: there is no such attempt, or its style may not be used any more.
        CatalogueFull: no room for the mask.
    """
    state = asked.state
    if by not in state.masking_recipes():
        return fault_page(request, 422, detail=f"No recipe {by[:80]!r} colours a part only; choose another.")
    content = state.catalogue.image(state.catalogue.attempt(asked.attempt_id).content.image_id)
    try:
        mask = read(request.state.body, content)
    except BadMask as error:
        return fault_page(request, 422, detail=str(error))
    kept = state.catalogue.pictures.add(mask, ".png")
    state.catalogue.add_request(asked.attempt_id, who.name, AttemptRequest(mask_sha256=kept, recipe=by))
    return back_to_entry(request, asked, "requested")


def read(data: bytes, content: ImageEntry) -> bytes:
    """The mask as it is kept: a PNG of the content's size in black and white alone.

    Raises:
        BadMask: it is no PNG, has another size, is neither black nor white in places, or asks for nothing.
    """
    from PIL import Image  # noqa: PLC0415  # only this page and that of tones need it

    if not data.startswith(_SIGNATURE) or len(data) < len(_SIGNATURE) + 8:
        raise BadMask("The mask is no PNG file; save it as PNG, or paint it here.")
    size = struct.unpack_from(">II", data, len(_SIGNATURE))
    if size != (content.width, content.height):  # before any of it is unpacked
        raise BadMask(
            f"The mask has {size[0]} × {size[1]} pixels and the picture {content.width} × {content.height}: "
            "make the mask as large as the original, or paint it here."
        )
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as file:
            codes = file.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadMask(f"The mask cannot be read ({error}); save it anew as PNG, or paint it here.") from error
    counts, whole = codes.histogram(), content.width * content.height
    between = sum(counts[BLACK + 1 : WHITE]) / whole
    if between > GRAY_SHARE:
        raise BadMask(f"The mask is neither black nor white in {between:.0%} of its pixels; white asks for colour.")
    if not sum(counts[128:]):
        raise BadMask("The mask is black all over, so it asks for no colour: paint white where colour is wanted.")
    kept = BytesIO()
    codes.point([0] * 128 + [255] * 128).convert("1").save(kept, "PNG")
    return kept.getvalue()
