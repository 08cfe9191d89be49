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
    "bulk",
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


def notice_of(request: Request) -> Notice | None:
    """The notice that the address carries, as `notice=approved.12`; None for none that we know."""
    word, _, number = request.query_params.get("notice", "").partition(".")
    if word not in NOTICES:
        return None
    return Notice(word, int(number) if number.isdecimal() and len(number) < 10 else None)


def notice_value(word: str, number: int | None = None) -> str:
    """The parameter's value.

    Raises:
        ValueError: a word that the page does not know.
    """
    if word not in NOTICES:
        raise ValueError(f"{word!r} is no notice")
    return word if number is None else f"{word}.{number}"
