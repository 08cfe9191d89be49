"""The frame: where the print lies in its scan, without mount, colour chart, black border or white margin.

`colorize.matching.ranking` embeds the framed crop; the colour methods take their statistics in it and leave what is
outside as it was. It goes by luma alone, so that a scan and its gray version have the same frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from colorize.images.decode import Pixels
from colorize.images.margins import STEP, Gray, Margins, peel

LONG_EDGE_PX: Final = 384
"""Where the frame is sought: at 256 px the slit between a print and its chart closes."""
_PEELS: Final = 8
"""White, film, board, backing sheet: the deepest nest met is four."""
_LEAST_PX: Final = 32
_BLUR_PX: Final = 3
"""How far the edge of a sheet is blurred: the next peel begins past it."""
_THIN: Final = 0.04
"""Of the long edge: a margin no wider, in the tone of paper, is the sheet's own."""
_PAPER: Final = (30, 250)
"""Luma of the margins that can be paper: not film, nor a transparent margin shown white."""

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Frame:
    """A box in pixels, half-open: rows top to bottom, columns left to right."""

    top: int
    left: int
    bottom: int
    right: int

    def crop(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """A view of what lies inside, of any array (H, W, ...) of the picture's size."""
        return array[self.top : self.bottom, self.left : self.right]

    def scaled(self, from_shape: tuple[int, ...], to_shape: tuple[int, ...]) -> "Frame":
        """The frame on the same picture at another size; shapes are (H, W, ...), and a pixel at least is left."""
        top, bottom = _scaled(self.top, self.bottom, from_shape[0], to_shape[0])
        left, right = _scaled(self.left, self.right, from_shape[1], to_shape[1])
        return Frame(top, left, bottom, right)


def _scaled(start: int, stop: int, of: int, to: int) -> tuple[int, int]:
    first = min(round(start * to / of), to - 1)
    return first, max(first + 1, round(stop * to / of))


def find_frame(pixels: Pixels) -> Frame:
    """The frame of the print in its scan; the whole picture where that is not certain.

    From the edge inwards: what is flat along two opposite sides is white, film, board or cloth, and comes off if what
    it surrounds fills a box with straight sides. What lies in the last surround is the print. A print turned by up to
    2° gets about the box around it; its own paper margin may go with a mount of the same tone.

    Args:
        pixels: uint8, (H, W, 3), sRGB, at any size.
    """
    gray = _small_gray(pixels)
    found = box = Frame(0, 0, *gray.shape)
    for _ in range(_PEELS):
        seen = box.crop(gray)
        if min(seen.shape) < _LEAST_PX or (margins := peel(seen)) is None:
            break
        if not _is_papers_own(seen, margins):
            found = _inset(box, margins)
        box = _inset(box, [margin + _BLUR_PX * (margin > 0) for margin in margins])
    return _refined(pixels, found, gray.shape)


def _small_gray(pixels: Pixels) -> Gray:
    height, width = pixels.shape[:2]
    scale = min(1.0, LONG_EDGE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0).convert("L")
    gray: Gray = ndimage.gaussian_filter(np.asarray(small, dtype=np.float32), 0.5)
    return gray


def _inset(box: Frame, margins: Sequence[int]) -> Frame:
    top, left, bottom, right = margins
    return Frame(box.top + top, box.left + left, box.bottom - bottom, box.right - right)


def _is_papers_own(gray: Gray, margins: Margins) -> bool:
    """Whether the margins are those of the sheet: they stay, for seals and titles stand in them."""
    lines = (gray[0], gray[:, 0], gray[-1], gray[:, -1])
    tones = [float(np.median(line)) for line, margin in zip(lines, margins, strict=True) if margin]
    return max(margins) <= _THIN * max(gray.shape) and any(_PAPER[0] < tone < _PAPER[1] for tone in tones)


def _refined(pixels: Pixels, found: Frame, shape: tuple[int, ...]) -> Frame:
    """The frame at full size, each side moved in to the edge that the small picture blurred."""
    frame, scale = found.scaled(shape, pixels.shape), max(pixels.shape) / max(shape)
    rows, columns = pixels[:, frame.left : frame.right], pixels[frame.top : frame.bottom].swapaxes(0, 1)
    top, left = _edge_near(rows, frame.top, scale), _edge_near(columns, frame.left, scale)
    bottom = len(rows) - _edge_near(rows[::-1], len(rows) - frame.bottom, scale)
    right = len(columns) - _edge_near(columns[::-1], len(columns) - frame.right, scale)
    return Frame(top, left, bottom, right)


def _edge_near(lines: Pixels, place: int, scale: float) -> int:
    """The outermost edge at least half as strong as the strongest, from one small pixel outside to two inside.

    The picture's own border stays, and so does a place without an edge. The outermost: a key line just inside the
    paper's edge is often stronger.
    """
    if place == 0:
        return 0
    first, lag = max(0, place - round(scale)), max(1, round(scale / 4))
    strip = lines[first : place + round(2 * scale) + lag, :: max(1, lines.shape[1] // 512)]
    luma = strip.mean(axis=2, dtype=np.float32)
    steps = np.abs(luma[lag:] - luma[:-lag]).mean(axis=1)
    if steps.max() < STEP:
        return place
    outermost = int((2 * steps >= steps.max()).argmax())
    return first + outermost + int(steps[outermost : outermost + lag + 1].argmax()) + (lag + 1) // 2
