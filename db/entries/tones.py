"""What crosses the catalogue's door about the tones of pictures."""

from dataclasses import dataclass
from datetime import datetime

from db.entries.night import Description, Tone


@dataclass(frozen=True)
class GivenTone:
    """A person's word on a picture's tone, and what it was until then."""

    curator: str
    tone: Tone
    before: Tone
    given_at: datetime
    taken_back: bool = False
    """The machine's word holds again."""


@dataclass(frozen=True)
class TonedPicture:
    """A harvested picture with its tone, what its record says, and what people said of its tone, oldest first."""

    image_id: int
    sha256: str
    tone: Tone
    said: Description
    machine_tone: Tone | None = None
    """Where a person's word on the tone stands."""
    given: tuple[GivenTone, ...] = ()


@dataclass(frozen=True)
class KeptPicture:
    """A harvested picture that is to be judged."""

    image_id: int
    sha256: str
    mode: str
