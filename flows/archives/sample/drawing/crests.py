"""Family crests (mon) as stacks of figures in the unit disc, invented or common to many houses."""

import numpy as np

from flows.archives.sample.drawing.curves import Path, Place, Points, circle, dots
from flows.archives.sample.drawing.sheet import Sheet

Layer = tuple[bool, Path]
"""Whether this layer is painted in the figure's colour (or the disc's), and its outline."""


def _square(radius: float, turn_deg: float = 0.0) -> Points:
    turn = np.deg2rad(np.arange(45, 405, 90) + turn_deg)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)


def _petals(count: int, reach: float, radius: float, squash: float = 1.0) -> list[Layer]:
    turns = np.linspace(-np.pi / 2, 1.5 * np.pi, count, endpoint=False)
    return [(True, circle((reach * np.cos(turn), reach * np.sin(turn)), radius, squash=squash)) for turn in turns]


def _fan(centre_y: float, reach: float) -> Points:
    turn = np.deg2rad(np.linspace(205, 335, 16))
    rim = np.stack([reach * np.cos(turn), centre_y + reach * np.sin(turn)], axis=1)
    return np.vstack([rim, [(0.06, centre_y), (-0.06, centre_y)]])


def _diamond(x: float, y: float, radius: float) -> Path:
    return [(x - radius, y), (x, y - 0.62 * radius), (x + radius, y), (x, y + 0.62 * radius)]


def _leaf(turn_deg: float) -> Points:
    leaf = np.array(dots("0,-.12 .22,-.4 .16,-.68 0,-.9 -.16,-.68 -.22,-.4"))
    return Place(0, 0, 1, turn_deg).on_sheet(leaf)


CRESTS: dict[str, tuple[Layer, ...]] = {
    "three squares": tuple(
        (step % 2 == 0, _square(radius)) for step, radius in enumerate((0.98, 0.80, 0.66, 0.48, 0.34))
    ),
    "fan": (
        (True, circle((0, 0), 0.92)),
        (False, circle((0, 0), 0.78)),
        (True, _fan(0.5, 1.02)),
        (False, _fan(0.5, 0.36)),
    ),
    "plum": (*_petals(5, 0.52, 0.36), (False, circle((0, 0), 0.24)), (True, circle((0, 0), 0.14))),
    "four diamonds": tuple((True, _diamond(x, y, 0.42)) for x, y in ((0, -0.30), (0, 0.30), (-0.46, 0), (0.46, 0))),
    "bull's eye": tuple((step % 2 == 0, circle((0, 0), radius)) for step, radius in enumerate((0.92, 0.66, 0.38))),
    "three leaves": tuple((True, _leaf(turn)) for turn in (0, 120, 240)),
    "nine stars": (*_petals(8, 0.66, 0.20), (True, circle((0, 0), 0.30))),
    "scales": tuple(
        (True, [(x, y - 0.42), (x + 0.44, y + 0.34), (x - 0.44, y + 0.34)])
        for x, y in ((0, -0.38), (-0.46, 0.38), (0.46, 0.38))
    ),
}


def draw_crest(sheet: Sheet, place: Place, name: str, disc: str, figure: str) -> None:
    """A crest on a disc of its own colour."""
    sheet.fill(place.on_sheet(circle((0, 0), 1.0)), disc)
    for painted, outline in CRESTS[name]:
        sheet.fill(place.on_sheet(0.92 * np.asarray(outline)), figure if painted else disc)
