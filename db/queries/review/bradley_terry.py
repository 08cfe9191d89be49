"""Strengths of recipes by which of two was chosen; only the comparisons' queries call it."""

from collections.abc import Mapping
from typing import Any, Final

from db.entries.statistics import Mean

_PRIOR: Final = 1 / 9
"""Precision of a normal prior of standard deviation 3 on each strength: who won every time keeps a finite one."""
_NORMAL: Final = 1.959964
"""Its quantile at .975."""


def strengths(won: Mapping[tuple[str, str], float]) -> list[tuple[str, Mean]]:
    """Each recipe's chance against one of mean strength, with its interval of 95 %; the strongest first.

    Bradley and Terry (1952): the chance that i beats j is s(β_i − β_j), s the logistic function. β is where the
    posterior is highest, and the interval by its curvature there.

    Args:
        won: (winner, loser) → how often; half of those without a winner each way.
    """
    names = sorted({name for pair in won for name in pair})
    if not names:
        return []
    import numpy as np  # noqa: PLC0415  # most commands open the catalogue and need none of them
    from scipy.optimize import minimize  # noqa: PLC0415
    from scipy.special import expit, log_expit  # noqa: PLC0415

    wins = np.zeros((len(names), len(names)))
    for (winner, loser), number in won.items():
        wins[names.index(winner), names.index(loser)] += number
    played = wins + wins.T

    def loss(beta: Any) -> tuple[float, Any]:
        apart = beta[:, None] - beta[None, :]
        gradient = _PRIOR * beta - (wins - played * expit(apart)).sum(axis=1)
        return float(_PRIOR / 2 * beta @ beta - (wins * log_expit(apart)).sum()), gradient

    def curvature(beta: Any) -> Any:
        apart = expit(beta[:, None] - beta[None, :])
        weights = played * apart * (1 - apart)
        return np.diag(weights.sum(axis=1) + _PRIOR) - weights

    beta = minimize(loss, np.zeros(len(names)), jac=True, hess=curvature, method="trust-exact").x
    from_mean = np.eye(len(names)) - 1 / len(names)
    deviation = np.sqrt(np.diag(from_mean @ np.linalg.inv(curvature(beta)) @ from_mean))
    bounds = expit([beta, beta - _NORMAL * deviation, beta + _NORMAL * deviation])
    found = [
        (name, Mean(round(number), *map(float, bounds[:, place])))
        for place, (name, number) in enumerate(zip(names, played.sum(axis=1), strict=True))
    ]
    return sorted(found, key=lambda each: (-(each[1].value or 0), each[0]))
