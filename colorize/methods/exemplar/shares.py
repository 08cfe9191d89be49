"""Which of several styles a region takes its colours from. Pure arithmetic on cells; `transfer.py` calls it."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from skimage.segmentation import felzenszwalb

Floats = NDArray[np.float32]

_SCALE, _BLUR, _LEAST_CELLS = 60, 0.6, 8
"""Of the segmentation (Felzenszwalb and Huttenlocher 2004), on lightness in [0, 1]."""


def style_shares(likeness: Floats, lightness: Floats) -> Floats:
    """What part of a cell's colours each style gives, (n, h, w), together 1: the same all over a region.

    Args:
        likeness: (n, h, w), in natural logarithms.
        lightness: (h, w), L of the content, whose regions are of one lightness.
    """
    regions = felzenszwalb(lightness / 100, scale=_SCALE, sigma=_BLUR, min_size=_LEAST_CELLS).ravel()
    size = np.bincount(regions)
    means = np.stack([(np.bincount(regions, each.ravel()) / size)[regions] for each in likeness])
    return np.asarray(softmax(means, axis=0).reshape(likeness.shape), np.float32)
