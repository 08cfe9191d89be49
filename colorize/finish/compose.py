"""From a method's chroma to the picture that is kept: the scan itself in colour, at its own size and depth.

Called by `colorize.colorizer` for recipes whose lightness is the content's. Marks come last, so that they hold whatever
the method found.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2lab

from colorize.encoders.vgg19 import Encoder
from colorize.errors import BadMarks
from colorize.finish.fullsize import narrowed, recomposed
from colorize.finish.guided_filter import Guide
from colorize.images.decode import Pixels
from colorize.images.marks import rasterised
from colorize.measures.quality import picture_measures
from colorize.methods.exemplar import exemplar
from colorize.methods.levin import corrected, spread
from colorize.methods.palette import paper_tone
from colorize.methods.reinhard import reinhard
from colorize.methods.welsh import welsh
from colorize.recipes.limits import refusal
from colorize.recipes.recipe import Method, Recipe
from colorize.running.prepare import Prepared, at_working_size

Chroma = NDArray[np.float32]

METHODS: Final[Mapping[Method, Callable[[Prepared, Encoder, Recipe], Chroma]]] = MappingProxyType(
    {
        "exemplar": lambda each, encoder, recipe: exemplar(each.content, each.style, encoder, recipe),
        "reinhard": lambda each, _encoder, _recipe: reinhard(each.content, each.style),
        "welsh": lambda each, _encoder, recipe: welsh(each.content, each.style, recipe.seed),
        "levin": lambda each, _encoder, _recipe: spread(_lightness(each), *_marked(each)),
    }
)
"""Ways to find chroma at working size; neural style, which descends as a stack, is the colorizer's own."""

_BLANK: Final = 1.0
"""Standard deviation of L under which there is no drawing to colour."""
_OWN_TONE_PX: Final = 12.0
"""How smooth a toned original's own paper is taken to be."""


@dataclass(frozen=True)
class Recoloured:
    """A scan in colour."""

    picture: Pixels
    """As large as the scan."""
    deep: NDArray[np.uint16] | None
    """The same, as deep as a scan of 16 bits."""
    seen: Pixels
    """The print in it at working size, for the relative errors."""
    measures: dict[str, float]
    refusal: str | None


def recoloured(recipe: Recipe, each: Prepared, chroma: Chroma) -> Recoloured:
    """The scan in the colours that a method found, and what became of it.

    Args:
        recipe: `paper`, `guide_radius_px` and `limits` are read.
        chroma: float32 (h, w, 2), CIELAB a, b of the content at working size.
    """
    blank = float(_lightness(each).std()) < _BLANK
    if blank:
        chroma = np.broadcast_to(paper_tone(_lab(each.style)), chroma.shape).astype(np.float32)
    if recipe.paper == "own":
        chroma = _on_own_paper(recipe, each, chroma)
    if each.job.marks is not None and recipe.method != "levin":
        chroma = corrected(_lightness(each), chroma, *_marked(each))
    found: Any = recomposed(each.job.scan, chroma, each.frame, Guide(recipe.guide_radius_px))
    deep, picture = (None, found) if found.dtype == np.uint8 else (found, narrowed(found))
    framed: Any = each.frame.crop(each.job.scan)
    measures = picture_measures(framed, each.frame.crop(found), each.style)
    why = "nothing to colour: the content is blank" if blank else refusal(measures, recipe.limits)
    return Recoloured(picture, deep, at_working_size(recipe, each.frame, picture), measures, why)


def _lightness(each: Prepared) -> NDArray[np.float32]:
    return _lab(each.content)[..., 0]


def _marked(each: Prepared) -> tuple[NDArray[np.bool_], Chroma]:
    """The marks inside the frame at working size: they were drawn on the whole scan."""
    if each.job.marks is None:
        raise BadMarks("this recipe colours from marks alone; give some (nishiki colorize --marks)")
    framed, small, scan = each.frame.crop(each.job.scan).shape, each.content.shape, each.job.scan.shape
    whole = (max(1, round(scan[0] * small[0] / framed[0])), max(1, round(scan[1] * small[1] / framed[1])))
    inside = each.frame.scaled(scan, whole)
    marked, colours = rasterised(each.job.marks, whole)
    room = [(0, small[axis]) for axis in (0, 1)]  # rounding may leave a row too few
    padded = np.pad(inside.crop(marked), room), np.pad(inside.crop(colours), [*room, (0, 0)])
    return padded[0][: small[0], : small[1]], padded[1][: small[0], : small[1]]


def _on_own_paper(recipe: Recipe, each: Prepared, chroma: Chroma) -> Chroma:
    """Chroma counted from the original's own tone, smoothly, instead of from the style's paper."""
    own = _lab(at_working_size(recipe, each.frame, each.job.content))[..., 1:]
    smooth = gaussian_filter(own, (_OWN_TONE_PX, _OWN_TONE_PX, 0), mode="nearest")
    return np.asarray(chroma - paper_tone(_lab(each.style)) + smooth, np.float32)


def _lab(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(rgb2lab(pixels), np.float32)
