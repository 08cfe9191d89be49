"""The fast guided filter (He and Sun 2015): low-size chroma that follows the drawing, at any higher size.

In windows of the low size a and b are fitted as linear functions of L; the functions, not the chroma, are enlarged
and applied to the scan's own L (`colorize.finish.fullsize`). Texture that L knows nothing of is left behind.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from colorize.finish.cielab import Floats
from colorize.finish.palette import INK, NO_INK
from colorize.finish.walls import Walls, middles, seen, shares, summed


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
_LINE_KEEPS: Final = 0.4
"""Chroma that a black line keeps of the area around it; areas that are dark themselves keep theirs."""


@dataclass(frozen=True)
class Fit:
    """a and b as linear functions of L around each low-size pixel, and what they may not leave, (2,)."""

    planes: Floats
    """(5, h, w): the slopes of a and b, their offsets, and one over what ink keeps at the lightness around."""
    least: Floats
    most: Floats
    walls: Walls

    @classmethod
    def of(cls, chroma: Floats, lightness: Floats, guide: Guide, walls: Walls) -> Self:
        """Mean slope and offset of all windows that hold a pixel.

        Departures from the paper: a window sees across no line, and a cell with a line in it has little to say; and a
        window counts the more the better its line fits, so that one which spans several colours yields to its
        neighbours.

        Args:
            chroma: float32, (h, w, 2), CIELAB a, b.
            lightness: float32, (h, w), L in [0, 100].
            guide: how closely.
            walls: the lines between the pixels.
        """
        mean = partial(_means, walls=walls, radius=guide.radius_px)
        light, colour = lightness, np.ascontiguousarray(chroma.transpose(2, 0, 1))
        found = mean(np.stack([light, light * light, *colour, *(light * colour), *(colour * colour)]), walls.pure)
        mean_light, mean_colour = found[0], found[2:4]
        covariance = found[4:6] - mean_light * mean_colour
        slopes = covariance / (np.maximum(found[1] - mean_light**2, 0) + guide.epsilon)
        missed = np.maximum(found[6:] - mean_colour**2 - slopes * covariance, 0).sum(0)
        fitted = np.concatenate([slopes, mean_colour - slopes * mean_light, mean_light[None]])
        planes = mean(fitted.astype(np.float32), (walls.pure / (missed + _DOUBT)).astype(np.float32))
        planes[4] = 1 / _ink_keeps(planes[4])
        return cls(planes, chroma.min((0, 1)), chroma.max((0, 1)), walls)

    def applied(self, lightness: Floats, strip: slice, height: int) -> list[Floats]:
        """Give a and b of some rows of a larger picture, each of the strip's size.

        A slope that was fitted on soft low-size edges can lead astray on the sharp ones of the full size, so no
        value leaves the range of the chroma that was given. A line much darker than what is around it is ink.

        Args:
            lightness: float32, (rows, W), L of the strip.
            strip: which rows of the picture it is.
            height: of the whole picture.
        """
        rows, columns = self._between_rows(strip, height), self._between_columns(lightness)
        kept = _enlarged(self.planes[4], rows, columns)
        kept *= _ink_keeps(lightness)
        np.minimum(kept, 1, out=kept)
        found = []
        for channel in range(2):
            value = _enlarged(self.planes[channel], rows, columns)
            value *= lightness
            value += _enlarged(self.planes[channel + 2], rows, columns)
            np.clip(value, self.least[channel], self.most[channel], out=value)
            value *= kept
            found.append(value)
        return found

    def _between_rows(self, strip: slice, height: int) -> "_Places":
        """For a strip at the low columns."""
        here, there = self.walls.down[strip], self.walls.at_rows
        places = _places(np.arange(height)[strip], height, len(there))
        sides = np.abs(here - there[places.first]), np.abs(there[places.second] - here)
        return replace(places, share=shares(places.share[:, None], *sides))

    def _between_columns(self, lightness: Floats) -> "_Places":
        width, cells = lightness.shape[1], self.planes.shape[2]
        here = summed(lightness)
        there = here.take(middles(cells, width), 1)
        places = _places(np.arange(width), width, cells)
        sides = np.abs(here - _widened(there, places)), np.abs(_widened(_next(there), places) - here)
        return replace(places, share=shares(places.share, *sides))


def _means(planes: Floats, weight: Floats, walls: Walls, radius: int) -> Floats:
    """Weighted means of planes (n, h, w) over what each pixel sees of its window, down and across."""
    found = np.concatenate([planes * weight, weight[None]])
    for axis, sums in ((0, walls.at_rows), (1, walls.at_columns)):
        found = _sums_along(found, sums, axis, radius)
    means: Floats = found[:-1] / found[-1]
    return means


def _sums_along(planes: Floats, sums: Floats, axis: int, radius: int) -> Floats:
    found, sides = planes.copy(), []
    for away in range(1, min(radius + 1, sums.shape[axis])):
        before = tuple(slice(None, -away if at == axis else None) for at in range(2))
        after = tuple(slice(away if at == axis else None, None) for at in range(2))
        sides.append((before, after, seen(sums[after] - sums[before])))
    for plane, into in zip(planes, found, strict=True):  # one by one: each stays in a core's cache
        for before, after, share in sides:
            into[after] += plane[before] * share
            into[before] += plane[after] * share
    return found


def _ink_keeps(lightness: Floats) -> Floats:
    """The part of its chroma that ink of that L keeps: less and less from L 34 down to 14."""
    share = lightness * np.float32((1 - _LINE_KEEPS) / (NO_INK - INK))
    share += np.float32(_LINE_KEEPS - INK * (1 - _LINE_KEEPS) / (NO_INK - INK))
    return np.clip(share, np.float32(_LINE_KEEPS), 1, out=share)


@dataclass(frozen=True)
class _Places:
    """Between which two low-size rows (or columns) each full-size one lies, and how far towards the second."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    share: Floats
    """(full,), or one for each of several lines: (rows, full) of columns, (full, columns) of rows."""
    counts: NDArray[np.intp]
    """(low,), how many have each low one as their first."""


def _places(full: NDArray[np.intp], full_side: int, low_side: int) -> _Places:
    """Pixel centres on pixel centres; beyond the outermost ones their values go on."""
    at = np.clip((full + 0.5) * (low_side / full_side) - 0.5, 0, low_side - 1)
    first = at.astype(np.intp)
    second, share = np.minimum(first + 1, low_side - 1), (at - first).astype(np.float32)
    return _Places(first, second, share, np.bincount(first, minlength=low_side))


def _enlarged(low: Floats, rows: _Places, columns: _Places) -> Floats:
    """Bilinear: between the few low rows that a strip needs first, then to their full width.

    Args:
        low: (h, w).
        rows: their shares for each low column, (rows, w).
        columns: their shares for each row, (rows, W).
    """
    tall = low.take(rows.first, 0)
    tall += (low.take(rows.second, 0) - tall) * rows.share
    between = _widened(_next(tall) - tall, columns)
    between *= columns.share
    between += _widened(tall, columns)
    return between


def _widened(low: Floats, columns: _Places) -> Floats:
    """At each full-size pixel the first of the low ones around it; to repeat them takes half the time of a look-up."""
    wide: Floats = np.repeat(low, columns.counts, axis=1)
    return wide


def _next(low: Floats) -> Floats:
    """The right neighbour of each low pixel; the last one is its own."""
    return np.concatenate([low[:, 1:], low[:, -1:]], axis=1)
