"""Why a match was made, as the matching and the requests kept it; the templates tell it in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.entries.night import LIKELY_SAME_DESIGN, PINNED_BY, is_weak
from db.queries.night.requests import REQUESTED


@dataclass(frozen=True)
class Why:
    """What speaks for a style print."""

    kept: Mapping[str, Any]
    """What the two share, told by `db.review.view.match_words`."""
    score: float | None
    """Of the match, in [-1, 1]."""
    rank: int | None = None
    of: int = 0
    """Candidates that were ranked."""

    @property
    def requested(self) -> bool:
        """A curator asked for it; the matching had not chosen it."""
        return self.kept.get("why") == REQUESTED["why"]

    @property
    def pinned_by(self) -> str:
        """The curator who chose it in the rule's place; empty: nobody."""
        return str(self.kept.get(PINNED_BY, ""))

    @property
    def same_design(self) -> bool:
        """The two are likely impressions of one design."""
        return self.score is not None and self.score >= LIKELY_SAME_DESIGN

    @property
    def weak(self) -> bool:
        """Little speaks for it."""
        return is_weak(self.score, self.kept)

    @property
    def inliers(self) -> int | None:
        """Points of the two drawings that lie on one another, where they show one design."""
        return self.kept.get("inliers")
