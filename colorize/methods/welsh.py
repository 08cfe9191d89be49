"""Colours by luminance and its unrest around each pixel: Welsh, Ashikhmin, Mueller 2002.

Reinhard's answer to gray contents, without swatches: a classic beside which the better methods are measured. It
knows pictures at working size only.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.spatial import KDTree
from skimage.color import rgb2lab

from colorize.images.decode import Pixels
from colorize.methods.work import Work, alone
from colorize.running.prepare import Prepared

SAMPLES = 200
WINDOW_PX = 5

Floats = NDArray[np.float64]


@alone
def colours(each: Prepared, work: Work) -> NDArray[np.float32]:
    """Each picture's chroma by its style."""
    return welsh(each.content, each.style, work.recipe.seed)


def welsh(content: Pixels, style: Pixels, seed: int) -> NDArray[np.float32]:
    """Each pixel's a, b from the sample of the style that is most like it; float32, (h, w, 2).

    As in the paper: about 200 samples from a jittered grid; alike is the mean of the differences in luminance and
    in its deviation over 5 × 5 pixels; the style's luminance is first moved to the content's mean and deviation.
    Departure: luminance is CIELAB's L, and a, b its chroma, where the paper takes lαβ.

    Args:
        content: gray, (h, w, 3).
        style: (h', w', 3).
        seed: of the grid's jitter; the same seed gives the same colours.
    """
    lightness, lab = rgb2lab(content)[..., 0], rgb2lab(style)
    rows, columns = _jittered(lab.shape[:2], np.random.default_rng(seed))
    samples = _features(_remapped(lab[..., 0], lightness))[rows, columns]
    # p=1 sums both differences, which ranks as their mean does
    _, nearest = KDTree(samples).query(_features(lightness).reshape(-1, 2), p=1)
    chroma = lab[rows, columns, 1:][nearest]
    return np.asarray(chroma.reshape(*lightness.shape, 2), dtype=np.float32)


def _jittered(shape: tuple[int, int], random: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """One place drawn in each cell of a grid, about `SAMPLES` cells as square as they come."""
    cell_px = max(1.0, np.sqrt(shape[0] * shape[1] / SAMPLES))
    counts = [max(1, round(side / cell_px)) for side in shape]
    places = (np.indices(counts) + random.random((2, *counts))) / np.reshape(counts, (2, 1, 1))
    rows, columns = (places * np.reshape(shape, (2, 1, 1))).astype(np.intp).reshape(2, -1)
    return rows, columns


def _remapped(style: Floats, content: Floats) -> Floats:
    """The style's L with the content's mean and deviation; a flat style has no deviation to stretch."""
    deviation = style.std()
    stretch = content.std() / deviation if deviation > 0 else 1.0
    return np.asarray((style - style.mean()) * stretch + content.mean())


def _features(lightness: Floats) -> Floats:
    """(h, w, 2): L, and its deviation over the window."""
    mean, square = (uniform_filter(image, WINDOW_PX, mode="nearest") for image in (lightness, lightness**2))
    return np.stack([lightness, np.sqrt(np.maximum(square - mean**2, 0))], axis=-1)
