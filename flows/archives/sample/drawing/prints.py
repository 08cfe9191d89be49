"""The drawing's door: designs become blocks, blocks become impressions, impressions become photographs."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from flows.archives.sample.drawing.crests import draw_crest
from flows.archives.sample.drawing.curves import Place
from flows.archives.sample.drawing.designs import Design
from flows.archives.sample.drawing.figure import Costume, Person, draw_figure
from flows.archives.sample.drawing.grounds import GROUNDS
from flows.archives.sample.drawing.head import FACES
from flows.archives.sample.drawing.lettering import draw_frame, draw_panel, draw_signature
from flows.archives.sample.drawing.pigments import PALETTES, Palette
from flows.archives.sample.drawing.poses_full import FULL_LENGTH
from flows.archives.sample.drawing.poses_half import HALF_LENGTH
from flows.archives.sample.drawing.press import Pixels, Wear, pull, wear
from flows.archives.sample.drawing.scenery import draw_landscape
from flows.archives.sample.drawing.sheet import Cloth, Sheet

POSES = HALF_LENGTH | FULL_LENGTH
SIZE = (320, 480)
"""Width and height of a print in pixels, in the proportions of the ōban format."""


@dataclass(frozen=True)
class Impression:
    """One physical print of a design."""

    pixels: Pixels
    """uint8, (H, W, 3), sRGB."""
    design: Design
    number: int
    wear: Wear


def draw_print(design: Design, impression: int, size: tuple[int, int] = SIZE) -> Impression:
    """Print a design once more; the same numbers always give the same pixels."""
    random = np.random.default_rng((design.seed, 2, impression))
    worn = wear(random)
    return Impression(pull(blocks(design, size), worn, random), design, impression, worn)


def draw_ink_print(design: Design, impression: int, size: tuple[int, int] = SIZE) -> Impression:
    """An impression of the key block alone on toned paper (sumizuri-e)."""
    random = np.random.default_rng((design.seed, 3, impression))
    worn = wear(random)
    return Impression(pull(blocks(design, size).key_only(), worn, random), design, impression, worn)


@lru_cache(maxsize=4)
def blocks(design: Design, size: tuple[int, int] = SIZE) -> Sheet:
    """The cut blocks of a design; impressions share them, so do not cut them further."""
    random = np.random.default_rng((design.seed, 4))
    sheet, colours = Sheet(size), PALETTES[design.palette]
    if design.subject == "landscape":
        draw_landscape(sheet, random)
    else:
        _draw_actor(sheet, design, colours, random)
    _draw_writing(sheet, design, colours, random)
    draw_frame(sheet, 2.2)
    return sheet


def _draw_actor(sheet: Sheet, design: Design, colours: Palette, random: np.random.Generator) -> None:
    GROUNDS[design.ground](sheet, colours, random)
    person = Person(FACES[design.actor.face], design.role.look, design.role.hairdo, design.role.prop)
    draw_figure(sheet, POSES[design.pose], person, _costume(design, colours))
    if design.mirrored:
        sheet.mirror()


def _costume(design: Design, colours: Palette) -> Costume:
    """Charge the design's textiles with the palette; patterns shrink with the figure."""
    repeat = design.repeat * (0.55 + 0.45 * min(1.0, POSES[design.pose].head.size / 30))
    pairs = {"robe": colours.robe, "over": colours.over, "under": colours.under, "sash": colours.sash}
    cloths = {
        block: Cloth(*pair, textile, repeat if block in ("robe", "over") else 0.7 * repeat)
        for (block, pair), textile in zip(pairs.items(), design.textiles, strict=True)
    }
    cloths["lining"] = Cloth(colours.lining)
    disc, figure = ("white", "sumi") if colours.robe[0] != "white" else ("sumi", "white")
    return Costume(
        cloths=cloths,
        collars=("white", colours.collar, colours.lining),
        head_cloth=Cloth(*colours.sash, design.textiles[3], 0.5 * repeat),
        crest=design.actor.crest,
        crest_colours=(disc, figure),
    )


def _draw_writing(sheet: Sheet, design: Design, colours: Palette, random: np.random.Generator) -> None:
    """The cartouche in one upper corner, the actor's crest in the other, the signature where the pose leaves room."""
    right = bool(design.mirrored) ^ (design.seed % 3 == 0)
    columns = [int(n) for n in random.integers(4, 7, 1 + design.seed % 2)]
    wide = 1.6 + len(columns) * (5.75 if len(columns) == 1 else 4.5)
    draw_panel(sheet, (95.5 - wide if right else 4.5, 5.0), columns, colours.panel, random)
    if design.subject == "actor":
        draw_crest(sheet, Place(8 if right else 92, 10, 4.0), design.actor.crest, "white", colours.lining)
    x, y = POSES[design.pose].signature
    draw_signature(sheet, (97 - x if design.mirrored else x, y), random)
