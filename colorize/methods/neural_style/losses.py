"""The losses of ASIAGRAPH 2016 and JADH 2016, one number for each picture of a minibatch, and the reference evaluation.

P, F are a layer's features of content and result, A, G its Gram matrices of style and result, N its maps and M
its positions. Departures from print: each Gram matrix is divided by its own M first, since style and content
differ in size; JADH 2016's style loss lacks the square, and its total variation multiplies the two differences:
typesetting errors, both are squared and added here.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.methods.neural_style.parameters import Formula, NeuralStyle
from colorize.recipes.recipe import Recipe

Decay = float | Tensor
"""What the schedule has left of β/α, in (0, 1]; a tensor of no dimension where a GPU must not wait for it."""
Layers = Mapping[str, Tensor]
"""Something of each named layer, pictures as rows."""


def gram_matrix(features: Tensor) -> Tensor:
    """Channel-by-channel inner products over positions, divided by their number: F Fᵀ / M.

    Args:
        features: float, (B, N, H, W).

    Returns:
        (B, N, N), symmetric.
    """
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def content_factor(formula: Formula, elements: int) -> float:
    """The factor c in L_content = c Σ (P−F)²: ½ (ASIAGRAPH 2016) or 1/(N M) (JADH 2016), with N M elements."""
    return 0.5 if formula == "asiagraph2016" else 1 / elements


def style_factor(formula: Formula, maps: int) -> float:
    """The factor c in E_l = c Σ (A−G)²: 1/(4 N²) (ASIAGRAPH 2016) or 1/N² (JADH 2016)."""
    return (0.25 if formula == "asiagraph2016" else 1.0) / maps**2


def content_loss(formula: Formula, content: Tensor, result: Tensor) -> Tensor:
    """Σ (P−F)² of one layer times its factor; (B,)."""
    return content_factor(formula, content[0].numel()) * (content - result).square().flatten(1).sum(1)


def style_loss(formula: Formula, style_gram: Tensor, result_gram: Tensor) -> Tensor:
    """Σ (A−G)² of one layer times its factor; (B,)."""
    return style_factor(formula, style_gram.shape[1]) * (style_gram - result_gram).square().flatten(1).sum(1)


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


def _stacked(singles: Sequence[Layers]) -> Layers:
    return {name: torch.cat([single[name] for single in singles]) for name in singles[0]}


@dataclass(frozen=True)
class Targets:
    """A minibatch's content features (B, N, H, W) and style Gram matrices (B, N, N) by layer, computed once."""

    content: Layers = field(repr=False)
    style: Layers = field(repr=False)

    @classmethod
    def of(cls, contents: Sequence[Layers], styles: Sequence[Layers]) -> "Targets":
        """The targets of a minibatch from each picture's own."""
        return cls(_stacked(contents), _stacked(styles))

    def row(self, row: int) -> "Targets":
        """The targets of one picture, as a minibatch of one."""
        one = slice(row, row + 1)
        content, style = ({name: each[one] for name, each in part.items()} for part in (self.content, self.style))
        return Targets(content, style)


class TargetCache:
    """Targets of single pictures, kept while there is room for them; the ones used longest ago go first."""

    def __init__(self, max_bytes: int = 256_000_000) -> None:
        self._max_bytes, self._kept = max_bytes, OrderedDict[Hashable, Layers]()

    def get(self, key: Hashable, compute: Callable[[], Layers]) -> Layers:
        """What is kept under the key, computed when nothing is."""
        if key not in self._kept:
            self._kept[key] = compute()
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > self._max_bytes:
            self._kept.popitem(last=False)
        return self._kept[key]


def _bytes(layers: Layers) -> int:
    return sum(each.nbytes for each in layers.values())


class Evaluator(Protocol):
    """Whoever can say loss and gradient of a minibatch under a recipe: `ReferenceEvaluator`, or the engine."""

    @property
    def recipe(self) -> Recipe:
        """Whose losses are evaluated."""

    def content_features(self, content: Tensor) -> Layers:
        """Features of the content layers, for a picture (1, 3, H, W), sRGB in [0, 255]."""

    def style_grams(self, style: Tensor) -> Layers:
        """Gram matrices of the style layers, for a picture (1, 3, H', W') of any size."""

    def evaluate(self, targets: Targets, pictures: Tensor, decay: Decay) -> tuple[Terms, Tensor]:
        """The terms, each (B,), and the gradient of their sum by the pictures, (B, 3, H, W) as they are."""


def style_scale(recipe: Recipe, targets: Targets) -> float:
    """What β/α is multiplied by: 1, or 2·N·M of the first content layer where the formula sums over it."""
    if NeuralStyle.of(recipe).formula == "jadh2016":
        return 1.0
    return 2.0 * targets.content[recipe.content_layers[0]][0].numel()


def loss_terms(recipe: Recipe, encoder: Encoder, targets: Targets, pictures: Tensor, decay: Decay) -> Terms:
    """L = α L_content + β decay Σ w_l E_l + γ L_tv with α = 1 and w_l = 1 / number of layers.

    Several content layers: the mean over them (the papers leave it open).

    Args:
        pictures: float, (B, 3, H, W), sRGB in [0, 255].
        decay: what the schedule has left of β/α, in (0, 1].
    """
    own, layers = NeuralStyle.of(recipe), {*recipe.content_layers, *recipe.style_layers}
    found = encoder.features(pictures, layers, recipe.pooling)
    content = [content_loss(own.formula, targets.content[name], found[name]) for name in recipe.content_layers]
    style = [style_loss(own.formula, targets.style[name], gram_matrix(found[name])) for name in recipe.style_layers]
    beta = own.style_over_content * decay * style_scale(recipe, targets)
    tv = own.tv_weight * total_variation(pictures)
    return Terms(torch.stack(content).mean(0), beta * torch.stack(style).mean(0), tv)


@dataclass(frozen=True)
class ReferenceEvaluator:
    """The plain path that the engine is held to: autograd in the encoder's own precision, float64 by choice."""

    recipe: Recipe
    encoder: Encoder

    @torch.no_grad()
    def content_features(self, content: Tensor) -> Layers:
        """As Evaluator says."""
        return self.encoder.features(content, self.recipe.content_layers, self.recipe.pooling)

    @torch.no_grad()
    def style_grams(self, style: Tensor) -> Layers:
        """As Evaluator says."""
        found = self.encoder.outputs(style, self.recipe.style_layers, self.recipe.pooling)
        return {name: gram_matrix(each) for name, each in found}

    def evaluate(self, targets: Targets, pictures: Tensor, decay: Decay) -> tuple[Terms, Tensor]:
        """As Evaluator says."""
        with torch.enable_grad():
            leaf = pictures.detach().requires_grad_()
            terms = loss_terms(self.recipe, self.encoder, targets, leaf, decay)
            (gradient,) = torch.autograd.grad(terms.total.sum(), leaf)
        return Terms(terms.content.detach(), terms.style.detach(), terms.tv.detach()), gradient
