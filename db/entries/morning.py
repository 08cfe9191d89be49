"""What there is to tell of a night on the morning after; frozen, made by the catalogue for the report and the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from db.entries.night import AttemptEntry
from db.entries.nights import NightEntry

BEFORE = 30
"""Nights that one night is held against."""
LOW_DISK = 0.1
"""Share of the disk below which its room is told."""


@dataclass(frozen=True)
class Compared:
    """One figure of a night's results, beside the nights before that used the same recipe and encoder."""

    name: str
    """`trust`, or one of the relative errors: `total error`, `style error`, `content error`."""
    tonight: float
    """The median of the night's results."""
    before: tuple[float, ...]
    """Medians of those earlier nights that have such results."""

    @property
    def usual(self) -> float | None:
        """The median of the nights before; None: there is none."""
        return median(self.before) if self.before else None

    @property
    def below(self) -> int:
        """How many of the nights before had a lower one."""
        return sum(each < self.tonight for each in self.before)


@dataclass(frozen=True)
class Made:
    """What a night made with one recipe and encoder."""

    recipe: str
    encoder: str
    outcomes: Mapping[str, int]
    seconds: float | None
    """For one attempt, the median."""
    figures: tuple[Compared, ...]


@dataclass(frozen=True)
class Failure:
    """Attempts that failed alike."""

    error: str
    attempts: int
    identifier: str
    """One of their records."""


@dataclass(frozen=True)
class Morning:
    """A night and what followed from it; what waits for a person is as it is now."""

    night: NightEntry
    nights_before: int
    """So many are held against it; no more than `BEFORE`."""
    made: tuple[Made, ...]
    best: tuple[AttemptEntry, ...]
    """By trust where it is told, else by total error."""
    worst: tuple[AttemptEntry, ...]
    failures: tuple[Failure, ...]
    waiting: Mapping[str, int]
    """What waits for a person: `set aside`, `conflicts`, `requests`, `unsure`, `broken`, `to judge`, if any."""
    held_back: Mapping[str, int]
    """Records by reason."""
    set_aside: Sequence[str]
    """Identifiers of pictures set aside, the newest."""
    free_share: float
    """Of the disk that the pictures lie on, in [0, 1]."""
    free_bytes: int
    unended: NightEntry | None
    """The night before, where it was killed."""

    @property
    def disk_low(self) -> bool:
        """Is there little room left for the nights to come?"""
        return self.free_share < LOW_DISK

    @property
    def shown(self) -> tuple[AttemptEntry, ...]:
        """Those whose pictures the report has."""
        return (*self.best, *self.worst)
