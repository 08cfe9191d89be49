"""What the last step did, told on the page that comes after it: a word of this list in the address, with its numbers.

Nothing of the address is shown but numbers, so that no link can put words into the page's mouth.
"""

from dataclasses import dataclass
from typing import Final

from fastapi import Request

NOTICES: Final = {
    "approved",
    "returned",
    "withheld",
    "undone",
    "nothing-to-undo",
    "conflict",
    "spoken-between",
    "already-given",
    "bulk",
    "nothing-chosen",
    "wished",
    "wish-withdrawn",
    "signed-out",
    "queue-done",
}


@dataclass(frozen=True)
class Notice:
    """Which, and of what."""

    word: str
    number: int | None
    """An attempt's, or how many."""
    left_out: int = 0
    """How many more were meant and not judged."""


def notice_of(request: Request) -> Notice | None:
    """The notice that the address carries, as `approved.12` or `bulk.12.3`; None for none that we know."""
    word, *parts = request.query_params.get("notice", "").split(".")
    if word not in NOTICES:
        return None
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) < 10]
    return Notice(word, *numbers[:2]) if numbers else Notice(word, None)


def notice_value(word: str, *numbers: int) -> str:
    """The parameter's value: the word, then what `Notice` holds besides.

    Raises:
        ValueError: a word that the page does not know.
    """
    if word not in NOTICES:
        raise ValueError(f"{word!r} is no notice")
    return ".".join((word, *map(str, numbers)))
