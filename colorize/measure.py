"""Figures of a colorization: the relative errors of the papers and measures of the picture itself.

All are taken on the picture as it is saved (uint8). They compare within one encoder only.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.metrics import structural_similarity
from torch import Tensor

from colorize.recipe import Recipe, RelativeErrors
from colorize.vgg.encoder import Encoder
from colorize.vgg.losses import Targets, gram_matrix

GRAY_CHROMA = 1.0
"""Mean C* under which a picture is gray to the eye (about one just noticeable difference)."""


def relative_difference(a: Tensor, b: Tensor) -> Tensor:
    """Elementwise |a−b| / ((|a|+|b|)/2) with 0/0 = 0, in [0, 2] (JADH 2016)."""
    half_sum = (a.abs() + b.abs()) / 2
    return torch.where(half_sum > 0, (a - b).abs() / torch.where(half_sum > 0, half_sum, 1.0), 0.0)


@torch.no_grad()
def relative_errors(recipe: Recipe, encoder: Encoder, targets: Targets, pictures: Tensor) -> list[RelativeErrors]:
    """Err_content and Err_style of a stack, on the recipe's layers with w_l = 1 / number of layers.

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


def colourfulness(pixels: NDArray[np.uint8]) -> float:
    """Hasler and Süsstrunk 2003's M3: √(σ_rg² + σ_yb²) + 0.3 √(μ_rg² + μ_yb²), signed opponents, 0 for gray.

    Args:
        pixels: uint8, (H, W, 3), sRGB.
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def picture_measures(content: NDArray[np.uint8], result: NDArray[np.uint8]) -> Mapping[str, float]:
    """What became of the drawing and how much colour came in.

    Args:
        content: uint8, (H, W, 3), sRGB, the gray content at the result's size.
        result: uint8, (H, W, 3), sRGB.

    Returns:
        luma_ssim: structural similarity of L* (1 is untouched).
        luma_difference_mean, luma_difference_p99: |ΔL*|, in [0, 100].
        chroma_mean: mean C* in CIELAB.
        colourfulness: Hasler–Süsstrunk, signed.
    """
    content_lab, result_lab = rgb2lab(content), rgb2lab(result)
    difference = np.abs(content_lab[..., 0] - result_lab[..., 0])
    similarity: Any = structural_similarity
    return {
        "luma_ssim": float(similarity(content_lab[..., 0], result_lab[..., 0], data_range=100.0)),
        "luma_difference_mean": float(difference.mean()),
        "luma_difference_p99": float(np.percentile(difference, 99)),
        "chroma_mean": float(np.hypot(result_lab[..., 1], result_lab[..., 2]).mean()),
        "colourfulness": colourfulness(result),
    }


def refusal(measures: Mapping[str, float]) -> str | None:
    """Why a result must not be shown as a colorization; None when it may."""
    if measures["chroma_mean"] < GRAY_CHROMA:
        return f"still gray: mean chroma {measures['chroma_mean']:.2f}, {GRAY_CHROMA:g} is the least"
    return None
