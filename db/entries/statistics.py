"""What the results and verdicts of a catalogue come to, for the statistics page; frozen, counted by the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from db.entries.night import EncoderKey


class Subject(StrEnum):
    """What results are counted by."""

    RECIPE = "recipe"
    NIGHT = "night"
    ARCHIVE = "archive"
    ARTIST = "artist"


@dataclass(frozen=True)
class Mean:
    """A mean with its interval of 95 %, by Student's t; without figures there is none, of one no interval."""

    of: int
    """How many figures."""
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with its interval of 95 %, by Jeffreys; of nothing there is none."""

    number: int
    of: int
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Agreed:
    """How far curators agree on the blind pairs of a group."""

    share: Share
    """Pairs that were given the same verdict by all."""
    alpha: float | None
    """Krippendorff's alpha for nominal words, dimensionless; None: too little to compare."""


@dataclass(frozen=True)
class Group:
    """Results with a picture, and what was said of them; what is withheld is not counted."""

    name: str
    """A recipe, an archive, an artist, the number of a night; empty: of no night, or without an artist."""
    results: int
    succeeded: int
    rejected: int
    """By the machine."""
    approved: int
    returned: int
    withheld: int
    """By curators."""
    approval: Share
    """Approved, of all that were judged."""
    trust: Mean
    errors: Mapping[str, Mean]
    """`content`, `style`, `total`: the relative errors of JADH 2016, means over elements, by the encoder asked for."""
    agreed: Agreed


@dataclass(frozen=True)
class Paired:
    """Two recipes on the same contents: the newest result of each, the figures of the first less the second's."""

    recipes: tuple[str, str]
    contents: int
    differences: Mapping[str, Mean]
    """`content`, `style`, `total` error and `trust`."""
    judged: int
    """Contents on which both have a verdict."""
    only: tuple[int, int]
    """Of these, those on which the first alone was approved, and the second alone."""
    preferred: Share
    """The first's, of those on which they differ."""


@dataclass(frozen=True)
class HeldOut:
    """How near a trained recipe comes to the colours of prints that it was not taught."""

    recipe: str
    prints: int
    ratio: float
    """ΔE00 to the print's own colours over that of leaving it gray, with nishiki's finish: below 1 is better."""
    plain: float
    """The same without the finish."""


@dataclass(frozen=True)
class Statistics:
    """The catalogue by one subject."""

    subject: Subject
    groups: Sequence[Group]
    encoder: EncoderKey | None
    """That the errors are taken with; None: nothing has any."""
    encoders: Sequence[EncoderKey] = field(default_factory=tuple)
    """Those that there are, the most used first: figures of two never compare."""
