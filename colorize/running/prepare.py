"""A job at working size: its pixels, their digests, and the tensors made of them. Called by `colorize.colorizer`.

Recipes that keep the scan's own lightness look at the prints alone, without their mounts; the others, as the papers
do, at the whole pictures.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.errors import BadMarks, BadMask, ColorizeError, PictureTooSmall, StyleWithoutColour
from colorize.images.decode import Pixels
from colorize.images.frame import Frame, find_frame
from colorize.images.marks import rasterised
from colorize.images.resize import resized, to_gray
from colorize.images.tone import Tone, judge_tone
from colorize.jobs import Job, Style
from colorize.matching.geometry import SameDesign
from colorize.recipes.recipe import Recipe
from colorize.running.checkpoint import State

LEAST_SIDE_PX = 16
"""Side of a picture under which VGG-19's deepest layers have nothing left to look at."""


@dataclass(frozen=True)
class PreparedStyle:
    """A style at working size."""

    pixels: Pixels
    registration: SameDesign | None
    """How it lies on the content where both are of one design, as both are cut out here."""


@dataclass(frozen=True)
class Prepared:
    """A job at working size, and where it stood when it was put down."""

    job: Job
    content: Pixels
    """Gray."""
    styles: tuple[PreparedStyle, ...]
    """As many as the recipe takes and the job has, one at least."""
    content_sha256: str
    style_sha256: str
    """Of the first style that is used."""
    frame: Frame
    """Where in the scan the content lies."""
    notes: tuple[str, ...] = ()
    """What a person should know of it, a sentence each."""
    state: State | None = None
    places: tuple[int, ...] = (1,)
    """The styles' numbers among those that were given."""
    left_out: Mapping[int, str] = field(default_factory=dict)
    """The numbers of those that gave no colours, with why."""

    @property
    def style(self) -> Pixels:
        """The first style, the only one of methods that take one."""
        return self.styles[0].pixels

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

    def masked(self) -> NDArray[np.float32] | None:
        """The mask inside the frame, (h', w'), 0 or 1, at any size; None: everywhere."""
        mask = self.job.mask
        return None if mask is None else self.frame.crop(mask).astype(np.float32)


def prepare(recipe: Recipe, job: Job) -> Prepared:
    """The content in gray and the styles in colour at the recipe's size, sides multiples of 16.

    Of several styles those that cannot be used are left out, with a note.

    Raises:
        PictureTooSmall: the content, or all styles.
        StyleWithoutColour: no style has colours, and the recipe takes nothing else.
        BadMarks: there are marks, and the recipe paints a lightness of its own; or none, and it needs some.
        BadMask: there is a mask, and the recipe paints a lightness of its own.
    """
    if job.marks is None and recipe.needs.marks == "required":
        raise BadMarks(f"the recipe {recipe.name} colours from marks alone; give some (nishiki colorize --marks)")
    if job.marks is not None and recipe.needs.marks == "none":
        raise BadMarks(f"the recipe {recipe.name} paints over the drawing; give marks to one such as nishiki/colour")
    if job.mask is not None and recipe.needs.mask == "none":
        raise BadMask(f"the recipe {recipe.name} paints over the drawing; give a mask to one such as nishiki/colour")
    _check_size("content", job.content)
    frame = find_frame(job.content) if recipe.lightness == "content" else Frame(0, 0, *job.content.shape[:2])
    styles: list[PreparedStyle] = []
    faults: list[ColorizeError] = []
    notes: list[str] = []
    places: list[int] = []
    left_out = dict(job.left_out)
    given = job.styles[: max(1, recipe.needs.styles)]
    for place, style in zip(job.places or range(1, len(given) + 1), given, strict=False):
        try:
            styles.append(_style(recipe, job, frame, style))
            places.append(place)
        except (PictureTooSmall, StyleWithoutColour) as error:
            faults.append(error)
            notes.append(f"style image {place} gives no colours: {error}")
            left_out[place] = str(error)
    if not styles:
        raise faults[0]
    content = to_gray(at_working_size(recipe, frame, job.content))
    hashes = _sha256(content), _sha256(styles[0].pixels)
    told = tuple(notes)
    return Prepared(job, content, tuple(styles), *hashes, frame, told, places=tuple(places), left_out=left_out)


def _style(recipe: Recipe, job: Job, frame: Frame, style: Style) -> PreparedStyle:
    """A style, framed where the content is."""
    _check_size("style", style.pixels)
    theirs = Frame(0, 0, *style.pixels.shape[:2])
    if recipe.lightness == "content":
        theirs = find_frame(style.pixels)
        if recipe.needs.styles:
            _check_colours(theirs.crop(style.pixels))
    found = None if style.registration is None else SameDesign.from_data(style.registration)
    found = found and found.framed((frame, job.content.shape), (theirs, style.pixels.shape))
    return PreparedStyle(at_working_size(recipe, theirs, style.pixels), found)


def _check_size(word: str, pixels: Pixels) -> None:
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST_SIDE_PX:
        least = f"the least is {LEAST_SIDE_PX} px a side; get a larger scan"
        raise PictureTooSmall(f"the {word} image has {width} × {height} px, {least}")


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
