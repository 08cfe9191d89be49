"""Pictures by their tone, unsure ones first: a curator sets what the picture is, and the next night goes by it.

The small pictures are made of the working copies, for what is no content and no style has no tiles.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from db.entries.night import Tone
from db.errors import PictureMissing
from db.review.access.auth import Judging, Looking
from db.review.access.bodies import BoundedRoute
from db.review.access.state import State
from db.review.view.filter_form import MOST_NUMBER
from db.review.view.notices import notice_value
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
SHOWN: Final = 48
ORDER: Final = (Tone.UNSURE, Tone.TONED, Tone.GRAYSCALE, Tone.COLOUR)
"""As the page lists them: what a person can help with comes first."""
_LONG_EDGE_PX: Final = 400
_KEPT: Final = {"Cache-Control": "private, max-age=31536000, immutable"}

Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]


@dataclass(frozen=True)
class Listed:
    """Which part of the list is looked at: a tone, from behind the picture of this number."""

    tone: Annotated[Tone, Query()] = Tone.UNSURE
    after: Annotated[int, Query(ge=0, le=MOST_NUMBER)] = 0


List = Annotated[Listed, Depends()]
Given = Literal[Tone.GRAYSCALE, Tone.TONED, Tone.COLOUR, "machine"]
"""A tone; or what the machine takes the picture for holds again."""


@router.get("/tones")
def tones_page(request: Request, state: State, who: Looking, listed: List) -> Response:
    """The pictures of one tone, a page at a time."""
    found = state.catalogue.toned_pictures(listed.tone, after=listed.after, limit=SHOWN + 1)
    counts = state.catalogue.tones()
    context = {
        "tone": listed.tone,
        "after": listed.after,
        "counts": {each: counts[each] for each in ORDER},
        "pictures": found[:SHOWN],
        "next": found[SHOWN - 1].image_id if len(found) > SHOWN else None,
    }
    return render(request, "tones.html.j2", who, context)


@router.get("/tones/{image_id}/small.jpg")
def small_picture(state: State, _: Looking, image_id: Number) -> Response:
    """The picture, small.

    Raises:
        UnknownEntry: there is no harvested picture of this number.
        PictureMissing: it has no working copy, or a damaged one.
    """
    sha256 = state.catalogue.toned_picture(image_id).sha256
    try:
        return Response(_small(state.catalogue.working_copies.read(sha256)), headers=_KEPT, media_type="image/jpeg")
    except OSError as error:  # Pillow's own is one, too
        raise PictureMissing(f"picture {image_id} has no sound working copy: {error}") from None


@router.post("/tones/{image_id}")
def give_tone(
    request: Request, state: State, who: Judging, image_id: Number, listed: List, tone: Annotated[Given, Form()]
) -> Response:
    """Keep the curator's word, and go back to the list that they work through.

    Raises:
        UnknownEntry: there is no harvested picture of this number.
    """
    word = "tone-given"
    if tone == "machine":
        word = "correction-taken-back" if state.catalogue.take_tone_back(image_id, who.name) else "nothing-corrected"
    else:
        state.catalogue.give_tone(image_id, who.name, Tone(tone))
    address = f"/tones?tone={listed.tone}&after={listed.after}&notice={notice_value(word, image_id)}"
    return RedirectResponse(request.scope.get("root_path", "") + address, 303)


def _small(png: bytes) -> bytes:
    from PIL import Image  # noqa: PLC0415  # only this page needs it

    file = BytesIO()
    with Image.open(BytesIO(png), formats=("PNG",)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_LONG_EDGE_PX, _LONG_EDGE_PX))
    small.save(file, "JPEG", quality=85)
    return file.getvalue()
