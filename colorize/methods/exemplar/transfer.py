"""Colour by correspondence, the default: each place of the drawing takes its colours from where the style looks alike.

Alike is judged by deep features of both gray pictures, several layers at once, and
by luminance. What is carried over is no colour but a small model of colours: how a and b depend on L around the
partner, so that ink lines stay ink inside a coloured robe. Where the candidates' colours contradict one another,
neighbours across no edge, and in the end the paper, have the word. Of several styles each region takes most of what is
most like it. What was tried besides is in docs/colour.md.
"""

from collections.abc import Sequence
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
from colorize.finish.palette import ink_neutral, mixed, palette_matched, paper_tone
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.matching.geometry import Registered, register
from colorize.methods.exemplar.parameters import Exemplar
from colorize.methods.exemplar.shares import style_shares
from colorize.methods.exemplar.trusted import only_trusted, trusted_areas
from colorize.methods.work import Measured, Work, alone
from colorize.results import Origins
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
_PAPER, _PAPER_PART, _PAPER_MOST = np.array([0.5, 13.0], np.float32), 0.4, 12.0
"""a, b that a style's paper is led to; the part of its distance from there that is taken out; that at most. Real scans
have −2.5, 13 at the median, but results then come out 1.2 too green in the mean of 78 same-design sets."""
_LEAST_HOLD = 1e-3
_PAPER_PULL = 0.02
_BLOCK = 1 << 24
"""Numbers of the similarity matrix that are held at once, 64 MB."""


@dataclass(frozen=True)
class _Side:
    """One of the pictures, cell by cell."""

    features: Tensor
    """(D, cells), of unit length."""
    lightness: Tensor
    """(cells,), L less its mean, over its deviation: photographs differ in exposure."""
    shape: tuple[int, int]


@dataclass(frozen=True)
class Transfer:
    """Colours that were found, and where they come from."""

    chroma: Floats
    """(h, w, 2), CIELAB a, b."""
    shares: Floats
    """(n, rows, columns) of cells: what part of its colours by likeness each style gave, together 1."""
    in_place: Floats
    """(rows, columns) of cells: what part of its colours came from the same place of the print laid on it."""
    trust: Floats
    """(rows, columns) of cells, in [0, 1]: how likely a curator accepts them."""


@alone
def colours(each: Prepared, work: Work) -> Measured:
    """Each picture's chroma by its styles; float32, (h, w, 2).

    A print of the same design is the style alone, the best one where there are several: no likeness tells more.
    """
    own, styles = Exemplar.of(work.recipe), [style.pixels for style in each.styles]
    laid = [(style.registration, place) for place, style in enumerate(each.styles) if style.registration]
    if not laid:
        found = exemplar(each.content, styles, work.encoder, own)
        return _measured(found, _parts(found.shares), range(len(styles)), each.lightness, own.least_trust)
    registration, place = max(laid, key=lambda one: one[0].correlation)
    there = register(each.content, styles[place], registration)
    found = exemplar(each.content, [styles[place]], work.encoder, own, there)
    measures = {"in_place": float(_share(there.agrees).mean()), "registration_residual": there.residual_px}
    return _measured(found, measures, [place], each.lightness, own.least_trust)


def _measured(
    found: Transfer, measures: dict[str, float], places: Sequence[int], lightness: Floats, least: float
) -> Measured:
    trust = np.rint(found.trust * 255).astype(np.uint8)
    measures, chroma = {**measures, "trust": float(trust.mean() / 255)}, found.chroma
    if least:
        kept = trusted_areas(found.trust, least)
        measures, chroma = measures | {"uncoloured": float(1 - kept.mean())}, only_trusted(chroma, lightness, kept)
    return Measured(chroma, measures, _origins(found, places), trust)


def _parts(shares: Floats) -> dict[str, float]:
    """What part each style gave, where there are several."""
    if len(shares) == 1:
        return {}
    return {f"style_{place}": float(share.mean()) for place, share in enumerate(shares, start=1)}


def _origins(found: Transfer, places: Sequence[int]) -> Origins:
    style = np.array(places, np.uint8)[found.shares.argmax(0)] + np.uint8(1)
    return Origins(style, np.rint(found.in_place * 255).astype(np.uint8))


def exemplar(
    content: Pixels, styles: Sequence[Pixels], encoder: Encoder, own: Exemplar, laid: Registered | None = None
) -> Transfer:
    """The content's colours.

    Args:
        content: gray, uint8 (h, w, 3).
        styles: uint8 (h', w', 3) each, sRGB.
        encoder: whose features tell what is alike.
        own: the recipe's.
        laid: the one style laid on the content, where both are of one design.
    """
    lightness, *labs = (_lab(each) for each in (content, *styles))
    grays = [content, *(to_gray(each) for each in styles)]
    ours, *theirs = _sides(encoder, own, grays, [each[..., 0] for each in (lightness, *labs)])
    cells = _in_cells(lightness[..., :1], ours.shape)[0]
    carried, doubt, shares = _carried(ours, theirs, labs, cells, own)
    parts = shares.mean((1, 2))
    paper = np.asarray(sum(part * paper_tone(lab) for part, lab in zip(parts, labs, strict=True)), np.float32)
    if laid is not None:
        carried, doubt, in_place = _in_place(laid, carried, doubt)
        agreed = _agreed(carried, doubt, cells, paper, _PLACED_AGREEMENT)
        chroma = _restrained(ink_neutral(_painted(agreed, lightness[..., 0]), lightness[..., 0]), laid, paper)
        return Transfer(chroma, shares, in_place, _trust(doubt, in_place))
    chroma = _painted(_agreed(carried, doubt, cells, paper, own.agreement), lightness[..., 0])
    chroma = palette_matched(chroma, mixed([each[..., 1:] for each in labs], parts), own.palette)
    nowhere = np.zeros_like(cells)
    return Transfer(ink_neutral(chroma, lightness[..., 0]), shares, nowhere, _trust(doubt, nowhere))


def _lab(pixels: Pixels) -> Floats:
    return np.asarray(rgb2lab(pixels), np.float32)


@torch.no_grad()
def _sides(encoder: Encoder, own: Exemplar, pictures: Sequence[Pixels], lightnesses: Sequence[Floats]) -> list[_Side]:
    """All pictures' features, centred on what they have in common, each layer with the same weight."""
    found = [_features(encoder, own, picture) for picture in pictures]
    layers: list[list[Tensor]] = [[] for _ in found]
    for name in own.colour_layers:
        values = [each.pop(name) for _, each in found]
        centre = torch.cat(values, 1).mean(1, keepdim=True)
        for side, value in zip(layers, values, strict=True):
            side.append(functional.normalize(value - centre, dim=0))
    sides = []
    for features, (shape, _), lightness in zip(layers, found, lightnesses, strict=True):
        cells = torch.from_numpy(_in_cells(lightness[..., None], shape)[0]).flatten()
        light = (cells - cells.mean()) / cells.std().clamp_min(1e-3)
        joined = torch.cat(features) / len(features) ** 0.5
        sides.append(_Side(joined, light.to(joined), shape))
    return sides


def _features(encoder: Encoder, own: Exemplar, picture: Pixels) -> tuple[tuple[int, int], dict[str, Tensor]]:
    """How many cells a picture has, down and across, and each layer's values there, (C, cells)."""
    stack = torch.from_numpy(picture).permute(2, 0, 1)[None].to(encoder.device, encoder.dtype)
    found = encoder.features(stack, {*own.colour_layers, _GRID_LAYER})
    shape = found[_GRID_LAYER].shape[2], found[_GRID_LAYER].shape[3]
    return shape, {name: _resampled(found[name], shape) for name in own.colour_layers}


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


def _carried(
    ours: _Side, theirs: Sequence[_Side], labs: Sequence[Floats], cells: Floats, own: Exemplar
) -> tuple[Floats, Floats, Floats]:
    """The candidates' mean model for each cell, (h, w, 4), how far their colours lie apart, (h, w), and whose they are.

    Softmax over cos(features) − weight · |difference of luminance| within a style; between styles their likeness in the
    region decides (`style_shares`), (n, h, w).
    """
    step = (len(theirs) + 1) // 2  # all of one or two styles, each third cell of five
    found = [_by_likeness(ours, *_thinned(side, lab, step), own) for side, lab in zip(theirs, labs, strict=True)]
    likeness = torch.stack([like for _, like in found]).cpu().numpy().reshape(-1, *ours.shape)
    parts = style_shares(likeness, cells)
    weights = torch.from_numpy(parts.reshape(len(found), -1, 1))
    means = (weights * torch.stack([each.cpu() for each, _ in found])).sum(0)
    doubt = (means[:, 4] - means[:, :2].square().sum(1)).clamp_min(0)
    return means[:, :4].numpy().reshape(*ours.shape, 4), doubt.numpy().reshape(ours.shape), parts


def _thinned(side: _Side, lab: Floats, step: int) -> tuple[_Side, Tensor]:
    """Every so many of a style's cells, with their models and the square of the offsets, (cells, 5)."""
    models = torch.from_numpy(np.concatenate([_in_cells(each, side.shape) for each in _models(lab)])).flatten(1)
    values = torch.cat([models, models[:2].square().sum(0, keepdim=True)]).to(side.features).T
    return _Side(side.features[:, ::step], side.lightness[::step], side.shape), values[::step]


def _by_likeness(ours: _Side, theirs: _Side, values: Tensor, own: Exemplar) -> tuple[Tensor, Tensor]:
    """Means of a style's values over what is like each cell, (cells, 5), and how alike that is, (cells,).

    Blocked so that memory stays bounded. Alike is the logarithm of the softmax's sum.
    """
    step = max(1, _BLOCK // len(values))
    means, likeness = [], []
    for at in range(0, ours.features.shape[1], step):
        alike = ours.features[:, at : at + step].T @ theirs.features
        alike -= own.luminance_weight * (ours.lightness[at : at + step, None] - theirs.lightness).abs_()
        most, best = alike.div_(own.temperature).max(1)
        weights = torch.softmax(alike, 1)
        means.append(weights @ values)
        likeness.append(most - weights.gather(1, best[:, None])[:, 0].log())
    return torch.cat(means), torch.cat(likeness)


def _in_place(there: Registered, carried: Floats, doubt: Floats) -> tuple[Floats, Floats, Floats]:
    """As `_carried`, but from the same place of a print of one design where the drawings agree; and how much of it."""
    rows, columns = doubt.shape
    models = np.concatenate([_in_cells(each, (rows, columns)) for each in _models(_lab(there.style))])
    share = _share(_in_cells(there.agrees[..., None], (rows, columns))[0])
    taken: Floats = share[..., None] * models.transpose(1, 2, 0) + (1 - share[..., None]) * carried
    return taken, doubt * (1 - share), share


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


def _trust(doubt: Floats, in_place: Floats) -> Floats:
    """How likely a curator accepts each cell's colours: half for candidates that agree, half for the same place."""
    return np.asarray((_CONTRADICTION / (_CONTRADICTION + doubt) + in_place) / 2, np.float32)


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
