"""One score for a content and a style, from what they share: called by `flows.match` for each pair of a short list.

score = .59 / (1 + exp(−2 g)), g = Σ weight · what is shared − Σ weight · what differs: g is the expected saving in
log ΔE00 over gray's, and .3 a pair of which nothing speaks for either. What pictures say counts for ± MOST_OF_PICTURE
at most, so that it does not drown the record. Impressions of one design lie above all others,
at .6 + .4 · correlation of their drawings; prints of another genre at a tenth of what they would have.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from db.entries.night import LIKELY_SAME_DESIGN
from flows.matching.known import Known
from flows.matching.shared import PictureLikeness, Shared, shared
from flows.matching.weights import MatchWeights

MOST_OF_PICTURE: Final = 0.25
OF_PICTURE: Final = frozenset({"likeness", "composition", "tones", "spread", "cast"})
STEEPNESS: Final = 2.0
_MOST: Final = LIKELY_SAME_DESIGN - 0.01
"""Of prints of other designs."""
_USUAL: Final = {"tones": 0.14, "spread": 10.0, "cast": 5.0}
"""What the measures against a style are on ordinary pairs: taken where one is not known, so that it counts nothing."""


@dataclass(frozen=True)
class Scored:
    """A style under consideration for a content."""

    style_id: int
    score: float
    """In [0, 1]."""
    other_genre: bool = False
    reasons: Mapping[str, Any] = field(default_factory=dict)
    """JSON-able, told by `db.review.view.match_words`."""
    registration: Mapping[str, Any] | None = None
    """How it lies on the content where both are of one design."""

    @property
    def same_design(self) -> bool:
        """The drawings show both to be of one design."""
        return self.registration is not None


def score(content: Known, style: Known, picture: PictureLikeness, weights: MatchWeights) -> Scored:
    """How well a style suits, and why."""
    common = shared(content, style, picture)
    values = _values(common)
    parts = {name: getattr(weights, name) * value for name, value in values.items()}
    of_picture = sum(part for name, part in parts.items() if name in OF_PICTURE)
    of_record = sum(part for name, part in parts.items() if name not in OF_PICTURE)
    seen = max(-MOST_OF_PICTURE, min(MOST_OF_PICTURE, of_picture))
    fit = 1 / (1 + math.exp(-STEEPNESS * min(50.0, of_record + seen)))
    if picture.registration is not None:
        value = LIKELY_SAME_DESIGN + (1 - LIKELY_SAME_DESIGN) * float(picture.registration["correlation"])
    else:
        value = fit * _MOST * (0.1 if common.other_genre else 1)
    weighed = {name: round(value, 4) for name, value in values.items() if value}
    reasons = common.data() | {"score": round(value, 4), "values": weighed}
    return Scored(style.image_id, value, common.other_genre, reasons, picture.registration)


def _values(common: Shared) -> dict[str, float]:
    """What is weighed: what the two share, and how much less than usual they differ."""
    picture = common.picture
    values = {name: getattr(common, name) for name in ("series", "play", "role", "actor", "artist", "time")}
    values |= {"actor_in_period": common.actor * common.time, "likeness": picture.cosine or 0.0}
    values["composition"] = max(0.0, picture.composition or 0.0)
    against = {name: getattr(picture, name) for name in _USUAL}
    return values | {name: _USUAL[name] - value for name, value in against.items() if value is not None}
