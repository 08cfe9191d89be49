"""Measures of a picture as it is saved: is the drawing untouched, and are the colours believable?

The colorizer takes them of every attempt, `nishiki measure` against a known truth. They know neither encoder nor
tensor. What belongs to the drawing is taken at full size (`colorize.measures.lightness`), what belongs to the colours
on copies of `COPY_PX`. Pictures come cropped to their frames.
"""

from math import isqrt
from typing import Any, Final

import numpy as np
from skimage.color import deltaE_ciede2000

from colorize.images.decode import Pixels
from colorize.images.resize import resized
from colorize.measures.lightness import Floats, Labs, Scan, chroma_of, drawing_measures, lab, lightness
from colorize.measures.names import in_range

COPY_PX: Final = 512
"""Long edge of the copies that colours are measured on."""
FLAT_GRADIENT: Final = 2.0
"""Change of the content's L* per pixel under which it draws nothing: paper grain passes, lines do not."""
DIRECTIONS: Final = 64
_CLOUD: Final = 2**14
"""Colours of a picture that are compared with the style's: ten times as many change the distance by less than .01."""
_EIGHT_BITS: Final = np.rint(np.arange(2**16) / 257).astype(np.uint8)


def picture_measures(content: Scan, result: Scan, style: Pixels | None = None) -> dict[str, float]:
    """Every measure of one picture; the three are cropped to their frames.

    Args:
        content: (H, W, 3), the archive's own scan at the result's size; its L* counts.
        result: (H, W, 3), as saved.
        style: uint8, (H', W', 3); without one (or with a gray one) `swd_ab` and `colourfulness_ratio` are left out.

    Returns:
        lightness_ssim, lightness_difference_mean, lightness_difference_p99, ink_chroma: see `drawing_measures`.
        chroma_mean: mean C*.
        colourfulness: Hasler–Süsstrunk, signed.
        chroma_texture: see `chroma_texture`; left out where nothing is flat.
        swd_ab: sliced Wasserstein distance of a*, b* to the style's over that of no colour at all; 1 for gray.
        colourfulness_ratio: over the style's.
    """
    made = _copy(result)
    colours = lab(made)
    measures = drawing_measures(content, result)
    measures |= {"chroma_mean": float(chroma_of(colours).mean()), "colourfulness": colourfulness(made)}
    texture = chroma_texture(lightness(_copy(content)), colours[..., 1:])
    if texture is not None:
        measures["chroma_texture"] = texture
    if style is not None and (full := colourfulness(_copy(style))):
        measures["swd_ab"] = _distance(colours[..., 1:], lab(_copy(style))[..., 1:])
        measures["colourfulness_ratio"] = measures["colourfulness"] / full
    return in_range(measures)


def _distance(chroma: Labs, wanted: Labs) -> float:
    """Sliced Wasserstein distance of two pictures' a*, b*, over that of gray to the second."""
    found, style = (_cloud(each) for each in (chroma, wanted))
    return sliced_wasserstein(found, style) / sliced_wasserstein(np.zeros((1, 2), np.float32), style)


def _cloud(chroma: Labs) -> Floats:
    """Of pixels evenly taken, (N, 2): no fewer than `_CLOUD` where there are as many."""
    height, width = chroma.shape[:2]
    step = max(1, isqrt(height * width // _CLOUD))
    return chroma[::step, ::step].reshape(-1, 2).astype(np.float32)


def truth_measures(truth: Pixels, result: Pixels) -> dict[str, float]:
    """`truth_distances`, and `picture_measures` with the truth as content and as style."""
    return truth_distances(truth, result) | picture_measures(truth, result, truth)


def truth_distances(truth: Pixels, result: Pixels) -> dict[str, float]:
    """How far the colours are from a print's own.

    Args:
        truth: (H, W, 3), the print's own colours.
        result: (H, W, 3).

    Returns:
        delta_e, delta_e_gray: mean ΔE00 to the truth, of the result and of the truth's L* left gray.
        delta_e_ratio: the one over the other, below 1 where colouring helped; left out where the truth is gray.
    """
    wanted, found = (lab(_copy(each)) for each in (truth, result))
    delta_e, gray = (_delta_e(wanted, other) for other in (found, wanted * (1, 0, 0)))
    ratio = {"delta_e_ratio": delta_e / gray} if colourfulness(_copy(truth)) else {}
    return {"delta_e": delta_e, "delta_e_gray": gray, **ratio}


def colourfulness(pixels: Pixels) -> float:
    """Hasler and Süsstrunk 2003's M3: √(σ_rg² + σ_yb²) + 0.3 √(μ_rg² + μ_yb²), signed opponents, 0 for gray.

    Args:
        pixels: uint8, (H, W, 3), sRGB.
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def chroma_texture(drawing: Floats, chroma: Labs) -> float | None:
    """Mean gradient of a*, b* (ΔE per pixel) where the content's L* is flat; None where it nowhere is.

    What the drawing does not account for: brush strokes, blotches, seams. Of two pictures at one size the figures
    compare, of one picture at two sizes they do not. Rounding to 8 bits alone comes to about 0.3.

    Args:
        drawing: (h, w), L* of the content.
        chroma: (h, w, 2), a*, b* of the picture.
    """
    flat = np.hypot(*np.gradient(drawing)) < FLAT_GRADIENT
    if not flat.any():
        return None
    down, right = np.gradient(chroma, axis=(0, 1))
    return float(np.sqrt((down**2 + right**2).sum(-1))[flat].mean())


def sliced_wasserstein(one: Floats, other: Floats) -> float:
    """W₁ of two clouds of colours, averaged over `DIRECTIONS` directions evenly spaced on the half circle; ≥ 0.

    Mean difference of sorted projections; the smaller cloud's quantiles are interpolated. A shift by t gives 2|t|/π.

    Args:
        one: (N, 2).
        other: (M, 2).
    """
    angles = (np.arange(DIRECTIONS) + 0.5) * np.pi / DIRECTIONS
    ways = np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    count = max(len(one), len(other))
    return float(
        np.mean([np.abs(_quantiles(one @ way, count) - _quantiles(other @ way, count)).mean() for way in ways.T])
    )


def _quantiles(values: Floats, count: int) -> Floats:
    ordered = np.sort(values)
    if len(ordered) == count:
        return ordered
    levels = (np.arange(count) + 0.5) * len(ordered) / count - 0.5
    between: Floats = np.interp(levels, np.arange(len(ordered)), ordered).astype(np.float32)
    return between


def _delta_e(one: Labs, other: Labs) -> float:
    """Mean ΔE00."""
    difference: Any = deltaE_ciede2000
    return float(difference(one, other).mean())


def _copy(pixels: Scan) -> Pixels:
    narrow = _EIGHT_BITS[pixels] if pixels.dtype == np.uint16 else pixels.astype(np.uint8, copy=False)
    return resized(narrow if narrow.ndim == 3 else np.stack([narrow] * 3, axis=-1), COPY_PX, multiple=1)
