"""Is a picture grayscale, toned (ink on coloured paper, a sepia photograph), colour, or is it hard to say?

Harvest asks once for each picture. Mean chroma cannot tell an ink print on brown paper from a faded colour print (both
lie between 7 and 11 in CIELAB), so the question is put differently: how far is the picture from its *toned copy*, the
picture that has the same luma everywhere and, for each luma, one colour? What was printed in one ink, or toned as a
whole, is its own toned copy, whatever ink, paper, the scanner's cast and the curve between; a colour print is not.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import skimage.color  # loads its parts (and SciPy) on first use
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from colorize.images.tone_rules import VERSION

COPIED_AT_PX: Final = 512
"""Long edge at which the toned copy is made: lines are not yet mixed with the paper between them."""
LONG_EDGE_PX: Final = 128
"""Long edge at which the two are compared: averaging quiets grain, coloured edges and the chroma noise of JPEG."""

_SINGLE_CHANNEL: Final = ("1", "L", "LA", "La", "I", "F")
_ROUNDS: Final = 12
_GRAY_SPREAD: Final = 6.0
_FAINT, _STRAY = 6.0, 8.0
_COLOUR_STRAY: Final = 0.04
_COLOUR_INNER: Final = 0.04
_COLOUR_TILES: Final = 0.12
_TONED_FAINT: Final = 0.02
_TONED_INNER: Final = 0.02

Floats = NDArray[np.float64]


class Tone(StrEnum):
    """Grayscale, toned (one tint over the whole), colour (several hues), or unsure."""

    GRAYSCALE = "grayscale"
    TONED = "toned"
    COLOUR = "colour"
    UNSURE = "unsure"


@dataclass(frozen=True)
class ToneReport:
    """A tone, the figures it rests on (see `judge_tone`), and one sentence for people."""

    tone: Tone
    measures: dict[str, float]
    reason: str


def judge_tone(pixels: NDArray[np.uint8], mode: str = "RGB") -> ToneReport:
    """The tone of a picture, from its pixels and from how they were stored.

    The toned copy has the picture's luma Y', and as Cb and Cr each a cubic of Y': that of least absolute distance from
    the medians at each level. Picture and copy are reduced to `LONG_EDGE_PX` and blurred by 3 × 3; their difference in
    the (a*, b*) plane of CIELAB (D65) is blurred likewise, and d is its length. Blank pixels (L* > 99.5: white margins,
    what was transparent) and their neighbours to 2 px differ in nothing.

        rules         the version of all this, `tone_rules.VERSION`
        spread        99.9th percentile of max(R, G, B) − min(R, G, B), in [0, 255], blank pixels too
        tint_chroma   75th percentile of the chroma C*, dimensionless
        faint_share   share of pixels with d > 6, in [0, 1]
        stray_share   share of pixels with d > 8, in [0, 1]
        stray_tiles   share of the 8 × 8 tiles in which more than 5 % of the pixels have d > 8: a seal fills few
        inner_share   share of pixels with d > 8 in the middle half of height and width, from the toned copy of these
                      alone: a mount or a colour chart lies outside, and has no part in it

    Grayscale: a single channel, or spread ≤ 6. Toned: faint_share ≤ .02 and inner_share ≤ .02. Colour: stray_share ≥
    .04, in ≥ .12 of the tiles, and inner_share ≥ .04. Else unsure. Of the limits chosen on either half of a set of real
    prints and their gray and toned copies, the stricter ones hold (docs/tone.md, `tests/benchmarks/tone.py`).

    Args:
        pixels: uint8, (H, W, 3), sRGB in [0, 255], without what lies around the print (`colorize.images.frame`).
        mode: Pillow's name of the pixels as stored (`Decoded.mode`).
    """
    measures = _measures(pixels)
    if mode in _SINGLE_CHANNEL or mode.startswith("I;16"):
        return ToneReport(Tone.GRAYSCALE, measures, f"stored as a single channel ({mode})")
    tone, reason = _verdict(measures)
    return ToneReport(tone, measures, reason)


def _verdict(found: dict[str, float]) -> tuple[Tone, str]:
    if found["spread"] <= _GRAY_SPREAD:
        return Tone.GRAYSCALE, f"red, green and blue differ by {found['spread']:.0f} of 255 at most"
    if found["faint_share"] <= _TONED_FAINT and found["inner_share"] <= _TONED_INNER:
        return Tone.TONED, "one ink on one paper explains the picture"
    strays = f"{found['stray_share']:.1%} of the picture has other colours than one ink on one paper"
    if found["stray_share"] < _COLOUR_STRAY:
        return Tone.UNSURE, f"{strays}: more than an ink print shows, or less than a colour print"
    if found["inner_share"] < _COLOUR_INNER:
        return Tone.UNSURE, f"{strays}, but near its edges: a mount or a colour chart?"
    if found["stray_tiles"] < _COLOUR_TILES:
        return Tone.UNSURE, f"{strays}, but in few places: a seal or a stain?"
    return Tone.COLOUR, f"{strays}, spread over it"


def _measures(pixels: NDArray[np.uint8]) -> dict[str, float]:
    picture = _reduced(Image.fromarray(pixels), COPIED_AT_PX)
    rgb, inner = _compared(picture), _inner(picture)
    lab = skimage.color.rgb2lab(rgb)
    seen = _seen(lab[..., 0])
    apart = _apart(picture, lab)
    strays = seen & (apart > _STRAY)
    return {
        "rules": float(VERSION),
        "spread": float(np.percentile(np.ptp(rgb, axis=-1), 99.9)),
        "tint_chroma": float(np.percentile(np.hypot(lab[..., 1], lab[..., 2])[seen], 75)),
        "faint_share": float(np.mean(apart[seen] > _FAINT)),
        "stray_share": float(np.mean(strays[seen])),
        "stray_tiles": _tile_share(strays),
        "inner_share": float(np.mean(_apart(inner, _lab(inner)) > _STRAY)),
    }


def _lab(picture: Image.Image) -> Floats:
    """(H, W, 3): CIELAB of the picture as it is compared."""
    lab: Floats = skimage.color.rgb2lab(_compared(picture))
    return lab


def _apart(picture: Image.Image, lab: Floats) -> Floats:
    """(H, W): how far each pixel of the reduced picture is from its toned copy; blank ones are not."""
    difference = (lab - _lab(_toned(picture)))[..., 1:] * _seen(lab[..., 0])[..., None]
    apart: Floats = np.linalg.norm(ndimage.uniform_filter(difference, (3, 3, 1), mode="nearest"), axis=-1)
    return apart


def _compared(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(_reduced(image, LONG_EDGE_PX).filter(ImageFilter.BoxBlur(1)))


def _inner(image: Image.Image) -> Image.Image:
    width, height = image.size
    return image.crop((width // 4, height // 4, width - width // 4, height - height // 4))


def _reduced(image: Image.Image, long_edge_px: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((long_edge_px, long_edge_px), Image.Resampling.BOX)
    return small


def _toned(image: Image.Image) -> Image.Image:
    """The toned copy."""
    luma, *chroma = image.convert("YCbCr").split()
    levels = np.asarray(luma).astype(np.int32)
    curves = [_curve(levels, np.asarray(each)) for each in chroma]
    return Image.merge("YCbCr", [luma, *(luma.point(curve.tolist()) for curve in curves)]).convert("RGB")


def _curve(luma: NDArray[np.int32], chroma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(256,): the cubic of least absolute distance (reweighted least squares) from each luma's median chroma."""
    counts = np.bincount((luma * 256 + chroma).ravel(), minlength=256 * 256).reshape(256, 256)
    sums = counts.cumsum(axis=1)
    medians, pixels = (2 * sums >= sums[:, -1:]).argmax(axis=1), sums[:, -1]
    powers, curve = np.vander(np.linspace(0, 1, 256), 4), medians.astype(np.float64)
    for _ in range(_ROUNDS):
        weighted = powers * (pixels / np.maximum(np.abs(medians - curve), 1))[:, None]
        curve = powers @ np.linalg.lstsq(weighted.T @ powers, weighted.T @ medians)[0]
    levels: NDArray[np.uint8] = np.rint(curve).clip(0, 255).astype(np.uint8)
    return levels


def _seen(lightness: Floats) -> NDArray[np.bool_]:
    """What is neither blank nor the blurred edge of a blank; everything, where that leaves nothing."""
    seen = ndimage.minimum_filter(lightness <= 99.5, 5, mode="nearest")
    return seen if seen.any() else np.ones_like(seen)


def _tile_share(strays: NDArray[np.bool_]) -> float:
    height, width = strays.shape
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    tiles = (rows[:, None] * 8 + columns).ravel()
    pixels = np.bincount(tiles, minlength=64)
    return float(np.mean(np.bincount(tiles, weights=strays.ravel(), minlength=64) > 0.05 * pixels))
