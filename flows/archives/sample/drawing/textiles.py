"""Textile patterns as small tiles that repeat without a seam: 0 is the cloth's ground, 1 its figure.

`sheet` looks tiles up along a garment's own axes. A new pattern is a function and a line in TEXTILES.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Tile = NDArray[np.uint8]
SIDE = 96
"""Pixels of a tile's width; its height follows the pattern."""


def _drawn(height: int, draw_on: Callable[[ImageDraw.ImageDraw], None]) -> Tile:
    """Draw on a tile and on its eight neighbours' overhang alike, so that lines meet at the seams."""
    big = Image.new("L", (3 * SIDE, 3 * height))
    draw_on(ImageDraw.Draw(big))
    return np.asarray(big)[height : 2 * height, SIDE : 2 * SIDE].copy()


def _cells(height: int, half_drop: bool = True) -> list[tuple[float, float]]:
    """Corners of the repeats that touch the middle tile, with half-dropped ones between."""
    whole = [(float(i * SIDE), float(j * height)) for j in range(4) for i in range(4)]
    return whole + [(x + SIDE / 2, y + height / 2) for x, y in whole if half_drop]


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: int, width: int = 0) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(box, fill=None if width else fill, outline=fill if width else None, width=max(width, 1))


def seigaiha() -> Tile:
    """Waves: rows of nested arcs, each row before the one above."""

    def waves(draw: ImageDraw.ImageDraw) -> None:
        for row in range(-4, 13):
            for column in range(-1, 5):
                x, y = (column + row % 2 / 2) * SIDE, row * SIDE / 4
                for ring, radius in enumerate((48, 43, 33, 28, 18, 13, 5)):
                    _disc(draw, x, y, radius, 1 - ring % 2)

    return _drawn(SIDE // 2, waves)


def asanoha() -> Tile:
    """Hemp leaf: a star of six long rhombs, repeated."""
    height = round(SIDE * 3**0.5)

    def leaves(draw: ImageDraw.ImageDraw) -> None:
        side = SIDE / 2 * 2 / 3**0.5
        for x, y in _cells(height):
            for turn in np.deg2rad(np.arange(30, 390, 60)):
                tip = (x + side * np.cos(turn), y + side * np.sin(turn))
                draw.line([(x, y), tip], fill=1, width=5)
                for other in (turn - np.pi / 6, turn + np.pi / 6):
                    middle = (x + side / 3**0.5 * np.cos(other), y + side / 3**0.5 * np.sin(other))
                    draw.line([(x, y), middle], fill=1, width=4)
                    draw.line([tip, middle], fill=1, width=4)

    return _drawn(height, leaves)


def ichimatsu() -> Tile:
    """Checks."""
    half = np.arange(SIDE) >= SIDE // 2
    return np.asarray(half[:, None] ^ half[None, :], dtype=np.uint8)


def shima() -> Tile:
    """Stripes, a broad one and two narrow ones."""
    x = np.arange(SIDE)
    stripe = (x < 34) | ((x > 46) & (x < 54)) | ((x > 74) & (x < 82))
    return np.tile(stripe.astype(np.uint8), (8, 1))


def benkei() -> Tile:
    """Large crossing bands; a half tone is made of fine lines where only one band passes."""
    band = np.arange(SIDE) < SIDE // 2
    fine = np.arange(SIDE) % 8 < 4
    one = (band[:, None] & fine[None, :]) | (band[None, :] & fine[:, None])
    return np.asarray(one | (band[:, None] & band[None, :]), dtype=np.uint8)


def kikko() -> Tile:
    """Tortoise shell: hexagons with a smaller one inside."""
    height = round(SIDE * 3**0.5)

    def shells(draw: ImageDraw.ImageDraw) -> None:
        side = SIDE / 3**0.5
        turns = np.deg2rad(np.arange(30, 390, 60))
        for x, y in _cells(height):
            for radius, width in ((side, 8), (side * 0.62, 6), (side * 0.22, 10)):
                corners = [(x + radius * np.cos(turn), y + radius * np.sin(turn)) for turn in turns]
                draw.line([*corners, *corners[:2]], fill=1, width=width)

    return _drawn(height, shells)


def uroko() -> Tile:
    """Scales: rows of triangles."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    return np.asarray(np.abs(x - SIDE / 2) * 2 < y, dtype=np.uint8)


def shippo() -> Tile:
    """Seven treasures: circles that overlap by quarters."""

    def circles(draw: ImageDraw.ImageDraw) -> None:
        for x, y in _cells(SIDE):
            _disc(draw, x, y, SIDE / 2, 1, width=6)
            _disc(draw, x, y, 8, 1)

    return _drawn(SIDE, circles)


def kasuri() -> Tile:
    """Ikat: small crosses, half-dropped, with feathered ends."""

    def crosses(draw: ImageDraw.ImageDraw) -> None:
        for x, y in _cells(SIDE):
            for step in range(-4, 5):
                reach = 20 - 3 * (step % 2)
                draw.line([(x - reach, y + step * 1.5), (x + reach, y + step * 1.5)], fill=1)
                draw.line([(x + step * 1.5, y - reach), (x + step * 1.5, y + reach)], fill=1)

    return _drawn(SIDE, crosses)


def hana() -> Tile:
    """Scattered five-petalled flowers."""

    def flowers(draw: ImageDraw.ImageDraw) -> None:
        for x, y in _cells(SIDE):
            for turn in np.deg2rad(np.arange(-90, 270, 72)):
                _disc(draw, x + 13 * np.cos(turn), y + 13 * np.sin(turn), 10, 1)
            _disc(draw, x, y, 5, 0)

    return _drawn(SIDE, flowers)


def tatewaku() -> Tile:
    """Rising steam: pairs of waving lines that swell and close."""
    y, x = np.mgrid[0 : 2 * SIDE, 0:SIDE]
    swing = 15 * np.sin(np.pi * y / SIDE)
    lines = (np.abs(x - 24 - swing) < 5) | (np.abs(x - 72 + swing) < 5)
    return np.asarray(lines, dtype=np.uint8)


def yabane() -> Tile:
    """Arrow feathers."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    slope = np.where(x < SIDE // 2, x, SIDE - x)
    feather = ((y + slope) % SIDE < SIDE // 2) ^ (x < SIDE // 2)
    return np.asarray(feather & (np.abs(x - SIDE // 2) > 2) & (x > 2), dtype=np.uint8)


TEXTILES: dict[str, tuple[Callable[[], Tile], float]] = {
    "seigaiha": (seigaiha, 1.0),
    "asanoha": (asanoha, 0.9),
    "ichimatsu": (ichimatsu, 0.9),
    "shima": (shima, 0.75),
    "benkei": (benkei, 1.3),
    "kikko": (kikko, 0.75),
    "uroko": (uroko, 0.75),
    "shippo": (shippo, 0.85),
    "kasuri": (kasuri, 0.8),
    "hana": (hana, 1.2),
    "tatewaku": (tatewaku, 0.75),
    "yabane": (yabane, 0.8),
}
"""Pattern: its tile, and its repeat relative to the others."""


@cache
def tile(name: str) -> Tile:
    """The pattern's tile, drawn once a process; do not write into it."""
    return TEXTILES[name][0]()
