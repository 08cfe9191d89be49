"""Every key of the page, in one list, and the page that shows it."""

from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from db.review.access.addresses import page_before
from db.review.access.auth import Looking
from db.review.view.rendering import render

router = APIRouter()


class Key(NamedTuple):
    """One key."""

    key: str
    what: str
    where: str
    """A page, in the page's words."""


_ENTRY, _QUEUE, _BULK, _CANDIDATES = "One entry", "Queue", "Judge the selection", "Candidates"
_STYLES, _MARKS, _PART, _EVERYWHERE = "Try another style", "Colour here", "Colour a part", "Every page"
_COMPARISON: Final = "Blind comparison"
_PLACES: Final = (_ENTRY, _QUEUE, _BULK, _CANDIDATES, _STYLES, _MARKS, _PART, _COMPARISON, _EVERYWHERE)
KEYS: Final = (
    Key("a", "Approve, and go to the next entry", _ENTRY),
    Key("r", "Return: then one of the keys 1 to 5 for the reason", _ENTRY),
    Key("1–5", "The reason of a return", _ENTRY),
    Key("Esc", "Close the reasons without returning the entry", _ENTRY),
    Key("w", "Withhold, and go to the next entry", _ENTRY),
    Key("n", "Write a note", _ENTRY),
    Key("j", "Next entry, without a verdict", _ENTRY),
    Key("k", "Previous entry, without a verdict", _ENTRY),
    Key("u", "Undo your last verdict or bulk verdict", _ENTRY),
    Key("g", "First picture to compare; Esc leaves the list", _ENTRY),
    Key("i", "Second picture to compare; Esc leaves the list", _ENTRY),
    Key("s", "Swipe between the two pictures", _ENTRY),
    Key("b", "Blink: the two pictures in turn", _ENTRY),
    Key("o", "Opacity: lay the second picture over the first", _ENTRY),
    Key("l", "Lightness difference: has any line moved?", _ENTRY),
    Key("v", "Map of trust: where to look twice", _ENTRY),
    Key("y", "Link the style print's zoom, or unlink it", _ENTRY),
    Key("+", "Zoom in", _ENTRY),
    Key("−", "Zoom out", _ENTRY),
    Key("0", "Fit the pictures into their frames", _ENTRY),
    Key("z", "1 : 1 pixels", _ENTRY),
    Key("[", "Darker; only the view changes", _ENTRY),
    Key("]", "Brighter; only the view changes", _ENTRY),
    Key("q", "Turn the pictures by a quarter; only the view changes", _ENTRY),
    Key("h", "Brightness and turn as they were", _ENTRY),
    Key("e", "One picture, as large as it can be", _ENTRY),
    Key("d", "Two pictures side by side", _ENTRY),
    Key("f", "Large", _ENTRY),
    Key("c", "Candidates: other results for this print", _ENTRY),
    Key("t", "Try another style", _ENTRY),
    Key("m", "Colour here: draw marks", _ENTRY),
    Key("x", "Mark faults: what is wrong, and where", _ENTRY),
    Key("p", "Colour a part: paint a mask", _ENTRY),
    Key("j", "To the next entry of the grid", _QUEUE),
    Key("k", "To the previous entry of the grid", _QUEUE),
    Key("Enter", "Open the entry", _QUEUE),
    Key("x", "Select the entry, or leave it out", _QUEUE),
    Key("Shift + x", "Select all from the last selected entry to this one", _QUEUE),
    Key("b", "Judge the selected", _QUEUE),
    Key("u", "Undo your last verdict or bulk verdict", _QUEUE),
    Key("/", "Search", _QUEUE),
    Key("]", "Next page of the queue", _QUEUE),
    Key("[", "Previous page of the queue", _QUEUE),
    Key("g", "First page of the queue", _QUEUE),
    Key("a", "Approve all of them", _BULK),
    Key("r", "Return: then one of the keys 1 to 5 for the reason", _BULK),
    Key("1–5", "The reason of a return", _BULK),
    Key("Esc", "Close the reasons without returning the entry", _BULK),
    Key("w", "Withhold all of them", _BULK),
    Key("n", "Write a note", _BULK),
    Key("1–9", "Open this result", _CANDIDATES),
    Key("t", "Try another style", _CANDIDATES),
    Key("Esc", "Back to the entry", _CANDIDATES),
    Key("/", "Find a style print by words", _STYLES),
    Key("Esc", "Back to the entry", _STYLES),
    Key("1–7", "Choose a colour", _MARKS),
    Key("b", "Change the width", _MARKS),
    Key("d", "Draw", _MARKS),
    Key("e", "Erase", _MARKS),
    Key("p", "Pick a colour from the result", _MARKS),
    Key("v", "Move the picture", _MARKS),
    Key("o", "Result under the marks", _MARKS),
    Key("z", "Undo", _MARKS),
    Key("Shift + z", "Redo", _MARKS),
    Key("x", "Clear all", _MARKS),
    Key("+", "Zoom in", _MARKS),
    Key("−", "Zoom out", _MARKS),
    Key("0", "Fit the pictures into their frames", _MARKS),
    Key("Arrows", "Move the cross-hair; with Shift by one pixel of the screen", _MARKS),
    Key("Space", "Put a dot, or use the tool", _MARKS),
    Key("Enter", "Begin a stroke, and end it", _MARKS),
    Key("Esc", "Discard the stroke", _MARKS),
    Key("1", "The left one is better", _COMPARISON),
    Key("2", "The right one is better", _COMPARISON),
    Key("0", "Neither is better", _COMPARISON),
    Key("u", "Take the last choice back", _COMPARISON),
    Key("d", "Brush", _PART),
    Key("a", "Outline an area", _PART),
    Key("e", "Take away", _PART),
    Key("b", "Change the width", _PART),
    Key("v", "Move the picture", _PART),
    Key("z", "Undo", _PART),
    Key("Shift + z", "Redo", _PART),
    Key("x", "Clear all", _PART),
    Key("Space", "Put a dot, or use the tool", _PART),
    Key("Enter", "Begin a stroke, and end it", _PART),
    Key("Esc", "Discard the stroke", _PART),
    Key("?", "This list", _EVERYWHERE),
    Key("Esc", "From this list back to where you came from", _EVERYWHERE),
)


@router.get("/keys")
def keys(request: Request, who: Looking) -> Response:
    """The page."""
    places = {place: [each for each in KEYS if each.where == place] for place in _PLACES}
    return render(request, "keys.html.j2", who, {"places": places, "back": way_back(page_before(request))})


def way_back(address: str) -> str:
    """Where they came from; a sample of many was sent for by a form, so the view it was chosen of stands for it."""
    path, _, query = address.partition("?")
    if path in ("/", "/keys", "/bulk"):
        return f"/?{query}" if path != "/keys" else "/"
    return address
