"""Brush strokes that suggest writing, signatures and seals; they spell nothing.

Characters are put together from a few common parts, as real ones are, but the sums are made up.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.random import Generator

from flows.archives.sample.drawing.curves import Path, Place, circle, dots
from flows.archives.sample.drawing.sheet import HEIGHT, Sheet

Stroke = tuple[Path, str]
"""A path in the unit square, and the brush's pressure along it."""

_ACROSS = "bone"
PARTS: tuple[tuple[Stroke, ...], ...] = (
    ((dots(".05,.4 .5,.36 .95,.4"), _ACROSS), (dots(".5,.05 .5,.5 .48,.98"), "bone")),
    (
        ([(0.15, 0.15), (0.15, 0.9)], "even"),
        (dots(".15,.15 .85,.12 .82,.9"), "bone"),
        ([(0.15, 0.85), (0.82, 0.85)], "even"),
    ),
    (
        ([(0.2, 0.1), (0.2, 0.95)], "even"),
        (dots(".2,.1 .8,.1 .78,.95"), "bone"),
        ([(0.2, 0.5), (0.78, 0.5)], "even"),
        ([(0.2, 0.92), (0.78, 0.92)], "even"),
    ),
    ((dots(".5,.02 .4,.45 .02,.95"), "taper"), (dots(".46,.35 .65,.7 .98,.95"), "grow")),
    (
        (dots(".05,.3 .5,.26 .95,.3"), _ACROSS),
        (dots(".5,.02 .38,.5 .02,.95"), "taper"),
        (dots(".48,.35 .7,.7 .98,.95"), "grow"),
    ),
    (
        (dots(".1,.15 .5,.12 .9,.15"), _ACROSS),
        ([(0.15, 0.5), (0.85, 0.5)], "bone"),
        (dots(".02,.9 .5,.86 .98,.9"), _ACROSS),
        ([(0.5, 0.12), (0.5, 0.88)], "even"),
    ),
    (
        ([(0.5, 0.02), (0.56, 0.18)], "grow"),
        (dots(".08,.28 .92,.26 .85,.42"), "taper"),
        ([(0.5, 0.3), (0.5, 0.95)], "bone"),
        ([(0.2, 0.62), (0.8, 0.6)], "bone"),
    ),
    (
        (dots(".25,.05 .18,.35 .02,.6"), "taper"),
        ([(0.22, 0.3), (0.22, 0.98)], "even"),
        ([(0.5, 0.1), (0.95, 0.3)], "grow"),
        ([(0.5, 0.5), (0.9, 0.48)], "bone"),
        ([(0.7, 0.3), (0.7, 0.95)], "bone"),
    ),
    (
        ([(0.1, 0.1), (0.3, 0.25)], "grow"),
        ([(0.05, 0.45), (0.25, 0.55)], "grow"),
        ([(0.05, 0.95), (0.3, 0.7)], "taper"),
        ([(0.45, 0.2), (0.95, 0.18)], "bone"),
        (dots(".7,.18 .6,.6 .4,.95"), "taper"),
    ),
    (
        ([(0.05, 0.2), (0.95, 0.18)], "bone"),
        (dots(".3,.2 .25,.6 .05,.95"), "taper"),
        (dots(".65,.2 .66,.8 .95,.85 .96,.65"), "swell"),
    ),
)

BOXES: tuple[tuple[tuple[float, float, float, float], ...], ...] = (
    ((0.0, 0.0, 1.0, 1.0),),
    ((0.0, 0.0, 0.42, 1.0), (0.46, 0.0, 1.0, 1.0)),
    ((0.05, 0.0, 0.95, 0.46), (0.0, 0.5, 1.0, 1.0)),
    ((0.0, 0.0, 0.36, 1.0), (0.42, 0.0, 1.0, 0.45), (0.42, 0.5, 1.0, 1.0)),
)
"""How parts share a character's square: left, top, right, bottom of each."""


def draw_character(sheet: Sheet, place: Place, random: Generator, *, pigment: str = "") -> None:
    """One made-up character in a square of `place.size`, its top left at the place."""
    for left, top, right, bottom in BOXES[int(random.integers(len(BOXES)))]:
        span = np.array([right - left, bottom - top])
        for path, pressure in PARTS[int(random.integers(len(PARTS)))]:
            line = np.asarray(path) * span + (left, top) + random.normal(0, 0.012, (len(path), 2))
            sheet.line(place.on_sheet(line), width=0.13 * place.size, pressure=pressure, pigment=pigment)


def draw_column(sheet: Sheet, top: Place, characters: int, random: Generator, *, pigment: str = "") -> float:
    """A column of writing; returns the height where it ends."""
    y = top.y
    for _ in range(characters):
        draw_character(sheet, Place(top.x, y, top.size, top.tilt), random, pigment=pigment)
        y += 1.14 * top.size
    return y


def draw_panel(
    sheet: Sheet, corner: tuple[float, float], columns: Sequence[int], pigment: str, random: Generator
) -> None:
    """A title cartouche: a coloured panel with a double frame and columns of writing, right to left."""
    size = 4.6 if len(columns) == 1 else 3.6
    width = len(columns) * size * 1.25 + 1.6
    height = max(columns) * size * 1.14 + 1.8
    x, y = corner
    sheet.band(_box(x, y, width, height), "white", width=0.5)
    sheet.band(_box(x + 0.6, y + 0.6, width - 1.2, height - 1.2), pigment, width=0.35)
    light = pigment in ("maroon", "moss", "bero", "sumi")
    for number, characters in enumerate(columns):
        left = x + width - (number + 1) * size * 1.25 - 0.5
        draw_column(sheet, Place(left, y + 1.2, size), characters, random, pigment="white" if light else "")


def draw_signature(sheet: Sheet, corner: tuple[float, float], random: Generator) -> None:
    """A column of small characters, a red seal under it, and a round censor's seal beside."""
    end = draw_column(sheet, Place(corner[0], corner[1], 3.0, float(random.uniform(-3, 3))), 4, random)
    draw_seal(sheet, (corner[0] + 1.4, end + 2.0), random)
    x, y = corner[0] + (6.0 if corner[0] < 50 else -4.0), corner[1] + 3.0
    sheet.stroke(circle((x, y), 1.9, points=24), width=0.35, pressure="even")
    draw_character(sheet, Place(x - 1.1, y - 1.1, 2.2), random)


def draw_seal(sheet: Sheet, centre: tuple[float, float], random: Generator) -> None:
    """A red seal, round or square, with its figure left white."""
    x, y = centre
    outline = circle(centre, 2.2) if random.random() < 0.5 else _box(x - 2.0, y - 2.0, 4.0, 4.0)
    sheet.fill(outline, "beni")
    draw_character(sheet, Place(x - 1.4, y - 1.4, 2.8), random, pigment="paper")


def draw_frame(sheet: Sheet, margin: float) -> None:
    """Bare paper around the picture and the thin black line that closes it."""
    low, right, bottom = margin, 100 - margin, HEIGHT - margin
    for box in (
        _box(-1, -1, 102, margin + 1), _box(-1, bottom, 102, margin + 1),
        _box(-1, -1, margin + 1, HEIGHT + 2), _box(right, -1, margin + 1, HEIGHT + 2),
    ):  # fmt: skip
        sheet.fill(box, "paper")
    edge = np.array([(low, low), (right, low), (right, bottom), (low, bottom), (low, low)])
    for start, end in pairwise(edge):
        sheet.stroke(np.linspace(start, end, 5), width=0.5, pressure="even")


def _box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], dtype=np.float64)
