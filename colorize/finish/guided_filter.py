"""The fast guided filter (He and Sun 2015): low-size chroma that follows the drawing, at any higher size.

In windows of the low size a and b are fitted as linear functions of L; the functions, not the chroma, are enlarged
and applied to the scan's own L (`colorize.finish.fullsize`). Texture that L knows nothing of is left behind.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from colorize.finish.cielab import Floats


@dataclass(frozen=True)
class Guide:
    """How closely chroma follows the drawing."""

    radius_px: int = 6
    """Half a window's side at the low size, without its middle; 0 leaves the chroma as it is."""
    epsilon: float = 30.0
    """Variance of L (L in [0, 100]) under which a window counts as flat, so that its chroma is averaged."""


DEFAULT: Final = Guide()
_DOUBT: Final = 5.0
"""Variance of a and b together that a line may miss before its window counts half of a perfect one."""


@dataclass(frozen=True)
class Fit:
    """a and b as linear functions of L around each low-size pixel, (h, w, 2), and what they may not leave, (2,)."""

    slopes: Floats
    offsets: Floats
    least: Floats
    most: Floats

    @classmethod
    def of(cls, chroma: Floats, lightness: Floats, guide: Guide) -> Self:
        """Mean slope and offset of all windows that hold a pixel.

        Departure from the paper: a window counts the more the better its line fits, so that one which spans several
        colours yields to its neighbours.

        Args:
            chroma: float32, (h, w, 2), CIELAB a, b.
            lightness: float32, (h, w), L in [0, 100].
            guide: how closely.
        """
        side = 2 * guide.radius_px + 1
        mean = partial(uniform_filter, size=(side, side, 1), mode="nearest")
        light, colour = lightness[..., None].astype(np.float64), chroma.astype(np.float64)
        mean_light, mean_colour = mean(light), mean(colour)
        covariance = mean(light * colour) - mean_light * mean_colour
        variance = np.maximum(mean(light * light) - mean_light**2, 0)
        slopes = covariance / (variance + guide.epsilon)
        missed = np.maximum(mean(colour * colour) - mean_colour**2 - slopes * covariance, 0).sum(2, keepdims=True)
        trust = 1 / (missed + _DOUBT)
        slope, offset = (mean(each * trust) / mean(trust) for each in (slopes, mean_colour - slopes * mean_light))
        within = chroma.min((0, 1)), chroma.max((0, 1))
        return cls(slope.astype(np.float32), offset.astype(np.float32), *within)

    def applied(self, lightness: Floats, strip: slice, height: int) -> list[Floats]:
        """Give a and b of some rows of a larger picture, each of the strip's size.

        A slope that was fitted on soft low-size edges can lead astray on the sharp ones of the full size, so no
        value leaves the range of the chroma that was given.

        Args:
            lightness: float32, (rows, W), L of the strip.
            strip: which rows of the picture it is.
            height: of the whole picture.
        """
        rows = _places(np.arange(height)[strip], height, self.slopes.shape[0])
        columns = _places(np.arange(lightness.shape[1]), lightness.shape[1], self.slopes.shape[1])
        found = []
        for channel in range(2):
            value = _enlarged(self.slopes[..., channel], rows, columns)
            value *= lightness
            value += _enlarged(self.offsets[..., channel], rows, columns)
            found.append(np.clip(value, self.least[channel], self.most[channel], out=value))
        return found


@dataclass(frozen=True)
class _Places:
    """Between which two low-size rows (or columns) each full-size one lies, and how far towards the second."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    share: Floats


def _places(full: NDArray[np.intp], full_side: int, low_side: int) -> _Places:
    """Pixel centres on pixel centres; beyond the outermost ones their values go on."""
    at = np.clip((full + 0.5) * (low_side / full_side) - 0.5, 0, low_side - 1)
    first = at.astype(np.intp)
    return _Places(first, np.minimum(first + 1, low_side - 1), (at - first).astype(np.float32))


def _enlarged(low: Floats, rows: _Places, columns: _Places) -> Floats:
    """Bilinear: the few low rows that a strip needs in their full width first, then between them."""
    start = rows.first[0]
    band = low[start : rows.second[-1] + 1]
    left = band.take(columns.first, 1)
    wide = left + (band.take(columns.second, 1) - left) * columns.share
    above = wide.take(rows.first - start, 0)
    below = wide.take(rows.second - start, 0)
    below -= above
    below *= rows.share[:, None]
    between: Floats = np.add(above, below, out=below)
    return between
