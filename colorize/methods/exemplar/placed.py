"""Models of colours by cells, and colours in place, where the style is another impression of the same design.

What is carried over is no colour but a small model of colours: how a and b depend on L around a place, so that ink
lines stay ink inside a coloured robe. Neighbours across no edge even out what contradicts itself. Pure arithmetic; both
methods call it.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu
from skimage.color import rgb2lab
from torch.nn import functional

from colorize.images.decode import Pixels
from colorize.matching.geometry import Registered

Floats = NDArray[np.float32]

_WINDOW_PX = 3.0
"""Standard deviation of the window that a colour model is fitted in."""
_FLAT = 20.0
"""Variance of L under which a window is flat, so that its model is one colour."""
CONTRADICTION = 30.0
"""Variance of the candidates' a and b together at which a cell's own word counts half."""
_EDGE = 2.5
"""Difference of L between neighbouring cells that parts them to 1/e."""
_DISAGREES, _AGREES = 0.3, 0.55
"""Correlation of the drawings up to which a cell keeps what it has, and from which on in place."""
_ALIKE, _AS_ONE = 0.6, 0.9
"""Correlation of the whole drawings up to which colours in place are smoothed, and from which on taken as they are."""
AGREEMENT = 2.0
"""How much neighbours count beside a cell's own colours."""
_OTHER_INKS = 0.8
"""Chroma that is kept of another impression's: its inks are others, and the paler guess is the nearer one."""
_PAPER, _PAPER_PART, _PAPER_MOST = np.array([0.5, 13.0], np.float32), 0.4, 12.0
"""a, b that a style's paper is led to; the part of its distance from there that is taken out; that at most. Real scans
have −2.5, 13 at the median, but results then come out 1.2 too green in the mean of 78 same-design sets."""
_TO_THE_LINE, _FEW, _MOST = 0.9, 0.3, 0.6
"""Correlation of a place that agrees to the last line; shares of them up to which a style is another printing, and from
which on one of the same: of the sets of real prints nine in ten have under .3."""
_LEAST_HOLD = 1e-3
_PAPER_PULL = 0.02


def in_place(laid: Registered, carried: Floats, doubt: Floats) -> tuple[Floats, Floats, Floats]:
    """Models of the same place where the drawings agree, and what was carried elsewhere; the doubt left; what part.

    Args:
        laid: the style on the content.
        carried: (rows, columns, 4), models of cells: a and b at their mean L, and their slopes.
        doubt: (rows, columns), variance of a and b together of what was carried.
    """
    shape = doubt.shape[0], doubt.shape[1]
    models = np.concatenate([in_cells(each, shape) for each in colour_models(_lab(laid.style))])
    share = agreed_share(in_cells(laid.agrees[..., None], shape)[0])
    taken: Floats = share[..., None] * models.transpose(1, 2, 0) + (1 - share[..., None]) * carried
    return taken, doubt * (1 - share), share


def agreed_share(agrees: Floats) -> Floats:
    """How much of a place's colours is taken in place, in [0, 1]."""
    return np.asarray(((agrees - _DISAGREES) / (_AGREES - _DISAGREES)).clip(0, 1), np.float32)


def _lab(pixels: Pixels) -> Floats:
    return np.asarray(rgb2lab(pixels), np.float32)


def in_cells(values: Floats, shape: tuple[int, int]) -> Floats:
    """Means over cells: (h, w, C) → (C, *shape)."""
    stack = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]
    means: Floats = functional.adaptive_avg_pool2d(stack, shape)[0].numpy()
    return means


def colour_models(lab: Floats) -> tuple[Floats, Floats]:
    """Around each pixel a, b = offset + slope · (L − mean L), by least squares; (h, w, 2) each."""
    lightness, chroma = lab[..., :1], lab[..., 1:]
    light, colour = _blurred(lightness), _blurred(chroma)
    variance = _blurred(lightness**2) - light**2
    return colour, (_blurred(lightness * chroma) - light * colour) / (variance + _FLAT)


def _blurred(values: Floats) -> Floats:
    return np.asarray(gaussian_filter(values, (_WINDOW_PX, _WINDOW_PX, 0), mode="nearest"), np.float32)


def restrained(chroma: Floats, laid: Registered, paper: Floats, held_back: float = 1.0) -> Floats:
    """Chroma of the same place, the style's own where both drawings are nearly one, held back for its inks and paper.

    What differs between impressions is inks, fading and the paper's tone. Constants: the same-design sets of real
    prints, docs/colour.md.

    Args:
        chroma: (h, w, 2).
        laid: the style on the content.
        paper: (2,), a, b of the style's paper.
        held_back: how much of the restraint, 0 to 1 (`other_impression`).
    """
    sure = min(1.0, max(0.0, (laid.correlation - _ALIKE) / (_AS_ONE - _ALIKE)))
    share = sure * agreed_share(laid.agrees)[..., None]
    mixed = share * _lab(laid.style)[..., 1:] + (1 - share) * chroma
    tint = paper - _PAPER
    tint *= held_back * _PAPER_PART * min(1.0, _PAPER_MOST / max(1e-3, float(np.linalg.norm(tint))))
    return np.asarray((1 - held_back * (1 - _OTHER_INKS)) * (mixed - tint), np.float32)


def other_impression(laid: Registered) -> float:
    """How far the style is another printing: 1 where few places agree to the last line, 0 where most do."""
    exactly = float((laid.agrees > _TO_THE_LINE).mean())
    return 1 - min(1.0, max(0.0, (exactly - _FEW) / (_MOST - _FEW)))


def agreed(carried: Floats, doubt: Floats, lightness: Floats, paper: Floats, agreement: float) -> Floats:
    """Models that neighbours agree on: min Σ c (x − carried)² + p (x − paper)² + agreement · Σ w (x_r − x_s)².

    c falls with the candidates' doubt; w with the difference of luminance. A cell that knows nothing takes its
    neighbours' colour, and a region that knows nothing the paper's.
    """
    trust = (CONTRADICTION / (CONTRADICTION + doubt)).ravel().astype(np.float64)
    matrix = diags_array(trust + _PAPER_PULL) + agreement * _coupling(lightness)
    factors = splu(csc_array(matrix))
    prior = _PAPER_PULL * np.array([*paper, 0, 0])
    right = trust[:, None] * carried.reshape(-1, 4) + prior
    return np.asarray(factors.solve(right).reshape(carried.shape), np.float32)


def _coupling(lightness: Floats) -> csc_array:
    """The weighted Laplacian of the grid of cells."""
    places = np.arange(lightness.size).reshape(lightness.shape)
    pairs = ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:]))
    one, other = (np.concatenate([places[pair[side]].ravel() for pair in pairs]) for side in (0, 1))
    light = lightness.ravel().astype(np.float64)
    weight = np.exp(-np.abs(light[one] - light[other]) / _EDGE) + _LEAST_HOLD
    half = coo_array((weight, (one, other)), (lightness.size, lightness.size))
    joined = csc_array(half + half.T)
    return csc_array(diags_array(np.asarray(joined.sum(1))) - joined)


def painted_models(models: Floats, lightness: Floats) -> Floats:
    """The models applied to each pixel's own L."""
    stack = torch.from_numpy(models).permute(2, 0, 1)[None]
    smooth = functional.interpolate(stack, size=lightness.shape, mode="bilinear", align_corners=False)[0]
    offsets, slopes = (
        smooth.permute(1, 2, 0).numpy().astype(np.float32).reshape(*lightness.shape, 2, 2).transpose(2, 0, 1, 3)
    )
    away = lightness[..., None] - _blurred(lightness[..., None])
    found: Floats = offsets + slopes * away
    return found
