"""The printer's press: paper, pigments one block after the other, ink; each impression a little different.

Knows cut blocks and pigments; not what they show.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageChops

from flows.archives.sample.drawing.pigments import NAMES, PIGMENTS
from flows.archives.sample.drawing.sheet import FINENESS, Sheet

Plane = NDArray[np.floating]
Pixels = NDArray[np.uint8]

PAPERS: tuple[tuple[int, int, int], ...] = (
    (240, 229, 205),
    (236, 222, 192),
    (243, 234, 216),
    (231, 217, 190),
    (238, 226, 196),
)
INK = np.array([30, 28, 30], dtype=np.float32) / 255


@dataclass(frozen=True)
class Wear:
    """How one impression differs from the next of the same blocks."""

    paper: tuple[int, int, int]
    fading: float
    """0: fresh, 1: the most fugitive pigments nearly gone."""
    grain: float
    """Strength of the wood's grain in flat colours, 0 to 1."""
    inking: float
    """Coverage of the key block, 0 to 1."""
    slip: float
    """Largest misregistration of a colour block, in pixels of a 320 pixel wide print."""


def wear(random: Generator) -> Wear:
    """Draw one impression's fortune."""
    return Wear(
        paper=PAPERS[int(random.integers(len(PAPERS)))],
        fading=float(random.uniform(0.02, 0.7)),
        grain=float(random.uniform(0.05, 0.14)),
        inking=float(random.uniform(0.88, 1.0)),
        slip=float(random.uniform(0.3, 1.3)),
    )


def pull(sheet: Sheet, wear: Wear, random: Generator) -> Pixels:
    """Print the blocks once: uint8, (H, W, 3), sRGB."""
    blocks, ink, tints = sheet.cut()
    shape = (sheet.size[1], sheet.size[0])
    picture = _paper(shape, wear, random)
    unevenness = _cloud(shape, 14, random)
    for number in np.flatnonzero(blocks.histogram()[1:]) + 1:  # number 0 is bare paper
        block = blocks.point([255 if value == number else 0 for value in range(256)])
        cover = _slipped(block, wear.slip, random) * _flat(shape, wear, unevenness, random)
        _lay(picture, cover, _pigment(NAMES[number], wear))
    for tint in tints:
        _lay(picture, tint.strength * _flat(shape, wear, unevenness, random), _pigment(tint.pigment, wear))
    key = _slipped(ink, 0.0, random) * wear.inking
    _lay(picture, key * (1 - 0.15 * np.maximum(unevenness, 0)), INK)
    return np.clip(picture * 255 + random.normal(0, 1.2, (*shape, 1)), 0, 255).astype(np.uint8)


def _lay(picture: Plane, cover: Plane, colour: Plane) -> None:
    """Overprint in place: pigments are transparent, so they multiply."""
    picture *= 1 - cover[..., None] * (1 - colour)


def _pigment(name: str, wear: Wear) -> Plane:
    """The pigment's transmission after its fading, which also takes it towards straw."""
    colour, fugitive = PIGMENTS[name]
    loss = np.float32(wear.fading * fugitive)
    fresh = np.array(colour, dtype=np.float32) / 255
    return fresh + loss * (np.array([0.95, 0.89, 0.76], dtype=np.float32) - fresh)


def _slipped(block: Image.Image, slip: float, random: Generator) -> Plane:
    """A block's coverage at the print's pixels, moved by up to `slip` pixels."""
    reach = slip * block.width / FINENESS / 320
    dx, dy = (random.uniform(-reach, reach, 2) * FINENESS).round().astype(int)
    moved = ImageChops.offset(block, int(dx), int(dy)) if dx or dy else block
    return np.asarray(moved.reduce(FINENESS), dtype=np.float32) / 255


def _flat(shape: tuple[int, int], wear: Wear, unevenness: Plane, random: Generator) -> Plane:
    """A flat colour's density: the block's grain, and the unevenness of rubbing."""
    rows = np.cumsum(random.normal(0, 0.5, shape[0])).astype(np.float32)
    noise = random.normal(0, 1, shape[1] + 64).astype(np.float32)
    lines = np.convolve(noise, np.ones(3, dtype=np.float32) / 3, mode="same")
    bend = (np.arange(shape[1])[None, :] + np.clip(rows, 0, 60)[:, None].astype(int)) % lines.size
    density: Plane = np.clip(0.97 + wear.grain * (0.5 * lines[bend] + 0.3 * unevenness), 0, 1)
    return density


def _cloud(shape: tuple[int, int], cells: int, random: Generator) -> Plane:
    """Soft noise, about unit variance: `cells` across the width."""
    small = random.normal(0, 1, (max(2, cells * shape[0] // shape[1]), cells)).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _paper(shape: tuple[int, int], wear: Wear, random: Generator) -> Plane:
    """Kōzo paper: tone, clouds, fine grain, fibres and the toning of age towards the edges."""
    base = np.array(wear.paper, dtype=np.float32) / 255
    clouds = 0.008 * _cloud(shape, 5, random) + 0.007 * random.normal(0, 1, shape).astype(np.float32)
    fibres = np.abs(_cloud(shape, shape[1] // 3, random)) * np.abs(_cloud(shape, shape[1] // 9, random))
    y, x = np.linspace(-1, 1, shape[0])[:, None], np.linspace(-1, 1, shape[1])[None, :]
    edge = (np.maximum(np.abs(x), np.abs(y)) ** 8).astype(np.float32) * np.float32(0.03 + 0.06 * wear.fading)
    tone = np.array([0.5, 0.8, 1.3], dtype=np.float32)
    density = clouds - 0.006 * fibres
    return np.clip(base * (1 + density[..., None] - edge[..., None] * tone), 0, 1).astype(np.float32)
