"""What crosses the catalogue's door of trained colorizers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class ModelEntry:
    """A trained colorizer, as its file's card describes it."""

    checksum: str
    """SHA-256 (hex) of its file."""
    name: str
    method: str
    settings: Mapping[str, Any]
    """What it was trained by."""
    snapshot: str
    """SHA-256 (hex) over those of the prints that it learned from."""
    learned_from: int
    held_out: int
    """Prints."""
    measures: Mapping[str, Any]
    """On the prints that were held out, by finish."""
    code: str
    """Version of nishiki that trained it."""
    made_at: datetime
    retired_at: datetime | None = None

    @classmethod
    def from_card(cls, checksum: str, card: Mapping[str, Any]) -> Self:
        """What the register keeps of a file's card."""
        return cls(
            checksum=checksum,
            name=str(card["name"]),
            method=str(card["method"]),
            settings=card["settings"],
            snapshot=str(card["snapshot"]),
            learned_from=len(card["learned_from"]),
            held_out=len(card["held_out"]),
            measures=card["measures"],
            code=str(card["code"]),
            made_at=datetime.fromisoformat(str(card["made"])),
        )


@dataclass(frozen=True)
class ColourPrint:
    """A colour image of the catalogue that a model may learn from."""

    identifier: str
    sha256: str
    rights: str
    """As the archive words them."""
    designs: frozenset[str]
    """What says that it is of one design with others."""
