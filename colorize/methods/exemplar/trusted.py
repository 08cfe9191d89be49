"""Colours only where they are trusted, where a recipe asks for it: elsewhere the print keeps the tone of its paper."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import median_filter

from colorize.finish.palette import ink_neutral, paper_tone

Floats = NDArray[np.float32]
_AREA_CELLS = 9
"""Side of a window in which the half decides; 36 px of 512."""


def trusted_areas(trust: Floats, least: float) -> NDArray[np.bool_]:
    """Cells around which at least half of the cells are trusted so far: areas, and no specks of colour within others.

    Args:
        trust: (rows, columns) of cells, in [0, 1].
        least: in [0, 1].
    """
    return np.asarray(median_filter(trust, _AREA_CELLS, mode="nearest") >= least)


def only_trusted(chroma: Floats, lightness: Floats, kept: NDArray[np.bool_]) -> Floats:
    """The chroma where it is kept, and the tone of the result's own paper elsewhere, so that no seam shows on paper.

    Args:
        chroma: (h, w, 2), CIELAB a, b.
        lightness: (h, w), L.
        kept: (rows, columns) of cells; between two of them colours run over smoothly.
    """
    height, width = lightness.shape
    share = Image.fromarray(kept.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    tone = paper_tone(np.dstack([lightness, chroma]))
    plain = ink_neutral(np.broadcast_to(tone, chroma.shape), lightness)
    part = np.asarray(share, np.float32)[..., None]
    return np.asarray(part * chroma + (1 - part) * plain, np.float32)
