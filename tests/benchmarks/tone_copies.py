"""Copies of a colour print whose tone is certain: without colour, as archives photograph and keep them; and faded.

Each takes uint8 (H, W, 3) and gives the like. All go through JPEG, as nearly everything that is harvested has.
"""

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO

import numpy as np
import skimage.color
from PIL import Image, ImageDraw, ImageFilter

from colorize.images.decode import Pixels
from colorize.images.resize import to_gray

Colour = tuple[int, int, int]
Copy = Callable[[Pixels], Pixels]

INK, CREAM = (38, 34, 30), (232, 214, 178)
SEAL = (186, 62, 48)
CHART = [(40, 60, 150), (40, 120, 60), (200, 50, 45), (235, 200, 40), (180, 80, 140), (60, 150, 190)]


def as_jpeg(pixels: Pixels, quality: int = 75) -> Pixels:
    """Written and read again, its chroma at half size."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=2)
    return np.array(Image.open(file).convert("RGB"))


def in_ink(pixels: Pixels, ink: Colour = INK, paper: Colour = CREAM) -> Pixels:
    """Printed from one block: every value lies between ink and paper."""
    share = to_gray(pixels)[..., :1] / 255
    return _bytes(np.array(ink) + share * np.subtract(paper, ink))


def through_curves(pixels: Pixels, *gammas: float) -> Pixels:
    """A toned photograph: black and white stay, each channel has its own curve between."""
    return _bytes(255 * (to_gray(pixels) / 255) ** np.array(gammas))


def with_cast(pixels: Pixels, *gains: float) -> Pixels:
    """A gray scan whose channels are unequal."""
    return _bytes(to_gray(pixels) * np.array(gains))


def unevenly_lit(pixels: Pixels) -> Pixels:
    """A gray page, yellowed towards one corner."""
    height, width = pixels.shape[:2]
    share = (np.linspace(0, 1, height)[:, None] + np.linspace(0, 1, width)) / 2
    return _bytes(to_gray(pixels) * (1 - share[..., None] * np.array([0.02, 0.06, 0.16])))


def stained(pixels: Pixels) -> Pixels:
    """Ink on cream paper with brown stains that cover about a tenth of it."""
    height, width = pixels.shape[:2]
    stains = Image.fromarray((_noise(pixels)[..., 0] * 40 + 128).clip(0, 255).astype(np.uint8))
    stains = stains.filter(ImageFilter.GaussianBlur(max(height, width) / 40))
    values = np.asarray(stains, dtype=np.float64)
    share = np.clip((values - np.quantile(values, 0.85)) / max(np.ptp(values) / 6, 0.1), 0, 1)[..., None]
    return _bytes(in_ink(pixels) * (1 - share * np.array([0.12, 0.19, 0.3])))


def with_chroma_noise(pixels: Pixels) -> Pixels:
    """A gray scan with the noise of a poor sensor in each channel, saved small."""
    return as_jpeg(_bytes(to_gray(pixels) + 10 * _noise(pixels)), 50)


def misregistered(pixels: Pixels) -> Pixels:
    """A gray scan whose channels lie a 1,280th of the long edge apart, so that each line has coloured edges."""
    gray, share = to_gray(pixels).astype(np.float64), max(pixels.shape) / 1280
    right, below = np.roll(gray[..., 1], 1, axis=1), np.roll(gray[..., 2], 1, axis=0)
    green, blue = ((1 - share) * gray[..., 1] + share * each for each in (right, below))
    return _bytes(np.stack([gray[..., 0], green, blue], axis=-1))


def with_seals(pixels: Pixels, copy: Copy = to_gray, size: float = 1 / 10) -> Pixels:
    """A copy with two red seals; the larger is this share of the long edge."""
    image, side = Image.fromarray(copy(pixels)), round(size * max(pixels.shape))
    draw, (width, height) = ImageDraw.Draw(image), image.size
    for left, top, across in ((side // 2, side // 2, side), (width - side, height - 2 * side, side // 2)):
        draw.rectangle((left, top, left + across, top + side), fill=SEAL)
        draw.rectangle((left + across // 4, top + side // 4, left + across // 2, top + side // 2), fill=CREAM)
    return np.array(image)


def on_mount(pixels: Pixels, mount: Colour, copy: Copy = to_gray, *, chart: bool = False) -> Pixels:
    """A copy on its mount, with a colour chart beside it where asked."""
    height, width = pixels.shape[:2]
    image = Image.new("RGB", (width * (3 if chart else 2) // 2 - (0 if chart else width // 4), height * 5 // 4), mount)
    image.paste(Image.fromarray(copy(pixels)), (width // 12, height // 8))
    if chart:
        draw, step, left = ImageDraw.Draw(image), max(1, height // 18), width * 5 // 4
        for row, colour in enumerate(CHART):
            top = height // 3 + row * step
            draw.rectangle((left, top, left + 2 * step, top + step - 1), fill=colour)
    return np.array(image)


def faded(pixels: Pixels, kept: float = 0.5) -> Pixels:
    """A share of the print's colour kept, on paper that has browned a little."""
    lab = skimage.color.rgb2lab(pixels)
    lab[..., 1:] = lab[..., 1:] * kept + np.array([1.5, 7]) * lab[..., :1] / 100
    return _bytes(255 * skimage.color.lab2rgb(lab))


def _bytes(values: np.ndarray) -> Pixels:
    pixels: Pixels = np.rint(values).clip(0, 255).astype(np.uint8)
    return pixels


def _noise(pixels: Pixels) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, pixels.shape)


COLOURLESS: Mapping[str, Copy] = {
    "gray": to_gray,
    "ink on cream": in_ink,
    "ink on brown": partial(in_ink, ink=(30, 26, 22), paper=(196, 164, 118)),
    "ink on blue": partial(in_ink, paper=(176, 196, 220)),
    "ink on pink": partial(in_ink, paper=(232, 190, 186)),
    "ink on green": partial(in_ink, paper=(190, 208, 170)),
    "blue ink on cream": partial(in_ink, ink=(28, 44, 96)),
    "red ink on cream": partial(in_ink, ink=(150, 40, 36)),
    "cyanotype": partial(in_ink, ink=(14, 40, 92), paper=(226, 236, 240)),
    "sepia, strong": lambda pixels: through_curves(pixels, 0.62, 1.0, 1.75),
    "split tone": lambda pixels: _bytes(in_ink(pixels, (54, 36, 20), (232, 240, 252))),
    "warm cast": lambda pixels: with_cast(pixels, 1.07, 0.95, 0.75),
    "blue cast": lambda pixels: with_cast(pixels, 0.88, 1.0, 1.12),
    "green cast": lambda pixels: with_cast(pixels, 0.9, 1.02, 0.92),
    "unevenly lit": unevenly_lit,
    "stained": stained,
    "chroma noise": with_chroma_noise,
    "misregistered": misregistered,
    "seals on gray": with_seals,
    "seals on cream": partial(with_seals, copy=in_ink),
    "chart beside gray, black": partial(on_mount, mount=(14, 14, 15), chart=True),
    "chart beside gray, gray": partial(on_mount, mount=(120, 120, 122), chart=True),
    "chart beside ink, beige": partial(on_mount, mount=(200, 190, 172), copy=in_ink, chart=True),
    "gray on blue mount": partial(on_mount, mount=(60, 84, 140)),
    "gray on brown mount": partial(on_mount, mount=(150, 110, 70)),
    "ink on blue mount": partial(on_mount, mount=(60, 84, 140), copy=in_ink),
    "ink on red mount": partial(on_mount, mount=(140, 50, 46), copy=in_ink),
}
"""Copies without colour: none may be called colour."""

FADED: Mapping[str, Copy] = {"faded to a half": faded, "faded to a quarter": partial(faded, kept=0.25)}
"""Copies with some colour left: none may be called grayscale."""
