"""What the last step did, told on the page that comes after it: a word of this list in the address, with its numbers.

Nothing of the address is shown but numbers, so that no link can put words into the page's mouth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request

NOTICES: Final = {
    "approved",
    "returned",
    "wrong-match",
    "withheld",
    "undone",
    "nothing-to-undo",
    "conflict",
    "spoken-between",
    "already-given",
    "bulk",
    "nothing-chosen",
    "faults-kept",
    "comment-kept",
    "corrected",
    "correction-taken-back",
    "nothing-corrected",
    "view-saved",
    "views-full",
    "assigned",
    "assign-nobody",
    "assign-nothing",
    "assign-twice",
    "assign-full",
    "assignment-done",
    "assignment-taken-back",
    "assignment-gone",
    "password-changed",
    "requested",
    "request-withdrawn",
    "pinned",
    "unpinned",
    "released",
    "held-back-again",
    "note-missing",
    "tone-given",
    "choice-kept",
    "choice-kept-before",
    "choice-undone",
    "no-choice-to-undo",
    "export-begun",
    "carried-on",
    "night-at-work",
    "export-at-work",
    "signed-out",
    "not-kept",
    "view-end",
    "queue-done",
}
_BETWEEN: Final = "~"
"""Needs no escape in an address."""
_LONGEST: Final = 100


@dataclass(frozen=True)
class Notice:
    """Which, and of what."""

    word: str
    number: int | None
    """An attempt's, or how many."""
    left_out: int = 0
    """How many more were meant and not judged."""
    conflicts: int = 0
    """How many of the judged contradict another's word."""


def notices_of(request: Request) -> list[Notice]:
    """The notices that the address carries, as `bulk.12.3.1` or `approved.12~queue-done`; those that we know."""
    told = request.query_params.get("notice", "")[:_LONGEST].split(_BETWEEN)
    return [_notice(word, parts) for word, *parts in (each.split(".") for each in told) if word in NOTICES]


def both(*values: str) -> str:
    """The parameter's value for several notices, in the order of telling."""
    return _BETWEEN.join(values)


def notice_value(word: str, *numbers: int) -> str:
    """The parameter's value: the word, then what `Notice` holds besides.

    Raises:
        ValueError: a word that the page does not know.
    """
    if word not in NOTICES:
        raise ValueError(f"{word!r} is no notice")
    return ".".join((word, *map(str, numbers)))


def _notice(word: str, parts: Sequence[str]) -> Notice:
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) < 10]
    return Notice(word, *numbers[:3]) if numbers else Notice(word, None)
