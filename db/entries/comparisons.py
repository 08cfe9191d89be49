"""Blind comparisons: two results of one print, shown without their recipes, and which of them a curator chose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from db.entries.statistics import Mean, Share


class Side(StrEnum):
    """What was chosen."""

    LEFT = "left"
    RIGHT = "right"
    NEITHER = "neither"


@dataclass(frozen=True)
class Comparable:
    """Two recipes that have results of the same prints."""

    digests: tuple[str, str]
    recipes: tuple[str, str]
    """Their names."""
    contents: int


@dataclass(frozen=True)
class Offered:
    """The pair that one curator sees next. Nothing of it tells which recipe made which."""

    attempts: tuple[int, int]
    """As they are kept; the first is of the recipe whose digest comes first."""
    left: int
    """The one of them that stands left, by chance, and always the same for this curator."""
    content_sha256: str
    output_sha256: tuple[str, str]
    """Left, right."""
    remaining: int
    """Pairs that wait for this curator, with this one."""

    @property
    def right(self) -> int:
        """The other one."""
        return sum(self.attempts) - self.left


@dataclass(frozen=True)
class Preference:
    """What the choices between two recipes come to."""

    recipes: tuple[str, str]
    won: int
    lost: int
    """By the first."""
    even: int
    """Neither was the better."""
    rate: Share
    """Won by the first, of those that one of them won."""


@dataclass(frozen=True)
class Preferences:
    """All choices that stand."""

    pairs: Sequence[Preference]
    strengths: Sequence[tuple[str, Mean]]
    """Recipe → its chance against one of mean strength, in [0, 1], by Bradley and Terry; the strongest first."""
    left: Share
    """How often what stood left was chosen: .5, if the place made no difference."""


@dataclass(frozen=True)
class ChoiceMade:
    """One choice, for the file of all."""

    at: datetime
    curator: str
    content_sha256: str
    left_attempt: int
    left_recipe: str
    right_attempt: int
    right_recipe: str
    chosen: Side
    undone_at: datetime | None
