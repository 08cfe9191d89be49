"""Hands and what they hold: fan, sword, umbrella, letter."""

from collections.abc import Callable

import numpy as np

from flows.archives.sample.drawing.curves import Path, Place, circle, dots, finger, spline
from flows.archives.sample.drawing.sheet import Cloth, Sheet

HANDS: dict[str, tuple[Path, tuple[tuple[Path, float], ...]]] = {
    "fist": (
        dots("-.05,-.42 .28,-.46 .52,-.2 .56,.16 .38,.4 .02,.4"),
        (
            (dots(".16,.3 -.12,.34 -.3,.28"), 0.20),
            (dots(".16,.12 -.16,.15 -.36,.1"), 0.21),
            (dots(".16,-.06 -.18,-.05 -.38,-.08"), 0.22),
            (dots(".16,-.24 -.14,-.25 -.34,-.27"), 0.22),
            (dots(".36,-.3 .1,-.46 -.18,-.48"), 0.22),
        ),
    ),
    "open": (
        dots("-.22,-.26 .1,-.36 .42,-.22 .55,.1 .38,.34 .02,.36 -.24,.14"),
        (
            (dots(".3,-.22 .22,-.5 .1,-.72"), 0.22),
            (dots("-.02,-.22 -.22,-.52 -.44,-.74"), 0.20),
            (dots("-.1,-.1 -.46,-.28 -.8,-.38"), 0.20),
            (dots("-.14,.06 -.52,.02 -.86,.04"), 0.19),
            (dots("-.08,.22 -.38,.3 -.66,.42"), 0.17),
        ),
    ),
    "soft": (
        dots("-.14,-.2 .2,-.26 .5,-.14 .56,.1 .24,.24 -.12,.2"),
        (
            (dots(".02,.1 -.36,.2 -.58,.32"), 0.15),
            (dots("0,.02 -.42,.08 -.7,.18"), 0.16),
            (dots("0,-.08 -.42,-.06 -.72,.02"), 0.16),
            (dots(".26,-.18 -.04,-.3 -.28,-.28"), 0.16),
        ),
    ),
}
"""Palm, then fingers with their widths; the wrist lies to the right."""


def draw_hand(sheet: Sheet, place: Place, kind: str, skin: str) -> None:
    """A hand; later fingers lie over earlier ones."""
    palm, fingers = HANDS[kind]
    width = max(0.3, 0.05 * place.size)
    sheet.shape(place.on_sheet(palm), skin, width=width)
    for path, thick in fingers:
        sheet.band(place.on_sheet(finger(path, thick)), skin, width=width)
    inner = place.on_sheet(0.86 * np.asarray(palm) + (0.05, 0.0))
    sheet.fill(spline(inner, closed=True), skin)
    for path, thick in fingers:
        sheet.band(place.on_sheet(finger(path[1:] if kind == "open" else path, thick)), skin, width=width)


def _fan(sheet: Sheet, place: Place, cloth: Cloth) -> None:
    """An open fan that rises from the hand."""
    turn = np.deg2rad(np.linspace(-158, -32, 21))
    ray = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    zigzag = np.where(np.arange(21) % 2, 2.75, 2.85)[:, None]
    leaf = np.vstack([ray * zigzag, ray[::-1] * 1.15])
    for rib in ray[::2]:
        sheet.band(place.on_sheet(finger(np.array([rib * 0.1, rib * 1.3]), 0.10)), "ochre", width=0.3)
    sheet.band(place.on_sheet(leaf), "white", width=0.45)
    sheet.fill(place.on_sheet(np.vstack([ray * (zigzag - 0.08), ray[::-1] * 1.8])), cloth)
    sheet.fill(place.on_sheet(circle((0.1, -2.05), 0.42)), "beni")
    for rib in ray[1:-1]:
        sheet.stroke(place.on_sheet(np.vstack([rib * 1.15, rib * 2.75])), width=0.22, pressure="even")
    sheet.stroke(place.on_sheet(np.vstack([leaf, leaf[:1]])), width=0.45, pressure="even")


def _sword(sheet: Sheet, place: Place, cloth: Cloth) -> None:
    """A long sword: blade up, guard, wrapped hilt through the fist."""
    blade = dots("-.13,-.75! .02,-3.2 .45,-5.6! .34,-3.2 .14,-.75!")
    sheet.shape(place.on_sheet(blade), "gray", width=0.5)
    sheet.line(place.on_sheet(dots(".02,-.8 .18,-3.2 .42,-5.4")), width=0.3, pressure="even")
    hilt = dots("-.14,-.7 .14,-.7 .1,1.5 -.18,1.5")
    sheet.band(place.on_sheet(hilt), cloth.ground if cloth.ground != "paper" else "ai", width=0.45)
    for y in np.arange(-0.5, 1.5, 0.25):
        sheet.stroke(place.on_sheet([(-0.15, y), (0.11, y + 0.2)]), width=0.3, pressure="even")
        sheet.stroke(place.on_sheet([(-0.15, y + 0.2), (0.11, y)]), width=0.3, pressure="even")
    sheet.band(place.on_sheet(circle((0.0, -0.72), 0.42, squash=0.3)), "yellow", width=0.5)


def _umbrella(sheet: Sheet, place: Place, _cloth: Cloth) -> None:
    """A bull's-eye umbrella behind the shoulder, seen from outside."""
    sheet.band(place.on_sheet(finger([(0.0, 1.2), (2.2, -4.0)], 0.2)), "ochre", width=0.4)
    centre = (2.2, -4.4)
    for radius, pigment in ((4.4, "ai"), (3.4, "white"), (1.9, "ai"), (0.25, "sumi")):
        sheet.band(place.on_sheet(circle(centre, radius, points=40)), pigment, width=0.4)
    for turn in np.linspace(0, 2 * np.pi, 28, endpoint=False):
        rib = np.array([np.cos(turn), np.sin(turn)])
        sheet.stroke(place.on_sheet(np.array([centre + 0.3 * rib, centre + 4.4 * rib])), width=0.25, pressure="even")


def _letter(sheet: Sheet, place: Place, cloth: Cloth) -> None:
    """A long letter unrolled downwards, written on."""
    scroll = dots("-.9,-.3! .8,-.4! .95,1.6 .5,3.2 .9,5! -.8,5.1! -1.15,3.2 -.75,1.6")
    sheet.shape(place.on_sheet(scroll), "white", width=0.45)
    for column, x in enumerate((-0.6, -0.25, 0.15, 0.5)):
        down = [(x, 0.2 + 0.2 * column), (x + 0.1, 1.4), (x - 0.25, 3.0), (x - 0.05, 4.4 - 0.3 * column)]
        sheet.line(place.on_sheet(down), width=0.55, pressure="outline")
    sheet.line(place.on_sheet(dots("-.9,-.3 0,-.45 .8,-.4")), width=1.6, pigment=cloth.ground)


Props = dict[str, Callable[[Sheet, Place, Cloth], None]]
PROPS: Props = {"fan": _fan, "sword": _sword, "letter": _letter}
BACKDROPS: Props = {"umbrella": _umbrella}
"""Held behind the figure."""
