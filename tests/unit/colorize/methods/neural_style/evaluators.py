"""Evaluators that look on or spoil, and figures of agreement that a test prints as it asserts them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from colorize.methods.neural_style.descent import OnIteration, Optimisation, Optimised
from colorize.methods.neural_style.losses import Decay, Evaluator, Layers, Targets, Terms
from colorize.recipes.recipe import Recipe

Spoiled = Callable[[int, Tensor], Tensor]
"""(number of the evaluation, its pictures) → bool (B,): the rows whose loss and gradient come out as NaN."""


def nothing(_number: int, pictures: Tensor) -> Tensor:
    return torch.zeros(len(pictures), dtype=torch.bool)


class PutDown(Exception):
    """The process that worked on it is gone."""


@dataclass(frozen=True)
class Watched:
    """Keeps every stack that an evaluator is given, and gives NaN for the rows that it is told to spoil."""

    inner: Evaluator
    spoiled: Spoiled = nothing
    seen: list[Tensor] = field(default_factory=list)

    @property
    def recipe(self) -> Recipe:
        return self.inner.recipe

    def content_features(self, content: Tensor) -> Layers:
        return self.inner.content_features(content)

    def style_grams(self, style: Tensor) -> Layers:
        return self.inner.style_grams(style)

    def evaluate(self, targets: Targets, pictures: Tensor, decay: Decay) -> tuple[Terms, Tensor]:
        factor = torch.where(self.spoiled(len(self.seen), pictures), torch.nan, 1.0)
        self.seen.append(pictures.clone())
        terms, gradient = self.inner.evaluate(targets, pictures, decay)
        spoiled = Terms(terms.content * factor, terms.style * factor, terms.tv * factor)
        return spoiled, gradient * factor[:, None, None, None]


def singly(stack: Tensor) -> list[Tensor]:
    """Each picture as a stack of one."""
    return [stack[row : row + 1] for row in range(len(stack))]


def targets_of(evaluator: Evaluator, contents: Tensor, styles: Sequence[Tensor]) -> Targets:
    """The targets of a stack and one style picture for each."""
    features = [evaluator.content_features(content) for content in singly(contents)]
    return Targets.of(features, [evaluator.style_grams(style) for style in styles])


def descended(
    evaluator: Evaluator, targets: Targets, contents: Tensor, on_iteration: OnIteration | None = None
) -> Optimised:
    """What a descent comes to."""
    descent = Optimisation(evaluator, targets, contents)
    descent.run(on_iteration)
    return descent.optimised()


def apart(ours: Tensor, theirs: Tensor) -> float:
    """Length of the difference in lengths of the second."""
    return float((ours.double() - theirs.double()).norm() / theirs.double().norm())


def told(what: str, figure: float) -> float:
    """The figure, printed for whoever runs pytest with -rP."""
    print(f"{what}: {figure:.1e} relative")  # noqa: T201  # an agreement that is only asserted cannot be read
    return figure
