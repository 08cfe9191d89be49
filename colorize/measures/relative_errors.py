"""The relative errors of the papers, taken on the picture as it is saved (uint8); they compare within one encoder only.

`colorize.colorizer` takes every figure from here; those that need no encoder are defined in `colorize.measures.quality`
and judged in `colorize.recipes.limits`.
"""

import torch
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.methods.neural_style.losses import Targets, gram_matrix
from colorize.recipes.recipe import Recipe
from colorize.results import RelativeErrors


def relative_difference(a: Tensor, b: Tensor) -> Tensor:
    """Elementwise |a−b| / ((|a|+|b|)/2) with 0/0 = 0, in [0, 2] (JADH 2016)."""
    half_sum = (a.abs() + b.abs()) / 2
    found = torch.where(half_sum > 0, (a - b).abs() / torch.where(half_sum > 0, half_sum, 1.0), 0.0)
    return found.clamp(max=2)  # the smallest numbers have no exact half


@torch.no_grad()
def relative_errors(recipe: Recipe, encoder: Encoder, targets: Targets, pictures: Tensor) -> list[RelativeErrors]:
    """Err_content and Err_style of a minibatch, on the recipe's layers with w_l = 1 / number of layers.

    Several content layers: the mean over them, as in the loss. Sums are those printed in JADH 2016; means divide
    each layer's sum by its number of elements, so that they compare across sizes.

    Args:
        pictures: float, (B, 3, H, W), sRGB in [0, 255].
    """
    layers = {*recipe.content_layers, *recipe.style_layers}
    content: list[Tensor] = []
    style: list[Tensor] = []
    for name, found in encoder.outputs(pictures, layers, recipe.pooling):
        if name in recipe.content_layers:
            content.append(_sum_and_mean(relative_difference(targets.content[name], found)))
        if name in recipe.style_layers:
            style.append(_sum_and_mean(relative_difference(targets.style[name], gram_matrix(found))))
    columns = torch.cat([torch.stack(content).mean(0), torch.stack(style).mean(0)])
    return [RelativeErrors(*row) for row in columns.T.tolist()]


def _sum_and_mean(differences: Tensor) -> Tensor:
    """Each picture's sum and mean within a layer, (2, B); in float64, as sums pass 1e6."""
    rows = differences.flatten(1).double()
    return torch.stack([rows.sum(1), rows.mean(1)])
