"""Three pairs on which L-BFGS with a fixed step of 1 explodes: what the clamp makes of them.

scikit-image's camera/coffee at 128 px, coins/astronaut and moon/chelsea at 96; He-random weights, content weight 5 on
conv4_2, style weight 100 a layer on Gram/(C·H·W), total variation 1e-3, input 0–255.
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from skimage import data
from torch import Tensor

from colorize.encoders.vgg19 import BLOCKS, CONVOLUTIONS, OXFORD, Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import resized, to_gray
from colorize.methods.neural_style.descent import OptimisationState
from colorize.methods.neural_style.losses import Decay, Layers, Targets, Terms, gram_matrix, total_variation
from colorize.methods.neural_style.optimisers import Lbfgs
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.recipes.recipe import Recipe
from colorize.running.prepare import to_tensor
from tests.benchmarks.figures import Figure

PAIRS = (("camera", "coffee", 128, 6), ("coins", "astronaut", 96, 4), ("moon", "chelsea", 96, 6))
"""Content, style, long edge in pixels, and a seed of the weights with which the fixed step spikes (of 0 to 19)."""
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
ITERATIONS = 60
FREE = 1e30
RECIPE = recipe_named("jadh2016/config1_2_3").changed(iterations=ITERATIONS)


@dataclass(frozen=True)
class PlainLoss:
    """The loss of the measurement that found the spikes; autograd."""

    encoder: Encoder
    recipe: Recipe = RECIPE

    def content_features(self, content: Tensor) -> Layers:
        """As Evaluator says."""
        return self.encoder.features(content, ("conv4_2",))

    def style_grams(self, style: Tensor) -> Layers:
        """Gram/(C·H·W)."""
        found = self.encoder.features(style, STYLE_LAYERS)
        return {name: gram_matrix(each) / each.shape[1] for name, each in found.items()}

    def evaluate(self, targets: Targets, pictures: Tensor, decay: Decay) -> tuple[Terms, Tensor]:
        """As Evaluator says; there is no schedule."""
        with torch.enable_grad():
            leaf = pictures.detach().requires_grad_()
            found = self.encoder.features(leaf, ("conv4_2", *STYLE_LAYERS))
            content = 5 * (found["conv4_2"] - targets.content["conv4_2"]).square().flatten(1).mean(1)
            styles = [
                (gram_matrix(found[name]) / found[name].shape[1] - targets.style[name]).square().flatten(1).mean(1)
                for name in STYLE_LAYERS
            ]
            terms = Terms(content, 100 * torch.stack(styles).sum(0), 1e-3 * total_variation(leaf))
            (gradient,) = torch.autograd.grad(terms.total.sum(), leaf)
        return Terms(terms.content.detach(), terms.style.detach(), terms.tv.detach()), gradient


def spiking_pairs() -> Iterator[Figure]:
    """Worst loss over the start's, and evaluations to where the fixed step is after 60."""
    shares = []
    for content, style, edge, seed in PAIRS:
        encoder = _he_random(seed)
        fixed, ours = (
            _losses(encoder, content, style, edge, limit) for limit in (FREE, NeuralStyle.of(RECIPE).step_limit)
        )
        name = f"{content}/{style} at {edge} px"
        worst = float(np.nanmax(ours) / ours[0])
        yield Figure(f"{name}: worst loss, fixed step", float(np.nanmax(fixed) / fixed[0]), "× start")
        yield Figure(f"{name}: worst loss, clamped", worst, "× start", "≤ 1.05", worst <= 1.05)
        end = min(fixed[0], fixed[-1])  # a way that ended above its start led nowhere
        reached = next((count for count, loss in enumerate(ours, 1) if loss <= end), ITERATIONS + 1)
        shares.append(reached / ITERATIONS)
        yield Figure(f"{name}: evaluations to the fixed step's end", reached, f"of {ITERATIONS}")
    median = statistics.median(shares)
    yield Figure("evaluations to the fixed step's end, median", median, "× fixed", "≤ 0.7", median <= 0.7)


def _losses(encoder: Encoder, content: str, style: str, edge: int, limit: float) -> list[float]:
    loss = PlainLoss(encoder)
    start = to_tensor(to_gray(_photograph(content, edge)), encoder)
    targets = Targets.of(
        [loss.content_features(start)], [loss.style_grams(to_tensor(_photograph(style, edge), encoder))]
    )
    state = OptimisationState(loss, targets, start, Lbfgs(start.flatten(1), NeuralStyle.of(RECIPE).history, limit))
    found = []
    for _ in range(ITERATIONS):
        state.advance()
        found.append(float(state.tensors["last_loss"]))
    return found


def _photograph(name: str, edge: int) -> Pixels:
    pixels = np.asarray(getattr(data, name)())
    return resized(pixels if pixels.ndim == 3 else pixels[..., None].repeat(3, 2), edge)


def _he_random(seed: int) -> Encoder:
    """Normal weights of deviation √(2 / fan-in), no bias."""
    generator = torch.Generator().manual_seed(seed)
    widths = [width for width, count in zip((64, 128, 256, 512, 512), BLOCKS, strict=True) for _ in range(count)]
    layers, below = {}, 3
    for name, width in zip(CONVOLUTIONS, widths, strict=True):
        weight = torch.randn(width, below, 3, 3, generator=generator) * sqrt(2 / (9 * below))
        layers[name], below = (weight, torch.zeros(width)), width
    return Encoder("he-random", "", OXFORD, layers)
