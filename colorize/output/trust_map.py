"""The map of trust: where in a picture its colours are likely to be accepted, drawn for a person."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.results import Colorization

LONG_EDGE_PX: Final = 512
_STEPS: Final = 16
"""As many shades as an eye tells apart; a file of all 256 has four times the size."""
_DOUBTED, _TRUSTED, _OUTSIDE = (226, 92, 0), (255, 255, 255), (216, 216, 216)
"""sRGB; told apart by their lightness, too. White leaves the print as it is where a page lays the map over it."""


def trust_map(result: Colorization) -> Pixels | None:
    """White where colours are trusted, ever deeper orange where they are not, gray outside the print.

    Returns:
        uint8 (h, w, 3), sRGB, of the picture's proportions; None where the method tells no trust.
    """
    if result.trust is None:
        return None
    shape = result.picture.shape
    scale = min(1.0, LONG_EDGE_PX / max(shape[:2]))
    drawn = np.full((*(max(1, round(side * scale)) for side in shape[:2]), 3), _OUTSIDE, np.uint8)
    frame = (result.frame or Frame(0, 0, *shape[:2])).scaled(shape, drawn.shape)
    inside = frame.crop(drawn)
    inside[:] = _coloured(result.trust, inside.shape)
    return drawn


def _coloured(trust: NDArray[np.uint8], shape: tuple[int, ...]) -> Pixels:
    smooth = Image.fromarray(trust).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    part = np.rint(np.asarray(smooth, np.float32)[..., None] / 255 * _STEPS) / _STEPS
    return np.rint(part * _TRUSTED + (1 - part) * _DOUBTED).astype(np.uint8)
