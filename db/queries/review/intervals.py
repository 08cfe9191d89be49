"""Means and shares with their intervals of 95 %, from counts and sums alone; only the review's queries call it."""

from math import inf, sqrt
from typing import Final

from db.entries.statistics import Mean, Share

_TAIL: Final = 0.025


def mean_of(number: float, total: float, squares: float, least: float = -inf, most: float = inf) -> Mean:
    """Of so many figures with this sum and this sum of squares; the interval is Student's, between the two bounds."""
    count = int(number)
    if not count:
        return Mean(0)
    value = total / count
    if count == 1:
        return Mean(1, value)
    from scipy.special import stdtrit  # noqa: PLC0415  # most commands open the catalogue and need none of it

    variance = max(0.0, (squares - count * value * value) / (count - 1))
    half = float(stdtrit(count - 1, 1 - _TAIL)) * sqrt(variance / count)
    return Mean(count, value, max(value - half, least), min(value + half, most))


def share_of(number: int, of: int) -> Share:
    """Of so many; the interval is Jeffreys's, as Brown, Cai and DasGupta (2001) have it at the ends."""
    if not of:
        return Share(number, of)
    from scipy.special import betaincinv  # noqa: PLC0415  # as above

    low, high = (float(betaincinv(number + 0.5, of - number + 0.5, tail)) for tail in (_TAIL, 1 - _TAIL))
    return Share(number, of, number / of, low if number else 0.0, high if number < of else 1.0)
