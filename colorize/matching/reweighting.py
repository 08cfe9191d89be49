"""New weights of the matching rule from what curators said of its matches: called by `flows.match`.

A logistic regression on what the rule weighs, held near the weights in force by a prior, so that few verdicts move
little. Pure numbers: it knows neither records nor the catalogue.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FOLDS: Final = 5
_PRIOR: Final = 1.0
"""Standard deviation of a weight around the one in force, as a share of it."""
_SURE: Final = 1.64
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """Matches that curators judged, a row each."""

    values: Floats
    """(n, k), what the rule weighs."""
    good: Floats
    """(n,), 1: approved, 0: returned as a wrong match."""
    counts: Floats
    """(n,), how much the word counts, above 0."""
    groups: NDArray[np.int64]
    """(n,), of its content: those of one are held out together."""
    bounded: NDArray[np.bool_]
    """(k,), values whose weighed sum counts for ± `bound` at most."""
    bound: float
    steepness: float
    """Of the rule's score: log odds for each unit of the weighed sum."""

    def part(self, which: NDArray[np.bool_]) -> "Judged":
        """Some of the rows."""
        words = {"good": self.good[which], "counts": self.counts[which]}
        return replace(self, values=self.values[which], groups=self.groups[which], **words)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Refit:
    """What the verdicts make of the weights, and whether that holds on verdicts that were kept out."""

    weights: Floats
    """(k,), 0 to `most`."""
    loss_before: float
    """Mean log loss on held-out verdicts by the weights in force, in nats.

    Offset and scale are fitted to either weights: what only makes all scores smaller ranks nothing better.
    """
    loss_after: float
    """Likewise, by weights refitted without them."""
    error: float
    """Standard error of their difference."""

    @property
    def is_better(self) -> bool:
        """The gain on held-out verdicts is more than chance gives in nineteen of twenty cases."""
        return self.loss_before - self.loss_after > _SURE * self.error


def refit(judged: Judged, weights: Floats, most: float) -> Refit:
    """Weights by all verdicts, and the losses on each fold of contents by weights that were fitted without it.

    Args:
        weights: (k,), those in force; one of 0 stays 0.
        most: the largest that a weight may be.
    """
    folds = judged.groups % FOLDS
    before, after = np.zeros(len(folds)), np.zeros(len(folds))
    for fold in np.unique(folds):
        held = folds == fold
        rest, kept_out = judged.part(~held), judged.part(held)
        for losses, tried in ((before, weights), (after, _fitted(rest, weights, most))):
            losses[held] = _losses(kept_out, tried, *_calibration(rest, tried))
    share = judged.counts / judged.counts.sum()
    gains = before - after
    mean = float(share @ gains)
    error = float(np.sqrt(share**2 @ (gains - mean) ** 2))
    return Refit(_fitted(judged, weights, most), float(share @ before), float(share @ after), error)


def _fitted(judged: Judged, weights: Floats, most: float) -> Floats:
    """The weights with the largest posterior: log likelihood of the verdicts, and the prior."""

    def posterior(scaled: Floats) -> tuple[float, Floats]:
        tried, offset = weights * scaled[:-1], scaled[-1]
        odds, slopes = _odds(judged, tried)
        missed = judged.counts * (_probability(odds + offset) - judged.good)
        loss = judged.counts @ _losses_of(judged, odds + offset)
        away = (scaled[:-1] - 1) / _PRIOR
        gradient = (missed @ slopes) * weights + away / _PRIOR
        return float(loss + away @ away / 2), np.append(gradient, missed.sum())

    free = weights > 0
    highest = np.where(free, most / np.where(free, weights, 1), 1)
    start = np.append(np.ones(len(weights)), 0.0)
    limits = [*zip(np.zeros(len(weights)), highest, strict=True), (None, None)]
    found = minimize(posterior, start, jac=True, method="L-BFGS-B", bounds=limits)
    fitted: Floats = weights * found.x[:-1]
    return fitted


def _odds(judged: Judged, weights: Floats) -> tuple[Floats, Floats]:
    """Log odds of each row without the offset, (n,), and what each weight does to them, (n, k)."""
    parts = judged.values * weights
    of_picture = parts[:, judged.bounded].sum(1)
    inside = np.abs(of_picture) < judged.bound
    total = parts[:, ~judged.bounded].sum(1) + np.clip(of_picture, -judged.bound, judged.bound)
    slopes = judged.values * np.where(judged.bounded, inside[:, None], True)
    return judged.steepness * total, judged.steepness * slopes


def _calibration(judged: Judged, weights: Floats) -> tuple[float, float]:
    """The best scale, at least 0, and offset of the weights' odds: curators approve more or less, whatever it is."""
    odds, _ = _odds(judged, weights)

    def loss(line: Floats) -> float:
        losses = judged.counts @ _losses_of(judged, line[0] * odds + line[1])
        return float(losses + ((line[0] - 1) ** 2 + line[1] ** 2) / 200)

    scale, offset = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0, None), (None, None)]).x
    return float(scale), float(offset)


def _losses(judged: Judged, weights: Floats, scale: float, offset: float) -> Floats:
    return _losses_of(judged, scale * _odds(judged, weights)[0] + offset)


def _losses_of(judged: Judged, odds: Floats) -> Floats:
    losses: Floats = np.logaddexp(0, (1 - 2 * judged.good) * odds)
    return losses


def _probability(odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
    return found
