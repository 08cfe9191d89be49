"""Hair, wigs and what is worn on the head, as data in head coordinates (see `head`)."""

from dataclasses import dataclass

import numpy as np

from flows.archives.sample.drawing.curves import Path, Place, dots, tapering
from flows.archives.sample.drawing.sheet import Cloth, Sheet


@dataclass(frozen=True)
class Piece:
    """One shape of a hairdo; `part` names a pigment, or "cloth" for the design's own textile."""

    part: str
    path: Path


@dataclass(frozen=True)
class Lock:
    """A tapering lock: from a root, through a bend, to its tip."""

    path: Path
    width: float
    part: str = "sumi"


@dataclass(frozen=True)
class Hairdo:
    """What lies behind the face, what lies over it, and single fine hairs at the hairline."""

    behind: tuple[Piece, ...]
    over: tuple[Piece, ...]
    locks: tuple[Lock, ...] = ()
    fringe: tuple[Lock, ...] = ()
    hairs: tuple[Path, ...] = ()


BACK = Piece("sumi", dots(".1,-.7 .34,-.66 .47,-.45 .48,-.2 .44,.02 .49,.2 .42,.34 .33,.24 .27,.06 .2,-.3"))
PATE = Piece("pate", dots("-.215,-.47 -.225,-.56 -.17,-.66 -.04,-.72 .12,-.73 .26,-.66 .16,-.58 .05,-.5 -.08,-.455"))
SIDE = Piece(
    "sumi",
    dots(
        ".03,-.49 .1,-.58 .22,-.68 .36,-.64 .46,-.48 .46,-.24 .39,-.14 .31,-.19 .25,-.12 "
        ".255,.02 .235,.08 .215,-.08 .19,-.24 .11,-.38"
    ),
)
FAR_SIDE = Piece(
    "sumi",
    dots("-.2,-.5 -.245,-.53 -.3,-.42 -.295,-.29 -.262,-.27 -.25,-.38"),
)
KNOT = Piece("sumi", dots(".34,-.6 .42,-.7 .36,-.82 .2,-.86 .04,-.83 -.06,-.77 -.03,-.73 .1,-.76 .22,-.76 .26,-.66"))
TIE = Piece("white", dots(".22,-.87 .27,-.865 .3,-.75 .25,-.745"))
FORELOCK = Piece("sumi", dots("-.2,-.47 -.235,-.58 -.17,-.72 -.02,-.78 .12,-.74 .18,-.62 .06,-.5 -.08,-.47"))
SIDE_HAIRS: tuple[Path, ...] = (
    dots(".09,-.4 .13,-.3 .16,-.22"),
    dots(".2,-.22 .205,-.14 .2,-.07"),
    dots(".22,-.06 .215,.03 .21,.1"),
)

WING = Piece(
    "sumi",
    dots(
        ".02,-.5 .08,-.62 .26,-.68 .48,-.6 .6,-.42 .58,-.22 .46,-.1 .34,-.12 .27,-.04 .25,.04 "
        ".225,-.08 .19,-.26 .11,-.4"
    ),
)
NAPE_BUN = Piece("sumi", dots(".24,-.1 .4,-.14 .5,.02 .54,.2 .5,.3 .42,.28 .36,.18 .28,.1"))
SHIMADA = Piece("sumi", dots(".06,-.7 .02,-.84 .12,-.99 .3,-1.02 .47,-.95 .58,-.82 .54,-.68 .4,-.62 .2,-.62"))
HIGH_LOOPS = Piece(
    "sumi", dots("0,-.66 -.1,-.84 -.06,-1.04 .1,-1.14 .26,-1.06 .42,-1.14 .58,-1.02 .6,-.82 .48,-.66 .24,-.6")
)
COMB = Piece("ochre", dots("0,-.74 .03,-.86 .13,-.92 .23,-.88 .27,-.77 .14,-.79"))
PINS: tuple[Piece, ...] = tuple(
    Piece(
        "yellow",
        [(0.34, -0.80), (x - 0.01, y - 0.02), (x + 0.02, y - 0.02), (x + 0.03, y + 0.02), (0.36, -0.78)],
    )
    for x, y in ((0.74, -1.02), (0.80, -0.88), (0.80, -0.72))
)
FAR_PINS: tuple[Piece, ...] = tuple(
    Piece(
        "yellow",
        [(0.04, -0.80), (x + 0.01, y - 0.02), (x - 0.02, y - 0.02), (x - 0.03, y + 0.02), (0.02, -0.78)],
    )
    for x, y in ((-0.34, -1.02), (-0.40, -0.88), (-0.38, -0.74))
)
FLOWERS: tuple[Piece, ...] = tuple(
    Piece(
        pigment,
        [
            (x + 0.055 * np.cos(turn) * (1 + 0.35 * (step % 2)), y + 0.055 * np.sin(turn) * (1 + 0.35 * (step % 2)))
            for step, turn in enumerate(np.linspace(0, 2 * np.pi, 10, endpoint=False))
        ],
    )
    for x, y, pigment in ((-0.20, -0.66, "rose"), (-0.13, -0.74, "beni"), (-0.25, -0.56, "white"))
)
SPIKES: tuple[Lock, ...] = tuple(
    Lock([(0.24, -0.40 + 0.06 * i), (0.50, y0), (0.78, y1)], 0.24)
    for i, (y0, y1) in enumerate(((-0.66, -0.84), (-0.50, -0.56), (-0.30, -0.26), (-0.10, 0.02), (0.08, 0.28)))
)
PAPER_WINGS: tuple[Piece, ...] = tuple(
    Piece(
        "white",
        [
            (0.14 + side * 0.06, -0.70),
            (0.14 + side * 0.06, -0.70),
            (0.14 + side * 0.20, -1.02),
            (0.14 + side * 0.20, -1.02),
            (0.14 + side * 0.74, -1.10 - 0.06 * side),
            (0.14 + side * 0.74, -1.10 - 0.06 * side),
            (0.14 + side * 0.60, -0.86),
            (0.14 + side * 0.60, -0.86),
            (0.14 + side * 0.28, -0.66),
            (0.14 + side * 0.28, -0.66),
        ],
    )
    for side in (-1, 1)
)
MANE: tuple[Lock, ...] = tuple(
    Lock(
        [
            (0.12, -0.60),
            (0.12 + 0.62 * np.cos(turn), -0.22 + 0.60 * np.sin(turn)),
            (0.16 + 0.95 * np.cos(turn + 0.18), 0.02 + 0.98 * np.sin(turn + 0.22)),
        ],
        0.20,
    )
    for turn in np.linspace(-2.5, 1.35, 17)
)
FRINGE: tuple[Lock, ...] = tuple(
    Lock([(0.10, -0.66), (x, -0.60), (x - 0.02, -0.38 + 0.25 * max(x, 0.0))], 0.10)
    for x in (-0.22, -0.14, -0.05, 0.04, 0.13, 0.20)
)
CAP: tuple[Piece, ...] = (
    Piece("sumi", dots("-.19,-.54! -.22,-.82 -.1,-1.12 .12,-1.26 .34,-1.2 .3,-.98 .34,-.7 .34,-.58! .08,-.5")),
    Piece("purple", dots("-.2,-.5 -.205,-.56 .06,-.54 .35,-.62 .35,-.55 .08,-.47")),
)
SCARF: tuple[Piece, ...] = (
    Piece(
        "cloth",
        dots(
            "-.24,-.36 -.3,-.52 -.22,-.7 0,-.8 .24,-.78 .42,-.62 .44,-.36 .36,-.2 .28,-.22 .2,-.36 .02,-.46 -.12,-.44"
        ),
    ),
    Piece("cloth", dots("-.16,-.46 -.32,-.58 -.36,-.74 -.26,-.78 -.16,-.64 -.08,-.5")),
    Piece("cloth", dots("-.12,-.48 -.1,-.66 .02,-.76 .08,-.68 .02,-.54 -.06,-.46")),
)
BAND: tuple[Piece, ...] = (
    Piece("cloth", dots("-.28,-.4 -.27,-.5 -.02,-.5 .24,-.44 .46,-.32 .46,-.22 .22,-.34 -.04,-.41")),
    Piece("cloth", dots(".3,-.36 .52,-.54 .66,-.48 .58,-.36 .4,-.3")),
    Piece("cloth", dots(".32,-.32 .56,-.24 .66,-.08 .54,-.08 .42,-.2")),
)

HAIRDOS: dict[str, Hairdo] = {
    "topknot": Hairdo((BACK,), (PATE, FAR_SIDE, SIDE, KNOT, TIE), hairs=SIDE_HAIRS),
    "forelock": Hairdo((BACK, KNOT, TIE), (FAR_SIDE, FORELOCK, SIDE), hairs=SIDE_HAIRS),
    "shimada": Hairdo(
        (NAPE_BUN, *PINS, *FAR_PINS[:2], SHIMADA),
        (FAR_SIDE, WING, FORELOCK, COMB, *FLOWERS),
        hairs=SIDE_HAIRS[:2],
    ),
    "courtesan": Hairdo(
        (NAPE_BUN, *PINS, *FAR_PINS, HIGH_LOOPS), (FAR_SIDE, WING, FORELOCK, COMB), hairs=SIDE_HAIRS[:2]
    ),
    "spiked": Hairdo((*PAPER_WINGS, BACK), (FAR_SIDE, FORELOCK, SIDE), SPIKES, hairs=SIDE_HAIRS[:2]),
    "mane": Hairdo((BACK,), (FAR_SIDE, SIDE), MANE, FRINGE),
    "cap": Hairdo((BACK,), (FAR_SIDE, SIDE, *CAP), hairs=SIDE_HAIRS),
    "scarf": Hairdo((BACK,), (SIDE, *SCARF), hairs=SIDE_HAIRS[1:]),
    "headband": Hairdo((BACK, KNOT, TIE), (PATE, FAR_SIDE, SIDE, *BAND), hairs=SIDE_HAIRS),
}


def draw_behind(sheet: Sheet, place: Place, hairdo: Hairdo, cloth: Cloth) -> None:
    """What the face will hide in part."""
    for piece in hairdo.behind:
        _draw_piece(sheet, place, piece, cloth)
    for lock in hairdo.locks:
        _draw_lock(sheet, place, lock)


def draw_over(sheet: Sheet, place: Place, hairdo: Hairdo, cloth: Cloth) -> None:
    """What lies on the face, down to single hairs."""
    for piece in hairdo.over:
        _draw_piece(sheet, place, piece, cloth)
    for lock in hairdo.fringe:
        _draw_lock(sheet, place, lock)
    for hair in hairdo.hairs:
        for shift in (-0.012, 0.0, 0.012):
            line = place.on_sheet(np.asarray(hair) + np.array([shift, 0.0]))
            sheet.line(line, width=0.012 * place.size, pressure="taper")


def _draw_piece(sheet: Sheet, place: Place, piece: Piece, cloth: Cloth) -> None:
    path = place.on_sheet(piece.path)
    sheet.shape(path, cloth if piece.part == "cloth" else piece.part, width=max(0.3, 0.014 * place.size))


def _draw_lock(sheet: Sheet, place: Place, lock: Lock) -> None:
    sheet.fill(tapering(place.on_sheet(lock.path), lock.width * place.size), lock.part)
