"""The colours of the printer's bench: pigments as they look on white, how fast they fade, and palettes."""

from dataclasses import dataclass

PAPER = "paper"

PIGMENTS: dict[str, tuple[tuple[int, int, int], float]] = {
    PAPER: ((255, 255, 255), 0.0),
    "skin": ((254, 240, 222), 0.1),
    "white": ((255, 253, 248), 0.0),
    "sumi": ((38, 36, 40), 0.0),
    "wash": ((104, 104, 110), 0.0),
    "mica": ((170, 166, 164), 0.0),
    "gray": ((196, 194, 190), 0.0),
    "beni": ((210, 98, 92), 0.35),
    "rose": ((236, 176, 164), 0.6),
    "tan": ((202, 108, 78), 0.1),
    "maroon": ((138, 66, 62), 0.15),
    "ai": ((52, 84, 116), 0.1),
    "bero": ((62, 96, 148), 0.05),
    "sky": ((150, 190, 214), 0.3),
    "pate": ((186, 212, 222), 0.3),
    "teal": ((88, 136, 138), 0.15),
    "yellow": ((236, 204, 128), 0.25),
    "straw": ((244, 226, 178), 0.3),
    "ochre": ((198, 156, 104), 0.1),
    "green": ((110, 144, 104), 0.2),
    "moss": ((62, 98, 72), 0.1),
    "leaf": ((178, 190, 136), 0.25),
    "purple": ((116, 84, 142), 0.5),
    "mauve": ((188, 160, 196), 0.6),
    "brown": ((124, 82, 60), 0.05),
}
"""Pigment: its colour on white (sRGB, it multiplies the paper) and how readily it fades (0 to 1)."""

NAMES = tuple(PIGMENTS)
INDEX = {name: number for number, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Palette:
    """Which pigment a design's block for each part is charged with; pairs are (ground, figure) of a cloth."""

    robe: tuple[str, str]
    over: tuple[str, str]
    under: tuple[str, str]
    sash: tuple[str, str]
    collar: str
    lining: str
    ground: str
    sky: str
    panel: str


PALETTES: tuple[Palette, ...] = (
    Palette(("bero", "sky"), ("tan", "straw"), ("beni", "white"), ("yellow", "moss"),
            "white", "beni", "straw", "beni", "tan"),
    Palette(("sumi", "mica"), ("ochre", "maroon"), ("teal", "white"), ("purple", "straw"),
            "sky", "tan", "mica", "wash", "yellow"),
    Palette(("rose", "beni"), ("moss", "leaf"), ("purple", "mauve"), ("sumi", "yellow"),
            "white", "tan", "sky", "bero", "beni"),
    Palette(("green", "straw"), ("purple", "white"), ("yellow", "tan"), ("ai", "sky"),
            "beni", "rose", "paper", "teal", "yellow"),
    Palette(("tan", "straw"), ("ai", "white"), ("white", "bero"), ("moss", "yellow"),
            "sky", "purple", "yellow", "tan", "beni"),
    Palette(("mauve", "purple"), ("beni", "straw"), ("leaf", "moss"), ("ochre", "sumi"),
            "white", "teal", "gray", "bero", "tan"),
    Palette(("ochre", "brown"), ("sumi", "wash"), ("sky", "bero"), ("beni", "white"),
            "yellow", "leaf", "teal", "ai", "beni"),
    Palette(("ai", "sky"), ("yellow", "ochre"), ("maroon", "rose"), ("green", "white"),
            "white", "beni", "rose", "purple", "leaf"),
    Palette(("maroon", "ochre"), ("teal", "sky"), ("straw", "green"), ("bero", "white"),
            "rose", "yellow", "leaf", "moss", "yellow"),
)  # fmt: skip
