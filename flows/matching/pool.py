"""Which styles are worth scoring for a content: an index by what records say, so that not all pairs are compared."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flows.matching.known import Known

MOST: Final = 200
_OF_A_KEY: Final = 60


@dataclass(frozen=True)
class Index:
    """Styles by what their records say, those of each thing by year."""

    places: dict[tuple[str, str], list[tuple[float, int]]]

    @classmethod
    def of(cls, styles: Iterable[Known]) -> "Index":
        """Built once for a night: one pass over all styles."""
        places = defaultdict(list)
        for style in styles:
            for key in set(style.looked_up()):
                places[key].append((style.year or 0.0, style.image_id))
        for row in places.values():
            row.sort()
        return cls(dict(places))

    def pool(self, content: Known, most: int = MOST) -> list[int]:
        """At most so many styles that share something, of each thing those nearest in time; rarer kinds first."""
        found: dict[int, None] = {}
        for key in content.looked_up():
            row = self.places.get(key, [])
            middle = bisect_left(row, (content.year or 0.0, 0))
            start = max(0, min(middle - _OF_A_KEY // 2, len(row) - _OF_A_KEY))
            found |= dict.fromkeys(image_id for _, image_id in row[start : start + _OF_A_KEY])
        return [image_id for image_id in found if image_id != content.image_id][:most]
