"""What a gray picture may be printed with, class of chroma by class: pure arithmetic; `printing.py` calls it.

Three voices, each a distribution over the prior's classes, joined as weighted logarithms (a logarithmic opinion pool):
the prior says what prints have where a drawing looks so; the style images say which inks they have at each lightness;
and their places that look alike say what they have there. The weights are the recipe's, fitted on held-back real
prints (docs/colour.md): the prior's and the inks' words count about the same, the like places' little.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.methods.exemplar.parameters import Blocks
from colorize.methods.exemplar.placed import in_cells
from colorize.methods.exemplar.prior import Prior, Seen

Floats = NDArray[np.float32]

LEVELS = 21
"""Levels of L, 0 to 100, that inks are known at."""
_LEVEL_SPREAD = 3.0
"""Standard deviation, in L, by which a pixel counts at the levels around it."""
_FAR = 60.0
"""Of the square of their distance: what is farther counts as this far, since the smallest numbers are slow."""
_SAMPLES = 8192
"""Pixels of a style that its inks are counted on, about."""
_EACH = 3
"""Of a style's cells every so many are asked for their like: neighbours say the same."""
_UNSEEN = 0.002
"""Share of a class that no style shows: nothing is impossible."""


_PLACE = 0.5
"""How much it counts what a print of the same design has in the same place, although the drawings there differ."""


@dataclass(frozen=True)
class Evidence:
    """Logarithms, up to a constant in each row, of how likely the classes are."""

    cells: Floats
    """(n, K), by place: what the prior and the like places say of each cell."""
    inks: Floats
    """(LEVELS, K), by lightness: what the styles' inks say."""
    prior: Floats
    """(n, K), the prior's own word."""
    shares: Floats
    """(styles, rows, columns), what part each style has in the like places, together 1."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        return self.shares.shape[1], self.shares.shape[2]


def evidence(
    prior: Prior, encoder: Encoder, content: Pixels, styles: Sequence[Pixels], labs: Sequence[Floats], own: Blocks
) -> Evidence:
    """What content's cells may be printed with.

    Args:
        prior: whose classes they are.
        encoder: that the prior reads.
        content: gray, uint8 (h, w, 3).
        styles: uint8 (h', w', 3) each, sRGB.
        labs: the same in CIELAB.
        own: the recipe's weights.
    """
    seen = prior.look(encoder, content)
    said = log_softmax(seen.logits.T, axis=1)
    sides = [_voters(prior, prior.look(encoder, to_gray(style)), lab) for style, lab in zip(styles, labs, strict=True)]
    whose = np.repeat(np.eye(len(sides), dtype=np.float32), [len(classes) for _, classes in sides], axis=0)
    keys = np.concatenate([side.keys for side, _ in sides], axis=1)
    values = np.concatenate([np.concatenate([classes for _, classes in sides]), whose], axis=1)
    voted = prior.vote(seen.keys, keys, values)
    like, shares = voted[:, : -len(sides)], voted[:, -len(sides) :].T.reshape(-1, *seen.shape)
    inks = np.mean([_inks(prior, lab) for lab in labs], axis=0)
    inks /= inks.sum(1, keepdims=True).clip(1e-9)
    cells = own.prior_weight * said + own.likeness_weight * np.log(like + _UNSEEN)
    return Evidence(cells, own.inks_weight * np.log(inks + _UNSEEN), said, shares)


def with_place(found: Evidence, prior: Prior, laid: Floats) -> Evidence:
    """The evidence with the word of a print of the same design that is laid on the picture, in CIELAB, (h, w, 3)."""
    there = prior.soft_classes(in_cells(laid[..., 1:], found.shape).reshape(2, -1).T)
    return replace(found, cells=found.cells + _PLACE * np.log(there + _UNSEEN))


def _voters(prior: Prior, seen: Seen, lab: Floats) -> tuple[Seen, Floats]:
    """Some of a style's cells, and the classes of their own chroma, (m, K)."""
    chroma = in_cells(lab[..., 1:], seen.shape).reshape(2, -1).T[::_EACH]
    return Seen(seen.logits, seen.keys[:, ::_EACH], seen.lightness, seen.shape), prior.soft_classes(chroma)


def _inks(prior: Prior, lab: Floats) -> Floats:
    """How much of a style is of each class at each lightness, (LEVELS, K), together about 1."""
    pixels = lab.reshape(-1, 3)
    pixels = pixels[:: max(1, len(pixels) // _SAMPLES)]
    levels = np.linspace(0, 100, LEVELS, dtype=np.float32)
    away = ((levels[:, None] - pixels[:, 0]) / _LEVEL_SPREAD) ** 2
    near = np.exp(-np.minimum(away, _FAR) / 2)
    found: Floats = near @ prior.soft_classes(pixels[:, 1:]) / len(pixels)
    return found
