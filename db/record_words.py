"""A record's words as a curator reads and writes them: one line for each artist, `role / actor` for each of the cast.

The entry's page shows corrections by it and reads its forms by it, and what leaves the catalogue tells them by it.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from db.entries.corrections import Correctable, Value
from db.entries.night import Tone

MOST_LINES: Final = 40
MOST_LETTERS: Final = 200
"""Of a line."""
FIRST_YEAR, LAST_YEAR = 1, 2100
_YEARS: Final = re.compile(r"(\d{1,4})?\s*(?:[-‐–—~〜～/]\s*(\d{1,4})?)?")
_BETWEEN: Final = re.compile(r"\s*[/／]\s*")


def understood(text: str, field: Correctable) -> list[Any]:
    """What a curator wrote, as the catalogue keeps it; nothing written is nothing said.

    Raises:
        ValueError: it is none, or too much.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES or any(len(line) > MOST_LETTERS for line in lines):
        raise ValueError("more than a record's field holds")
    match field:
        case Correctable.TONE:
            return [_tone(lines)]
        case Correctable.YEARS:
            return _years(lines)
        case Correctable.CAST:
            return [_part(line) for line in lines]
        case Correctable.GENRE if len(lines) > 1:
            raise ValueError("a record has one genre")
    return lines


def written(value: Value, field: Correctable) -> str:
    """The inverse: as a form shows it to be changed."""
    if field is Correctable.YEARS:
        return _span(value)
    if field is Correctable.CAST:
        return "\n".join(" / ".join(part) if part[0] else part[1] for part in value)
    return "\n".join(map(str, value))


def in_line(value: Value, field: Correctable, told: Callable[[str], str] = str) -> str:
    """On one line, to be read; a dash for nothing.

    Args:
        value: the field's.
        field: which.
        told: a text in the reader's language.
    """
    if field is Correctable.TONE:
        return told(value[0])
    if field is Correctable.YEARS:
        return _span(value) or "–"
    if field is Correctable.CAST:
        return told(", ").join(_acted(role, actor, told) for role, actor in value) or "–"
    return told(", ").join(map(str, value)) or "–"


def _acted(role: str, actor: str, told: Callable[[str], str]) -> str:
    return told("%(actor)s as %(role)s") % {"actor": actor, "role": role} if role and actor else actor or role


def _tone(lines: list[str]) -> str:
    if lines not in ([Tone.GRAYSCALE], [Tone.TONED], [Tone.COLOUR]):
        raise ValueError("no tone that a curator can set")
    return lines[0]


def _part(line: str) -> list[str]:
    """Role and actor; without a stroke, an actor."""
    role, *actor = _BETWEEN.split(line, maxsplit=1)
    return [role.strip(), actor[0].strip()] if actor else ["", role]


def _years(lines: list[str]) -> list[int | None]:
    """First and last; one year is both, one beside a dash leaves the other open."""
    text = " ".join(lines)
    if (found := _YEARS.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is no year or span of years, such as 1852 or 1850-1855")
    years = [int(year) if year else None for year in found.groups()]
    if text.isdecimal():
        years[1] = years[0]
    known = [year for year in years if year is not None]
    if any(not FIRST_YEAR <= year <= LAST_YEAR for year in known) or known != sorted(known):
        raise ValueError(f"{text!r} is no span of years that a print can have")
    return years


def _span(value: Value) -> str:
    first, last = ("" if year is None else str(year) for year in value)
    return first if first == last else f"{first}\N{EN DASH}{last}"
