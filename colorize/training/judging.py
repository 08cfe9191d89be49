"""How good a colorizer is on prints that it has not seen: Hwang and Zhou's measures, and ours.

Called by `flows.training.colorizer`, which writes them into a model's card, and by `tests.benchmarks.learned`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2hsv, rgb2lab

from colorize.images.decode import Pixels
from colorize.measures.quality import chroma_texture, sliced_wasserstein
from colorize.methods.cieluv_net import bins_of
from colorize.methods.learned_areas import luv_of, possible

Floats = NDArray[np.float32]

_CLOUD = 4096
"""Pixels of a print whose colours are compared as a whole, about."""


@dataclass(frozen=True)
class Judged:
    """How well one print is foretold, or the mean over several."""

    acc_u: float
    acc_v: float
    """Part of the pixels whose U, or V, lies in the right bin of 50."""
    saturation: float
    """|ΣS_found − ΣS_own| / ΣS_own, S of HSV."""
    ratio: float
    """Mean ΔE00 over that of leaving it gray."""
    patchiness: float
    """Chroma's gradient where the drawing is flat, over the print's own."""
    distribution: float
    """Sliced Wasserstein distance of a, b to the print's own, over gray's."""

    def data(self) -> dict[str, float]:
        """By name, to four digits."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def judged(truth: Pixels, ab: Floats) -> Judged:
    """One print.

    Args:
        truth: its own colours, uint8 (h, w, 3), sRGB.
        ab: what was found for its L, (h, w, 2).
    """
    lab = np.asarray(rgb2lab(truth), np.float32)
    found = np.dstack([lab[..., 0], ab])
    wanted_bins, found_bins = (bins_of(torch.from_numpy(luv_of(each)[..., 1:])).numpy() for each in (lab, found))
    right = (wanted_bins == found_bins).mean((0, 1))
    own, made = (float(rgb2hsv(each)[..., 1].sum()) for each in (truth / 255, lab2rgb(possible(found))))
    difference: Any = deltaE_ciede2000
    delta, gray = (float(difference(lab, each).mean()) for each in (found, lab * (1, 0, 0)))
    texture, textured = (
        chroma_texture(lab[..., 0], each) or 0.0 for each in (ab.astype(np.float64), lab[..., 1:].astype(np.float64))
    )
    step = max(1, lab[..., 0].size // _CLOUD)
    clouds = [each.reshape(-1, 2)[::step] for each in (ab, lab[..., 1:])]
    apart, none = sliced_wasserstein(*clouds), sliced_wasserstein(np.zeros((1, 2), np.float32), clouds[1])
    return Judged(
        float(right[0]), float(right[1]), abs(made - own) / max(own, 1e-6), delta / max(gray, 1e-6),
        texture / max(textured, 1e-6), apart / max(none, 1e-6),
    )  # fmt: skip


def mean_of(found: Iterable[Judged]) -> Judged:
    """The mean of each measure; saturation's is of the prints one by one."""
    rows = [asdict(each) for each in found]
    return Judged(**{each.name: float(np.mean([row[each.name] for row in rows])) for each in fields(Judged)})


def medians(found: Mapping[str, Judged]) -> Judged:
    """The median of each measure."""
    rows = [asdict(each) for each in found.values()]
    return Judged(**{each.name: float(np.median([row[each.name] for row in rows])) for each in fields(Judged)})
