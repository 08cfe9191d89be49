"""The losses of ASIAGRAPH 2016 and JADH 2016, one number for each picture of a stack.

P, F are a layer's features of content and result, A, G its Gram matrices of style and result, N its maps and M
its positions. Departures from print: each Gram matrix is divided by its own M first, since style and content
differ in size; JADH 2016's style loss lacks the square, and its total variation multiplies the two differences:
typesetting errors, both are squared and added here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from colorize.recipe import Formula, Recipe
from colorize.vgg.encoder import Encoder


def gram_matrix(features: Tensor) -> Tensor:
    """Channel-by-channel inner products over positions, divided by their number: F Fᵀ / M.

    Args:
        features: float, (B, N, H, W).

    Returns:
        (B, N, N), symmetric.
    """
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def content_loss(formula: Formula, content: Tensor, result: Tensor) -> Tensor:
    """½ Σ (P−F)² (ASIAGRAPH 2016) or 1/(N M) Σ (P−F)² (JADH 2016) of one layer; (B,)."""
    squares = (content - result).square().flatten(1)
    return squares.sum(1) / 2 if formula == "asiagraph2016" else squares.mean(1)


def style_loss(formula: Formula, style_gram: Tensor, result_gram: Tensor) -> Tensor:
    """1/(4 N²) Σ (A−G)² (ASIAGRAPH 2016) or 1/N² Σ (A−G)² (JADH 2016) of one layer; (B,)."""
    mean = (style_gram - result_gram).square().flatten(1).mean(1)
    return mean / 4 if formula == "asiagraph2016" else mean


def total_variation(pictures: Tensor) -> Tensor:
    """Σ (x[i+1,j] − x[i,j])² + (x[i,j+1] − x[i,j])² over R, G, B in [0, 255] and all pixels; (B,)."""
    down = (pictures[:, :, 1:] - pictures[:, :, :-1]).square().flatten(1).sum(1)
    across = (pictures[..., 1:] - pictures[..., :-1]).square().flatten(1).sum(1)
    return down + across


@dataclass(frozen=True)
class Terms:
    """The weighted parts of the total loss, each (B,)."""

    content: Tensor
    style: Tensor
    tv: Tensor

    @property
    def total(self) -> Tensor:
        """What the optimiser descends."""
        return self.content + self.style + self.tv


@dataclass(frozen=True)
class Targets:
    """A stack's content features and style Gram matrices by layer, computed once."""

    content: Mapping[str, Tensor] = field(repr=False)
    style: Mapping[str, Tensor] = field(repr=False)

    @classmethod
    @torch.no_grad()
    def of(cls, recipe: Recipe, encoder: Encoder, contents: Tensor, styles: list[Tensor]) -> "Targets":
        """Targets of contents (B, 3, H, W) and B styles (1, 3, H', W') of any size, sRGB in [0, 255]."""
        content = encoder.features(contents, recipe.content_layers, recipe.pooling)
        singles = [encoder.features(style, recipe.style_layers, recipe.pooling) for style in styles]
        grams = {layer: torch.cat([gram_matrix(single[layer]) for single in singles]) for layer in recipe.style_layers}
        return cls(content, grams)


def style_scale(recipe: Recipe, targets: Targets) -> float:
    """What β/α is multiplied by: 1, or 2·N·M of the first content layer where the formula sums over it."""
    if recipe.formula == "jadh2016":
        return 1.0
    return 2.0 * targets.content[recipe.content_layers[0]][0].numel()


def loss_terms(recipe: Recipe, encoder: Encoder, targets: Targets, pictures: Tensor, decay: float) -> Terms:
    """L = α L_content + β decay Σ w_l E_l + γ L_tv with α = 1 and w_l = 1 / number of layers.

    Several content layers: the mean over them (the papers leave it open).

    Args:
        pictures: float, (B, 3, H, W), sRGB in [0, 255].
        decay: what the schedule has left of β/α, in (0, 1].
    """
    layers = {*recipe.content_layers, *recipe.style_layers}
    found = encoder.features(pictures, layers, recipe.pooling)
    content = [content_loss(recipe.formula, targets.content[name], found[name]) for name in recipe.content_layers]
    style = [style_loss(recipe.formula, targets.style[name], gram_matrix(found[name])) for name in recipe.style_layers]
    beta = recipe.style_over_content * decay * style_scale(recipe, targets)
    tv = recipe.tv_weight * total_variation(pictures)
    return Terms(torch.stack(content).mean(0), beta * torch.stack(style).mean(0), tv)
