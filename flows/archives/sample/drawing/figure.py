"""Puts a pose, a face and the design's cloth together into one figure on the sheet."""

from dataclasses import dataclass

import numpy as np

from flows.archives.sample.drawing.crests import draw_crest
from flows.archives.sample.drawing.curves import SAMPLES, Place, ribbon, spline
from flows.archives.sample.drawing.hair import HAIRDOS, draw_behind, draw_over
from flows.archives.sample.drawing.head import Face, Look, draw_face
from flows.archives.sample.drawing.poses import Neck, Part, Pose
from flows.archives.sample.drawing.props import BACKDROPS, PROPS, Props, draw_hand
from flows.archives.sample.drawing.sheet import Cloth, Sheet


@dataclass(frozen=True)
class Costume:
    """What the blocks of a pose are charged with."""

    cloths: dict[str, Cloth]
    """By block: robe, over, under, sash, lining."""
    collars: tuple[str, ...]
    """Pigments from the skin outwards."""
    head_cloth: Cloth
    crest: str
    crest_colours: tuple[str, str]
    """Disc and figure."""


@dataclass(frozen=True)
class Person:
    """Who stands in the pose."""

    face: Face
    look: Look
    hairdo: str
    prop: str


def draw_figure(sheet: Sheet, pose: Pose, person: Person, costume: Costume) -> None:
    """The whole figure, back to front."""
    skin, hairdo = person.look.skin, HAIRDOS[person.hairdo]
    _hold(sheet, pose, person, costume, BACKDROPS)
    for part in pose.behind:
        _draw_part(sheet, part, costume, skin)
    _draw_neck(sheet, pose.head, pose.neck, costume, skin)
    for part in pose.body:
        _draw_part(sheet, part, costume, skin)
    _draw_crests(sheet, pose.crests, costume)
    draw_behind(sheet, pose.head, hairdo, costume.head_cloth)
    draw_face(sheet, pose.head, person.face, person.look)
    draw_over(sheet, pose.head, hairdo, costume.head_cloth)
    for part in pose.front:
        _draw_part(sheet, part, costume, skin)
    _draw_crests(sheet, pose.front_crests, costume)
    _hold(sheet, pose, person, costume, PROPS)
    for hand in pose.hands:
        draw_hand(sheet, hand.place, hand.kind, skin)


def _hold(sheet: Sheet, pose: Pose, person: Person, costume: Costume, props: Props) -> None:
    """Draw the person's prop, if it is one of these, where a hand holds it; it leans less than the hand."""
    for hand in pose.hands:
        if hand.holds and person.prop in props:
            upright = Place(hand.place.x, hand.place.y, hand.place.size, hand.place.tilt * 0.35)
            props[person.prop](sheet, upright, costume.head_cloth)


def _draw_part(sheet: Sheet, part: Part, costume: Costume, skin: str) -> None:
    if part.block == "skin":
        sheet.shape(part.path, skin, width=0.6)
    else:
        cloth = costume.cloths[part.block]
        turned = Cloth(cloth.ground, cloth.figure, cloth.textile, cloth.repeat, cloth.angle + part.angle)
        sheet.shape(part.path, turned, width=0.75)
    dark = part.block != "skin" and costume.cloths[part.block].ground == "sumi"
    for fold in part.folds:
        sheet.line(fold, width=0.8, pigment="gray" if dark else "")


def _draw_crests(sheet: Sheet, places: tuple[Place, ...], costume: Costume) -> None:
    for place in places:
        draw_crest(sheet, place, costume.crest, *costume.crest_colours)


def _draw_neck(sheet: Sheet, head: Place, neck: Neck, costume: Costume, skin: str) -> None:
    """Skin of neck and chest, then collars from the skin outwards, the far side first."""
    nape, throat = _at(head, 0.33, 0.46), _at(head, -0.13, 0.66)
    near = _curve(nape, neck.crossing, neck.end, bulge=0.12)
    far = [_at(head, 0.06, 0.5), throat, _between(throat, neck.crossing, 0.5), neck.crossing]
    for number, pigment in enumerate(costume.collars):
        sheet.band(ribbon(far, neck.width, shift=number * neck.width), pigment, width=0.5)
    jaw, chin = _at(head, 0.22, 0.0), _at(head, -0.08, 0.4)
    inside = spline(near)[: 2 * SAMPLES]
    sheet.fill(np.vstack([[jaw], inside, spline(far)[::-1], [chin]]), skin)
    sheet.line([jaw, _at(head, 0.25, 0.28), nape], width=0.6, pressure="even")
    sheet.line([_at(head, -0.03, 0.47), _at(head, -0.02, 0.58), _between(throat, neck.crossing, 0.3)], width=0.6)
    for number, pigment in enumerate(costume.collars):
        sheet.band(ribbon(near, -neck.width, shift=-number * neck.width), pigment, width=0.55)


def _at(head: Place, x: float, y: float) -> tuple[float, float]:
    point = head.on_sheet([(x, y)])[0]
    return (float(point[0]), float(point[1]))


def _between(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    return (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))


def _curve(
    start: tuple[float, float], middle: tuple[float, float], end: tuple[float, float], *, bulge: float
) -> list[tuple[float, float]]:
    """A gently bent way through three points."""
    x, y = _between(start, middle, 0.5)
    across = np.array([-(middle[1] - start[1]), middle[0] - start[0]]) * bulge
    return [start, (x - across[0], y - across[1]), middle, end]
