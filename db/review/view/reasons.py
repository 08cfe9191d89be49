"""Why a match was made, as the matching and the requests kept it; the templates tell it in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.entries.night import LIKELY_SAME_DESIGN
from db.queries.night.requests import REQUESTED


@dataclass(frozen=True)
class Why:
    """What speaks for a style print; what the records do not share is empty."""

    requested: bool
    """A curator asked for it; the matching had not chosen it."""
    likeness: float | None
    """Of the drawings, as the encoder sees them without their colours: a cosine, in [-1, 1]."""
    artists: tuple[str, ...]
    actors: tuple[str, ...]
    roles: tuple[str, ...]
    years_apart: int | None
    other_genre: str | None = None
    """The style print's, where the records say that it is not the content's."""
    rank: int | None = None
    of: int = 0
    """Candidates that were ranked."""
    inliers: int | None = None
    """Points of the two drawings that lie on one another, where they show one design."""

    @property
    def same_design(self) -> bool:
        """The two are likely impressions of one design."""
        return self.likeness is not None and self.likeness >= LIKELY_SAME_DESIGN


def reasons(kept: Mapping[str, Any], score: float | None, rank: int | None = None, of: int = 0) -> Why:
    """Of a match, as the catalogue holds it."""
    shared = {key: tuple(map(str, kept.get(f"shared_{key}", ()))) for key in ("artists", "actors", "roles")}
    requested = kept.get("why") == REQUESTED["why"]
    genre = kept.get("other_genre")
    years = kept.get("years_apart")
    inliers = kept.get("inliers")
    return Why(requested, score, **shared, years_apart=years, other_genre=genre, rank=rank, of=of, inliers=inliers)
