"""A job at working size: its pixels, their digests, and the tensors made of them. Called by `colorize.colorizer`."""

import hashlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from colorize.checkpoint import State
from colorize.errors import PictureTooSmall
from colorize.images import Pixels, resized, to_gray
from colorize.recipe import Job, Recipe
from colorize.vgg.encoder import Encoder

LEAST_SIDE_PX = 16
"""Side of a picture under which VGG-19's deepest layers have nothing left to look at."""


@dataclass(frozen=True)
class Prepared:
    """A job at working size, and where it stood when it was put down."""

    job: Job
    content: Pixels
    """Gray."""
    style: Pixels
    content_sha256: str
    style_sha256: str
    state: State | None = None

    @property
    def stackable(self) -> tuple[Any, ...]:
        """What pictures must have in common to run as one stack: size, and how far they are."""
        return self.content.shape, self.state[1]["iterations"] if self.state else []


def prepare(recipe: Recipe, job: Job) -> Prepared:
    """The content in gray and the style in colour at the recipe's size, sides multiples of 16.

    Raises:
        PictureTooSmall: one of them.
    """
    for word, pixels in (("content", job.content), ("style", job.style)):
        height, width = pixels.shape[:2]
        if min(height, width) < LEAST_SIDE_PX:
            least = f"the least is {LEAST_SIDE_PX} px a side; get a larger scan"
            raise PictureTooSmall(f"the {word} image has {width} × {height} px, {least}")
    content, style = to_gray(resized(job.content, recipe.long_edge_px)), resized(job.style, recipe.long_edge_px)
    return Prepared(job, content, style, _sha256(content), _sha256(style))


def _sha256(pixels: Pixels) -> str:
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def to_tensor(pixels: Pixels, encoder: Encoder) -> Tensor:
    """uint8 (H, W, 3) → (1, 3, H, W) in [0, 255], on the encoder's device, in its precision."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(encoder.device, encoder.dtype).contiguous()


def to_pixels(pictures: Tensor) -> Pixels:
    """(B, 3, H, W), any float → uint8 (B, H, W, 3), rounded and clipped."""
    rounded: Pixels = pictures.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return rounded
