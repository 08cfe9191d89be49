"""What a curator puts right: words of a record, and the tone of its picture, beside what archive and machine said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.entries.night import Description, RecordEntry, Tone


class Correctable(StrEnum):
    """What can be put right. The tone is a picture's, the rest a record's."""

    TONE = "tone"
    GENRE = "genre"
    ARTISTS = "artists"
    CAST = "cast"
    YEARS = "years"


Value = Sequence[Any]
"""Of a field, JSON-able: one genre or none; artists; [role, actor] for each of the cast; first and last year, each None
where it is open; one tone."""


@dataclass(frozen=True)
class Correction:
    """A curator's word in place of `before`; taken back, the archive's or the machine's own holds again."""

    field: Correctable
    curator: str
    before: Value
    after: Value
    taken_back: bool
    given_at: datetime


@dataclass(frozen=True)
class CorrectedRecord:
    """A word of a curator on a record, and which."""

    archive: str
    identifier: str
    correction: Correction


@dataclass(frozen=True)
class PutRight:
    """What was put right of one picture and its record."""

    tone: Tone
    machine_tone: Tone | None
    """Where a curator's word on the tone stands."""
    history: tuple[Correction, ...]
    """Oldest first."""

    def last(self, field: Correctable) -> Correction | None:
        """The newest word on a field."""
        return next((each for each in reversed(self.history) if each.field == field), None)


def value_of(said: RecordEntry | Description, field: Correctable) -> list[Any]:
    """What a record says in this field.

    Raises:
        ValueError: a tone, which no record says.
    """
    match field:
        case Correctable.GENRE:
            return [said.genre] if said.genre else []
        case Correctable.ARTISTS:
            return [*said.artists]
        case Correctable.CAST:
            return [[role, actor] for role, actor in said.cast]
        case Correctable.YEARS:
            return [said.year_from, said.year_to]
    raise ValueError("a record says no tone; its picture has one")


def attributes(values: Mapping[Correctable, Value]) -> dict[str, Any]:
    """The same as a record's entry names it: the inverse of `value_of`."""
    found: dict[str, Any] = {}
    for field, value in values.items():
        match field:
            case Correctable.GENRE:
                found["genre"] = next(iter(value), None)
            case Correctable.ARTISTS:
                found["artists"] = tuple(value)
            case Correctable.CAST:
                found["cast"] = tuple((role, actor) for role, actor in value)
            case Correctable.YEARS:
                found["year_from"], found["year_to"] = value
    return found
