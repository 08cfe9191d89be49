"""Faults of a result that curators mark: what is wrong, and where in the picture."""

from dataclasses import astuple, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

MOST_BOXES: Final = 100
"""On one result, of one curator."""
_WHOLE: Final = 1 + 1e-6
"""A box drawn to the edge may miss it by the rounding of its sums."""


class FaultKind(StrEnum):
    """What is wrong with a result."""

    BLEEDING = "colour bleeding"
    PATCHES = "patches"
    WRONG_COLOUR = "wrong colour"
    PAPER = "paper tone"
    FACE = "face"
    LETTERING = "lettering lost"
    """A seal or writing that the colours hide."""
    MATCH = "wrong match"
    MARGINS = "margins"


@dataclass(frozen=True, order=True)
class Box:
    """A part of the picture, in shares of its width and height, all in [0, 1]."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not (min(astuple(self)) >= 0 and self.left + self.width <= _WHOLE and self.top + self.height <= _WHOLE):
            raise ValueError(f"the box {astuple(self)} does not lie within the picture")
        if not (self.width and self.height):
            raise ValueError(f"the box {astuple(self)} is empty")


@dataclass(frozen=True)
class Fault:
    """What is wrong; `box` is None where it is so all over the picture."""

    kind: FaultKind
    box: Box | None = None


@dataclass(frozen=True)
class FaultEntry:
    """A fault as it is kept."""

    id: int
    attempt_id: int
    curator: str
    fault: Fault
    marked_at: datetime
