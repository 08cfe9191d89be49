"""One block, one colour: areas of a print choose a pigment. Pure arithmetic; `printing.py` calls it.

A woodblock prints one pigment in flat areas bounded by the key block's lines. So the drawing is cut into areas of one
lightness, an area's cells speak with one voice, areas that look alike hear one another wherever they lie on the sheet,
and each area chooses among pigments. If each took what is likeliest, all would take the paper's tone; if each took the
mean, all would be one sepia. So they choose together: every pigment gets as much of the sheet as the evidence of all
areas gives it, and the areas that want it most have it (Sinkhorn's scaling of an assignment, Cuturi 2013). Within its
pigment an area's colour is the mean of what is likely there, and it follows lightness as the styles' inks do, so that
gradations live and lines stay ink.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.spatial.distance import cdist
from scipy.special import softmax
from skimage.segmentation import felzenszwalb

from colorize.methods.exemplar.cartouches import with_cartouches, with_red
from colorize.methods.exemplar.evidence import LEVELS, Evidence
from colorize.methods.exemplar.parameters import Blocks

Floats = NDArray[np.float32]
Areas = NDArray[np.intp]

_SCALE, _BLUR, _LEAST_SIDE = 0.23, 0.0023, 0.02
"""Of the segmentation (Felzenszwalb and Huttenlocher 2004) on L in [0, 1], as parts of the long edge."""
_TONE, _TEXTURE, _APART = 4.0, 2.5, 0.2
"""Differences of mean L, of its deviation nearby and of place, in long edges, by which an area hears others less."""
_NEARBY = 0.003, 0.008
"""Of the long edge: standard deviations of the windows that texture is told by."""
_ALONE = 1e-3
_PIGMENTS = {
    "paper": (2, 13), "ink": (0, 3), "aged paper": (8, 24), "rose": (22, 16), "safflower red": (40, 28),
    "red lead": (26, 40), "yellow": (6, 40), "green": (-8, 16), "verdigris": (-14, 4), "indigo": (-3, -9),
    "Prussian blue": (2, -24), "purple": (12, -8),
}  # fmt: skip
"""a, b that tell pigments apart on scans of real prints; the names are for the reader, no analysis of the print."""
_ROUNDS, _STEP = 12, 0.7
_LEAST = 1e-5
_MOST_GIVEN = 0.6
"""Part of its chroma that a colour is given back at most: what is all but gray has no hue to trust."""


@dataclass(frozen=True)
class Printed:
    """Areas, and what they were given."""

    areas: Areas
    """(h, w), the number of each pixel's area."""
    colours: Floats
    """(areas, LEVELS, 2), a and b of each area at each level of L."""
    likely: Floats
    """(areas, LEVELS, K), how likely each class is there before areas choose."""
    size: Floats
    """(areas, LEVELS), part of the picture, together 1."""
    prior: Floats
    """(areas, K), how likely each class is by the prior alone."""


def blocks(found: Evidence, classes: Floats, lightness: Floats, own: Blocks) -> Printed:
    """The areas of a picture with the colours that they choose.

    Args:
        found: what the picture's cells may be printed with.
        classes: (K, 2), a and b.
        lightness: (h, w), L in [0, 100].
        own: the recipe's.
    """
    areas, cartouches = with_cartouches(_areas, lightness)
    pooled, heard = _pooled(found, areas), _heard(areas, lightness, own.alike_weight)
    likely = softmax((heard @ pooled(found.cells))[:, None] + found.inks, axis=2)
    likely = with_red(likely, cartouches, classes, own.red_cartouches)
    size = _sizes(areas, lightness)
    of = _pigments(classes)
    share = np.einsum("al,alk->ak", size / size.sum(1, keepdims=True), likely) @ of
    given = _assigned(share, size.sum(1), own.decision)
    chosen = likely * (given / share.clip(_LEAST) @ of.T)[:, None]
    chosen /= chosen.sum(2, keepdims=True)
    colours = chosen @ classes
    # Where classes are mixed their chroma partly cancels out; where one is sure, as paper is, nothing is missing.
    missing = (chosen @ norm(classes) / norm(colours).clip(_LEAST) - 1).clip(0, _MOST_GIVEN)
    colours = np.asarray(colours * (1 + own.chroma * missing[..., None]), np.float32)
    return Printed(areas, colours, likely, size, softmax(heard @ pooled(found.prior), axis=1))


def painted(found: Printed, lightness: Floats) -> Floats:
    """Each pixel's a, b by its area and its L, (h, w, 2)."""
    place = lightness / 100 * (LEVELS - 1)
    level = np.minimum(place.astype(np.intp), LEVELS - 2)
    above = (place - level)[..., None]
    colours = found.colours
    return np.asarray(colours[found.areas, level] * (1 - above) + colours[found.areas, level + 1] * above, np.float32)


def norm(ab: Floats) -> Floats:
    """Chroma of colours (..., 2)."""
    return np.asarray(np.hypot(ab[..., 0], ab[..., 1]), np.float32)


def _areas(lightness: Floats) -> Areas:
    edge = max(lightness.shape)
    least = max(4, round((_LEAST_SIDE * edge) ** 2))
    found = felzenszwalb(lightness / 100, scale=_SCALE * edge, sigma=_BLUR * edge, min_size=least)
    return np.asarray(found, np.intp)


def _pooled(found: Evidence, areas: Areas) -> Callable[[Floats], Floats]:
    """What takes rows by cell, (n, K), to their means under each area, (areas, K)."""
    rows, columns = (np.arange(side) * cells // side for side, cells in zip(areas.shape, found.shape, strict=True))
    cell = (rows[:, None] * found.shape[1] + columns).ravel()
    shape = int(areas.max()) + 1, len(found.cells)
    counted = coo_array((np.ones(cell.size, np.float32), (areas.ravel(), cell)), shape).tocsr()
    return lambda values: np.asarray(counted @ values / counted.sum(1)[:, None], np.float32)


def _heard(areas: Areas, lightness: Floats, weight: float) -> Floats:
    """What each area's voice is made of, (areas, areas), rows together 1: its own, and those of areas that look alike.

    One block prints them together, wherever they lie; the nearer ones more likely so.
    """
    height, width = lightness.shape
    edge, count = max(lightness.shape), np.bincount(areas.ravel())
    down, across = np.mgrid[:height, :width].astype(np.float32) / edge
    textures = [_deviation(lightness, window * edge) for window in _NEARBY]
    units = (_TONE, *[_TEXTURE] * len(textures), _APART, _APART)
    signs = [
        np.bincount(areas.ravel(), each.ravel()) / count / unit
        for each, unit in zip((lightness, *textures, down, across), units, strict=True)
    ]
    like = np.exp(-cdist(*[np.stack(signs, axis=1)] * 2, "sqeuclidean") / 2) * np.sqrt(count / areas.size)
    np.fill_diagonal(like, 0)
    there = like.sum(1, keepdims=True)
    others = weight * like / (there + _ALONE)
    return np.asarray(others + np.diag(1 - others.sum(1)), np.float32)


def _deviation(values: Floats, window: float) -> Floats:
    """Standard deviation around each pixel."""
    mean, square = (gaussian_filter(each, window) for each in (values, values**2))
    return np.asarray(np.sqrt((square - mean**2).clip(0)), np.float32)


def _sizes(areas: Areas, lightness: Floats) -> Floats:
    level = np.rint(lightness / 100 * (LEVELS - 1)).astype(np.intp)
    count = np.bincount((areas * LEVELS + level).ravel(), minlength=(int(areas.max()) + 1) * LEVELS)
    return np.asarray(count.reshape(-1, LEVELS) / areas.size, np.float32)


def _pigments(classes: Floats) -> Floats:
    """Which pigment each class is nearest to; (K, pigments) of ones and zeros."""
    tones = np.array(list(_PIGMENTS.values()), np.float32)
    nearest = norm(classes[:, None] - tones).argmin(1)
    return np.asarray(np.eye(len(tones), dtype=np.float32)[nearest], np.float32)


def _assigned(share: Floats, size: Floats, decision: float) -> Floats:
    """What part each area is given of each pigment, (areas, pigments), each row together 1; all get what they had.

    Args:
        share: what the evidence gives it.
        size: (areas,), parts of the picture.
        decision: power that an area's own share is raised to.
    """
    wanted, handicap = decision * np.log(share + _LEAST), np.zeros(share.shape[1], np.float32)
    there = size @ share
    for _ in range(_ROUNDS):
        handicap += _STEP * np.log((there + _LEAST) / (size @ softmax(wanted + handicap, axis=1) + _LEAST))
    return np.asarray(softmax(wanted + handicap, axis=1), np.float32)
