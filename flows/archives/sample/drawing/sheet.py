"""The block cutter's sheet: one map of colour blocks, one key block of ink, and soft tints over both.

Later shapes lie before earlier ones and hide their ink. `press` prints what is cut here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from flows.archives.sample.drawing.curves import PRESSURES, Path, Points, normals, spline
from flows.archives.sample.drawing.pigments import INDEX
from flows.archives.sample.drawing.textiles import SIDE, TEXTILES, tile

FINENESS = 3
"""Blocks are cut at this many pixels for one of the print, so that edges come out smooth."""
HEIGHT = 150.0
WIDTH = 100.0


@dataclass(frozen=True)
class Cloth:
    """A flat colour, or a textile pattern in two."""

    ground: str
    figure: str = ""
    textile: str = ""
    repeat: float = 8.0
    """Width of one repeat in sheet units, before the pattern's own factor."""
    angle: float = 0.0
    """Degrees by which the pattern leans with the cloth."""


@dataclass(frozen=True)
class Tint:
    """A soft overprint (bokashi): where it goes and how strongly, (H, W) float32 in [0, 1]."""

    pigment: str
    strength: NDArray[np.float32]


class Sheet:
    """Blocks being cut for a print of `size` (width, height) pixels."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        fine = (size[0] * FINENESS, size[1] * FINENESS)
        self._scale = np.array([fine[0] / WIDTH, fine[1] / HEIGHT])
        self._blocks = Image.new("L", fine)
        self._ink = Image.new("L", fine)
        self._ground = Image.new("L", fine)
        self._draw_ground = ImageDraw.Draw(self._ground)
        self._draw_blocks = ImageDraw.Draw(self._blocks)
        self._draw_ink = ImageDraw.Draw(self._ink)
        self._tints: list[Tint] = []
        self._shades: list[Tint] = []

    def fill(self, outline: Path, cloth: Cloth | str) -> None:
        """Cut a closed shape; what was drawn under it disappears."""
        corners = _corners(np.asarray(outline) * self._scale)
        self._draw_ink.polygon(corners, fill=0)
        self._draw_ground.polygon(corners, fill=0)
        if isinstance(cloth, str) or not cloth.textile:
            name = cloth if isinstance(cloth, str) else cloth.ground
            self._draw_blocks.polygon(corners, fill=INDEX[name])
        else:
            self._weave(np.asarray(outline) * self._scale, cloth)

    def shape(self, path: Path, cloth: Cloth | str, *, width: float = 0.6) -> None:
        """A closed smooth shape with its brushed outline."""
        outline = spline(path, closed=True)
        self.fill(outline, cloth)
        self.stroke(np.vstack([outline, outline[:1]]), width=width, pressure="outline")

    def band(self, outline: Points, cloth: Cloth | str, *, width: float = 0.5) -> None:
        """A closed shape whose points are already dense, with its outline."""
        self.fill(outline, cloth)
        self.stroke(np.vstack([outline, outline[:1]]), width=width, pressure="even")

    def line(self, path: Path, *, width: float = 0.5, pressure: str = "swell", pigment: str = "") -> None:
        """A brush stroke along a smooth curve, in ink or in a pigment."""
        self.stroke(spline(path), width=width, pressure=pressure, pigment=pigment)

    def stroke(self, line: Points, *, width: float = 0.5, pressure: str = "swell", pigment: str = "") -> None:
        """A brush stroke along dense points; `width` is its fullest, in sheet units."""
        along = np.linspace(0, 1, len(line))
        half = (0.5 * width * PRESSURES[pressure](along))[:, None]
        across = normals(line) * half
        into = [(self._draw_blocks, INDEX[pigment]), (self._draw_ground, 0)] if pigment else [(self._draw_ink, 255)]
        left, right = (line + across) * self._scale, (line - across) * self._scale
        quads = np.concatenate([left[:-1], left[1:], right[1:], right[:-1]], axis=1)
        ends = [
            (*((end - radius) * self._scale).tolist(), *((end + radius) * self._scale).tolist())
            for end, radius in ((line[0], half[0, 0]), (line[-1], half[-1, 0]))
        ]
        for draw, value in into:
            for quad in quads.tolist():
                draw.polygon(quad, fill=value)
            for box in ends:
                draw.ellipse(box, fill=value)

    def blot(self, outline: Path) -> None:
        """A solid area of ink."""
        self._draw_ink.polygon(_corners(np.asarray(outline) * self._scale), fill=255)

    def tint(self, outline: Path, pigment: str, *, blur: float, strength: float = 1.0) -> None:
        """A soft-edged overprint; `blur` in sheet units."""
        mask = Image.new("L", self.size)
        ImageDraw.Draw(mask).polygon(_corners(np.asarray(outline) * self._scale / FINENESS), fill=255)
        box = ImageFilter.BoxBlur(float(blur * self._scale[0] / FINENESS))
        soft = mask.filter(box).filter(box)
        self._tints.append(Tint(pigment, np.asarray(soft, dtype=np.float32) * np.float32(strength / 255)))

    def shade(self, pigment: str, start: float, end: float, strength: float = 1.0) -> None:
        """A bokashi of the ground, full at height `start` and nothing at `end`; later shapes stay clear of it."""
        y = np.linspace(0, HEIGHT, self.size[1], dtype=np.float32)[:, None]
        fall = np.float32(strength) * np.clip((end - y) / (end - start), 0, 1) ** 1.4
        self._shades.append(Tint(pigment, np.broadcast_to(fall, (self.size[1], self.size[0]))))
        self._ground.paste(255, (0, 0, *self._ground.size))

    def mirror(self) -> None:
        """Turn all that is cut so far to face the other way."""
        for image in (self._blocks, self._ink, self._ground):
            image.paste(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        self._tints = [Tint(tint.pigment, tint.strength[:, ::-1]) for tint in self._tints]

    def key_only(self) -> "Sheet":
        """The same design without its colour blocks; what was black stays so."""
        plain = Sheet(self.size)
        sumi = self._blocks.point([INDEX["sumi"] if value == INDEX["sumi"] else 0 for value in range(256)])
        plain._blocks.paste(sumi)
        plain._ink.paste(self._ink)
        return plain

    def cut(self) -> tuple[Image.Image, Image.Image, tuple[Tint, ...]]:
        """The finished blocks (pigment numbers), the key block (255 is ink) and the tints."""
        ground = np.asarray(self._ground.reduce(FINENESS), dtype=np.float32) / 255
        shades = [Tint(shade.pigment, np.multiply(shade.strength, ground, dtype=np.float32)) for shade in self._shades]
        return self._blocks, self._ink, (*shades, *self._tints)

    def _weave(self, outline: Points, cloth: Cloth) -> None:
        """Fill with a textile by looking its tile up along the cloth's axes."""
        low = np.maximum(outline.min(axis=0).astype(int), 0)
        high = np.minimum(outline.max(axis=0).astype(int) + 2, self._blocks.size)
        if (high <= low).any():
            return
        mask = Image.new("1", (int(high[0] - low[0]), int(high[1] - low[1])))
        ImageDraw.Draw(mask).polygon(_corners(outline - low), fill=1)
        woven = _woven(np.asarray(mask).shape, low, cloth, float(self._scale[0]))
        self._blocks.paste(Image.fromarray(woven), (int(low[0]), int(low[1])), mask)


def _woven(shape: tuple[int, ...], origin: NDArray[np.int_], cloth: Cloth, scale: float) -> NDArray[np.uint8]:
    """Pigment numbers of a rectangle of cloth."""
    pattern = tile(cloth.textile)
    step = SIDE / (cloth.repeat * TEXTILES[cloth.textile][1] * scale)
    cos, sin = np.cos(np.deg2rad(cloth.angle)) * step, np.sin(np.deg2rad(cloth.angle)) * step
    x = (np.arange(shape[1], dtype=np.float32) + origin[0])[None, :]
    y = (np.arange(shape[0], dtype=np.float32) + origin[1])[:, None]
    u = (x * np.float32(cos) + y * np.float32(sin)).astype(np.int32) % pattern.shape[1]
    v = (y * np.float32(cos) - x * np.float32(sin)).astype(np.int32) % pattern.shape[0]
    pair = np.array([INDEX[cloth.ground], INDEX[cloth.figure]], dtype=np.uint8)
    return np.asarray(pair[pattern][v, u])


def _corners(points: Points) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points]
