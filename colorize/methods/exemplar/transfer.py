"""Colour by correspondence, the default: each place of the drawing takes its colours from where the style looks alike.

Alike is judged by deep features of both gray pictures, several layers at once, and
by luminance. What is carried over is no colour but a small model of colours: how a and b depend on L around the
partner, so that ink lines stay ink inside a coloured robe. Where the candidates' colours contradict one another,
neighbours across no edge, and in the end the paper, have the word. What was tried besides is in docs/colour.md.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu
from skimage.color import rgb2lab
from torch import Tensor
from torch.nn import functional

from colorize.encoders.vgg19 import Encoder
from colorize.finish.palette import ink_neutral, palette_matched, paper_tone
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.matching.geometry import Registered, register
from colorize.methods.exemplar.parameters import Exemplar
from colorize.methods.work import Measured, Work, alone
from colorize.running.prepare import Prepared

Floats = NDArray[np.float32]

_GRID_LAYER = "conv3_4"
"""A cell is a position of this layer: 4 × 4 pixels."""
_WINDOW_PX = 3.0
"""Standard deviation of the window that a colour model is fitted in."""
_FLAT = 20.0
"""Variance of L under which a window is flat, so that its model is one colour."""
_CONTRADICTION = 30.0
"""Variance of the candidates' a and b together at which a cell's own word counts half."""
_EDGE = 2.5
"""Difference of L between neighbouring cells that parts them to 1/e."""
_DISAGREES, _AGREES = 0.3, 0.55
"""Correlation of the drawings up to which a cell takes its colours by likeness, and from which on in place."""
_ALIKE, _AS_ONE = 0.6, 0.9
"""Correlation of the whole drawings up to which colours in place are smoothed, and from which on taken as they are."""
_PLACED_AGREEMENT = 2.0
"""How much neighbours count beside a cell's own colours where those come from the same place."""
_OTHER_INKS = 0.8
"""Chroma that is kept of another impression's: its inks are others, and the paler guess is the nearer one."""
_PAPER, _PAPER_PART, _PAPER_MOST = np.array([-2.5, 13.0], np.float32), 0.4, 12.0
"""a, b of paper, the median of real scans; the part of a style's distance from it that is taken out; that at most."""
_LEAST_HOLD = 1e-3
_PAPER_PULL = 0.02
_BLOCK = 1 << 24
"""Numbers of the similarity matrix that are held at once, 64 MB."""


@dataclass(frozen=True)
class _Side:
    """One of the two pictures, cell by cell."""

    features: Tensor
    """(D, cells), of unit length."""
    lightness: Tensor
    """(cells,), L less its mean, over its deviation: photographs differ in exposure."""
    shape: tuple[int, int]


@alone
def colours(each: Prepared, work: Work) -> Measured:
    """Each picture's chroma by its style; float32, (h, w, 2)."""
    own = Exemplar.of(work.recipe)
    if each.registration is None:
        return exemplar(each.content, each.style, work.encoder, own), {}
    laid = register(each.content, each.style, each.registration)
    measures = {"in_place": float(_share(laid.agrees).mean()), "registration_residual": laid.residual_px}
    return exemplar(each.content, each.style, work.encoder, own, laid), measures


def exemplar(content: Pixels, style: Pixels, encoder: Encoder, own: Exemplar, laid: Registered | None = None) -> Floats:
    """The content's chroma, float32 (h, w, 2), CIELAB a, b.

    Args:
        content: gray, uint8 (h, w, 3).
        style: uint8 (h', w', 3), sRGB.
        encoder: whose features tell what is alike.
        own: the recipe's.
        laid: the style laid on the content, where both are of one design.
    """
    lightness, style_lab = (_lab(each) for each in (content, style))
    ours, theirs = _sides(encoder, own, (content, to_gray(style)), (lightness[..., 0], style_lab[..., 0]))
    offsets, slopes = _models(style_lab)
    models = np.concatenate([_in_cells(each, theirs.shape) for each in (offsets, slopes)])
    carried, doubt = _carried(ours, theirs, torch.from_numpy(models), own)
    cells, paper = _in_cells(lightness[..., :1], ours.shape)[0], paper_tone(style_lab)
    if laid is not None:
        agreed = _agreed(*_in_place(laid, carried, doubt), cells, paper, _PLACED_AGREEMENT)
        return _restrained(ink_neutral(_painted(agreed, lightness[..., 0]), lightness[..., 0]), laid, paper)
    chroma = _painted(_agreed(carried, doubt, cells, paper, own.agreement), lightness[..., 0])
    return ink_neutral(palette_matched(chroma, style_lab[..., 1:], own.palette), lightness[..., 0])


def _lab(pixels: Pixels) -> Floats:
    return np.asarray(rgb2lab(pixels), np.float32)


@torch.no_grad()
def _sides(
    encoder: Encoder, own: Exemplar, pictures: tuple[Pixels, Pixels], lightnesses: tuple[Floats, Floats]
) -> list[_Side]:
    """Both pictures' features, centred on what they have in common, each layer with the same weight."""
    found = [_features(encoder, own, picture) for picture in pictures]
    shapes = [(each[_GRID_LAYER].shape[2], each[_GRID_LAYER].shape[3]) for each in found]
    layers: list[list[Tensor]] = [[], []]
    for name in own.colour_layers:
        both = [_resampled(each[name], shape) for each, shape in zip(found, shapes, strict=True)]
        centre = torch.cat(both, 1).mean(1, keepdim=True)
        for side, values in zip(layers, both, strict=True):
            side.append(functional.normalize(values - centre, dim=0))
    sides = []
    for features, shape, lightness in zip(layers, shapes, lightnesses, strict=True):
        cells = torch.from_numpy(_in_cells(lightness[..., None], shape)[0]).flatten()
        light = (cells - cells.mean()) / cells.std().clamp_min(1e-3)
        joined = torch.cat(features) / len(features) ** 0.5
        sides.append(_Side(joined, light.to(joined), shape))
    return sides


def _features(encoder: Encoder, own: Exemplar, picture: Pixels) -> dict[str, Tensor]:
    stack = torch.from_numpy(picture).permute(2, 0, 1)[None].to(encoder.device, encoder.dtype)
    return encoder.features(stack, {*own.colour_layers, _GRID_LAYER})


def _resampled(features: Tensor, shape: tuple[int, int]) -> Tensor:
    """(1, C, …) → float32 (C, cells)."""
    if features.shape[2] > shape[0]:
        scaled = functional.adaptive_avg_pool2d(features, shape)
    else:
        scaled = functional.interpolate(features, size=shape, mode="bilinear", align_corners=False)
    return scaled[0].flatten(1).float()


def _in_cells(values: Floats, shape: tuple[int, int]) -> Floats:
    """Means over cells: (h, w, C) → (C, *shape)."""
    stack = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))[None]
    means: Floats = functional.adaptive_avg_pool2d(stack, shape)[0].numpy()
    return means


def _models(lab: Floats) -> tuple[Floats, Floats]:
    """Around each pixel a, b = offset + slope · (L − mean L), by least squares; (h, w, 2) each."""
    lightness, chroma = lab[..., :1], lab[..., 1:]
    light, colour = _blurred(lightness), _blurred(chroma)
    variance = _blurred(lightness**2) - light**2
    return colour, (_blurred(lightness * chroma) - light * colour) / (variance + _FLAT)


def _blurred(values: Floats) -> Floats:
    return np.asarray(gaussian_filter(values, (_WINDOW_PX, _WINDOW_PX, 0), mode="nearest"), np.float32)


def _carried(ours: _Side, theirs: _Side, models: Tensor, own: Exemplar) -> tuple[Floats, Floats]:
    """The candidates' mean model for each cell, (h, w, 4), and how far their colours lie apart, (h, w).

    Softmax over cos(features) − weight · |difference of luminance|, blocked so that memory stays bounded.
    """
    offsets = models[:2].flatten(1)
    values = torch.cat([models.flatten(1), offsets.square().sum(0, keepdim=True)]).to(theirs.features).T
    step = max(1, _BLOCK // len(values))
    means = torch.cat(
        [
            _candidates(ours.features[:, at : at + step], ours.lightness[at : at + step], theirs, own) @ values
            for at in range(0, ours.features.shape[1], step)
        ]
    )
    doubt = (means[:, 4] - means[:, :2].square().sum(1)).clamp_min(0)
    return means[:, :4].cpu().numpy().reshape(*ours.shape, 4), doubt.cpu().numpy().reshape(ours.shape)


def _in_place(there: Registered, carried: Floats, doubt: Floats) -> tuple[Floats, Floats]:
    """As `_carried`, but from the same place of a print of the same design wherever the drawings agree."""
    shape = doubt.shape
    models = np.concatenate([_in_cells(each, (shape[0], shape[1])) for each in _models(_lab(there.style))])
    agrees = _in_cells(there.agrees[..., None], (shape[0], shape[1]))[0]
    share = _share(agrees)
    taken: Floats = share[..., None] * models.transpose(1, 2, 0) + (1 - share[..., None]) * carried
    return taken, doubt * (1 - share)


def _restrained(chroma: Floats, laid: Registered, paper: Floats) -> Floats:
    """Chroma of the same place, the style's own where both drawings are nearly one, held back for its inks and paper.

    What differs between impressions is inks, fading and the paper's tone. Constants: the same-design sets of real
    prints, docs/colour.md.
    """
    sure = min(1.0, max(0.0, (laid.correlation - _ALIKE) / (_AS_ONE - _ALIKE)))
    share = sure * _share(laid.agrees)[..., None]
    mixed = share * _lab(laid.style)[..., 1:] + (1 - share) * chroma
    tint = paper - _PAPER
    tint *= _PAPER_PART * min(1.0, _PAPER_MOST / max(1e-3, float(np.linalg.norm(tint))))
    return np.asarray(_OTHER_INKS * (mixed - tint), np.float32)


def _share(agrees: Floats) -> Floats:
    """How much of a place's colours is taken in place, in [0, 1]."""
    return np.asarray(((agrees - _DISAGREES) / (_AGREES - _DISAGREES)).clip(0, 1), np.float32)


def _candidates(features: Tensor, lightness: Tensor, theirs: _Side, own: Exemplar) -> Tensor:
    """Weights of the style's cells for some of the content's; rows sum to one."""
    alike = features.T @ theirs.features
    alike -= own.luminance_weight * (lightness[:, None] - theirs.lightness).abs_()
    return torch.softmax(alike.div_(own.temperature), 1)


def _agreed(carried: Floats, doubt: Floats, lightness: Floats, paper: Floats, agreement: float) -> Floats:
    """Models that neighbours agree on: min Σ c (x − carried)² + p (x − paper)² + agreement · Σ w (x_r − x_s)².

    c falls with the candidates' doubt; w with the difference of luminance. A cell that knows nothing takes its
    neighbours' colour, and a region that knows nothing the paper's.
    """
    trust = (_CONTRADICTION / (_CONTRADICTION + doubt)).ravel().astype(np.float64)
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


def _painted(models: Floats, lightness: Floats) -> Floats:
    """The models applied to each pixel's own L."""
    stack = torch.from_numpy(models).permute(2, 0, 1)[None]
    smooth = functional.interpolate(stack, size=lightness.shape, mode="bilinear", align_corners=False)[0]
    offsets, slopes = (
        smooth.permute(1, 2, 0).numpy().astype(np.float32).reshape(*lightness.shape, 2, 2).transpose(2, 0, 1, 3)
    )
    away = lightness[..., None] - _blurred(lightness[..., None])
    found: Floats = offsets + slopes * away
    return found
