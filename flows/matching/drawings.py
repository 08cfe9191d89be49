"""Do the drawings of two stored pictures show one design? Asked by `flows.match`, of the most alike first."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from colorize.errors import UnreadableImage
from colorize.images.working_copy import WorkingCopy
from colorize.matching.geometry import Features, SameDesign, features, same_design
from db.errors import PictureMissing

_REMEMBERED: Final = 256
"""Pictures whose features are kept, about 400 KB each: style prints come again."""


class Drawings:
    """Compares drawings by their working copies; one that cannot be read is of no other's design."""

    def __init__(self, read: Callable[[str], WorkingCopy]) -> None:
        """From what reads the working copy of a stored picture, by its sha256."""
        self._copy = read
        self._features = lru_cache(_REMEMBERED)(self._read)

    def first_of_design(self, content_sha256: str, styles: Iterable[tuple[int, str]]) -> tuple[int, SameDesign] | None:
        """The first style of the content's design, and how it lies on the content.

        Args:
            content_sha256: of the content's picture.
            styles: (image id, sha256), the most alike first.
        """
        content = self._features(content_sha256)
        if content is None:
            return None
        for style_id, sha256 in styles:
            style = self._features(sha256)
            if style is not None and (found := same_design(content, style)):
                return style_id, found
        return None

    def _read(self, sha256: str) -> Features | None:
        try:
            copy = self._copy(sha256)
        except (UnreadableImage, PictureMissing, OSError):
            return None  # embedding it has failed before, and told so
        return features(copy.pixels, copy.frame)
