"""Points, smooth curves and brush pressure: the geometry under every drawn line.

Coordinates are sheet units: the sheet is 100 wide and 150 high whatever its pixels, y runs down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Path = Sequence[tuple[float, float]] | Points

SAMPLES = 8
"""Points put on each piece of a curve between two given points."""

PRESSURES: dict[str, Callable[[Points], Points]] = {
    "even": lambda t: np.full_like(t, 0.85),
    "swell": lambda t: 0.3 + 0.7 * np.sin(np.pi * t) ** 0.7,
    "taper": lambda t: 0.12 + 0.88 * (1 - t) ** 0.8,
    "grow": lambda t: 0.12 + 0.88 * t**0.8,
    "outline": lambda t: 0.75 + 0.3 * np.sin(6 * np.pi * t + 0.7) * np.sin(2 * np.pi * t + 0.4),
    "bone": lambda t: 0.6 + 0.4 * np.cos(2 * np.pi * t) ** 2,
}
"""Width along a stroke (t in [0, 1]) relative to its fullest; the brush's hand."""


def dots(text: str) -> Path:
    """Points written as "x,y x,y"; an exclamation mark makes a corner (the point is given twice)."""
    points: list[tuple[float, float]] = []
    for word in text.split():
        x, y = word.rstrip("!").split(",")
        points += [(float(x), float(y))] * (2 if word.endswith("!") else 1)
    return points


def spline(path: Path, *, closed: bool = False) -> Points:
    """A Catmull-Rom curve through the points; a point given twice makes a corner."""
    given = np.asarray(path, dtype=np.float64)
    around = np.vstack([given[-1:], given, given[:2]]) if closed else _open_ends(given)
    before, start, end, after = (around[i : len(around) - 3 + i, None] for i in range(4))
    t = (np.arange(SAMPLES) / SAMPLES)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, given[-1:]])


def _open_ends(given: Points) -> Points:
    return np.vstack([2 * given[:1] - given[1:2], given, 2 * given[-1:] - given[-2:-1]])


def normals(line: Points) -> Points:
    """Unit normals, one per point; a standing point gets none (zeros)."""
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    length = np.linalg.norm(across, axis=1, keepdims=True)
    return across / np.where(length > 0, length, 1)


def ribbon(path: Path, width: float, *, shift: float = 0.0) -> Points:
    """The outline of a band of cloth of even width whose inner edge lies `shift` beside the path."""
    line = spline(path)
    across = normals(line)
    return np.vstack([line + shift * across, (line + (shift + width) * across)[::-1]])


def circle(centre: tuple[float, float], radius: float, *, points: int = 28, squash: float = 1.0) -> Points:
    """A circle, or with `squash` below 1 a lying ellipse."""
    turn = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.stack([centre[0] + radius * np.cos(turn), centre[1] + squash * radius * np.sin(turn)], axis=1)


@dataclass(frozen=True)
class Place:
    """Where a thing drawn around its own origin in its own unit lands on the sheet."""

    x: float
    y: float
    size: float
    """Sheet units per unit of the thing."""
    tilt: float = 0.0
    """Degrees, clockwise on the sheet."""

    def on_sheet(self, path: Path) -> Points:
        """The points in sheet units."""
        angle = np.deg2rad(self.tilt)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        moved: Points = self.size * (np.asarray(path, dtype=np.float64) @ turn) + (self.x, self.y)
        return moved


def tapering(path: Path, width: float) -> Points:
    """The outline of a lock of hair: full at its root, a point at its tip."""
    line = spline(path)
    half = 0.5 * width * PRESSURES["taper"](np.linspace(0, 1, len(line)))[:, None] * normals(line)
    return np.vstack([line + half, (line - half)[::-1]])


def finger(path: Path, width: float) -> Points:
    """The outline of a slightly tapering, round-tipped thing such as a finger or a bough."""
    line = spline(path)
    # A round tip needs points close together: they gather there as those of a circle do.
    along = np.sin(np.linspace(0, np.pi / 2, 24))
    steps = np.linspace(0, 1, len(line))
    line = np.stack([np.interp(along, steps, line[:, axis]) for axis in (0, 1)], axis=1)
    length = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    cap = max(0.05, min(0.5, 0.375 * width / max(length, 1e-9)))
    round_tip = np.sqrt(1 - np.clip((along - 1 + cap) / cap, 0, 1) ** 2)
    half = (0.5 * width * (1 - 0.25 * along) * round_tip)[:, None] * normals(line)
    return np.vstack([line + half, (line - half)[::-1]])


def pill(left: float, right: float, y: float, thick: float) -> Points:
    """A lying bar with round ends, as mist and gold clouds are drawn."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 10)
    end = thick / 2 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    return np.vstack([end + np.array([right, y]), np.array([left, y]) - end])
