"""The ways to colour the gray version of a print that our own must beat, and ours.

Every arm takes a `colour_pairs.Pair` and gives a picture with the content's own L*, at working size; None where it
cannot.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import rgb2lab

from colorize.colorizer import Colorizer, colorizer_for
from colorize.finish.fullsize import recomposed
from colorize.finish.guided_filter import Guide
from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.jobs import Job
from colorize.matching.geometry import register
from colorize.methods.reinhard import reinhard
from colorize.methods.welsh import welsh
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from tests.benchmarks.colour_pairs import KEPT, STEP, STEPS, Floats, Pair, encoder
from tests.benchmarks.memory import resident

NEURAL = recipe_named("jadh2016/config3_3_4").changed(iterations=60, long_edge_px=192)
OURS = "nishiki/colour"
UNFILTERED = Guide(radius_px=0)
Arm = Callable[[Pair], Pixels | None]


def painted(content: Pixels, chroma: NDArray[Any], guide: Guide = UNFILTERED) -> Pixels:
    """The content in these colours at its own L*; chroma may be smaller than it."""
    height, width = content.shape[:2]
    found: Any = recomposed(content, chroma.astype(np.float32), Frame(0, 0, height, width), guide)
    return np.asarray(found, np.uint8)


def tint(pair: Pair) -> Pixels:
    """The style's mean a*, b* all over."""
    return painted(
        pair.content, np.broadcast_to(rgb2lab(pair.style)[..., 1:].mean((0, 1)), (*pair.content.shape[:2], 2))
    )


def usual(pair: Pair) -> Pixels | None:
    """Mean a*, b* of other real prints at the same L*."""
    if pair.usual is None:
        return None
    steps = np.minimum(rgb2lab(pair.content)[..., 0] // STEP, STEPS - 1).astype(int)
    return painted(pair.content, pair.usual[steps])


def in_place(pair: Pair) -> Pixels | None:
    """The other impression's own colours laid in place; None where the first style is no other impression."""
    if pair.section == "actors" or pair.one_design is None:
        return None
    return painted(pair.content, rgb2lab(register(pair.content, pair.style, pair.one_design).style)[..., 1:])


def neural_style(pair: Pair) -> Pixels:
    """A configuration of JADH 2016, at 192 px, its a*, b* through the guided filter; kept, as each takes seconds."""
    key = sha256(f"{NEURAL.digest()}{encoder().checksum}".encode() + pair.content.tobytes() + pair.style.tobytes())
    path = KEPT / "neural_style" / f"{key.hexdigest()[:24]}.png"
    if not path.exists():
        (made,) = colorizer_for(NEURAL, encoder(), "cpu").colorize([Job("pair", pair.content, pair.style)])
        assert isinstance(made, Colorization), made
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(made.picture).save(path)
    return painted(pair.content, rgb2lab(np.asarray(Image.open(path)))[..., 1:], Guide())


ARMS: Mapping[str, Arm] = {
    "left gray": lambda pair: pair.content,
    "uniform tint": tint,
    "Reinhard": lambda pair: painted(pair.content, reinhard(pair.content, pair.style)),
    "Welsh": lambda pair: painted(pair.content, welsh(pair.content, pair.style, 0)),
    "mean a, b by L": usual,
    "in place": in_place,
}
"""By name, in the table's order; they take the first style."""


@dataclass(frozen=True)
class Made:
    """What the recipe made of a pair."""

    result: Colorization
    seconds: float
    """Of one core."""
    memory_mb: float
    """Its peak above the process before."""

    @property
    def picture(self) -> Pixels:
        """As the night keeps it."""
        return self.result.picture

    @property
    def trust(self) -> Floats | None:
        """(rows, columns), in [0, 1]; None where the recipe tells none."""
        trust = getattr(self.result, "trust", None)
        return None if trust is None else np.asarray(trust / 255, np.float32)


def made(pair: Pair, styles: int | None = None) -> Made:
    """The default recipe, through the door that the night goes through; with that many styles instead of its own."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, began = resident("VmRSS"), time.process_time()
    (result,) = _ours(styles).colorize([pair.job()])
    assert isinstance(result, Colorization), result
    return Made(result, time.process_time() - began, resident("VmHWM") - before)


@cache
def _ours(styles: int | None) -> Colorizer:
    recipe = recipe_named(OURS)
    return colorizer_for(recipe.changed(styles=styles) if styles else recipe, encoder(), "cpu")
