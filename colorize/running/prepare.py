"""A job at working size: its pixels, their digests, and the tensors made of them. Called by `colorize.colorizer`.

Recipes that keep the scan's own lightness look at the prints alone, without their mounts; the others, as the papers
do, at the whole pictures.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.errors import BadMarks, PictureTooSmall, StyleWithoutColour
from colorize.images.decode import Pixels
from colorize.images.frame import Frame, find_frame
from colorize.images.marks import rasterised
from colorize.images.resize import resized, to_gray
from colorize.images.tone import Tone, judge_tone
from colorize.jobs import Job
from colorize.matching.geometry import SameDesign
from colorize.recipes.recipe import Recipe
from colorize.running.checkpoint import State

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
    frame: Frame
    """Where in the scan the content lies."""
    state: State | None = None
    registration: SameDesign | None = None
    """How the style lies on the content, as both are cut out here."""

    @property
    def common(self) -> tuple[Any, ...]:
        """What pictures must have in common to run as one minibatch: size, and how far they are."""
        return self.content.shape, self.state[1]["iterations"] if self.state else []

    @cached_property
    def lightness(self) -> NDArray[np.float32]:
        """L* of the content, (h, w)."""
        return np.asarray(rgb2lab(self.content), np.float32)[..., 0]

    def marked(self) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """The marks inside the frame: where they are, (h, w), and their a, b, (h, w, 2); they lie on the whole scan."""
        assert self.job.marks is not None  # `prepare` refuses such a job where a recipe needs them
        framed, small, scan = self.frame.crop(self.job.scan).shape, self.content.shape, self.job.scan.shape
        whole = (max(1, round(scan[0] * small[0] / framed[0])), max(1, round(scan[1] * small[1] / framed[1])))
        inside = self.frame.scaled(scan, whole)
        marked, colours = rasterised(self.job.marks, whole)
        room = [(0, small[axis]) for axis in (0, 1)]  # rounding may leave a row too few
        padded = np.pad(inside.crop(marked), room), np.pad(inside.crop(colours), [*room, (0, 0)])
        return padded[0][: small[0], : small[1]], padded[1][: small[0], : small[1]]


def prepare(recipe: Recipe, job: Job) -> Prepared:
    """The content in gray and the style in colour at the recipe's size, sides multiples of 16.

    Raises:
        PictureTooSmall: one of them.
        StyleWithoutColour: the style has no colours, and the recipe takes nothing else.
        BadMarks: there are marks, and the recipe paints a lightness of its own; or none, and it needs some.
    """
    if job.marks is None and recipe.needs.marks == "required":
        raise BadMarks(f"the recipe {recipe.name} colours from marks alone; give some (nishiki colorize --marks)")
    if job.marks is not None and recipe.needs.marks == "none":
        raise BadMarks(f"the recipe {recipe.name} paints over the drawing; give marks to one such as nishiki/colour")
    for word, pixels in (("content", job.content), ("style", job.style)):
        height, width = pixels.shape[:2]
        if min(height, width) < LEAST_SIDE_PX:
            least = f"the least is {LEAST_SIDE_PX} px a side; get a larger scan"
            raise PictureTooSmall(f"the {word} image has {width} × {height} px, {least}")
    frame, theirs = (Frame(0, 0, *each.shape[:2]) for each in (job.content, job.style))
    if recipe.lightness == "content":
        frame, theirs = find_frame(job.content), find_frame(job.style)
        if recipe.needs.styles:
            _check_colours(theirs.crop(job.style))
    content, style = to_gray(at_working_size(recipe, frame, job.content)), at_working_size(recipe, theirs, job.style)
    found = None if job.registration is None else SameDesign.from_data(job.registration)
    found = found and found.framed((frame, job.content.shape), (theirs, job.style.shape))
    return Prepared(job, content, style, _sha256(content), _sha256(style), frame, registration=found)


def at_working_size(recipe: Recipe, frame: Frame, picture: Pixels) -> Pixels:
    """What a method and the relative errors see of a scan, or of a result as large as it."""
    return resized(frame.crop(picture), recipe.long_edge_px)


def _check_colours(style: Pixels) -> None:
    report = judge_tone(style)
    if report.tone in (Tone.GRAYSCALE, Tone.TONED):
        raise StyleWithoutColour(
            f"the style image is {report.tone.value}, not a colour print ({report.reason}); choose one in colour"
        )


def _sha256(pixels: Pixels) -> str:
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def to_tensor(pixels: Pixels, encoder: Encoder) -> Tensor:
    """uint8 (H, W, 3) → (1, 3, H, W) in [0, 255], on the encoder's device, in its precision."""
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(encoder.device, encoder.dtype).contiguous()


def to_pixels(pictures: Tensor) -> Pixels:
    """(B, 3, H, W), any float → uint8 (B, H, W, 3), rounded and clipped."""
    rounded: Pixels = pictures.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return rounded
