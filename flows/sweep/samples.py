"""Sample pictures of a sweep, as JADH 2016's Figure 2: some pairs in the colours of the configurations spoken of.

`flows.sweep.report` calls it. A picture that is missing or damaged leaves a gap and stops nothing.
"""

import textwrap
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from colorize.errors import UnreadableImage
from colorize.images.decode import Pixels, decode
from colorize.images.resize import resized, to_gray
from db.entries.night import AttemptEntry, ImageEntry
from db.errors import PictureMissing
from db.files.pictures import PictureStore
from flows.sweep.figures import plain
from flows.sweep.published import LEAST, VISUAL_BEST, least_of
from flows.sweep.tables import ERRORS, LABEL, ConfigRow, Findings

THUMB_PX = 256
PAIRS = 4
FEW = 6
"""A sweep of so few configurations shows all of them."""
CELL_IN = 1.7


@dataclass(frozen=True)
class Sample:
    """A cell of the sample pictures: None where there is no picture."""

    pixels: Pixels | None
    caption: str = ""


def samples(findings: Findings, pictures: PictureStore, max_pixels: int) -> Figure:
    """Some pairs, the first and the last among them, as rows: content, style, result by result."""
    chosen = sampled_recipes(findings.rows)
    attempts = {
        (each.content.image_id, each.style.image_id, each.recipe.name): each
        for each in findings.attempts
        if each.style is not None
    }

    def result(content: ImageEntry, style: ImageEntry, name: str) -> Sample:
        attempt = attempts.get((content.id, style.id, name))
        if attempt is None:
            return Sample(None)
        return Sample(_thumb(pictures, attempt.output_sha256, max_pixels), _caption(attempt))

    rows = []
    for content, style in _pairs(findings):
        gray = _thumb(pictures, content.sha256, max_pixels)
        sources = [
            Sample(None if gray is None else to_gray(gray), findings.names[content.id, "content"]),
            Sample(_thumb(pictures, style.sha256, max_pixels), findings.names[style.id, "style"]),
        ]
        rows.append([*sources, *(result(content, style, name) for name in chosen)])
    header = ["content", "style", *("\n".join([name.rsplit("/", 1)[-1], *why]) for name, why in chosen.items())]
    return sample_pictures(header, rows, f"All results are {LABEL}. {findings.title}")


def sampled_recipes(rows: Sequence[ConfigRow]) -> dict[str, list[str]]:
    """The configurations to be shown, in the recipes' order, and why each is."""
    why: defaultdict[str, list[str]] = defaultdict(list)
    for error, name in LEAST.items():
        why[name].append(f"paper: least {error}")
    why[VISUAL_BEST].append("paper: visual best")
    for error in ERRORS:
        if best := least_of(rows, error):
            why[best.recipe.name].append(f"ours: least {error}")
    names = [row.recipe.name for row in rows]
    return {name: why[name] for name in names if len(names) <= FEW or name in why}


def _pairs(findings: Findings) -> list[tuple[ImageEntry, ImageEntry]]:
    swept = findings.swept
    every = [(content, style) for content in swept.contents for style in swept.styles if content.id != style.id]
    return [every[round(place)] for place in np.linspace(0, len(every) - 1, min(PAIRS, len(every)))]


def _caption(attempt: AttemptEntry) -> str:
    """Errors, and the outcome unless it succeeded."""
    result = attempt.result
    if result is None or result.content_error_mean is None or result.style_error_mean is None:
        return attempt.outcome or "pending"
    errors = f"content {result.content_error_mean:.3f}, style {result.style_error_mean:.3f}"
    return errors if attempt.outcome == "succeeded" else f"{errors}\n{attempt.outcome}"


def sample_pictures(header: Sequence[str], rows: Sequence[Sequence[Sample]], title: str) -> Figure:
    """Content, style and results of a few pairs, a pair a row."""
    high = 1.15 * CELL_IN * len(rows) + 1.1
    figure = Figure(figsize=(max(6.0, CELL_IN * len(header)), high), layout="constrained", facecolor="white")
    grid = figure.subplots(len(rows), len(header), squeeze=False)
    for line, row in zip(grid, rows, strict=True):
        for axes, sample in zip(line, row, strict=True):
            _show(axes, sample)
    for axes, words in zip(grid[0], header, strict=True):
        axes.set_title(words, fontsize=7, parse_math=False)
    figure.suptitle(textwrap.fill(plain(title), 22 * len(header)), fontsize=9, x=0.01, ha="left", parse_math=False)
    return figure


def _show(axes: Axes, sample: Sample) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(sample.caption, fontsize=6, parse_math=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if sample.pixels is None:
        axes.set_facecolor("#dddddd")
        axes.set_aspect("equal")
        axes.text(0.5, 0.5, "none", ha="center", va="center", transform=axes.transAxes, fontsize=8)
    else:
        axes.imshow(sample.pixels, interpolation="nearest")


def _thumb(pictures: PictureStore, sha256: str | None, max_pixels: int) -> Pixels | None:
    """The stored picture, small; None where there is none, or its file is damaged."""
    if sha256 is None:
        return None
    try:
        pixels = decode(pictures.read(sha256), max_pixels=max_pixels).pixels
    except (UnreadableImage, PictureMissing, OSError):
        return None
    return resized(pixels, THUMB_PX, multiple=1)
