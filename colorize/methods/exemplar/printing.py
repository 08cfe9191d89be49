"""Colour by evidence, the default: each area of the drawing chooses what it was printed with.

A learned prior, the style images' inks and their like places say what is likely (`evidence.py`), the areas of the
drawing choose (`blocks.py`), and how far the choice may be trusted is told (`trust.py`). Where a style is another
impression of the same design it is laid on the content, and colours are taken in place (`placed.py`). What was tried
besides is in docs/colour.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorize.encoders.loading import load_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import shipped_weights
from colorize.errors import WeightsCorrupt
from colorize.finish.palette import ink_neutral, paper_led, paper_tone
from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.images.resize import to_gray
from colorize.matching.geometry import Registered, features, same_design
from colorize.methods.exemplar.blocks import blocks, painted
from colorize.methods.exemplar.evidence import evidence, with_place
from colorize.methods.exemplar.found import Transfer, by_styles
from colorize.methods.exemplar.parameters import Blocks
from colorize.methods.exemplar.placed import (
    AGREEMENT,
    agreed,
    in_cells,
    in_place,
    other_impression,
    painted_models,
    restrained,
)
from colorize.methods.exemplar.prior import Prior, load_prior
from colorize.methods.exemplar.trust import IN_PLACE, trust
from colorize.methods.work import Measured, Work, alone
from colorize.running.prepare import Prepared

Floats = NDArray[np.float32]

_CELL_PX = 4
"""Side of the cells that origins and trust are told by."""
_ALIKE = 0.5
"""Correlation at a glance from which a style may be of the same design: nine of ten real impressions have more."""
_PAPER_PART = 0.6
"""Of the way from the tone that areas chose for paper to the mean of the styles' papers."""
_PALER = np.array([-0.2, -0.4], np.float32)
"""a, b of paper for each L that its scan is brighter: a regression on 120 actor prints has −.20, −.33, on the 412 other
prints of docs/colour.md −.10, −.21, on those of one museum −.24, −.43."""
_BRIGHTER = -6.0, 10.0
"""Least and most that counts of the difference, in L: ink on dark toned paper tells nothing of other papers."""
_BRIGHTEST = 0.97
"""Quantile of L that tells how bright a scan's paper is."""
_DOUBT = 30.0
"""Of an area's colour beside that of the same place: it counts half."""


@alone
def colours(each: Prepared, work: Work) -> Measured:
    """Each picture's chroma by its styles; float32, (h, w, 2)."""
    own = Blocks.of(work.recipe)
    prior, encoder = _shipped(own.prior)

    def find(content: Pixels, styles: Sequence[Pixels], laid: Registered | None) -> Transfer:
        return printed(content, styles, laid, prior, encoder, own)

    return by_styles(_laid(each), find, own.least_trust)


def _laid(each: Prepared) -> Prepared:
    """The picture with the registration of a style of its own design, where nobody has looked for one.

    A night has, by record and features; here only the style that is most alike at a glance is held against it.
    """
    if any(style.registration for style in each.styles):
        return each
    alike = [_at_a_glance(each.content, style.pixels) for style in each.styles]
    place = int(np.argmax(alike))
    if alike[place] < _ALIKE:
        return each
    style = each.styles[place]
    ours, theirs = (features(pixels, Frame(0, 0, *pixels.shape[:2])) for pixels in (each.content, style.pixels))
    found = replace(style, registration=same_design(ours, theirs))
    return replace(each, styles=(*each.styles[:place], found, *each.styles[place + 1 :]))


def _at_a_glance(content: Pixels, style: Pixels) -> float:
    """Correlation of two pictures' lightness on a grid of 16 × 16, in [−1, 1]; 0 where one is flat."""
    one, other = (
        cv2.resize(to_gray(each)[..., 0], (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        for each in (content, style)
    )
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / max(1e-3, float(np.linalg.norm(one) * np.linalg.norm(other))))


@lru_cache(maxsize=1)
def _shipped(checksum: str) -> tuple[Prior, Encoder]:
    """The prior that comes with nishiki, and the encoder that it reads, whatever the relative errors are taken with.

    Raises:
        WeightsCorrupt: it is not the recipe's.
    """
    prior = load_prior()
    if prior.checksum != checksum:
        raise WeightsCorrupt(f"the recipe asks for the prior {checksum[:12]}, and {prior.checksum[:12]} is here")
    return prior, load_encoder(shipped_weights())


def printed(
    content: Pixels, styles: Sequence[Pixels], laid: Registered | None, prior: Prior, encoder: Encoder, own: Blocks
) -> Transfer:
    """The content's colours.

    Args:
        content: gray, uint8 (h, w, 3), its sides multiples of 4.
        styles: uint8 (h', w', 3) each, sRGB.
        laid: the one style laid on the content, where both are of one design.
        prior: what prints look like.
        encoder: that the prior reads.
        own: the recipe's.
    """
    lightness = _lab(content)[..., 0]
    labs = [_lab(each) for each in styles]
    said = evidence(prior, encoder, content, styles, labs, own)
    if laid is not None:
        said = with_place(said, prior, _lab(laid.style))
    found = blocks(said, prior.classes, lightness, own)
    papers = np.mean([paper_tone(lab) for lab in labs], axis=0)
    brighter = float(np.clip(_bright(lightness) - np.mean([_bright(lab[..., 0]) for lab in labs]), *_BRIGHTER))
    chroma, sure = painted(found, lightness), trust(found, said, prior.classes, brighter)
    chroma = paper_led(chroma, lightness, papers + _PALER * np.float32(brighter), _PAPER_PART)
    shape = content.shape[0] // _CELL_PX, content.shape[1] // _CELL_PX
    shares = in_cells(said.shares.transpose(1, 2, 0), shape)
    trusted = in_cells(sure[..., None], shape)[0]
    if laid is None:
        return Transfer(ink_neutral(chroma, lightness), shares, np.zeros(shape, np.float32), trusted)
    cells = in_cells(lightness[..., None], shape)[0]
    carried = np.concatenate([in_cells(chroma, shape), np.zeros((2, *shape), np.float32)]).transpose(1, 2, 0)
    models, doubt, placed = in_place(laid, carried, np.full(shape, _DOUBT, np.float32))
    chroma = painted_models(agreed(models, doubt, cells, papers, AGREEMENT), lightness)
    chroma = restrained(ink_neutral(chroma, lightness), laid, papers, other_impression(laid))
    return Transfer(chroma, shares, placed, placed * IN_PLACE + (1 - placed) * trusted)


def _bright(lightness: Floats) -> float:
    return float(np.quantile(lightness, _BRIGHTEST))


def _lab(pixels: Pixels) -> Floats:
    return np.asarray(rgb2lab(pixels), np.float32)
