"""Descent for a stack of independent pictures: L-BFGS (Nocedal 1980) and plain gradient descent.

Each row of a (B, D) tensor is a picture with its own curvature, step and fate; rows never mix. Traps of a single
shared parameter tensor, fixed step 1 and silent early ends are the reason why this is not `torch.optim`.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

_CURVATURE_FLOOR = 1e-10
"""Smallest yᵀs that may enter the history, as in torch.optim.LBFGS."""


def _rows(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(1, keepdim=True)


def clamped(step: Tensor, limit: float) -> Tensor:
    """Each row shortened so that no entry exceeds `limit`; its direction is kept.

    A fixed step of 1 explodes on ordinary pairs (loss 2e5 → 1.7e13): hence the limit.
    """
    largest = step.abs().amax(1, keepdim=True)
    return step * (limit / largest.clamp_min(limit))


@dataclass
class Lbfgs:
    """Two-loop L-BFGS over rows.

    The first step of a row is −g · min(1, 1/‖g‖₁), later ones the quasi-Newton step; both are clamped.
    A pair without positive curvature is kept with weight zero, which leaves its row's direction untouched.
    """

    history: int
    step_limit: float
    _pairs: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)
    """(s, y, 1 / yᵀs or 0), oldest first."""
    _scale: Tensor | None = None
    """yᵀs / yᵀy of each row's newest good pair; 0 while a row has none."""
    _last: tuple[Tensor, Tensor] | None = None
    """Picture and gradient of the last evaluation."""

    def step(self, pictures: Tensor, gradient: Tensor) -> Tensor:
        """The next pictures, (B, D), after an evaluation at `pictures` gave `gradient`."""
        self._learn(pictures, gradient)
        self._last = (pictures, gradient)
        return pictures + clamped(self._direction(gradient), self.step_limit)

    def forget(self, rows: Tensor) -> None:
        """Drop the history of the rows where the bool (B, 1) mask is true: their next step is a first step."""
        self._pairs = [(s, y, torch.where(rows, 0.0, rho)) for s, y, rho in self._pairs]
        if self._scale is not None:
            self._scale = torch.where(rows, 0.0, self._scale)

    def _learn(self, pictures: Tensor, gradient: Tensor) -> None:
        if self._last is None or self._scale is None:
            self._scale = torch.zeros_like(gradient[:, :1])
            return
        s, y = pictures - self._last[0], gradient - self._last[1]
        curvature = _rows(y, s)
        good = curvature > _CURVATURE_FLOOR
        rho = torch.where(good, 1 / torch.where(good, curvature, 1.0), 0.0)
        self._scale = torch.where(good, curvature / _rows(y, y).clamp_min(1e-300), self._scale)
        self._pairs = [*self._pairs, (s, y, rho)][-self.history :]

    def _direction(self, gradient: Tensor) -> Tensor:
        assert self._scale is not None
        first = self._scale == 0
        q, weights = -gradient, []
        for s, y, rho in reversed(self._pairs):
            weight = rho * _rows(s, q)
            q = q - weight * y
            weights.append(weight)
        r = self._scale * q
        for (s, y, rho), weight in zip(self._pairs, reversed(weights), strict=True):
            r = r + s * (weight - rho * _rows(y, r))
        plain = -gradient / gradient.abs().sum(1, keepdim=True).clamp_min(1.0)
        return torch.where(first, plain, r)


@dataclass
class Sgd:
    """Gradient descent with one learning rate for each row."""

    rates: Tensor
    """(B, 1)."""
    step_limit: float

    def step(self, pictures: Tensor, gradient: Tensor) -> Tensor:
        """The next pictures, (B, D)."""
        return pictures + clamped(-self.rates * gradient, self.step_limit)

    def forget(self, rows: Tensor) -> None:
        """Halve the rates of the rows where the mask is true: a row that blew up would do so again."""
        self.rates = torch.where(rows, self.rates / 2, self.rates)
