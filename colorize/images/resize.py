"""Sizes: the one that a recipe works at, and pictures brought to it."""

import numpy as np
from PIL import Image

from colorize.images.decode import Pixels


def resized(pixels: Pixels, long_edge_px: int, *, multiple: int = 16) -> Pixels:
    """The picture with its long edge at `long_edge_px` at most, by Lanczos with antialiasing.

    It never grows but by rounding: each side goes to the nearest multiple of `multiple` and is at least
    twice that. `multiple=1` makes thumbnails of true aspect.
    """
    height, width = pixels.shape[:2]
    size = working_size(width, height, long_edge_px, multiple=multiple)
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def working_size(width: int, height: int, long_edge_px: int, *, multiple: int = 16) -> tuple[int, int]:
    """(width, height) that `resized` gives a picture of this size; a minibatch holds pictures of equal ones."""
    scale = min(1.0, long_edge_px / max(height, width))
    sides = [max(2, round(side * scale / multiple)) * multiple for side in (width, height)]
    return sides[0], sides[1]


def to_gray(pixels: Pixels) -> Pixels:
    """The gray version: Rec. 601 luma (Pillow's `L`, .299 R + .587 G + .114 B), thrice."""
    return np.array(Image.fromarray(pixels).convert("L").convert("RGB"))
