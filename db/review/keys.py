"""Every key of the page, in one list, and the page that shows it."""

from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.review.auth import Looking
from db.review.rendering import render

router = APIRouter()


class Key(NamedTuple):
    """One key."""

    key: str
    what: str
    where: str
    """A page, in the page's words."""


_ENTRY, _QUEUE, _EVERYWHERE = "One entry", "Queue", "Every page"
KEYS: Final = (
    Key("a", "Approve, and go to the next entry", _ENTRY),
    Key("r", "Return: then one of the keys 1 to 5 for the reason", _ENTRY),
    Key("1–5", "The reason of a return", _ENTRY),
    Key("Esc", "Leave the reasons, and return nothing", _ENTRY),
    Key("w", "Withhold, and go to the next entry", _ENTRY),
    Key("n", "Write a note", _ENTRY),
    Key("j", "Next entry, without a verdict", _ENTRY),
    Key("k", "Previous entry, without a verdict", _ENTRY),
    Key("u", "Take your last verdict back, or the last ones given in one step", _ENTRY),
    Key("s", "Swipe between original and result", _ENTRY),
    Key("b", "Blink: original and result in turn", _ENTRY),
    Key("o", "Opacity: lay the result over the original", _ENTRY),
    Key("l", "Luma difference: has any line moved?", _ENTRY),
    Key("y", "Link the style print's zoom, or let it go", _ENTRY),
    Key("+", "Zoom in", _ENTRY),
    Key("−", "Zoom out", _ENTRY),
    Key("0", "Fit the pictures into their frames", _ENTRY),
    Key("c", "Candidates: other results for this print", _ENTRY),
    Key("t", "Try another style", _ENTRY),
    Key("m", "Colour here: draw marks", _ENTRY),
    Key("j", "To the next entry of the grid", _QUEUE),
    Key("k", "To the previous entry of the grid", _QUEUE),
    Key("Enter", "Open the entry", _QUEUE),
    Key("x", "Select the entry, or leave it out", _QUEUE),
    Key("Shift + x", "Select all from the last selected entry to this one", _QUEUE),
    Key("u", "Take your last verdict back, or the last ones given in one step", _QUEUE),
    Key("/", "Search", _QUEUE),
    Key("]", "Next page of the queue", _QUEUE),
    Key("[", "Previous page of the queue", _QUEUE),
    Key("g", "First page of the queue", _QUEUE),
    Key("?", "This list", _EVERYWHERE),
)


@router.get("/keys")
def keys(request: Request, who: Looking) -> Response:
    """The page."""
    places = {place: [each for each in KEYS if each.where == place] for place in (_ENTRY, _QUEUE, _EVERYWHERE)}
    return render(request, "keys.html.j2", who, {"places": places})
