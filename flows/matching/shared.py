"""What two records and two pictures have in common, as numbers in [0, 1] and as data for a reader."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.matching.known import Known
from flows.matching.names import Name

DECAY_YEARS: Final = 15
"""Years apart at which nearness in time has fallen to 1/e: pigments change."""


@dataclass(frozen=True)
class PictureLikeness:
    """How two pictures compare; None where it is not known."""

    cosine: float | None = None
    """Of their embeddings, in [−1, 1]."""
    composition: float | None = None
    """Of their region descriptors, in [−1, 1]."""
    registration: Mapping[str, Any] | None = None
    """How the style lies on the content where their drawings show one design: `SameDesign.data`."""
    tones: float | None = None
    """Distance of their lightness, `colorize.matching.tones`: 0 to 1."""
    spread: float | None = None
    """Of the style's chroma, CIELAB."""
    cast: float | None = None
    """Distance of the style's mean colour from that of all style prints, CIELAB."""


@dataclass(frozen=True)
class Shared:
    """What a content and a style have in common."""

    series: float
    play: float
    role: float
    actor: float
    """1: the same person; less where a record leaves the generation open."""
    artist: float
    time: float
    """exp(−years apart / DECAY_YEARS), 0 where a date is missing."""
    years: tuple[int, int] | None
    other_genre: bool
    picture: PictureLikeness

    def data(self) -> dict[str, Any]:
        """What a match keeps of it, JSON-able; what is not shared is left out."""
        said: dict[str, Any] = {
            f"same_{kind}": round(value, 2)
            for kind in ("series", "play", "role", "actor", "artist")
            if (value := getattr(self, kind))
        }
        if self.years:
            said |= {"years": list(self.years), "years_apart": abs(self.years[0] - self.years[1])}
        for kind in ("cosine", "composition", "tones"):
            if (value := getattr(self.picture, kind)) is not None:
                said[kind] = round(value, 4)
        if laid := self.picture.registration:
            said |= {"inliers": laid["inliers"], "drawings_correlation": round(laid["correlation"], 3)}
        return said | {"same_design": laid is not None} | ({"other_genre": True} if self.other_genre else {})


def shared(content: Known, style: Known, picture: PictureLikeness) -> Shared:
    """Of two records and the likeness of their pictures."""
    dated = content.year is not None and style.year is not None
    years = (round(content.year or 0), round(style.year or 0)) if dated else None
    return Shared(
        series=_overlap(content.series, style.series),
        play=_overlap(content.plays, style.plays),
        role=_overlap(content.roles, style.roles),
        actor=_agreement(content.actors, style.actors),
        artist=_agreement(content.artists, style.artists),
        time=math.exp(-abs(years[0] - years[1]) / DECAY_YEARS) if years else 0.0,
        years=years,
        other_genre="" not in (content.genre, style.genre)
        and content.genre != style.genre
        and picture.registration is None,
        picture=picture,
    )


def _overlap(one: Collection[str], other: Collection[str]) -> float:
    return float(not set(one).isdisjoint(other))


def _agreement(one: Sequence[Name], other: Sequence[Name]) -> float:
    return max((name.agreement(each) for name in one for each in other), default=0.0)
