"""A job, and jobs from files' bytes: by `flows.workers` and `flows.single`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize.errors import UnreadableImage
from colorize.images.decode import decode
from colorize.images.marks import read_marks
from colorize.images.mask import read_mask
from colorize.images.resize import resized

if TYPE_CHECKING:  # a list of recipes needs no numpy, and it costs 0.1 s
    import numpy as np
    from numpy.typing import NDArray

    from colorize.images.marks import Marks


FURTHER_PX = 2048
"""Long edge that styles behind the first are kept at: nothing but their colours at working size is taken."""


@dataclass(frozen=True)
class Style:
    """A print that colours come from; uint8 (H, W, 3), sRGB, at any size."""

    pixels: "NDArray[np.uint8]" = field(repr=False)
    registration: Mapping[str, Any] | None = None
    """How it lies on the content where both are of one design: `SameDesign.data` of the whole pictures."""


@dataclass(frozen=True)
class Job:
    """One content to be colorized from one style or several; pictures are uint8 (H, W, 3), sRGB, at any size."""

    key: str
    content: "NDArray[np.uint8]" = field(repr=False)
    style: "NDArray[np.uint8]" = field(repr=False)
    checkpoint: Path | None = None
    """Where its state is kept while it is worked on, and sought before; None keeps none."""
    deep: "NDArray[np.uint16] | None" = field(default=None, repr=False)
    """The content at its own depth, (H, W) gray or (H, W, 3), where it is stored with 16 bits."""
    marks: "Marks | None" = None
    """A curator's colours, kept whatever the method found; for recipes with lightness `content`."""
    notes: tuple[str, ...] = ()
    """What decoding the pictures corrected, a sentence each."""
    registration: Mapping[str, Any] | None = None
    """Of the style, as in `Style`."""
    further: tuple[Style, ...] = ()
    """Styles behind the first; methods that take one only do not look at them."""
    places: tuple[int, ...] = ()
    """The styles' numbers among those that were given, where some could not be read; else empty: they are 1, 2, …"""
    left_out: Mapping[int, str] = field(default_factory=dict)
    """The numbers of the others, with why they could not be read."""
    mask: "NDArray[np.bool_] | None" = field(default=None, repr=False)
    """(H, W), where colour is asked for; None: everywhere. Outside it the scan stays to the last bit."""

    @property
    def styles(self) -> tuple[Style, ...]:
        """All, in their order."""
        return (Style(self.style, self.registration), *self.further)

    @property
    def scan(self) -> "NDArray[np.uint8] | NDArray[np.uint16]":
        """The content at the depth that it is stored in."""
        return self.content if self.deep is None else self.deep


@dataclass(frozen=True)
class StyleFile:
    """The bytes of a style's file, and its registration as in `Style`."""

    data: bytes = field(repr=False)
    registration: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class JobFiles:
    """The bytes of a job's files; styles, marks, or both."""

    content: bytes = field(repr=False)
    styles: tuple[StyleFile, ...] = ()
    marks: bytes | None = field(repr=False, default=None)
    mask: bytes | None = field(repr=False, default=None)


def decoded_job(key: str, files: JobFiles, *, max_pixels: int, checkpoint: Path | None = None) -> Job:
    """The job with its pictures decoded, and its marks read for the content at full size.

    Of several styles those that cannot be read are left out, with a note.

    Raises:
        UnreadableImage, OversizedImage: the content, or all styles.
        BadMarks: the marks, with every fault.
        BadMask: the mask.
    """
    content = decode(files.content, max_pixels=max_pixels)
    notes = [f"The content: {note}" for note in content.notes]
    styles: list[Style] = []
    places: list[int] = []
    faults: list[UnreadableImage] = []
    left_out: dict[int, str] = {}
    for place, file in enumerate(files.styles, start=1):
        try:
            found = decode(file.data, max_pixels=max_pixels)
        except UnreadableImage as error:
            faults.append(error)
            notes.append(f"Style image {place} cannot be read and is left out: {error}")
            left_out[place] = f"cannot be read: {error}"
            continue
        pixels = resized(found.pixels, FURTHER_PX, multiple=1) if styles else found.pixels
        styles.append(Style(pixels, file.registration))
        places.append(place)
        notes += [f"The style: {note}" for note in found.notes]
    if faults and not styles:
        raise faults[0]
    first, *further = styles or [Style(content.pixels)]
    marks = None if files.marks is None else read_marks(files.marks, content.width, content.height)
    mask = None if files.mask is None else read_mask(files.mask, content.width, content.height)
    shown, deep = content.pixels, content.deep
    return Job(
        key,
        shown,
        first.pixels,
        checkpoint,
        deep,
        marks,
        tuple(notes),
        first.registration,
        tuple(further),
        tuple(places),
        left_out,
        mask,
    )
