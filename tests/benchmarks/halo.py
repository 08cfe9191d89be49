"""How far colour of one side reaches past a key line: two flat areas of one lightness, drawn as at 12 megapixels.

Their chroma is found at the working size, an eighth of the scan's, where a line of 2 to 6 px has vanished.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2lab

from colorize.finish.fullsize import recomposed
from colorize.finish.guided_filter import Guide
from colorize.images.frame import Frame

Floats = NDArray[np.float32]

SCAN_PX, LOW_PX = (480, 640), (58, 77)
GROUND, INK, GRAIN = 170, 20, 2.0
SIDES = np.array([[35, 25], [-15, -25]], np.float32)
"""a, b of the two areas."""
REACHES = 0.1
"""Share of the other side's colour that counts as reaching."""
SHAPES = ("upright", "slanting", "round", "narrow", "waves")
WIDTHS_PX = (2, 4, 6)


def halo(shape: str, width_px: int) -> int:
    """The farthest distance from the line, in px of the scan, where the other side's colour still shows in the mean."""
    signed = _signed(shape)
    inked: Floats = np.clip(width_px / 2 - np.abs(signed) + 0.5, 0, 1)
    side, past = (signed > 0).astype(np.intp), np.abs(signed) - width_px / 2
    own, other = SIDES[side], SIDES[1 - side]
    coloured = recomposed(
        _scan(inked), _means(np.asarray(own * (1 - inked)[..., None], np.float32)), Frame(0, 0, *SCAN_PX), Guide(3)
    )
    off = ((rgb2lab(coloured)[..., 1:] - own) * (other - own)).sum(-1) / ((other - own) ** 2).sum(-1)
    place = past[past > 0].astype(np.intp)
    mean = np.bincount(place, off[past > 0]) / np.bincount(place).clip(1)
    return int(np.append(0, np.flatnonzero(mean > REACHES) + 1).max())


def _signed(shape: str) -> Floats:
    """Distance from the line's middle, (H, W), in px: below 0 on one side."""
    down, across = np.mgrid[: SCAN_PX[0], : SCAN_PX[1]].astype(np.float32)
    down, across = down - SCAN_PX[0] / 2, across - SCAN_PX[1] / 2 - 3.3
    shapes = {
        "upright": across,
        "slanting": across * 0.866 + down * 0.5,
        "round": np.hypot(across, down) - 150.6,
        "narrow": np.abs(across) - 18,
        "waves": across - 40 * np.sin(down / 60),
    }
    return np.asarray(shapes[shape], np.float32)


def _scan(inked: Floats) -> NDArray[np.uint8]:
    gray = gaussian_filter(GROUND * (1 - inked) + INK * inked, 0.7)
    gray += np.random.default_rng(0).normal(0, GRAIN, gray.shape)
    return np.repeat(np.clip(np.rint(gray), 0, 255).astype(np.uint8)[..., None], 3, 2)


def _means(chroma: Floats) -> Floats:
    small = [Image.fromarray(np.ascontiguousarray(chroma[..., channel])) for channel in range(2)]
    return np.stack([np.asarray(each.resize(LOW_PX[::-1], Image.Resampling.BOX)) for each in small], 2)
