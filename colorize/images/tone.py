"""Is a picture grayscale, toned (ink on coloured paper, a sepia photograph), colour, or is it hard to say?

Harvest asks once for each picture. Mean chroma cannot tell an ink print on brown paper from a faded colour
print (both lie between 7 and 11 in CIELAB), so the question is put differently: how much of the picture is
left over once one tint, growing from ink to paper, has explained all it can?
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import skimage.color  # loads its parts (and SciPy) on first use
from numpy.typing import NDArray
from PIL import Image, ImageFilter

LONG_EDGE_PX: Final = 128
"""Judged at this size: averaging quiets grain and the chroma noise of JPEG, and the work stays small."""

_SINGLE_CHANNEL: Final = ("1", "L", "LA", "La", "I", "F")
_GRAY_SPREAD: Final = 6.0
_TINT_CHROMA: Final = 2.0
_STRAY_CHROMA: Final = 8.0
_FAINT_CHROMA: Final = 6.0
_TONED_FAINT: Final = 0.02
_TONED_OFF_LINE: Final = 0.04
_COLOUR_STRAY: Final = 0.06
_COLOUR_TILES: Final = 0.2
_COLOUR_THIRD_HUE: Final = 0.01

_HUES_RAD: Final = np.radians(np.arange(0, 360, 5))

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

    All measures are taken on the picture reduced to `LONG_EDGE_PX` and blurred by 3 × 3, without blank pixels
    (L* > 99.5: white margins, what was transparent) and their neighbours to 2 px. C is CIELAB chroma (D65).
    The tint is the ray from the neutral point whose hue θ minimises the mean of min(d, 12), where d is a
    pixel's distance from the ray in the (a*, b*) plane: |a sin θ − b cos θ| on the ray's side of neutral,
    else C. So the toned reading is given its best chance, since a wrong `colour` costs more than an `unsure`.

        spread           99.9th percentile of max(R, G, B) − min(R, G, B), in [0, 255], blank pixels too
        tint_hue_deg     θ, in [0, 360)
        tint_chroma      75th percentile of C
        stray_share      share of pixels with d > 8, in [0, 1]
        faint_share      share of pixels with d > 6, in [0, 1]
        third_hue_share  share of pixels with d > 6 outside the fullest 60° of hue among them, in [0, 1]
        stray_tiles      share of the 8 × 8 tiles in which more than 5 % of the pixels have d > 8, in [0, 1]
        off_line_share   share of pixels whose chroma along the tint lies more than 8 from the robust
                         parabola over L* that runs from ink to paper, in [0, 1]

    Grayscale: a single channel, or spread ≤ 6. Colour: stray_share ≥ .06 in ≥ .2 of the tiles with a
    third_hue_share ≥ .01. Toned: tint_chroma ≥ 2, faint_share ≤ .02 and off_line_share ≤ .04. Else unsure.
    The limits were tuned on one half of a set of real prints, crops of faces and their gray, sepia and ink
    versions, and checked on the other.

    Args:
        pixels: uint8, (H, W, 3), sRGB in [0, 255].
        mode: Pillow's name of the pixels as stored (`Decoded.mode`).
    """
    measures = _measures(pixels)
    if mode in _SINGLE_CHANNEL or mode.startswith("I;16"):
        return ToneReport(Tone.GRAYSCALE, measures, f"stored as a single channel ({mode})")
    tone, reason = _verdict(measures)
    return ToneReport(tone, measures, reason)


def _verdict(found: dict[str, float]) -> tuple[Tone, str]:
    strays = f"{found['stray_share']:.1%} of the picture is of other hues than its tint"
    if found["spread"] <= _GRAY_SPREAD:
        return Tone.GRAYSCALE, f"red, green and blue differ by {found['spread']:.0f} of 255 at most"
    if found["stray_share"] >= _COLOUR_STRAY:
        return _several_hues(found, strays)
    if found["tint_chroma"] < _TINT_CHROMA:
        return Tone.UNSURE, f"nearly neutral as a whole, yet {strays}"
    if found["faint_share"] <= _TONED_FAINT and found["off_line_share"] <= _TONED_OFF_LINE:
        return (
            Tone.TONED,
            f"one tint (hue {found['tint_hue_deg']:.0f}°) from ink to paper explains the picture",
        )
    return Tone.UNSURE, f"{strays}: more than an ink print shows, or less than a colour print"


def _several_hues(found: dict[str, float], strays: str) -> tuple[Tone, str]:
    if found["stray_tiles"] < _COLOUR_TILES:
        return Tone.UNSURE, f"{strays}, but in one place: a colour chart or a seal?"
    if found["third_hue_share"] < _COLOUR_THIRD_HUE:
        return Tone.UNSURE, f"{strays}, but all near one hue: a coloured mount?"
    return Tone.COLOUR, f"{strays}, spread over it in several hues"


def _measures(pixels: NDArray[np.uint8]) -> dict[str, float]:
    rgb = _reduced(pixels)
    lab = skimage.color.rgb2lab(rgb)
    seen = _seen(lab[..., 0])
    lightness, ab = lab[seen][:, 0], lab[seen][:, 1:]
    hue, distance = _tint(ab)
    strays = np.zeros(seen.shape, dtype=bool)
    strays[seen] = distance > _STRAY_CHROMA
    along = ab @ np.array([np.cos(hue), np.sin(hue)])
    return {
        "spread": float(np.percentile(np.ptp(rgb, axis=-1), 99.9)),
        "tint_hue_deg": float(np.degrees(hue)),
        "tint_chroma": float(np.percentile(np.hypot(*ab.T), 75)),
        "stray_share": float(np.mean(distance > _STRAY_CHROMA)),
        "faint_share": float(np.mean(distance > _FAINT_CHROMA)),
        "third_hue_share": _third_hue_share(ab, distance > _FAINT_CHROMA),
        "stray_tiles": _tile_share(strays),
        "off_line_share": float(np.mean(_off_line(lightness, along) > _STRAY_CHROMA)),
    }


def _reduced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    image.thumbnail((LONG_EDGE_PX, LONG_EDGE_PX), Image.Resampling.BOX)
    return np.asarray(image.filter(ImageFilter.BoxBlur(1)))


def _seen(lightness: Floats) -> NDArray[np.bool_]:
    """What is neither blank nor the blurred edge of a blank; everything, where that leaves nothing."""
    blank = Image.fromarray((lightness > 99.5).astype(np.uint8)).filter(ImageFilter.MaxFilter(5))
    seen = np.asarray(blank) == 0
    return seen if seen.any() else np.ones_like(seen)


def _tint(ab: Floats) -> tuple[float, Floats]:
    """The hue (radians) of the ray that explains most, and each pixel's distance from that ray."""
    rays = np.stack([np.cos(_HUES_RAD), np.sin(_HUES_RAD)])
    across = np.abs(ab[:, :1] * rays[1] - ab[:, 1:] * rays[0])
    distances = np.where(ab @ rays > 0, across, np.hypot(ab[:, :1], ab[:, 1:]))
    best = int(np.minimum(distances, 12).mean(axis=0).argmin())
    return float(_HUES_RAD[best]), distances[:, best]


def _third_hue_share(ab: Floats, faint: NDArray[np.bool_]) -> float:
    hues = np.arctan2(ab[faint, 1], ab[faint, 0])
    counts, _ = np.histogram(hues, bins=36, range=(-np.pi, np.pi))
    sectors = np.convolve(np.concatenate([counts, counts[:5]]), np.ones(6), mode="valid")
    return float((counts.sum() - sectors.max()) / len(ab))


def _tile_share(strays: NDArray[np.bool_]) -> float:
    height, width = strays.shape
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    tiles = (rows[:, None] * 8 + columns).ravel()
    pixels = np.bincount(tiles, minlength=64)
    return float(np.mean(np.bincount(tiles, weights=strays.ravel(), minlength=64) > 0.05 * pixels))


def _off_line(lightness: Floats, along: Floats) -> Floats:
    """Distance from the parabola of least absolute distance (reweighted least squares, eight rounds)."""
    powers = np.vander(lightness / 100, 3)
    distance = np.ones_like(along)
    for _ in range(8):
        weights = 1 / np.sqrt(np.maximum(distance, 1))
        line, *_ = np.linalg.lstsq(powers * weights[:, None], along * weights)
        distance = np.abs(along - powers @ line)
    return distance
