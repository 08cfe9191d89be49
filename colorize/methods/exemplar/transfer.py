"""Colour by correspondence: each place of the drawing takes its colours from where the style looks alike.

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
from skimage.color import rgb2lab
from torch import Tensor
from torch.nn import functional

from colorize.encoders.vgg19 import Encoder
from colorize.finish.palette import ink_neutral, mixed, palette_matched, paper_tone
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.matching.geometry import Registered
from colorize.methods.exemplar.found import Transfer, by_styles
from colorize.methods.exemplar.parameters import Exemplar
from colorize.methods.exemplar.placed import (
    AGREEMENT,
    CONTRADICTION,
    agreed,
    colour_models,
    in_cells,
    in_place,
    painted_models,
    restrained,
)
from colorize.methods.exemplar.shares import style_shares
from colorize.methods.work import Measured, Work, alone
from colorize.running.prepare import Prepared

Floats = NDArray[np.float32]

_GRID_LAYER = "conv3_4"
"""A cell is a position of this layer: 4 × 4 pixels."""
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


@alone
def colours(each: Prepared, work: Work) -> Measured:
    """Each picture's chroma by its styles; float32, (h, w, 2)."""
    own = Exemplar.of(work.recipe)

    def find(content: Pixels, styles: Sequence[Pixels], laid: Registered | None) -> Transfer:
        return exemplar(content, styles, work.encoder, own, laid)

    return by_styles(each, find, own.least_trust)


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
    cells = in_cells(lightness[..., :1], ours.shape)[0]
    carried, doubt, shares = _carried(ours, theirs, labs, cells, own)
    parts = shares.mean((1, 2))
    paper = np.asarray(sum(part * paper_tone(lab) for part, lab in zip(parts, labs, strict=True)), np.float32)
    if laid is not None:
        carried, doubt, placed = in_place(laid, carried, doubt)
        chroma = painted_models(agreed(carried, doubt, cells, paper, AGREEMENT), lightness[..., 0])
        chroma = restrained(ink_neutral(chroma, lightness[..., 0]), laid, paper)
        return Transfer(chroma, shares, placed, _trust(doubt, placed))
    chroma = painted_models(agreed(carried, doubt, cells, paper, own.agreement), lightness[..., 0])
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
        cells = torch.from_numpy(in_cells(lightness[..., None], shape)[0]).flatten()
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
    models = torch.from_numpy(np.concatenate([in_cells(each, side.shape) for each in colour_models(lab)])).flatten(1)
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


def _trust(doubt: Floats, in_place: Floats) -> Floats:
    """How likely a curator accepts each cell's colours: half for candidates that agree, half for the same place."""
    return np.asarray((CONTRADICTION / (CONTRADICTION + doubt) + in_place) / 2, np.float32)
