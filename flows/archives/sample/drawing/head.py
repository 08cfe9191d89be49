"""An actor's face in three-quarter view, looking left, with or without kumadori.

Head coordinates: the hairline is at y = -0.5, the chin at y = 0.5, the ear about x = 0.28.
"""

from dataclasses import dataclass

import numpy as np

from flows.archives.sample.drawing.curves import Path, Place, Points, circle, dots, spline
from flows.archives.sample.drawing.sheet import Sheet


@dataclass(frozen=True)
class Face:
    """What an actor keeps in every role."""

    width: float = 1.0
    jaw: float = 1.0
    """Breadth of the lower face relative to the upper."""
    chin: float = 1.0
    nose: float = 1.0
    slant: float = 1.0
    """How steeply eyes and brows rise outwards."""


FACES: dict[str, Face] = {
    "long jaw": Face(0.94, 1.08, 1.10, 1.1, 1.0),
    "square": Face(1.08, 1.16, 0.98, 1.0, 0.9),
    "hawk": Face(1.0, 0.98, 1.04, 1.35, 1.25),
    "slender": Face(0.92, 0.92, 1.0, 0.9, 0.8),
    "round": Face(1.06, 1.0, 0.94, 0.85, 0.85),
    "heavy": Face(1.12, 1.08, 1.06, 1.2, 1.1),
}

OUTLINE: Path = dots(
    "-.2,-.52 -.265,-.36 -.275,-.22 -.248,-.1 -.272,.02 -.268,.16 -.225,.32 -.16,.44 "
    "-.08,.5 .02,.49 .13,.41 .22,.28 .265,.12 .28,-.08 .28,-.32 .22,-.52 .02,-.6"
)
EAR: Path = dots(".245,-.1 .29,-.17 .345,-.14 .345,-.02 .3,.1 .25,.13")
EAR_FOLD: Path = dots(".275,-.08 .315,-.11 .315,-.02 .28,.05")
NOSE: Path = dots("-.105,-.2 -.135,-.08 -.185,.06 -.205,.12 -.175,.155 -.12,.14")
NOSTRIL: Path = dots("-.145,.15 -.105,.115 -.085,.15")

KUMA: dict[str, tuple[tuple[Path, float], ...]] = {
    "suji": (
        (dots("-.09,-.16 -.06,-.3 .02,-.42 .12,-.52"), 0.085),
        (dots("-.16,-.16 -.2,-.3 -.2,-.44 -.17,-.53"), 0.06),
        (dots("-.02,0 .1,0 .2,-.1 .25,-.34"), 0.075),
        (dots("-.06,.13 .06,.14 .17,.06 .26,-.08"), 0.085),
        (dots("-.24,.05 -.235,.17 -.2,.28 -.17,.36"), 0.05),
        (dots("-.03,.24 .05,.34 .14,.34 .22,.22"), 0.07),
    ),
    "mukimi": (
        (dots("-.1,-.03 -.06,-.16 .08,-.24 .2,-.36 .24,-.5"), 0.08),
        (dots("-.17,-.04 -.2,-.17 -.245,-.28 -.235,-.42"), 0.05),
    ),
    "ippon": (
        (dots("-.04,.02 .08,.04 .19,-.06 .26,-.3"), 0.09),
        (dots(".02,.4 .1,.3 .16,.22 .26,.16"), 0.10),
        (dots("-.12,.46 -.12,.4 -.1,.36"), 0.07),
        (dots("-.22,-.02 -.25,-.14 -.25,-.3"), 0.05),
    ),
}
"""Kumadori: strokes and their fullest width; painted in red for heroes, in blue for spirits and villains."""


@dataclass(frozen=True)
class Look:
    """A role's face."""

    eyes: str
    """`glare` (crossed), `calm`, `lowered`."""
    mouth: str
    """`set`, `open`, `small`."""
    skin: str = "skin"
    kuma: str = ""
    kuma_pigment: str = "beni"
    blush: str = ""
    """Pigment breathed around the eye."""
    beard: bool = False
    """The blue of a shaven jaw."""


EYES: dict[str, tuple[Path, Path, float]] = {
    "glare": (
        dots("-.085,-.06 -.03,-.125 .05,-.145 .135,-.165"),
        dots("-.085,-.06 -.02,-.045 .06,-.07 .135,-.165"),
        0.036,
    ),
    "calm": (
        dots("-.075,-.075 -.02,-.11 .05,-.115 .125,-.125"),
        dots("-.075,-.075 -.01,-.06 .06,-.075 .125,-.125"),
        0.027,
    ),
    "lowered": (
        dots("-.075,-.07 -.01,-.085 .06,-.09 .13,-.125"),
        dots("-.075,-.07 -.01,-.05 .06,-.065 .13,-.125"),
        0.020,
    ),
}
"""The near eye: upper lid, lower lid, radius of the pupil."""

MOUTHS: dict[str, tuple[Path, Path]] = {
    "set": (
        dots("-.205,.285 -.165,.262 -.12,.268 -.06,.305"),
        dots("-.19,.277 -.16,.25 -.135,.256 -.115,.252 -.07,.298 -.12,.318 -.165,.312"),
    ),
    "open": (
        dots("-.205,.3 -.17,.255 -.12,.25 -.05,.3"),
        dots("-.205,.3 -.17,.245 -.14,.255 -.11,.24 -.05,.3 -.1,.345 -.165,.345"),
    ),
    "small": (
        dots("-.185,.275 -.16,.27 -.13,.275 -.095,.285"),
        dots("-.175,.272 -.155,.25 -.138,.256 -.122,.252 -.1,.28 -.125,.305 -.155,.303"),
    ),
}
"""The line between the lips, and the painted lips."""


def shaped(path: Path, face: Face) -> Points:
    """A part of the standard face as this actor has it."""
    points = np.array(path, dtype=np.float64)
    low = np.clip(points[:, 1] + 0.1, 0, None)
    points[:, 0] *= face.width * (1 + (face.jaw - 1) * low / 0.4)
    points[:, 1] += low * (face.chin - 1)
    return points


def draw_face(sheet: Sheet, place: Place, face: Face, look: Look) -> None:
    """Ear, skin, paint and features; hair comes before (behind) and after (in front)."""
    fine = max(0.32, 0.016 * place.size)

    def put(path: Path) -> Points:
        return place.on_sheet(shaped(path, face))

    sheet.shape(put(EAR), look.skin, width=fine)
    sheet.line(put(EAR_FOLD), width=0.8 * fine)
    sheet.shape(put(OUTLINE), look.skin, width=1.15 * fine)
    _paint(sheet, place, face, look)
    nose = np.array(shaped(NOSE, face))
    nose[:, 0] = -0.105 + (nose[:, 0] + 0.105) * face.nose
    sheet.line(place.on_sheet(nose), width=fine, pressure="grow")
    sheet.line(put(NOSTRIL), width=fine)
    _eyes(sheet, place, face, look)
    _mouth(sheet, place, face, look)
    sheet.line(put(dots("-.1,.425 -.075,.41 -.045,.42")), width=0.7 * fine)


def _paint(sheet: Sheet, place: Place, face: Face, look: Look) -> None:
    """Kumadori, blush and the shaven jaw, before the features."""
    for path, width in KUMA.get(look.kuma, ()):
        line = place.on_sheet(shaped(path, face))
        sheet.line(line, width=width * place.size, pressure="grow", pigment=look.kuma_pigment)
    if look.blush:
        centre = place.on_sheet(shaped([(0.06, -0.12)], face))[0]
        spot = circle((centre[0], centre[1]), 0.15 * place.size, squash=0.6)
        sheet.tint(spot, look.blush, blur=0.05 * place.size, strength=0.55)
    if look.beard:
        jaw = dots(".24,.1 .2,.27 .11,.39 .01,.47 -.08,.48 -.02,.42 .08,.33 .16,.18")
        sheet.tint(spline(place.on_sheet(shaped(jaw, face)), closed=True), "sky", blur=0.02 * place.size)


def _slanted(path: Path, face: Face, steep: float) -> Points:
    """Raise the outer end of an eye or brow about the root of the nose."""
    points = shaped(path, face)
    points[:, 1] -= (steep - 1) * 0.35 * np.abs(points[:, 0] + 0.1)
    return points


def _far(path: Path) -> Points:
    """The far eye: mirrored about the nose and foreshortened."""
    points = np.array(path, dtype=np.float64)
    points[:, 0] = -0.148 - 0.42 * (points[:, 0] + 0.085)
    return points


def _eyes(sheet: Sheet, place: Place, face: Face, look: Look) -> None:
    """Both eyes and brows; a glare crosses the pupils towards the nose."""
    upper, lower, radius = EYES[look.eyes]
    heavy = look.eyes == "glare"
    fine = max(0.32, 0.016 * place.size)
    for side in (np.asarray, _far):
        lid = place.on_sheet(_slanted(side(upper), face, face.slant))
        under = place.on_sheet(_slanted(side(lower), face, face.slant))
        lid_line, under_line = spline(lid), spline(under)
        sheet.fill(np.vstack([lid_line, under_line[::-1]]), "white")
        near = side is np.asarray
        mark = [(-0.035 if heavy else -0.005, -0.085)] if near else [(-0.176, -0.085)]
        centre = place.on_sheet(_slanted(mark, face, face.slant))[0]
        pupil = circle((centre[0], centre[1]), max(radius * place.size, 0.3), points=14)
        sheet.blot(pupil * (1.0, 1.0) if near else (pupil - centre) * (0.8, 1.0) + centre)
        sheet.stroke(lid_line, width=fine * (2.2 if heavy else 1.5), pressure="swell")
        sheet.stroke(under_line, width=0.7 * fine)
    thick = (0.05 if heavy else 0.032) * place.size
    rise = 1.0 if heavy else 0.6
    near_brow = [
        (-0.075, -0.175),
        (0.0, -0.225 - 0.02 * rise),
        (0.09, -0.235 - 0.05 * rise),
        (0.175, -0.225 - 0.06 * rise),
    ]
    far_brow = [(-0.155, -0.175), (-0.19, -0.215 - 0.02 * rise), (-0.235, -0.225 - 0.04 * rise)]
    for brow in (near_brow, far_brow):
        line = place.on_sheet(_slanted(brow, face, face.slant))
        sheet.line(line, width=thick, pressure="swell" if look.eyes == "lowered" else "taper")
    if heavy:
        for crease in (
            dots("-.1,-.16 -.115,-.22 -.1,-.27"),
            dots("-.02,-.015 .05,-.02 .11,-.05"),
        ):
            sheet.line(place.on_sheet(shaped(crease, face)), width=0.8 * fine)


def _mouth(sheet: Sheet, place: Place, face: Face, look: Look) -> None:
    line, lips = (place.on_sheet(shaped(path, face)) for path in MOUTHS[look.mouth])
    sheet.fill(spline(lips, closed=True), "beni" if look.mouth != "open" else "maroon")
    fine = max(0.32, 0.016 * place.size)
    sheet.line(line, width=1.3 * fine, pressure="bone" if look.mouth == "set" else "swell")
    sheet.line(place.on_sheet(shaped(dots("-.16,.345 -.13,.352 -.1,.345"), face)), width=0.7 * fine)
