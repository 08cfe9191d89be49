"""Fits how far a trained colorizer's areas may be trusted, on prints that it has not learned from.

Called by `flows.training.colorizer`. An area is right as for nishiki/colour: its mean ΔE00 to the print's own colours
is at most two thirds of what leaving it gray gives. A logistic regression on `learned_areas.signs`, each area by its
size.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, xlogy
from skimage.color import deltaE_ciede2000, rgb2lab

from colorize.finish.palette import ink_neutral
from colorize.images.decode import Pixels
from colorize.methods.exemplar.blocks import painted
from colorize.methods.exemplar.trust import ACCEPTED
from colorize.methods.learned_areas import Said, printed, signs

Floats = NDArray[np.float32]

_RIDGE = 1e-3


def fitted_trust(prints: Iterable[tuple[Pixels, Said]]) -> Floats:
    """The weights, (3,), from prints in their own colours, uint8 (h, w, 3), and what the network says of each."""
    rows, right, sizes = zip(*(_areas(truth, said) for truth, said in prints), strict=True)
    features, accepted, size = np.concatenate(rows), np.concatenate(right), np.concatenate(sizes)
    size = size / size.sum()

    def loss(weights: NDArray[np.float64]) -> float:
        likely = expit(features @ weights).clip(1e-7, 1 - 1e-7)
        missed = xlogy(accepted, likely) + xlogy(1 - accepted, 1 - likely)
        return float(-(size * missed).sum() + _RIDGE * (weights[1:] ** 2).sum())

    return np.asarray(minimize(loss, np.zeros(features.shape[1])).x, np.float32)


def _areas(truth: Pixels, said: Said) -> tuple[Floats, Floats, Floats]:
    """Of each area its signs, whether it is right, and how large it is."""
    lab = np.asarray(rgb2lab(truth), np.float32)
    found = printed(said, lab[..., 0])
    made = np.dstack([lab[..., 0], ink_neutral(painted(found, lab[..., 0]), lab[..., 0])])
    difference: Any = deltaE_ciede2000
    own, gray = (np.bincount(found.areas.ravel(), difference(lab, each).ravel()) for each in (made, lab * (1, 0, 0)))
    size = np.bincount(found.areas.ravel()).astype(np.float32)
    return signs(found, said.classes), (own <= ACCEPTED * gray).astype(np.float32), size
