"""Neural style for colour (ASIAGRAPH 2016, JADH 2016): a minibatch of pictures descends from its content images.

Called by `painting.py` only. "Iteration" is one evaluation of loss and gradient. Whatever happens, the best
evaluated iterate is what comes out; a picture that never had a finite loss has none. All that a descent is, is
tensors with the pictures as rows and a few words: it can be put down after any iteration and taken up again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from colorize.methods.neural_style.cuda_graph import captured
from colorize.methods.neural_style.losses import Evaluator, Targets
from colorize.methods.neural_style.optimisers import Lbfgs, OnePassLbfgs, Optimiser, Sgd
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.recipe import Recipe

TRACE_EVERY = 10
GIVEN_UP = 10
"""Evaluations without a finite loss in a row, after which a picture stays where it last was good."""

OnIteration = Callable[["Optimisation"], None]


def decay_at(recipe: Recipe, iteration: int) -> float:
    """What the schedule leaves of β/α at an iteration counted from 0, in (0, 1].

    `iteration`: decay^t as printed; `share`: decay^(1000 t/T), the same curve for a run of any length T.
    """
    own = NeuralStyle.of(recipe)
    if own.schedule == "fixed":
        return 1.0
    t = iteration if own.schedule == "iteration" else 1000 * iteration / max(1, own.iterations)
    return float(own.decay**t)


def start_pictures(recipe: Recipe, contents: Tensor) -> Tensor:
    """The contents themselves, or uniform noise in [0, 255] from the recipe's seed, equal for every picture."""
    if NeuralStyle.of(recipe).start == "content":
        return contents.clone()
    generator = torch.Generator().manual_seed(recipe.seed)
    noise = torch.rand(contents.shape[1:], generator=generator) * 255
    return noise.to(contents).expand_as(contents).clone()


@dataclass(frozen=True)
class Optimised:
    """What a minibatch came to."""

    best: Tensor
    """(B, 3, H, W), unclamped; rows that never were finite hold the start."""
    finite: Tensor
    """Was any loss finite? bool (B,); where none was asked for, none was missed."""
    restored: Tensor
    """How often the non-finite guard put a picture back on its last good iterate, int (B,)."""
    traces: Sequence[Sequence[Mapping[str, float]]]
    """The loss terms every TRACE_EVERY iterations and at the last, picture by picture."""


class OptimisationState:
    """One optimiser's state: where each picture is, was last good, and was best; and what was noted of it."""

    def __init__(self, evaluator: Evaluator, targets: Targets, start: Tensor, optimiser: Optimiser) -> None:
        self.evaluator, self.targets, self._shape, self._optimiser = evaluator, targets, start.shape, optimiser
        flat = start.flatten(1)
        rows = len(flat)
        counts = torch.zeros(rows, 1, dtype=torch.int64, device=flat.device)
        self.tensors: dict[str, Tensor] = {
            "pictures": flat.clone(),
            "good": flat.clone(),
            "good_gradient": torch.zeros_like(flat),
            "best": flat.clone(),
            "best_loss": flat.new_full((rows, 1), torch.inf),
            "last_loss": flat.new_full((rows, 1), torch.inf),
            "restored": counts,
            "bad_in_a_row": counts.clone(),
            "given_up": torch.zeros(rows, 1, dtype=torch.bool, device=flat.device),
            **optimiser.tensors,
        }
        self.iteration = 0
        self.traces: list[list[Mapping[str, float]]] = [[] for _ in range(rows)]
        self._decay = flat.new_zeros(())
        self._terms = flat.new_zeros(4, rows)
        self._replay: Callable[[], None] | None = None  # of the graph; a method of its own here would be a cycle

    @property
    def recipe(self) -> Recipe:
        """What is descended."""
        return self.evaluator.recipe

    def advance(self) -> None:
        """One evaluation, then the step to the next place."""
        self._decay.fill_(decay_at(self.recipe, self.iteration))
        (self._replay or self._advance_in_place)()
        if self.iteration % TRACE_EVERY == 0 or self.iteration + 1 == self.recipe.parameters.iterations:
            self._note()
        self.iteration += 1

    def capture(self) -> None:
        """Hold an iteration in a CUDA graph: one launch in place of some hundred."""
        self._replay = captured(self._advance_in_place, self.tensors)

    def release(self) -> None:
        """Give the graph's memory back; the state stays."""
        self._replay = None

    @torch.no_grad()
    def _advance_in_place(self) -> None:
        """Nothing here may change a shape, make a tensor that outlives it, or wait for the device."""
        at = self.tensors
        terms, gradient = self.evaluator.evaluate(self.targets, at["pictures"].view(self._shape), self._decay)
        gradient = gradient.flatten(1)
        loss = terms.total[:, None]
        bad = ~(loss.isfinite() & gradient.isfinite().all(1, keepdim=True))
        self._terms.copy_(torch.stack([terms.content, terms.style, terms.tv, terms.total]))
        self._remember(loss, bad)
        # A bad row stays at its last good place, learns nothing there and forgets what led astray.
        moved = torch.where(bad, 0.0, at["pictures"] - at["good"])
        bent = torch.where(bad, 0.0, gradient - at["good_gradient"])
        at["good"].copy_(torch.where(bad, at["good"], at["pictures"]))
        at["good_gradient"].copy_(torch.where(bad, at["good_gradient"], gradient))
        self._optimiser.learn(moved, bent)
        self._optimiser.forget(bad)
        step = self._optimiser.step(at["good_gradient"])
        at["pictures"].copy_(at["good"]).add_(torch.where(at["given_up"], 0.0, step))

    def _remember(self, loss: Tensor, bad: Tensor) -> None:
        at = self.tensors
        at["last_loss"].copy_(torch.where(bad, torch.inf, loss))
        better = ~bad & (loss < at["best_loss"])
        at["best"].copy_(torch.where(better, at["pictures"], at["best"]))
        at["best_loss"].copy_(torch.where(better, loss, at["best_loss"]))
        at["restored"].add_(bad)
        at["bad_in_a_row"].add_(1).mul_(bad)
        at["given_up"].logical_or_(at["bad_in_a_row"] >= GIVEN_UP)

    def _note(self) -> None:
        for trace, (content, style, tv, total) in zip(self.traces, self._terms.T.tolist(), strict=True):
            trace.append({"iteration": self.iteration, "content": content, "style": style, "tv": tv, "total": total})


class Optimisation:
    """A minibatch's optimisation: SGD's trials first, one for each rate over the first tenth, then the chosen one.

    The trial of the best rate goes on as the chosen one, row by row, so nothing is computed twice.
    """

    def __init__(self, evaluator: Evaluator, targets: Targets, contents: Tensor) -> None:
        self._evaluator, self._targets, self._shape = evaluator, targets, contents.shape
        self.recipe = evaluator.recipe
        start = start_pictures(self.recipe, contents)
        self.states = [
            OptimisationState(evaluator, targets, start, optimiser) for optimiser in _optimisers(self.recipe, start)
        ]
        self._trial = min(self.recipe.parameters.iterations, max(1, self.recipe.parameters.iterations // 10))
        self._besides = (len(self.states) - 1) * self._trial
        """Evaluations of rates that will not be chosen."""

    @property
    def iterations(self) -> int:
        """Evaluations in all."""
        return self.recipe.parameters.iterations + self._besides

    @property
    def done(self) -> int:
        """Evaluations made."""
        chosen = len(self.states) == 1
        return sum(state.iteration for state in self.states) + chosen * self._besides

    def run(self, on_iteration: OnIteration | None = None) -> None:
        """Go on to the last iteration."""
        if len(self.states) > 1:
            for state in self.states:
                self._to(state, self._trial, on_iteration)
            self.states = [self._best_of(self.states)]
        self._to(self.states[0], self.recipe.parameters.iterations, on_iteration)

    def _to(self, state: OptimisationState, iteration: int, on_iteration: OnIteration | None) -> None:
        if state.iteration < iteration and state.tensors["pictures"].is_cuda:
            state.capture()
        while state.iteration < iteration:
            state.advance()
            if on_iteration is not None:
                on_iteration(self)
        state.release()

    def _best_of(self, trials: Sequence[OptimisationState]) -> OptimisationState:
        """Each picture's trial with the least total loss at the end of the first tenth, as one state."""
        choice = torch.cat([state.tensors["last_loss"] for state in trials], dim=1).argmin(1)
        rows = torch.arange(len(choice), device=choice.device)
        names = trials[0].tensors
        chosen = {name: torch.stack([state.tensors[name] for state in trials])[choice, rows] for name in names}
        start, optimiser = (
            chosen["pictures"].view(self._shape),
            Sgd(chosen["rates"], NeuralStyle.of(self.recipe).step_limit),
        )
        state = OptimisationState(self._evaluator, self._targets, start, optimiser)
        for name, each in chosen.items():
            state.tensors[name].copy_(each)
        state.traces = [trials[which].traces[row] for row, which in enumerate(choice.tolist())]
        state.iteration = self._trial
        return state

    def optimised(self) -> Optimised:
        """What it has come to."""
        state = self.states[0]
        return Optimised(
            best=state.tensors["best"].view(self._shape),
            finite=state.tensors["best_loss"][:, 0].isfinite() | (self.recipe.parameters.iterations == 0),
            restored=state.tensors["restored"][:, 0],
            traces=state.traces,
        )

    def state(self, row: int) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """One picture's tensors by "number.name", and in words how far each state is and what was noted."""
        tensors = {
            f"{number}.{name}": each[row].cpu()
            for number, state in enumerate(self.states)
            for name, each in state.tensors.items()
        }
        words = {
            "iterations": [state.iteration for state in self.states],
            "traces": [state.traces[row] for state in self.states],
        }
        return tensors, words

    def take_up(self, states: Sequence[tuple[Mapping[str, Tensor], Mapping[str, Any]]]) -> None:
        """Go on from the states of all pictures, which must be equally far."""
        iterations = states[0][1]["iterations"]
        if len(iterations) < len(self.states):
            self.states = self.states[:1]
        for number, state in enumerate(self.states):
            state.iteration = iterations[number]
            state.traces = [list(words["traces"][number]) for _, words in states]
            for name, each in state.tensors.items():
                each.copy_(torch.stack([tensors[f"{number}.{name}"] for tensors, _ in states]))


def _optimisers(recipe: Recipe, start: Tensor) -> Iterator[Optimiser]:
    own, flat = NeuralStyle.of(recipe), start.flatten(1)
    if own.optimiser == "lbfgs":
        kind: type[Lbfgs | OnePassLbfgs] = OnePassLbfgs if flat.is_cuda else Lbfgs
        yield kind(flat, own.history, own.step_limit)
        return
    for rate in own.rates:
        yield Sgd(flat.new_full((len(flat), 1), rate), own.step_limit)
