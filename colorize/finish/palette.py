"""What chroma methods know of a print's own colours: its paper, its palette, its ink.

Pure arithmetic on CIELAB at working size; `colorize.methods.exemplar.transfer` and `colorize.finish.compose` call it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

DIRECTIONS: Final = 12
_LEVELS: Final = np.linspace(0, 1, 129)
_SAMPLES: Final = 1 << 14
_NEAR_PAPER, _PAPER_ITSELF = 25.0, 5.0
"""How much darker than paper a place is that has nothing of it, and up to which it is all paper; in L."""
_PAPER_SHARE: Final = 0.15
"""The lightest part of a print that its paper is sought in."""
INK: Final = 14.0
NO_INK: Final = 34.0
"""L below which a pixel is black ink, and above which it is none."""
_INK_KEEPS: Final = 0.15
"""Chroma that black ink keeps: it stays as warm or cool as its print."""


def paper_tone(lab: Floats) -> Floats:
    """a, b of a print's paper, (2,): the median of its lightest part.

    Args:
        lab: (h, w, 3), CIELAB.
    """
    light = lab[..., 0] >= np.quantile(lab[..., 0], 1 - _PAPER_SHARE)
    return np.median(lab[light][:, 1:], axis=0).astype(np.float32)


def palette_matched(chroma: Floats, style: Floats, strength: float) -> Floats:
    """Chroma led towards the style's distribution of colours, as averaging has drawn it together.

    One step of sliced optimal transport (Rabin et al. 2011) in the plane of a, b: along each of `DIRECTIONS` every
    colour moves by the difference of the quantiles that it stands at. It is a map of colours, so what was one colour
    stays one.

    Args:
        chroma: (h, w, 2).
        style: (h', w', 2).
        strength: 0 leaves the chroma, 1 is the whole step.
    """
    seen, wanted = (_sample(each) for each in (chroma, style))
    flat, moved = chroma.reshape(-1, 2), np.zeros((chroma.shape[0] * chroma.shape[1], 2), np.float32)
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        way = np.array([np.cos(angle), np.sin(angle)], np.float32)
        stands = np.quantile(seen @ way, _LEVELS)
        goes = np.quantile(wanted @ way, _LEVELS) - stands
        moved += np.outer(np.interp(flat @ way, stands, goes), way).astype(np.float32)
    # A shift shows in each direction by its cosine: their squares add up to half the number of directions.
    found = flat + moved * np.float32(2 * strength / DIRECTIONS)
    return np.asarray(found.reshape(chroma.shape), np.float32)


def mixed(styles: Sequence[Floats], parts: Sequence[float]) -> Floats:
    """A sample of several styles' chroma, (1, n, 2), of each its part.

    Args:
        styles: (h, w, 2) each.
        parts: together 1.
    """
    flat = [each.reshape(-1, 2) for each in styles]
    wanted = [int(part * _SAMPLES) for part in parts]
    return np.concatenate([each[:: max(1, len(each) // n)] for each, n in zip(flat, wanted, strict=True) if n])[None]


def paper_led(chroma: Floats, lightness: Floats, tone: Floats, part: float) -> Floats:
    """Chroma whose paper is led to a tone, and what is nearly as light with it; darker places stay.

    Args:
        chroma: (h, w, 2).
        lightness: (h, w), L.
        tone: (2,), a, b that the paper is led to.
        part: of the way, 0 to 1.
    """
    least = np.quantile(lightness, 1 - _PAPER_SHARE)
    share = np.clip((lightness - least + _NEAR_PAPER) / (_NEAR_PAPER - _PAPER_ITSELF), 0, 1)[..., None]
    own = paper_tone(np.dstack([lightness, chroma]))
    return np.asarray(chroma + part * share * (tone - own), np.float32)


def ink_neutral(chroma: Floats, lightness: Floats) -> Floats:
    """Chroma taken out of black ink, smoothly from L 34 down to 14: a print's key block is black, whatever is near.

    Args:
        chroma: (h, w, 2).
        lightness: (h, w), L in [0, 100].
    """
    share = np.clip((lightness - INK) / (NO_INK - INK), 0, 1)
    kept = _INK_KEEPS + (1 - _INK_KEEPS) * share**2 * (3 - 2 * share)
    return np.asarray(chroma * kept[..., None], np.float32)


def _sample(chroma: Floats) -> Floats:
    flat = chroma.reshape(-1, 2)
    sample: Floats = flat[:: max(1, len(flat) // _SAMPLES)]
    return sample
