"""The working copy: a picture made smaller once, with its frame, for all that looks at many pictures.

Harvest makes it from the one decode of an original, `flows.upkeep.working_copies` keeps it as a file; matching and
training read it. What is colorized or shown in tiles is the original itself. Whoever changes what is made here, the
frame included, raises `VERSION` in `db/files/working_copies.py`. Knows no folder.
"""

import json
from dataclasses import asdict, dataclass
from typing import Final

import cv2
import numpy as np

from colorize.errors import UnreadableImage
from colorize.images import png
from colorize.images.decode import Pixels, decode, header
from colorize.images.frame import Frame, find_frame
from colorize.images.resize import working_size

LONG_EDGE_PX: Final = 1024
DECODED_PX: Final = 1536
"""Long edge at which an original must be decoded for it at least: half as much again keeps the edges of lines."""

_FRAME: Final = "nishiki frame"


@dataclass(frozen=True, eq=False)
class WorkingCopy:
    """A picture whose long edge has `LONG_EDGE_PX` at most, and where the print lies in it."""

    pixels: Pixels
    frame: Frame
    """Found on the original as it was decoded, in pixels of the copy."""

    @property
    def framed(self) -> Pixels:
        """The print without mount and colour chart."""
        return self.frame.crop(self.pixels)


def working_copy(pixels: Pixels) -> WorkingCopy:
    """The copy of a picture; one that is small enough is its own.

    Args:
        pixels: uint8, (H, W, 3), sRGB, as decoded with `DECODED_PX`.
    """
    frame = find_frame(pixels)
    if max(pixels.shape) <= LONG_EDGE_PX:
        return WorkingCopy(pixels, frame)
    height, width = pixels.shape[:2]
    size = working_size(width, height, LONG_EDGE_PX, multiple=1)
    # Lanczos takes three times as long, and matching finds the same with either
    small: Pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return WorkingCopy(small, frame.scaled(pixels.shape, small.shape))


def to_png(copy: WorkingCopy) -> bytes:
    """The copy as a PNG that carries its frame; of one channel where it is gray."""
    gray = bool((copy.pixels == copy.pixels[..., :1]).all())
    text = png.text(_FRAME, json.dumps(asdict(copy.frame)))
    return png.written(copy.pixels[..., :1] if gray else copy.pixels, text)


def from_png(data: bytes) -> WorkingCopy:
    """The inverse of `to_png`.

    Raises:
        UnreadableImage: the file is damaged, or none of these.
    """
    pixels = decode(data, max_pixels=LONG_EDGE_PX**2).pixels
    try:
        frame = Frame(**json.loads(header(data)[_FRAME]))
    except (LookupError, TypeError, ValueError) as error:
        raise UnreadableImage(f"the working copy has no frame ({error}); run: nishiki doctor --mend") from None
    return WorkingCopy(pixels, frame)
