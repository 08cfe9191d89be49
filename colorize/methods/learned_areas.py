"""What a trained colorizer says, given to areas of the drawing: one block, one colour, and how far to trust it.

`cieluv_net.py` and `mask_gan.py` call it for their recipes with our finish. It answers what their sources complain
of: colours that differ within an object, noise, steps of bins. How areas choose is `exemplar.blocks`' affair; here
they hear the network alone, for no style image is looked at.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from skimage.color import lab2xyz
from skimage.color.colorconv import xyz2luv
from torch import Tensor
from torch.nn import functional

from colorize.finish.palette import ink_neutral
from colorize.methods.exemplar.blocks import Printed, blocks, norm, painted
from colorize.methods.exemplar.evidence import LEVELS, Evidence
from colorize.methods.exemplar.parameters import Blocks
from colorize.methods.exemplar.placed import in_cells
from colorize.methods.work import Measured

Floats = NDArray[np.float32]

BINS: Final = 50
"""Of U and of V each, over [−RANGE, RANGE], as Hwang and Zhou cut them."""
RANGE: Final = 100.0
_SPREAD: Final = 8.0
"""Standard deviation, in U and V, of what a network that names colours is taken to mean."""
_CELL_PX: Final = 4
"""Side of the cells that trust is told by."""
_SHARPENED: Final = 1 / 0.38
"""Power that a network's word is raised to before areas take its mean, as for the annealed mean."""
_OWN: Final = Blocks(prior="", inks_weight=0.0, likeness_weight=0.0, decision=1.0, chroma=0.4)
"""No style is looked at; where areas decide for one pigment (above 1), held-out prints come out worse."""


@dataclass(frozen=True)
class Said:
    """How likely a network takes each class of colours, cell by cell."""

    cells: Floats
    """(n, K), logarithms, in reading order."""
    shape: tuple[int, int]
    classes: Floats
    """(K, 2), CIELAB a, b."""


def classed(said: Tensor, light: Floats, classes: Floats) -> Said:
    """What a network says of U and V, as classes of a and b.

    Args:
        said: logits (2, BINS, h, w), or U, V over RANGE (2, h, w).
        light: (H, W), L; a class has another U and V at each.
        classes: (K, 2).
    """
    parts = torch.log_softmax(said, 1) if said.ndim == 4 else said * RANGE
    cells = functional.avg_pool2d(parts, 2)
    shape = cells.shape[-2], cells.shape[-1]
    level = np.rint(in_cells(light[..., None], shape)[0].ravel() / 100 * (LEVELS - 1)).astype(np.intp)
    uv = _uv_of(classes)[level]  # (n, K, 2)
    if said.ndim == 3:
        found = cells.flatten(1).numpy().T[:, None]
        return Said(np.asarray(-((uv - found) ** 2).sum(2) / (2 * _SPREAD**2), np.float32), shape, classes)
    place = ((uv + RANGE) / (2 * RANGE) * BINS - 0.5).clip(0, BINS - 1.001)
    below, share = place.astype(np.intp), place - np.floor(place)
    logs = cells.flatten(2).numpy()
    at = np.arange(len(uv))[:, None]
    summed = sum(
        logs[axis].T[at, below[..., axis]] * (1 - share[..., axis])
        + logs[axis].T[at, below[..., axis] + 1] * share[..., axis]
        for axis in (0, 1)
    )
    return Said(np.asarray(summed, np.float32), shape, classes)


def luv_of(lab: Floats) -> Floats:
    """CIELUV of CIELAB colours, (..., 3); of `possible` ones."""
    return np.asarray(xyz2luv(lab2xyz(possible(lab)).clip(1e-6)), np.float32)


def possible(lab: Floats) -> NDArray[np.float64]:
    """CIELAB colours, (..., 3), without those yellower than light can be."""
    most = 199.9 * (lab[..., 0] + 16) / 116
    return np.stack([lab[..., 0], lab[..., 1], np.minimum(lab[..., 2], most)], axis=-1).astype(np.float64)


def _uv_of(classes: Floats) -> Floats:
    """U and V of the classes at each level of L, (LEVELS, K, 2)."""
    levels = np.linspace(0, 100, LEVELS, dtype=np.float32).clip(1)
    light = np.broadcast_to(levels[:, None, None], (LEVELS, len(classes), 1))
    return luv_of(np.concatenate([light, np.broadcast_to(classes, (LEVELS, *classes.shape))], 2))[..., 1:]


def printed(said: Said, light: Floats) -> Printed:
    """The areas of a picture with the colours that they choose by a network's word alone."""
    cells = said.cells * np.float32(_SHARPENED)
    silent = np.zeros((LEVELS, len(said.classes)), np.float32)
    alone = np.ones((1, *said.shape), np.float32)
    return blocks(Evidence(cells, silent, cells, alone), said.classes, light, _OWN)


def by_areas(said: Said, light: Floats, weights: Floats) -> Measured:
    """A picture's chroma by its areas, with its map of trust and the measure `trust`.

    Args:
        light: (h, w), L of the picture.
        weights: (3,), of `signs`, fitted on prints that were held out.
    """
    found = printed(said, light)
    sure = expit(signs(found, said.classes) @ weights)[found.areas]
    shape = light.shape[0] // _CELL_PX, light.shape[1] // _CELL_PX
    trust = np.rint(in_cells(sure[..., None], shape)[0] * 255).astype(np.uint8)
    chroma = ink_neutral(painted(found, light), light)
    return Measured(chroma, {"trust": float(trust.mean() / 255)}, trust=trust)


def signs(found: Printed, classes: Floats) -> Floats:
    """What tells right areas from wrong ones, (areas, 3): 1, the error expected over gray's, the latter's logarithm."""
    size = found.size / found.size.sum(1, keepdims=True)
    wrong = norm(classes[None, None] - found.colours[:, :, None])
    expected = (size * (found.likely * wrong).sum(2)).sum(1)
    gray = (size * (found.likely @ norm(classes))).sum(1).clip(0.5)
    return np.stack([np.ones(len(gray)), expected / gray, np.log(gray)], axis=1).astype(np.float32)
