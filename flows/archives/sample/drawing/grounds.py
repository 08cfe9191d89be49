"""What stands behind the figure: plain and shaded grounds, branches, waves, blinds, a curtain, snow.

Each is a function of sheet, colours and chance, and a line in GROUNDS.
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from flows.archives.sample.drawing.curves import Path, Place, Points, circle, dots, finger, pill, spline
from flows.archives.sample.drawing.pigments import Palette
from flows.archives.sample.drawing.sheet import HEIGHT, Cloth, Sheet

WHOLE = np.array([(-1.0, -1.0), (101.0, -1.0), (101.0, HEIGHT + 1), (-1.0, HEIGHT + 1)])


def _strip(top: float, bottom: float) -> Points:
    return np.array([(-1.0, top), (101.0, top), (101.0, bottom), (-1.0, bottom)])


def plain(sheet: Sheet, colours: Palette, _random: Generator) -> None:
    """One flat colour."""
    sheet.fill(WHOLE, colours.ground)


def sky(sheet: Sheet, colours: Palette, _random: Generator) -> None:
    """A flat colour that a second one shades at the top, as skies were printed."""
    sheet.fill(WHOLE, colours.ground)
    sheet.shade(colours.sky, 2, 62)


def mica(sheet: Sheet, _colours: Palette, random: Generator) -> None:
    """Gray mica with glints."""
    sheet.fill(WHOLE, "mica")
    for x, y in random.uniform((0, 0), (100, HEIGHT), (420, 2)):
        sheet.fill(circle((x, y), float(random.uniform(0.08, 0.22)), points=5), "gray")


def dusk(sheet: Sheet, colours: Palette, random: Generator) -> None:
    """Night shading down to a pale ground, with a moon and bars of mist."""
    sheet.fill(WHOLE, colours.ground)
    sheet.shade("ai", -10, 95, 0.95)
    x = float(random.uniform(14, 30))
    sheet.band(circle((x, 26), 10), "straw", width=0.4)
    for y in random.uniform(40, 120, 4):
        length = float(random.uniform(24, 46))
        left = float(random.choice([-4, 100 - length]))
        sheet.band(pill(left, left + length, y, 5.0), "gray", width=0.35)


def waves(sheet: Sheet, colours: Palette, random: Generator) -> None:
    """A sea of large arcs below a shaded sky."""
    sky(sheet, colours, random)
    wave_rows(sheet, 92.0)


def wave_rows(sheet: Sheet, top: float) -> None:
    """Rows of nested arcs from `top` to the foot of the sheet."""
    for row in range(int((HEIGHT - top) / 7) + 1):
        for column in range(-1, 7):
            centre = ((column + 0.5 * (row % 2)) * 18.0, top + row * 7.0)
            for ring, pigment in zip((11.0, 8.6, 6.2, 3.8), ("bero", "sky", "white", "sky"), strict=True):
                sheet.band(circle(centre, ring, squash=0.8), pigment, width=0.35)


def _branch(sheet: Sheet, way: Path, width: float) -> Points:
    sheet.band(finger(way, width), "brown", width=0.6)
    return spline(way)


def pine(sheet: Sheet, colours: Palette, random: Generator) -> None:
    """Old pine: a bent trunk and cushions of needles."""
    sheet.fill(WHOLE, colours.ground)
    sheet.shade(colours.sky, 2, 40, 0.7)
    for way, width in (
        (dots("104,70 90,44 94,24 70,14 46,18"), 8.0),
        (dots("92,34 76,36 64,30"), 4.0),
        (dots("-4,116 10,104 6,88 18,80"), 5.0),
    ):
        pine_bough(sheet, way, width, random)


def pine_bough(sheet: Sheet, way: Path, width: float, random: Generator) -> None:
    """A bough along the way with cushions of needles upon it."""
    for x, y in _branch(sheet, way, width)[6 :: 5 + int(width) // 4]:
        centre = (float(x + random.normal(0, 3)), float(y - 4 + random.normal(0, 2)))
        _needles(sheet, centre, float(random.uniform(7, 10)))


def _needles(sheet: Sheet, centre: tuple[float, float], radius: float) -> None:
    """A cushion of needles: flat green, rays in ink."""
    turns = np.deg2rad(np.linspace(180, 360, 15))
    rim = np.stack([np.cos(turns), 0.72 * np.sin(turns)], axis=1) * radius
    scallop = 1 + 0.08 * np.cos(np.arange(15) * np.pi)[:, None]
    sheet.fill(np.vstack([rim * scallop, [(0, 0.22 * radius)]]) + centre, "moss")
    for tip in rim:
        sheet.stroke(np.array([(0.0, 0.0), tip * 0.95]) + centre, width=0.28, pressure="taper")


def cherry(sheet: Sheet, colours: Palette, random: Generator) -> None:
    """Cherry in flower: thin branches, blossoms and drifting petals."""
    sheet.fill(WHOLE, colours.ground)
    sheet.shade(colours.sky, 0, 50, 0.8)
    for way, width in (
        (dots("-4,8 16,16 30,12 48,20"), 3.6),
        (dots("12,14 18,30 12,44"), 2.4),
        (dots("104,30 92,22 80,24"), 3.0),
        (dots("104,92 94,84 90,72"), 2.6),
    ):
        for x, y in _branch(sheet, way, width)[2::3]:
            centre = (float(x + random.normal(0, 2.6)), float(y + random.normal(0, 2.6)))
            _blossom(sheet, Place(*centre, float(random.uniform(2.2, 3.2)), float(random.uniform(0, 72))))
    for x, y in random.uniform((4, 40), (96, 146), (26, 2)):
        sheet.fill(circle((x, y), 0.9, points=10, squash=0.6), "white")


def _blossom(sheet: Sheet, place: Place) -> None:
    for turn in np.linspace(0, 2 * np.pi, 5, endpoint=False):
        petal = circle((0.62 * np.cos(turn), 0.62 * np.sin(turn)), 0.48, points=12)
        sheet.band(place.on_sheet(petal), "white", width=0.3)
    sheet.fill(place.on_sheet(circle((0, 0), 0.45, points=12)), "rose")


def blinds(sheet: Sheet, colours: Palette, _random: Generator) -> None:
    """A reed blind with its cloth border and cords, over a plain floor."""
    sheet.fill(WHOLE, colours.ground)
    sheet.fill(_strip(-1, 100), "leaf")
    for y in np.arange(0.0, 100.0, 1.9):
        sheet.stroke(np.array([(-1.0, y), (50.0, y), (101.0, y)]), width=0.28, pressure="even")
    for x in (6.0, 35.0, 65.0, 94.0):
        border = np.array([(x - 2.6, -1.0), (x + 2.6, -1.0), (x + 2.6, 100.0), (x - 2.6, 100.0)])
        sheet.fill(border, Cloth("moss", "yellow", "shippo", 5.0))
        sheet.stroke(np.vstack([border, border[:1]]), width=0.35, pressure="even")
    sheet.fill(_strip(98, 103), Cloth("moss", "yellow", "shippo", 5.0))
    sheet.stroke(np.array(dots("-1,103 50,103 101,103")), width=0.5, pressure="even")


def curtain(sheet: Sheet, colours: Palette, _random: Generator) -> None:
    """The theatre's striped curtain, its lower edge swaying over the boards."""
    sheet.fill(WHOLE, colours.ground)
    for number, x in enumerate(np.arange(-4.0, 104.0, 12.0)):
        strip = [
            (x, -2),
            (x, -2),
            (x + 0.8, 60),
            (x, 118),
            (x, 118),
            (x + 6, 121),
            (x + 12, 118),
            (x + 12, 118),
            (x + 12.8, 60),
            (x + 12, -2),
            (x + 12, -2),
        ]
        sheet.shape(strip, ("wash", "tan", "green")[number % 3], width=0.45)
    for y in (126.0, 134.0, 142.0):
        sheet.stroke(np.array([(-1.0, y), (50.0, y), (101.0, y)]), width=0.35, pressure="even")


def snow(sheet: Sheet, _colours: Palette, random: Generator) -> None:
    """Heavy flakes against a dark sky, and a drift."""
    sheet.fill(WHOLE, "ai")
    sheet.shade("wash", -20, 110, 0.8)
    for x, y in random.uniform((0, 0), (100, 130), (110, 2)):
        sheet.fill(circle((x, y), float(random.uniform(0.5, 1.3)), points=10), "white")
    sheet.shape(dots("-4,128 20,118 48,126 78,116 104,124 104,154 -4,154"), "white", width=0.5)


def screen(sheet: Sheet, colours: Palette, random: Generator) -> None:
    """A gold screen: leaves of yellow with clouds and a lacquer edge."""
    sheet.fill(WHOLE, "yellow")
    for y, pigment in ((22, "straw"), (48, "straw"), (78, colours.ground), (110, "straw")):
        left = float(random.uniform(-20, 40))
        for step in range(4):
            x = left + step * 14
            sheet.band(pill(x, x + 40, y + step % 2 * 6, 7.0), pigment, width=0.35)
    for x in (33.0, 67.0):
        sheet.stroke(np.array([(x, -1.0), (x, 75.0), (x, 151.0)]), width=0.8, pressure="even")
    sheet.fill(_strip(132, 151), "maroon")
    sheet.stroke(np.array(dots("-1,132 50,132 101,132")), width=0.7, pressure="even")


GROUNDS: dict[str, Callable[[Sheet, Palette, Generator], None]] = {
    "sky": sky,
    "mica": mica,
    "cherry": cherry,
    "plain": plain,
    "waves": waves,
    "blinds": blinds,
    "pine": pine,
    "dusk": dusk,
    "curtain": curtain,
    "screen": screen,
    "snow": snow,
}
