"""What became of the drawing: L* of a result against the archive's own, on every pixel of a scan.

`colorize.measures.quality` calls it for figures, `flows.workers.tiles` for a view of it. It works in strips, so that
memory stays bounded, and has its own L*: a lock of the lightness is not measured by the tables that it is made with.
"""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import rgb2lab
from skimage.metrics import structural_similarity

from colorize.images.decode import Pixels
from colorize.measures.names import in_range

Scan = NDArray[np.uint8] | NDArray[np.uint16]
"""sRGB in [0, 255] or [0, 65535], (H, W, 3), or gray, (H, W)."""

Floats = NDArray[np.float32]
Labs = NDArray[np.float64]
"""L* in [0, 100], a*, b*, (..., 3), or a part of them."""

INK_LIGHTNESS: Final = 25.0
"""L* of the content under which a pixel is black ink."""
_STRIP_ROWS: Final = 512
_HALO_ROWS: Final = 3
"""Half the window of SSIM (7 px); as wide a border has no whole window and does not count."""
_INK_SAMPLE: Final = 2**16
"""Ink pixels of a strip that are looked at, evenly taken; all where there are not twice as many."""
_STEPS: Final = 1000
"""Bins of |ΔL*| per unit: a percentile without keeping a scan's differences."""
_RED, _BLUE = np.float32(0.212671), np.float32(0.072169)
"""Parts of red and blue in Y of linear sRGB (ITU-R BT.709), as scikit-image has it; green has the rest."""


def drawing_measures(content: Scan, result: Scan) -> dict[str, float]:
    """What became of the drawing, at full size.

    Returns:
        lightness_ssim: structural similarity of L* (1 is untouched).
        lightness_difference_mean, lightness_difference_p99: |ΔL*|, in [0, 100]; the latter to .001.
        ink_chroma: mean C* where the content is black ink; left out where there is none.
    """
    counts, sums = np.zeros(100 * _STEPS + 1, np.int64), np.zeros(4)
    for rows, inner in _strips(len(content)):
        before, after = lightness(content[rows]), lightness(result[rows])
        changed = np.abs(before - after)[inner]
        ink = before[inner] < INK_LIGHTNESS
        inked = _ink_chroma(result[rows][inner][ink])
        sums += (_similarity_sum(before, after), changed.sum(dtype=float), inked, ink.sum())
        counts += np.bincount(np.rint(changed * _STEPS).astype(np.int64).ravel(), minlength=len(counts))
    similar, difference, chroma, ink_pixels = sums.tolist()
    height, width = content.shape[:2]
    measures = {
        "lightness_ssim": similar / ((height - 2 * _HALO_ROWS) * (width - 2 * _HALO_ROWS)),
        "lightness_difference_mean": difference / (height * width),
        "lightness_difference_p99": float(np.searchsorted(counts.cumsum(), 0.99 * height * width)) / _STEPS,
    }
    return in_range(measures | ({"ink_chroma": chroma / ink_pixels} if ink_pixels else {}))


def difference_view(content: Pixels, result: Pixels, amplification: float) -> NDArray[np.uint8]:
    """What became of the drawing, for the eye: 128 + amplification × ΔL*, rounded and clipped, (H, W).

    As large as the result, which a content of another size is brought to. 128 is an unchanged pixel, a lighter one has
    become lighter.
    """
    height, width = result.shape[:2]
    if content.shape != result.shape:
        content = np.array(Image.fromarray(content).resize((width, height), Image.Resampling.LANCZOS))
    view = np.empty((height, width), np.uint8)
    for top in range(0, height, _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        changed = lightness(result[rows]) - lightness(content[rows])
        view[rows] = np.rint(128 + amplification * changed).clip(0, 255)
    return view


def _strips(height: int) -> Iterator[tuple[slice, slice]]:
    """Rows of about equal strips with the halo that SSIM needs, and where each strip lies within its rows."""
    edges = np.linspace(0, height, ceil(height / _STRIP_ROWS) + 1).astype(int).tolist()
    for top, bottom in pairwise(edges):
        first = max(top - _HALO_ROWS, 0)
        yield slice(first, bottom + _HALO_ROWS), slice(top - first, bottom - first)


def _ink_chroma(ink: Scan) -> float:
    """C* summed over ink pixels, (N, 3)."""
    return float(chroma_of(lab(ink[:: max(1, len(ink) // _INK_SAMPLE)])).mean()) * len(ink) if len(ink) else 0.0


def _similarity_sum(before: Floats, after: Floats) -> float:
    """SSIM summed over all pixels whose window lies inside these rows: strips with halos count each pixel once."""
    similarity: Any = structural_similarity
    _, found = similarity(before, after, data_range=100.0, full=True)
    return float(found[_HALO_ROWS:-_HALO_ROWS, _HALO_ROWS:-_HALO_ROWS].sum(dtype=float))


def lightness(pixels: Scan) -> Floats:
    """L* in [0, 100], (H, W): scikit-image's figures in float32, ten times as fast."""
    light = _linear(int(np.iinfo(pixels.dtype).max))[pixels]
    light = light if light.ndim == 2 else _luminance(light)
    root: Floats = np.where(light > 0.008856, np.cbrt(light), 7.787 * light + np.float32(16 / 116))
    return 116 * root - 16


def _luminance(light: Floats) -> Floats:
    """Y of linear sRGB: exactly the one value of three that are equal, on every processor."""
    red, green, blue = light[..., 0], light[..., 1], light[..., 2]
    summed: Floats = green + _RED * (red - green) + _BLUE * (blue - green)
    return summed


@cache
def _linear(top: int) -> Floats:
    """Linear light of each stored value up to `top` (IEC 61966-2-1)."""
    value = np.linspace(0, 1, top + 1)
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92).astype(np.float32)


def lab(pixels: Scan) -> Labs:
    """CIELAB (D65) of sRGB."""
    found: Labs = rgb2lab(pixels)
    return found


def chroma_of(colours: Labs) -> Labs:
    """C* of L*, a*, b*."""
    chroma: Labs = np.hypot(colours[..., 1], colours[..., 2])
    return chroma
