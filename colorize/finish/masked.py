"""Partial colour: a result inside a mask, the scan outside it to the last bit. Called by `compose.py`."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import lab2rgb, rgb2lab

_EDGE: Final = 0.008
"""Of the long edge: how far inside the mask colour is whole."""


def inside(scan: NDArray[Any], coloured: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """The coloured picture inside the mask, growing from its edge inwards, and the scan outside; L is the scan's.

    Args:
        scan: uint8 or uint16, (H, W, 3) or (H, W), gray.
        coloured: as deep, (H, W, 3).
        mask: (H, W).
    """
    own = scan if scan.ndim == 3 else np.repeat(scan[..., None], 3, 2)
    share = _share(mask)
    made = np.where((share > 0)[..., None], coloured, own)
    edge = (share > 0) & (share < 1)
    if edge.any():
        made[edge] = _mixed(own[edge], coloured[edge], share[edge])
    return made


def _share(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How much of the colour each pixel gets, 0 outside, 1 from `_EDGE` inside; an edge of the picture is none."""
    depth = max(1.0, _EDGE * max(mask.shape))
    if mask.all():
        return np.ones(mask.shape, np.float32)
    away = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.minimum(away / depth, 1), np.float32)


def _mixed(own: NDArray[Any], coloured: NDArray[Any], share: NDArray[np.float32]) -> NDArray[Any]:
    """Rows of pixels, (n, 3), part of the way from one's a, b to the other's, at the former's L."""
    top = int(np.iinfo(own.dtype).max)
    ours, theirs = (rgb2lab(each / top) for each in (own, coloured))
    mixed = np.column_stack([ours[:, 0], ours[:, 1:] + share[:, None] * (theirs - ours)[:, 1:]])
    return np.asarray(np.rint(lab2rgb(mixed).clip(0, 1) * top), own.dtype)
