"""A first student by least squares, layer by layer, and the regression that its heads begin with."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from colorize.encoders.vgg19 import CONVOLUTIONS, Encoder
from colorize.images.decode import Pixels
from colorize.training.dataset import in_parts, to_batch

WIDTHS = (24, 32, 64, 128, 192)
"""Channels of each block; an evaluation takes an eighth of the teacher's time."""
_POSITIONS = 200
"""Positions of a crop that a least-squares fit looks at."""
_RIDGE = 1e-5

Convolutions = dict[str, tuple[Tensor, Tensor]]


@torch.no_grad()
def layer_by_layer(
    teacher: Encoder, pixels: Pixels, on_layer: Callable[[str, float], None], widths: Sequence[int] = WIDTHS
) -> Convolutions:
    """A student whose every layer answers, as well as a linear fit can, like the teacher's most telling channels.

    A layer's channels are chosen one by one, each time the one that explains most of what is left of the activations'
    energy (pivoted Cholesky of their second moments). Their values before the ReLU are then fitted from the student's
    own outputs below, so that errors of earlier layers are made up for.

    Args:
        pixels: uint8 (n, H, W, 3).
        on_layer: told each layer's name and the share of variance that the fit explains.
    """
    generator = torch.Generator().manual_seed(0)
    theirs = teacher.preprocessed(to_batch(pixels))
    ours, found = theirs.clone(), dict[str, tuple[Tensor, Tensor]]()
    for name in CONVOLUTIONS:
        if name.endswith("_1") and name != "conv1_1":
            theirs, ours = functional.max_pool2d(theirs, 2), functional.max_pool2d(ours, 2)
        weight, bias = teacher.convolutions[name]
        wanted = torch.cat([functional.conv2d(part, weight, bias, padding=1) for part in in_parts(theirs)])
        places = _places(wanted.shape[2] * wanted.shape[3], generator)
        values = sampled(wanted, places).double()
        chosen = _most_telling(functional.relu(values), widths[int(name[4]) - 1])
        patches = torch.cat([_patches(part, places) for part in in_parts(ours)]).double()
        fit, explained = fitted(patches, values[:, chosen])
        found[name] = (fit[:-1].T.reshape(len(chosen), -1, 3, 3).float(), fit[-1].float())
        theirs = functional.relu_(wanted)
        ours = functional.relu_(
            torch.cat([functional.conv2d(part, *found[name], padding=1) for part in in_parts(ours)])
        )
        on_layer(name, explained)
    return found


def _places(positions: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(positions, generator=generator)[:_POSITIONS]


def sampled(features: Tensor, places: Tensor) -> Tensor:
    """(B, N, H, W) → (B · places, N)."""
    return features.flatten(2)[:, :, places].transpose(1, 2).flatten(0, 1)


def _patches(features: Tensor, places: Tensor) -> Tensor:
    """3×3 surroundings of the places, (B · places, 9 N + 1), with a one for the bias."""
    around = functional.unfold(features, 3, padding=1)[:, :, places].transpose(1, 2).flatten(0, 1)
    return functional.pad(around, (0, 1), value=1.0)


def _most_telling(activations: Tensor, count: int) -> list[int]:
    rest = activations.T @ activations
    floor = float(rest.diagonal().max()) * 1e-9
    chosen: list[int] = []
    for _ in range(count):
        explained = rest.square().sum(0) / rest.diagonal().clamp_min(floor)
        explained[chosen] = -1
        best = int(explained.argmax())
        chosen.append(best)
        column = rest[:, best].clone()
        rest = rest - torch.outer(column, column) / column[best].clamp_min(floor)
    return chosen


def fitted(patches: Tensor, values: Tensor) -> tuple[Tensor, float]:
    """Ridge regression: coefficients (9 N + 1, K), and the share of variance that it explains."""
    moments = patches.T @ patches
    moments.diagonal().add_(_RIDGE * float(moments.diagonal().mean()))
    coefficients = torch.linalg.solve(moments, patches.T @ values)
    left = (patches @ coefficients - values).square().sum()
    return coefficients, 1 - float(left / (values - values.mean(0)).square().sum())


def with_one(values: Tensor) -> Tensor:
    """A column of ones beside them, for the bias."""
    return functional.pad(values, (0, 1), value=1.0)
