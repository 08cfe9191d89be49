"""Measures one picture file against another that shows the true colours; `nishiki measure TRUTH RESULT` calls it.

No catalogue, no encoder, no Prefect: two files in, figures out. Nothing is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from rich.table import Table

from colorize.errors import PictureTooSmall, UnreadableImage
from colorize.images.decode import Pixels, decode
from colorize.measures.names import MEASURES
from colorize.measures.quality import truth_measures

_ASPECT_TOLERANCE: Final = 0.01
_LEAST_SIDE_PX: Final = 7
"""The window of SSIM."""
_DELTA_E_WORDS: Final = {
    "delta_e": "mean ΔE00 of the result",
    "delta_e_gray": "mean ΔE00 of the truth left gray",
    "delta_e_ratio": "the one over the other",
}


@dataclass(frozen=True)
class Measured:
    """The figures of one result, and what a person should know of how they were taken."""

    figures: Mapping[str, float]
    """Those of `colorize.measures.quality.truth_measures`."""
    notes: tuple[str, ...]


def measure_files(truth: Path, result: Path, max_pixels: int) -> Measured:
    """Measure RESULT against TRUTH; one of another size but the same shape is scaled to the truth's.

    Raises:
        UnreadableImage: a file cannot be read as a picture, or the two are not of one shape.
        PictureTooSmall: they are too small to compare.
        OSError: a file cannot be read.
    """
    wanted, found = _read(truth, max_pixels), _read(result, max_pixels)
    sizes = tuple(f"{path} has {_size(pixels)} px" for path, pixels in ((truth, wanted), (result, found)))
    if min(*wanted.shape[:2], *found.shape[:2]) < _LEAST_SIDE_PX:
        raise PictureTooSmall(f"{', '.join(sizes)}; the least to compare is {_LEAST_SIDE_PX} px a side")
    if abs(_aspect(wanted) / _aspect(found) - 1) > _ASPECT_TOLERANCE:
        raise UnreadableImage(f"{', '.join(sizes)}: not one shape; crop one of them to the part that both show")
    scaled = _scaled_to(wanted, found)
    figures = truth_measures(wanted, scaled)
    return Measured(figures, tuple(_notes(sizes, scaled is not found, figures)))


def measures_table(figures: Mapping[str, float]) -> Table:
    """The figures under their names, those of the colours' distance first."""
    table = Table("measure", title_justify="left")
    table.add_column("value", justify="right")
    for name, word in {**_DELTA_E_WORDS, **MEASURES}.items():
        if name in figures:
            table.add_row(word, f"{figures[name]:.4g}")
    return table


def _read(path: Path, max_pixels: int) -> Pixels:
    try:
        return decode(path.read_bytes(), max_pixels=max_pixels).pixels
    except UnreadableImage as error:
        raise type(error)(f"{path}: {error}") from error


def _size(pixels: Pixels) -> str:
    return f"{pixels.shape[1]}×{pixels.shape[0]}"


def _aspect(pixels: Pixels) -> float:
    height, width = pixels.shape[:2]
    return float(width / height)


def _scaled_to(wanted: Pixels, found: Pixels) -> Pixels:
    if wanted.shape == found.shape:
        return found
    return np.array(Image.fromarray(found).resize(wanted.shape[1::-1], Image.Resampling.LANCZOS))


def _notes(sizes: tuple[str, ...], scaled: bool, figures: Mapping[str, float]) -> Iterator[str]:
    if scaled:
        yield f"{', '.join(sizes)}; the result was scaled to the truth, which costs it some lightness SSIM."
    if "delta_e_ratio" not in figures:
        yield "The truth is gray itself: there is no ratio."
