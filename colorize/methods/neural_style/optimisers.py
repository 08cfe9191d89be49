"""Optimisation for a minibatch of independent pictures: L-BFGS (Nocedal 1980) and plain gradient descent.

Each row of a (B, D) tensor is a picture with its own curvature, step and fate; rows never mix. Traps of a single
shared parameter tensor, fixed step 1 and silent early ends are the reason why this is not `torch.optim`.

Every optimiser works in place on tensors of fixed shape, rows first, and asks nothing of the host, so that a CUDA
graph can hold a step and a checkpoint is its `tensors` as they lie.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd
from typing import Protocol

import torch
from torch import Tensor

_CURVATURE_FLOOR = 1e-10
"""Smallest yᵀs that may enter the history, as in torch.optim.LBFGS."""
_BOLDER, _BOLDEST = 10.0, 1e12
"""Factor of each step that met no positive curvature while there is no history, and its limit; the clamp is above."""


_PARTS = 64
"""Parts of a picture that inner products are taken of at once: 16 pictures keep every multiprocessor of a card busy."""


class Optimiser(Protocol):
    """What a descent asks of its optimiser."""

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """All that it remembers, rows first."""

    def learn(self, moved: Tensor, bent: Tensor) -> None:
        """Take in what a step came to: s = x − x' and y = g − g', each (B, D); zeros teach nothing."""

    def step(self, gradient: Tensor) -> Tensor:
        """The next step from where `gradient` (B, D) was found, clamped."""

    def forget(self, rows: Tensor) -> None:
        """Make the rows where the bool (B, 1) mask is true begin anew."""


def row_sums(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of each row, (B, 1)."""
    return (a * b).sum(1, keepdim=True)


def clamped(step: Tensor, limit: float) -> Tensor:
    """Each row shortened so that no entry exceeds `limit`; its direction is kept.

    A fixed step of 1 explodes on ordinary pairs (loss 2e5 → 1.7e13): hence the limit.
    """
    largest = step.abs().amax(1, keepdim=True)
    return step * (limit / largest.clamp_min(limit))


def first_step(gradient: Tensor) -> Tensor:
    """−g · min(1, 1/‖g‖₁): what a row without a history does, as in torch.optim.LBFGS."""
    return -gradient / gradient.abs().sum(1, keepdim=True).clamp_min(1.0)


class _History:
    """The last m pairs of every row in a ring, with their weights.

    A pair without positive curvature is kept with weight zero, which leaves its row's direction untouched.
    """

    def __init__(self, like: Tensor, history: int, step_limit: float) -> None:
        rows, size = like.shape
        self.history, self.step_limit = history, step_limit
        self.tensors: dict[str, Tensor] = {
            "pairs": like.new_zeros(rows, 2 * history, size),
            "weights": like.new_zeros(rows, history),
            "scale": like.new_zeros(rows, 1),
            "boldness": like.new_ones(rows, 1),
            "learned": torch.zeros(rows, dtype=torch.int64, device=like.device),
        }

    @property
    def pairs(self) -> Tensor:
        """The s of each slot, then the y of each: (B, 2m, D), or in parts (B, parts, 2m, D / parts)."""
        return self.tensors["pairs"]

    @property
    def weights(self) -> Tensor:
        """1 / yᵀs of each slot or 0: (B, m)."""
        return self.tensors["weights"]

    @property
    def scale(self) -> Tensor:
        """yᵀs / yᵀy of each row's newest good pair; 0 while a row has none: (B, 1)."""
        return self.tensors["scale"]

    @property
    def boldness(self) -> Tensor:
        """How much longer than a first step the next one is, while there is no good pair: (B, 1).

        Where the loss curves downwards at the start, first steps of a thousandth of a grey level would go on for ever.
        """
        return self.tensors["boldness"]

    def forget(self, rows: Tensor) -> None:
        """Drop the rows' history: their next step is a first step."""
        self.weights.masked_fill_(rows, 0.0)
        self.scale.masked_fill_(rows, 0.0)
        self.boldness.masked_fill_(rows, 1.0)

    def _weigh(self, moved: Tensor, bent: Tensor) -> Tensor:
        """The pair's weight, (B, 1); the scale follows the newest good pair."""
        curvature = row_sums(bent, moved)
        good = curvature > _CURVATURE_FLOOR
        newest = curvature / row_sums(bent, bent).clamp_min(torch.finfo(bent.dtype).tiny)
        self.scale.copy_(torch.where(good, newest, self.scale))
        bolder = torch.where((moved != 0).any(1, keepdim=True), _BOLDER * self.boldness, self.boldness)
        self.boldness.copy_(torch.where(good, 1.0, bolder).clamp_max(_BOLDEST))
        return torch.where(good, 1 / torch.where(good, curvature, 1.0), 0.0)

    def _finished(self, gradient: Tensor, direction: Tensor) -> Tensor:
        first = first_step(gradient) * self.boldness
        return clamped(torch.where(self.scale == 0, first, direction), self.step_limit)


class Lbfgs(_History):
    """Two-loop L-BFGS over rows: for a CPU, where the host knows which slot is the newest."""

    def learn(self, moved: Tensor, bent: Tensor) -> None:
        """As Optimiser says."""
        slot = int(self.tensors["learned"][0]) % self.history
        self.pairs[:, slot].copy_(moved)
        self.pairs[:, self.history + slot].copy_(bent)
        self.weights[:, slot : slot + 1].copy_(self._weigh(moved, bent))
        self.tensors["learned"] += 1

    def step(self, gradient: Tensor) -> Tensor:
        """As Optimiser says."""
        learned = int(self.tensors["learned"][0])
        newest_first = [slot % self.history for slot in range(learned - 1, max(-1, learned - 1 - self.history), -1)]
        direction, taken = -gradient, dict[int, Tensor]()
        for slot in newest_first:
            taken[slot] = self.weights[:, slot : slot + 1] * row_sums(self.pairs[:, slot], direction)
            direction.addcmul_(self.pairs[:, self.history + slot], taken[slot], value=-1)
        direction.mul_(self.scale)
        for slot in reversed(newest_first):
            back = self.weights[:, slot : slot + 1] * row_sums(self.pairs[:, self.history + slot], direction)
            direction.addcmul_(self.pairs[:, slot], taken[slot] - back)
        return self._finished(gradient, direction)


class OnePassLbfgs(_History):
    """The same direction from inner products alone: the loops run over 2m+1 numbers, not over pictures.

    For a GPU: nothing waits for the host (Chen et al. 2014, "Large-scale L-BFGS using MapReduce"). The pairs' inner
    products with one another are kept, and a step adds only those of the newest pair; pictures lie in parts, so that
    the sums of a few long rows occupy the whole card. 3–5 times slower than two loops on a CPU.
    """

    def __init__(self, like: Tensor, history: int, step_limit: float) -> None:
        super().__init__(like, history, step_limit)
        rows, size = like.shape
        self._parts = gcd(size, _PARTS)
        self.tensors["pairs"] = self.pairs.view(rows, self._parts, 2 * history, size // self._parts)
        self.tensors["products"] = like.new_zeros(rows, 2 * history, 2 * history)

    def learn(self, moved: Tensor, bent: Tensor) -> None:
        """As Optimiser says."""
        slot = self.tensors["learned"][:1] % self.history
        newest = self._in_parts(torch.stack([moved, bent], dim=1))
        both = torch.cat([slot, slot + self.history])
        self.pairs.index_copy_(2, both, newest)
        products = self._with_pairs(newest)
        self.tensors["products"].index_copy_(2, both, products)
        self.tensors["products"].index_copy_(1, both, products.transpose(1, 2))
        self.weights.index_copy_(1, slot, self._weigh(moved, bent))
        self.tensors["learned"].add_(1)

    def step(self, gradient: Tensor) -> Tensor:
        """As Optimiser says."""
        m, rows = self.history, len(gradient)
        ages = torch.arange(m, device=gradient.device)
        newest_first = (self.tensors["learned"][:1] - 1 - ages) % m
        weights = self.weights.index_select(1, newest_first)
        order = torch.cat([newest_first, newest_first + m])
        with_pairs = self.tensors["products"].index_select(1, order).index_select(2, order)
        with_gradient = self._with_pairs(self._in_parts(gradient[:, None])).index_select(1, order)
        # Coefficients over s (newest first), y (newest first) and g of the direction as it grows.
        products = torch.cat([with_pairs, with_gradient], dim=2)
        coefficients = gradient.new_zeros(rows, 2 * m + 1)
        coefficients[:, -1] = -1
        taken = []
        for age in range(m):
            taken.append(weights[:, age] * (products[:, age] * coefficients).sum(1))
            coefficients[:, m + age] -= taken[age]
        coefficients *= self.scale
        for age in reversed(range(m)):
            back = weights[:, age] * (products[:, m + age] * coefficients).sum(1)
            coefficients[:, age] += taken[age] - back
        in_slots = torch.zeros_like(coefficients[:, :-1]).index_copy_(1, order, coefficients[:, :-1])
        over_parts = in_slots[:, None, None].expand(-1, self._parts, -1, -1)
        direction = torch.matmul(over_parts, self.pairs).view_as(gradient) + coefficients[:, -1:] * gradient
        return self._finished(gradient, direction)

    def _in_parts(self, rows: Tensor) -> Tensor:
        """(B, n, D) → (B, parts, n, D / parts)."""
        return rows.view(*rows.shape[:2], self._parts, -1).transpose(1, 2)

    def _with_pairs(self, rows: Tensor) -> Tensor:
        """Inner products of each pair with rows in parts: (B, parts, n, D / parts) → (B, 2m, n).

        Row by row: cuBLAS multiplies by one vector at the memory's pace, and by two at a third of it.
        """
        return torch.cat([torch.matmul(self.pairs, row[..., None]).sum(1) for row in rows.unbind(2)], dim=2)


@dataclass
class Sgd:
    """Gradient descent with one learning rate for each row."""

    rates: Tensor
    """(B, 1)."""
    step_limit: float

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """As Optimiser says."""
        return {"rates": self.rates}

    def learn(self, moved: Tensor, bent: Tensor) -> None:
        """A fixed rate learns nothing."""

    def step(self, gradient: Tensor) -> Tensor:
        """As Optimiser says."""
        return clamped(-self.rates * gradient, self.step_limit)

    def forget(self, rows: Tensor) -> None:
        """Halve the rates of the rows where the mask is true: a row that blew up would do so again."""
        self.rates.copy_(torch.where(rows, self.rates / 2, self.rates))
