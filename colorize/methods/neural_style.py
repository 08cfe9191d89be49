"""Neural style for colour (ASIAGRAPH 2016, JADH 2016): a stack of pictures descends from its content images.

Called by `colorize.colorizer` only. "Iteration" is one evaluation of loss and gradient. Whatever happens, the best
evaluated iterate is what comes out; a picture that never had a finite loss has none.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from colorize.recipe import Recipe
from colorize.vgg.encoder import Encoder
from colorize.vgg.lbfgs import Lbfgs, Sgd
from colorize.vgg.losses import Targets, Terms, loss_terms

TRACE_EVERY = 10

OnProgress = Callable[[int, int], None]
"""Called with iterations done and in all."""


@dataclass(frozen=True)
class Descent:
    """What a stack came to."""

    best: Tensor
    """(B, 3, H, W), unclamped; rows that never were finite hold the start."""
    finite: Tensor
    """bool (B,): was any loss finite?"""
    traces: tuple[tuple[Mapping[str, float], ...], ...]
    restored: Tensor
    """int (B,): how often the non-finite guard put a picture back on its last good iterate."""


def decay_at(recipe: Recipe, iteration: int) -> float:
    """What the schedule leaves of β/α at an iteration counted from 0, in (0, 1].

    `iteration`: decay^t as printed; `share`: decay^(1000 t/T), the same curve for a run of any length T.
    """
    if recipe.schedule == "fixed":
        return 1.0
    t = iteration if recipe.schedule == "iteration" else 1000 * iteration / recipe.iterations
    return float(recipe.decay**t)


def start_pictures(recipe: Recipe, contents: Tensor) -> Tensor:
    """The contents themselves, or uniform noise in [0, 255] from the recipe's seed, equal for every picture."""
    if recipe.start == "content":
        return contents.clone()
    generator = torch.Generator().manual_seed(recipe.seed)
    noise = torch.rand(contents.shape[1:], generator=generator) * 255
    return noise.to(contents).expand_as(contents).clone()


@dataclass
class _Run:
    """One descent in progress: where each picture is, was last good, and was best."""

    recipe: Recipe
    encoder: Encoder
    targets: Targets
    shape: torch.Size
    pictures: Tensor
    optimiser: Lbfgs | Sgd
    iteration: int = 0

    def __post_init__(self) -> None:
        rows = self.pictures.shape[0]
        self.good, self.good_gradient = self.pictures, torch.zeros_like(self.pictures)
        self.best, self.best_loss = self.pictures, self.pictures.new_full((rows, 1), torch.inf)
        self.last_loss = self.best_loss
        self.restored = torch.zeros(rows, dtype=torch.int64)
        self.traces: list[list[Mapping[str, float]]] = [[] for _ in range(rows)]

    def advance(self) -> None:
        """One evaluation, then one step; the step after the last evaluation would go unseen and is left out."""
        terms, gradient = self._evaluate()
        self._note(terms)
        loss = terms.total.detach()[:, None]
        bad = ~(loss.isfinite() & gradient.isfinite().all(1, keepdim=True))
        self.last_loss = torch.where(bad, torch.inf, loss)
        better = ~bad & (loss < self.best_loss)
        self.best = torch.where(better, self.pictures, self.best)
        self.best_loss = torch.where(better, loss, self.best_loss)
        self._guard(bad, gradient)
        self.iteration += 1
        if self.iteration < self.recipe.iterations:
            self.pictures = self.optimiser.step(self.good, self.good_gradient)

    def _evaluate(self) -> tuple[Terms, Tensor]:
        leaf = self.pictures.detach().requires_grad_()
        decay = decay_at(self.recipe, self.iteration)
        terms = loss_terms(self.recipe, self.encoder, self.targets, leaf.view(self.shape), decay)
        (gradient,) = torch.autograd.grad(terms.total.sum(), leaf)
        return terms, gradient

    def _guard(self, bad: Tensor, gradient: Tensor) -> None:
        """Rows with a non-finite loss go back to their last good iterate and lose the history that led astray."""
        self.good = torch.where(bad, self.good, self.pictures)
        self.good_gradient = torch.where(bad, self.good_gradient, gradient)
        self.restored += bad[:, 0].cpu()
        if bad.any():
            self.optimiser.forget(bad)

    def _note(self, terms: Terms) -> None:
        if self.iteration % TRACE_EVERY and self.iteration + 1 != self.recipe.iterations:
            return
        parts = torch.stack([terms.content, terms.style, terms.tv, terms.total]).detach().T.tolist()
        for trace, (content, style, tv, total) in zip(self.traces, parts, strict=True):
            trace.append({"iteration": self.iteration, "content": content, "style": style, "tv": tv, "total": total})


def descend(
    recipe: Recipe,
    encoder: Encoder,
    targets: Targets,
    contents: Tensor,
    on_progress: OnProgress | None = None,
) -> Descent:
    """Run the recipe's iterations on a stack of equal size.

    Args:
        contents: float, (B, 3, H, W), gray in [0, 255], three equal channels.
        on_progress: told after each iteration.
    """
    flat = start_pictures(recipe, contents).flatten(1)

    def run(optimiser: Lbfgs | Sgd, iterations: int) -> _Run:
        begun = _Run(recipe, encoder, targets, contents.shape, flat, optimiser)
        for _ in range(iterations):
            begun.advance()
        return begun

    if recipe.optimiser == "lbfgs":
        chosen = run(Lbfgs(recipe.history, recipe.step_limit), 0)
    else:
        tenth = max(1, recipe.iterations // 10)
        rates = _best_rates(recipe, [run(sgd, tenth) for sgd in _trials(recipe, flat)])
        chosen = run(Sgd(rates, recipe.step_limit), 0)
    while chosen.iteration < recipe.iterations:
        chosen.advance()
        if on_progress is not None:
            on_progress(chosen.iteration, recipe.iterations)
    return Descent(
        chosen.best.view(contents.shape),
        chosen.best_loss[:, 0].isfinite(),
        tuple(map(tuple, chosen.traces)),
        chosen.restored,
    )


def _trials(recipe: Recipe, flat: Tensor) -> Iterator[Sgd]:
    for rate in recipe.rates:
        yield Sgd(flat.new_full((flat.shape[0], 1), rate), recipe.step_limit)


def _best_rates(recipe: Recipe, trials: list[_Run]) -> Tensor:
    """Each picture's rate with the least total loss at the end of the first tenth, (B, 1)."""
    losses = torch.cat([run.last_loss for run in trials], dim=1)
    return losses.new_tensor(recipe.rates)[losses.argmin(1)][:, None]
