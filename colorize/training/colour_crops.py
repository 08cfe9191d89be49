"""Crops that colorizers learn from: parts of colour prints as other scans might show them, in gray and in colour.

Called by `cieluv.py` and `mask_gan.py`; `flows.training.colorizer` gathers the prints. A seed and the number of a step
decide a step's crops, so that a training that was put down goes on with the ones that come next.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorize.finish.cielab import coded
from colorize.images.decode import Pixels
from colorize.images.resize import resized

Floats = NDArray[np.float32]

_SCALES: Final = 0.85, 1.3
"""Of the size that prints are looked at."""
_ASPECT, _FADED, _PAPER = 0.06, 0.12, (0.8, 1.6)
"""Standard deviations: of the aspect's logarithm, of that of chroma, and of the paper's a and b."""
_RETONED: Final = 0.7
"""Part of the crops that another photographer exposed."""
_NOISE: Final = 3.0
"""Standard deviation of a scan's noise, in codes of 8 bits, at most."""
AHEAD: Final = 3
"""Steps whose crops are made while the network learns."""


@dataclass(frozen=True)
class Crops:
    """What a step learns from."""

    gray: Pixels
    """(B, edge, edge), as a photograph in gray shows it."""
    lab: Floats
    """(B, edge, edge, 3), its own colours."""


@dataclass(frozen=True)
class Cutting:
    """How crops are cut."""

    view_px: int
    """Long edge that whole prints are looked at."""
    edge_px: int
    """Of a crop, at that size."""
    count: int
    """Crops of a step."""
    seed: int

    def step(self, prints: Sequence[Pixels], number: int) -> Crops:
        """The crops of a step, by its number alone.

        Args:
            prints: uint8 (h, w, 3), sRGB, as `stored` keeps them.
        """
        rng = np.random.default_rng((self.seed, number))
        pairs = [self._crop(prints[int(rng.integers(len(prints)))], rng) for _ in range(self.count)]
        return Crops(np.stack([gray for gray, _ in pairs]), np.stack([lab for _, lab in pairs]))

    def stored(self, pixels: Pixels) -> Pixels:
        """A print as large as crops of it may need it."""
        return resized(pixels, round(self.view_px * _SCALES[1]), multiple=1)

    def _crop(self, pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, Floats]:
        scale = self.view_px * rng.uniform(*_SCALES) / max(pixels.shape[:2])
        sides = scale * np.exp(rng.normal(0, _ASPECT) * np.array([0.5, -0.5]))
        height, width = (max(8, round(side * each)) for side, each in zip(pixels.shape[:2], sides, strict=True))
        sized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        top, left = (int(rng.integers(max(0, side - self.edge_px) + 1)) for side in (height, width))
        cut = sized[top : top + self.edge_px, left : left + self.edge_px]
        missing = [(0, self.edge_px - side) for side in cut.shape[:2]]
        part: Pixels = np.pad(
            cut, [*missing, (0, 0)], mode="symmetric" if min(cut.shape[:2]) * 2 > self.edge_px else "wrap"
        )
        return _as_scanned(part[:, ::-1] if rng.uniform() < 0.5 else part, rng)


def _as_scanned(pixels: Pixels, rng: np.random.Generator) -> tuple[Pixels, Floats]:
    """A part of a print faded and on paper of another tone, and its photograph in gray."""
    lab = np.asarray(rgb2lab(np.ascontiguousarray(pixels)), np.float32)
    tone = rng.normal(0, _PAPER).astype(np.float32)
    lab[..., 1:] = lab[..., 1:] * np.float32(np.exp(rng.normal(0, _FADED))) + lab[..., :1] / 100 * tone
    gray = gray_codes(lab[..., 0]).astype(np.float64)
    if rng.uniform() < _RETONED:
        gamma, black, white = np.exp(rng.normal(0, 0.2)), rng.uniform(0, 12), rng.uniform(235, 255)
        gray = black + (white - black) * (gray / 255) ** gamma
    gray = gray + rng.normal(0, rng.uniform(0, _NOISE), gray.shape)
    return np.asarray(gray.round().clip(0, 255), np.uint8), lab


def gray_codes(light: Floats) -> Pixels:
    """The gray of 8 bits, (h, w), that has this L, (h, w)."""
    root = (light + 16) / 116
    luminance = np.where(root > 6 / 29, root**3, 3 * (6 / 29) ** 2 * (root - 4 / 29))
    return np.asarray(coded(np.ascontiguousarray(luminance, np.float32).clip(0, 1), 255), np.uint8)


def ahead(cutting: Cutting, prints: Sequence[Pixels], steps: range) -> Iterator[Crops]:
    """The crops of these steps, some made ahead on another core, so that the network need not wait for them."""
    with ThreadPoolExecutor(1, "crops") as maker:
        waiting: list[Any] = [maker.submit(cutting.step, prints, number) for number in steps[:AHEAD]]
        for number in steps:
            found: Crops = waiting.pop(0).result()
            if number + AHEAD in steps:
                waiting.append(maker.submit(cutting.step, prints, number + AHEAD))
            yield found
