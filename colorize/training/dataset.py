"""Crops to learn from: squares of pictures at many scales, mirrored, gray, on paper of many tints.

Called by `colorize.training.distillation` and `flows.training.encoder`, which gathers the pictures. A seed decides
everything.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from colorize.images.decode import Pixels
from colorize.images.resize import to_gray

_GRAY_SHARE, _PAPER_SHARE, _VIVID_SHARE = 0.12, 0.08, 0.3
_WHOLE_SHARE = 0.3
"""Crops that are as large as the picture allows: what the losses see when a print is colorized."""
_PAPER_LOW, _PAPER_HIGH = (200, 180, 140), (250, 235, 215)
"""Papers from yellowed to nearly white, sRGB."""


def held_out(name: str, share: float = 0.15) -> bool:
    """Is a picture of this name kept from training, to measure by? Its name alone decides, for good."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def split(pictures: Mapping[str, Pixels]) -> tuple[list[Pixels], dict[str, Pixels]]:
    """Pictures to learn from, and those held out by name."""
    kept = {name: pixels for name, pixels in pictures.items() if held_out(name)}
    return [pixels for name, pixels in pictures.items() if name not in kept], kept


def crops(pictures: Sequence[Pixels], count: int, edge_px: int, seed: int) -> Pixels:
    """So many squares, uint8 (count, edge, edge, 3), sRGB."""
    rng = np.random.default_rng(seed)
    return np.stack([_crop(pictures[int(rng.integers(len(pictures)))], edge_px, rng) for _ in range(count)])


def gray_views(pictures: Sequence[Pixels], count: int, shape: tuple[int, int], seed: int) -> Pixels:
    """So many pictures or most of one, as matching looks at them: gray; uint8 (count, *shape, 3)."""
    rng = np.random.default_rng(seed)
    return np.stack([_view(pictures[int(rng.integers(len(pictures)))], shape, rng) for _ in range(count)])


def to_batch(pixels: Pixels) -> Tensor:
    """uint8 (B, H, W, 3) → float32 (B, 3, H, W) in [0, 255]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous()


def in_parts(stack: Tensor) -> tuple[Tensor, ...]:
    """A stack in portions that memory holds with all their layers."""
    parts: tuple[Tensor, ...] = torch.split(stack, 8)
    return parts


def _crop(picture: Pixels, edge_px: int, rng: np.random.Generator) -> Pixels:
    height, width = picture.shape[:2]
    share = 1 if rng.uniform() < _WHOLE_SHARE else rng.uniform(0.4, 1)
    side = max(min(32, height, width), int(min(height, width) * share))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    square = Image.fromarray(picture[top : top + side, left : left + side])
    return _toned(_mirrored(square.resize((edge_px, edge_px), Image.Resampling.LANCZOS), rng), rng)


def _view(picture: Pixels, shape: tuple[int, int], rng: np.random.Generator) -> Pixels:
    height, width = (max(1, int(side * rng.uniform(0.7, 1))) for side in picture.shape[:2])
    top, left = rng.integers(picture.shape[0] - height + 1), rng.integers(picture.shape[1] - width + 1)
    part = Image.fromarray(picture[top : top + height, left : left + width])
    return to_gray(_mirrored(part.resize(shape[::-1], Image.Resampling.LANCZOS), rng))


def _mirrored(picture: Image.Image, rng: np.random.Generator) -> Pixels:
    pixels: Pixels = np.array(picture)
    return np.ascontiguousarray(pixels[:, ::-1]) if rng.uniform() < 0.5 else pixels


def _toned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Some as they are photographed in gray, some in ink on paper, some far more vivid and in other hues.

    Colour is a hundredth of a print's energy: without vivid ones a fit by energy forgets it.
    """
    chance = rng.uniform()
    if chance < _GRAY_SHARE:
        return to_gray(pixels)
    if chance < _GRAY_SHARE + _PAPER_SHARE:
        paper = rng.uniform(_PAPER_LOW, _PAPER_HIGH)
        return np.rint(to_gray(pixels) / 255 * paper).astype(np.uint8)
    if chance < _GRAY_SHARE + _PAPER_SHARE + _VIVID_SHARE:
        gray = to_gray(pixels).astype(np.float64)
        chroma = (pixels - gray)[..., rng.permutation(3)]
        vivid: Pixels = np.rint((gray + rng.uniform(1.5, 5) * chroma).clip(0, 255)).astype(np.uint8)
        return vivid
    return pixels
