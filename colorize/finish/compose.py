"""From what a method found to the picture that is kept: mostly the scan itself in colour, at its own size and depth.

Called by `colorize.colorizer`; the same for every method, and knows none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2lab

from colorize.finish.fullsize import narrowed, recomposed
from colorize.finish.guided_filter import Guide
from colorize.finish.masked import inside
from colorize.finish.palette import paper_tone
from colorize.finish.spreading import corrected
from colorize.images.decode import Pixels
from colorize.measures.quality import picture_measures
from colorize.recipes.limits import refusal
from colorize.recipes.recipe import Recipe
from colorize.running.prepare import Prepared, at_working_size

Chroma = NDArray[np.float32]

_BLANK: Final = 1.0
"""Standard deviation of L under which there is no drawing to colour."""
_OWN_TONE_PX: Final = 12.0
"""How smooth a toned original's own paper is taken to be."""


@dataclass(frozen=True)
class Finished:
    """A picture as it is kept."""

    picture: Pixels
    """As large as the scan, or at working size where a method painted its lightness too."""
    deep: NDArray[np.uint16] | None
    """The same, as deep as a scan of 16 bits."""
    seen: Pixels
    """The print in it at working size, for the relative errors."""
    measures: dict[str, float]
    """Of the picture, and what its method measured."""
    refusal: str | None


def finished(
    recipe: Recipe, each: Prepared, colours: NDArray[Any], told: Mapping[str, float] = MappingProxyType({})
) -> Finished:
    """A method's colours, laid into the scan or kept as they were painted, and what became of it.

    Args:
        recipe: `lightness`, `paper`, `guide_radius_px` and `limits` are read.
        colours: where the lightness is the content's, float32 (h, w, 2), CIELAB a, b at working size; else the
            picture itself, uint8 (h, w, 3).
        told: what the method measured, which limits may name as well.
    """
    if recipe.lightness == "content":
        return _recoloured(recipe, each, colours, told)
    measures = {**picture_measures(each.content, colours, each.style), **told}
    return Finished(colours, None, colours, measures, refusal(measures, recipe.limits))


def _recoloured(recipe: Recipe, each: Prepared, chroma: Chroma, told: Mapping[str, float]) -> Finished:
    """The scan in the colours that a method found; marks come last, so that they hold whatever it found."""
    blank = float(each.lightness.std()) < _BLANK
    if blank:
        chroma = np.broadcast_to(paper_tone(_lab(each.style)), chroma.shape).astype(np.float32)
    if recipe.paper == "own":
        chroma = _on_own_paper(recipe, each, chroma)
    if each.job.marks is not None:
        chroma = corrected(each.lightness, chroma, *each.marked())
    found: Any = recomposed(each.job.scan, chroma, each.frame, Guide(recipe.guide_radius_px))
    if each.job.mask is not None:
        found = inside(each.job.scan, found, each.job.mask)
    deep, picture = (None, found) if found.dtype == np.uint8 else (found, narrowed(found))
    framed: Any = each.frame.crop(each.job.scan)
    measures = {**picture_measures(framed, each.frame.crop(found), each.style), **told, **_asked(each, picture)}
    why = "nothing to colour: the content is blank" if blank else refusal(measures, recipe.limits)
    return Finished(picture, deep, at_working_size(recipe, each.frame, picture), measures, why)


def _asked(each: Prepared, picture: Pixels) -> dict[str, float]:
    """With a mask, the part of the picture that it asks for, whose chroma tells whether the result is gray."""
    mask = each.job.mask
    if mask is None:
        return {}
    step = max(1, max(mask.shape) // 1024)
    asked, lab = mask[::step, ::step], _lab(np.ascontiguousarray(picture[::step, ::step]))
    chroma = np.hypot(lab[..., 1], lab[..., 2])[asked]
    return {"masked": float(mask.mean()), "chroma_mean": float(chroma.mean()) if chroma.size else 0.0}


def _on_own_paper(recipe: Recipe, each: Prepared, chroma: Chroma) -> Chroma:
    """Chroma counted from the original's own tone, smoothly, instead of from the style's paper."""
    own = _lab(at_working_size(recipe, each.frame, each.job.content))[..., 1:]
    smooth = gaussian_filter(own, (_OWN_TONE_PX, _OWN_TONE_PX, 0), mode="nearest")
    return np.asarray(chroma - paper_tone(_lab(each.style)) + smooth, np.float32)


def _lab(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(rgb2lab(pixels), np.float32)
