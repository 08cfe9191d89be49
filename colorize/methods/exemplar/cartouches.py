"""Seals, signature boxes and title cartouches, by their shape: areas of their own, and mostly red. For `blocks.py`.

By lightness alone they pass for brown. What was measured is in docs/colour.md.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, find_objects, grey_closing

Floats = NDArray[np.float32]
Areas = NDArray[np.intp]

_STROKE: Final = 1 / 170
"""Of the long edge: lettering as fine as that does not part a ground."""
_SIZE: Final = 0.003, 0.06
"""Least and most of the picture that the box around one takes."""
_LEAST_SIDE: Final = 0.015
"""Of the long edge."""
_UPRIGHT: Final = 1.5, 8.0
"""Height over width."""
_FULL: Final = 0.8
"""Least part of its box that it fills."""
_LIGHTNESS: Final = 24.0, 48.0
"""Of its middle L: red pigments on scans."""
_GROUND: Final = 65.0
"""L up to which a place in one is its ground or its lettering, and no frame or paper."""
_RED: Final = np.array([36.0, 26.0], np.float32)
"""Mean a, b of those of 120 actor prints that are red."""
_SPREAD: Final = 9.0
"""Standard deviation of their a and of their b."""


def with_cartouches(segmented: Callable[[Floats], Areas], lightness: Floats) -> tuple[Areas, int]:
    """The areas of a picture, (h, w), and how many of them are cartouches: the last ones.

    Args:
        segmented: what cuts a picture of L into areas.
        lightness: (h, w), L in [0, 100].
    """
    areas = segmented(lightness)
    stroke = max(2, round(_STROKE * max(lightness.shape)))
    found = sorted(_cartouches(segmented(grey_closing(lightness, stroke)), lightness), key=lambda each: each[1].sum())
    least = int(areas.max()) + 1
    for number, (box, inside) in enumerate(found, start=least):  # a frame's inside covers what was found within it
        areas[box][inside] = number
    names, numbered = np.unique(areas, return_inverse=True)
    return np.asarray(numbered.reshape(areas.shape), np.intp), int((names >= least).sum())


def with_red(likely: Floats, count: int, classes: Floats, part: float) -> Floats:
    """What areas are likely printed with, where the last `count` are red in so many cases of 1.

    Args:
        likely: (areas, LEVELS, K), as it is without.
        count: of cartouches.
        classes: (K, 2), a and b.
        part: in [0, 1].
    """
    red = np.exp(-(((classes - _RED) / _SPREAD) ** 2).sum(1) / 2)
    found, ground = likely.copy(), np.linspace(0, 100, likely.shape[1]) <= _GROUND
    found[len(found) - count :, ground] *= 1 - part
    found[len(found) - count :, ground] += part * red / red.sum()
    return found


def _cartouches(areas: Areas, lightness: Floats) -> Iterator[tuple[tuple[slice, ...], NDArray[np.bool_]]]:
    """The boxes, and what lies inside, of areas that are upright, compact, small and of a red's lightness."""
    for area, box in enumerate(find_objects(areas + 1)):
        if box and _may_hold_one(areas[box].shape, areas.shape):
            inside = binary_fill_holes(areas[box] == area)
            if inside.mean() >= _FULL and _LIGHTNESS[0] <= np.median(lightness[box][inside]) <= _LIGHTNESS[1]:
                yield box, inside


def _may_hold_one(box: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    height, width = box
    size = height * width / (whole[0] * whole[1])
    upright = _UPRIGHT[0] <= height / width <= _UPRIGHT[1]
    return upright and width >= _LEAST_SIDE * max(whole) and _SIZE[0] <= size <= _SIZE[1]
