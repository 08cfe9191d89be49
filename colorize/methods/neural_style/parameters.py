"""What neural style is tuned by; loads nothing heavy."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, Self

from colorize.methods.base import Parameters, not_among, out_of_range

Formula = Literal["asiagraph2016", "jadh2016"]
Optimiser = Literal["lbfgs", "sgd"]
Schedule = Literal["fixed", "iteration", "share"]
Start = Literal["content", "noise"]


@dataclass(frozen=True)
class NeuralStyle(Parameters):
    """Parameters of the method `neural_style`; its layers are the recipe's own, which the errors are taken on too."""

    formula: Formula
    """Which paper's content and style losses are taken (`colorize.methods.neural_style.losses`)."""
    style_over_content: float
    """β/α with α = 1, dimensionless; for asiagraph2016 in units of 2·N·M of the first content layer."""
    tv_weight: float
    """γ of the total variation loss over R, G, B in [0, 255]; 0 is none."""
    optimiser: Optimiser
    schedule: Schedule
    """β/α fixed; times `decay` each iteration; or the same curve stretched over a run of any length."""
    decay: float = 0.9975
    iterations: int = 1000
    """Evaluations of loss and gradient; SGD spends a tenth for each of its rates besides, to choose one."""
    start: Start = "content"
    history: int = 10
    """Pairs that L-BFGS keeps."""
    step_limit: float = 40.0
    """Largest change of any channel of any pixel in one step, in grey levels."""
    rates: tuple[float, ...] = (0.01, 0.1, 1.0)
    """Learning rates that SGD chooses from, by total loss after the first tenth."""

    def problems(self) -> Iterator[str]:
        """Values out of range, and rates that are none."""
        yield from not_among(self, _CHOICES)
        yield from out_of_range(self, _RANGES)
        if not self.rates:
            yield "rates must not be empty"
        if not all(0 < rate <= 1e6 for rate in self.rates):
            yield f"rates are {self.rates}; give numbers above 0, to 1e6"

    def in_steps(self, iterations: int | None) -> Self:
        """A run of that length; a shorter one passes through the whole decrease of β/α."""
        if iterations is None:
            return self
        shorter = iterations < self.iterations and self.schedule == "iteration"
        return replace(self, iterations=iterations, schedule="share" if shorter else self.schedule)


_CHOICES = {"formula": Formula, "optimiser": Optimiser, "schedule": Schedule, "start": Start}
_RANGES = {
    "style_over_content": (0.0, 1e12),
    "tv_weight": (0.0, 1e6),
    "decay": (1e-6, 1.0),
    "iterations": (0, 100_000),
    "history": (1, 200),
    "step_limit": (1e-3, 255.0),
}
