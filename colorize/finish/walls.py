"""Where the scan's lines part the picture: what no chroma may cross on its way from the low size to the full one.

A line is told by its edges: how much L steps up and down on a straight way, as in the domain transform (Gastal and
Oliveira 2011). A line of two pixels of twelve megapixels has vanished at the low size, so it is looked for on the scan.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from colorize.finish import cielab as lab
from colorize.finish.cielab import Floats

_GRAIN: Final = 4.0
"""Step of L between neighbours that is paper, grain or a gradation, and no edge."""
_PARTS: Final = 8.0
"""Sum of steps over a way that leaves 1/e of what is seen across it."""
_LEAST: Final = 1e-3


@dataclass(frozen=True)
class Walls:
    """Sums of the steps of L on the way down and across, at the middles of the low-size cells."""

    down: Floats
    """(H, w), from the top to each row of the scan, at each column's middle."""
    at_rows: Floats
    """(h, w), the same at the cells' middles."""
    at_columns: Floats
    """(h, w), from the left to the cells' middles, along each row's middle."""
    pure: Floats
    """(h, w), in (0, 1]: how far a cell is of one side; a cell with a line in it has the colours of both."""

    @classmethod
    def of(cls, scan: NDArray[Any], shape: tuple[int, int]) -> Self:
        """Those of a scan, uint8 or uint16, (H, W, 3) or (H, W), between the cells of a grid of that shape."""
        rows, columns = (middles(cells, side) for cells, side in zip(shape, scan.shape[:2], strict=True))
        down, across = summed(_lightness(scan[:, columns]).T), summed(_lightness(scan[rows]))
        inside = _inside(down, shape[0]).T + _inside(across, shape[1])
        pure = np.maximum(seen(inside), np.float32(_LEAST))
        return cls(np.ascontiguousarray(down.T), down.T[rows], across[:, columns], pure)


def middles(cells: int, side: int) -> NDArray[np.intp]:
    """The full-size pixel in the middle of each low-size one."""
    return ((np.arange(cells) + 0.5) * (side / cells)).astype(np.intp)


def summed(lightness: Floats) -> Floats:
    """Sum of the steps along each row, (rows, W), 0 at its left."""
    steps = np.empty_like(lightness)
    steps[:, 0] = 0
    np.subtract(lightness[:, 1:], lightness[:, :-1], out=steps[:, 1:])
    np.abs(steps, out=steps)
    steps -= np.float32(_GRAIN)
    np.maximum(steps, 0, out=steps)
    return np.asarray(np.cumsum(steps, axis=1, out=steps), np.float32)


def seen(steps: Floats) -> Floats:
    """What is seen over a way with that sum of steps, in (0, 1]."""
    return np.asarray(np.exp(steps * np.float32(-1 / _PARTS)), np.float32)


def shares(plain: Floats, first: Floats, second: Floats) -> Floats:
    """Bilinear shares of the second neighbour, in favour of the one that no line parts a pixel from.

    Args:
        plain: by distance, in [0, 1].
        first: sum of the steps between the pixel and the first neighbour.
        second: and the second one.
    """
    favour = seen(np.clip(second - first, -80, 80)) * plain
    found: Floats = favour / (favour + (1 - plain))
    return found


def _inside(sums: Floats, cells: int) -> Floats:
    """Steps within each cell along the lines of a picture, (lines, side) → (lines, cells)."""
    edges = np.minimum(np.arange(cells + 1) * sums.shape[1] // cells, sums.shape[1] - 1)
    found: Floats = np.diff(sums.take(edges, 1), axis=1)
    return found


def _lightness(scan: NDArray[Any]) -> Floats:
    return lab.lightness(lab.root(lab.luminance(scan)))
