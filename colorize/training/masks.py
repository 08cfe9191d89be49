"""Masks that the conditional GAN learns with: ten drawn by program, as its source has them, and others of many shapes.

A mask is bool, (edge, edge): True where colour is asked for. Called by `mask_gan.py` and by its benchmark.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.segmentation import felzenszwalb

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]


def _places(edge: int) -> tuple[Floats, Floats]:
    down, across = np.mgrid[:edge, :edge].astype(np.float32) / edge
    return down, across


TEN: Final[Mapping[str, Callable[[Floats, Floats], Mask]]] = {
    "left half": lambda _down, across: across < 0.5,
    "right half": lambda _down, across: across >= 0.5,
    "upper half": lambda down, _across: down < 0.5,
    "lower half": lambda down, _across: down >= 0.5,
    "two columns": lambda _down, across: across * 4 % 2 < 1,
    "four columns": lambda _down, across: across * 8 % 2 < 1,
    "two rows": lambda down, _across: down * 4 % 2 < 1,
    "four rows": lambda down, _across: down * 8 % 2 < 1,
    "coarse grid": lambda down, across: (np.floor(down * 4) + np.floor(across * 4)) % 2 < 1,
    "fine grid": lambda down, across: (np.floor(down * 8) + np.floor(across * 8)) % 2 < 1,
}
"""By name, from places down and across in [0, 1)."""


def drawn(name: str, edge: int) -> Mask:
    """One of the TEN."""
    return TEN[name](*_places(edge))


def _random(light: Floats, rng: np.random.Generator) -> Mask:
    """Blots of one size or another."""
    edge = len(light)
    noise = gaussian_filter(rng.normal(size=(edge, edge)), edge * rng.uniform(0.02, 0.12))
    return np.asarray(noise > np.quantile(noise, rng.uniform(0.2, 0.8)))


def _noise(light: Floats, rng: np.random.Generator) -> Mask:
    """Squares by chance."""
    edge, side = len(light), int(rng.integers(4, 24))
    cells = rng.uniform(size=(-(-edge // side),) * 2) < rng.uniform(0.2, 0.8)
    return np.asarray(np.kron(cells, np.ones((side, side)))[:edge, :edge] > 0)


def _segments(light: Floats, rng: np.random.Generator) -> Mask:
    """Areas of the drawing by chance."""
    edge = len(light)
    areas = felzenszwalb(light / 100, scale=0.4 * edge, sigma=1.0, min_size=edge)
    return np.asarray((rng.uniform(size=int(areas.max()) + 1) < rng.uniform(0.2, 0.8))[areas])


def _ellipse(light: Floats, rng: np.random.Generator) -> Mask:
    """Something round somewhere."""
    down, across = _places(len(light))
    middle, half = rng.uniform(0.2, 0.8, 2), rng.uniform(0.1, 0.45, 2)
    return np.asarray(((down - middle[0]) / half[0]) ** 2 + ((across - middle[1]) / half[1]) ** 2 < 1)


def _whole(light: Floats, _rng: np.random.Generator) -> Mask:
    return np.ones(light.shape, np.bool_)


OTHERS: Final[Mapping[str, Callable[[Floats, np.random.Generator], Mask]]] = {
    "random": _random,
    "noise": _noise,
    "segmentation": _segments,
    "ellipse": _ellipse,
    "whole": _whole,
}
"""By name, from L of the picture, (edge, edge)."""

SETS: Final[Mapping[str, tuple[str, ...]]] = {
    "one": ("left half",),
    "ten": tuple(TEN),
    "all": (*TEN, "random", "noise", "segmentation", "whole"),
}
"""What a GAN may be taught with; ellipses are left to be unseen."""


def mask_of(name: str, light: Floats, rng: np.random.Generator) -> Mask:
    """A mask by its name, for a picture whose L is `light`, (edge, edge)."""
    return drawn(name, len(light)) if name in TEN else OTHERS[name](light, rng)
