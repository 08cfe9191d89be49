"""Which of a file's several pages is the picture; `colorize.images.decode` asks, of TIFF and of JPEG with parts."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL.MpoImagePlugin import MpoImageFile

_TOLD: Final = 5
_SOUGHT: Final = 2**22
"""Bytes of a JPEG's beginning in which the list of its parts must stand."""


@dataclass(frozen=True)
class Page:
    """One of a file's pictures."""

    name: str
    """Counted from 1; `1.2` is the second that page 1 holds within itself."""
    at: int
    """Where it, or its directory, begins."""
    width: int
    height: int
    mask: bool = False
    """It says which pixels of another page count."""


def the_picture(pages: Sequence[Page]) -> Page | None:
    """The largest, the first of equals, whatever the pages say of each other; masks are no pictures."""
    return max((page for page in pages if not page.mask), key=lambda page: page.width * page.height, default=None)


def told(pages: Sequence[Page], taken: Page) -> str:
    """Which page was taken, and which were not."""
    others = [f"{each.name} ({each.width} × {each.height} px)" for each in pages if each is not taken]
    more = f" and {len(others) - _TOLD} more" if len(others) > _TOLD else ""
    return (
        f"The file holds {len(pages)} pages; page {taken.name}, the largest ({taken.width} × {taken.height} px), is "
        f"taken. Left aside: {', '.join(others[:_TOLD])}{more}."
    )


def jpeg_parts(data: bytes) -> list[Page]:
    """The pictures of a JPEG that lists several (MPO); none of a plain one, or where they cannot be read."""
    if data.find(b"MPF\0", 0, _SOUGHT) < 0:
        return []
    found = []
    # what hangs behind a sound picture may be anything
    with (
        suppress(OSError, SyntaxError, ValueError, EOFError, LookupError, AssertionError, TypeError),
        MpoImageFile(BytesIO(data)) as image,
    ):
        for number in range(image.n_frames):
            image.seek(number)
            found.append(Page(str(number + 1), image.offset, *image.size))
    return found
