"""How a print's lightness and colours are spread: what tells, beside the record, how its colours suit another print.

`flows.match` compares a content's lightness with a style's, and a style's colours with those of all; measured by
`tests.benchmarks.match choice`. Of a gray picture only the lightness says anything.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorize.images.decode import Pixels
from colorize.images.frame import Frame, find_frame
from colorize.images.resize import resized
from colorize.matching.ranking import Vectors

VERSION: Final = "tones/1"
BINS: Final = 16
LENGTH: Final = BINS + 3
_LONG_EDGE_PX: Final = 128


def tones(pixels: Pixels, frame: Frame | None = None) -> Vectors:
    """A print's tones, float32 (LENGTH,): see `distance`, `spread` and `cast`.

    Shares of pixels up to each of BINS steps of L*, then the standard deviation of chroma, and mean a* and b*.

    Args:
        pixels: uint8, (H, W, 3), sRGB, at any size.
        frame: of the print in it, where that is known.
    """
    framed = (frame or find_frame(pixels)).crop(pixels)
    lab = rgb2lab(resized(framed, _LONG_EDGE_PX)).reshape(-1, 3)
    shares = np.histogram(lab[:, 0], BINS, (0, 100))[0] / len(lab)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    return np.array([*np.cumsum(shares), chroma.std(), *lab[:, 1:].mean(0)], np.float32)


def distance(content: Vectors, styles: Vectors) -> NDArray[np.float32]:
    """How far each style's lightness lies from the content's, (n,), in [0, 1]: the mean gap of their distributions."""
    found: NDArray[np.float32] = np.abs(styles[:, :BINS] - content[:BINS]).mean(1)
    return found


def spread(styles: Vectors) -> NDArray[np.float32]:
    """The standard deviation of each style's chroma, (n,), CIELAB."""
    found: NDArray[np.float32] = styles[:, BINS]
    return found


def cast(styles: Vectors, usual: Vectors) -> NDArray[np.float32]:
    """How far each style's mean a*, b* lies from the usual one's, (n,), CIELAB; `usual`: the median of all styles."""
    found: NDArray[np.float32] = np.linalg.norm(styles[:, BINS + 1 :] - usual[BINS + 1 :], axis=1).astype(np.float32)
    return found
