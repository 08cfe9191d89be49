"""Sample sheets of a training: prints held out in gray, as the network colours them, and in their own colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.color import lab2rgb

from colorize.images.decode import Pixels
from colorize.methods.learned_areas import possible

_GAP, _LINE = 6, 14


@dataclass(frozen=True)
class Row:
    """One print."""

    name: str
    gray: Pixels
    light: NDArray[np.float32]
    chroma: NDArray[np.float32]
    truth: Pixels


def sheet(rows: Sequence[Row]) -> bytes:
    """All of them, two rows side by side, as PNG."""
    tiles = [_tile(row) for row in rows]
    width = max(tile.width for tile in tiles)
    heights = [max(tile.height for tile in tiles[at : at + 2]) for at in range(0, len(tiles), 2)]
    page = Image.new("RGB", (2 * (width + _GAP), sum(heights) + _GAP * len(heights)), "white")
    for at, tile in enumerate(tiles):
        page.paste(tile, ((at % 2) * (width + _GAP), sum(heights[: at // 2]) + _GAP * (at // 2)))
    buffer = BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def _tile(row: Row) -> Image.Image:
    made = np.rint(lab2rgb(possible(np.dstack([row.light, row.chroma]))).clip(0, 1) * 255).astype(np.uint8)
    strip = np.concatenate([row.gray, made, row.truth], axis=1)
    tile = Image.new("RGB", (strip.shape[1], strip.shape[0] + _LINE), "white")
    ImageDraw.Draw(tile).text(
        (2, 1), f"{row.name}: gray, coloured by the network, own colours"[: strip.shape[1] // 6], "black"
    )
    tile.paste(Image.fromarray(strip), (0, _LINE))
    return tile
