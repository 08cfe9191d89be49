"""Small plots as numbers for SVG: a figure among its like, and losses over iterations. Knows no catalogue and no words.

Everything is in user units of a drawing of `WIDTH` by `HEIGHT` (`TRACE_WIDTH` by `TRACE_HEIGHT`), y downwards.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

WIDTH: Final = 192
HEIGHT: Final = 40
TRACE_WIDTH: Final = 480
TRACE_HEIGHT: Final = 160
FEWEST: Final = 8
"""Figures under which a distribution says nothing."""
_BINS: Final = 32
_OUTLYING: Final = 0.01
"""Share at either end that is drawn in the outermost bar, so that one strange figure does not squeeze all others."""
TERMS: Final = ("total", "content", "style", "tv")
_LEAST: Final = 1e-6
"""Of the greatest loss: what is less is left out, since content may begin at a rounding error."""


@dataclass(frozen=True)
class Bar:
    """A bar that stands on the lower edge."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """A figure among its like."""

    bars: tuple[Bar, ...]
    marker: float
    """x of the figure."""
    below: int
    above: int
    """Per cent of the others that are lower, and that are higher."""
    of: int
    low: float
    high: float
    """Figures at the left and the right edge."""


def histogram(value: float, ascending: Sequence[float]) -> Histogram | None:
    """None where there are too few to compare with."""
    of = len(ascending)
    if of < FEWEST:
        return None
    outlying = int(of * _OUTLYING)
    low, high = min(value, ascending[outlying]), max(value, ascending[-1 - outlying])
    span = (high - low) or 1.0
    edges = [bisect_left(ascending, low + span * edge / _BINS) for edge in range(1, _BINS)]
    counts = [end - start for start, end in pairwise([0, *edges, of])]
    below, above = bisect_left(ascending, value), of - bisect_right(ascending, value)
    marker = round((value - low) / span * WIDTH, 1)
    return Histogram(_bars(counts), marker, round(100 * below / of), round(100 * above / of), of, low, high)


def _bars(counts: Sequence[int]) -> tuple[Bar, ...]:
    wide, most = WIDTH / len(counts), max(counts)
    tall = [round(count / most * (HEIGHT - 4), 1) for count in counts]
    return tuple(
        Bar(round(number * wide, 1), round(HEIGHT - height, 1), round(wide - 1, 1), height)
        for number, height in enumerate(tall)
        if height
    )


@dataclass(frozen=True)
class Curve:
    """A loss term as an SVG path, and where it begins and ends."""

    term: str
    path: str
    first: float
    last: float


@dataclass(frozen=True)
class Decade:
    """A power of ten and its height in the drawing."""

    value: float
    y: float


@dataclass(frozen=True)
class TracePlot:
    """Weighted losses over iterations, on a logarithmic axis."""

    curves: tuple[Curve, ...]
    decades: tuple[Decade, ...]
    first: int
    last: int
    """Iterations at the left and the right edge."""


def trace_plot(trace: Sequence[Mapping[str, Any]]) -> TracePlot | None:
    """None where there is no line to draw: no iterations, or no finite loss above 0."""
    points = [point for point in trace if isinstance(point.get("iteration"), int)]
    losses = {term: [_loss(point.get(term)) for point in points] for term in TERMS}
    known = [loss for values in losses.values() for loss in values if not math.isnan(loss)]
    if len(points) < 2 or not known:
        return None
    least = _LEAST * max(known)
    low = math.floor(math.log10(min(loss for loss in known if loss > least)))
    high = max(math.ceil(math.log10(max(known))), low + 1)
    first, last = points[0]["iteration"], points[-1]["iteration"]
    xs = [(point["iteration"] - first) / ((last - first) or 1) * TRACE_WIDTH for point in points]

    def height(loss: float) -> float:
        return round((high - math.log10(loss)) / (high - low) * TRACE_HEIGHT, 1)

    def curve(term: str, values: Sequence[float]) -> Curve | None:
        shown = [loss if loss > least else math.nan for loss in values]
        finite = [loss for loss in shown if not math.isnan(loss)]
        path = _path(
            [(round(x, 1), None if math.isnan(loss) else height(loss)) for x, loss in zip(xs, shown, strict=True)]
        )
        return Curve(term, path, finite[0], finite[-1]) if len(finite) > 1 else None

    drawn = tuple(found for term, values in losses.items() if (found := curve(term, values)))
    decades = tuple(Decade(10.0**exponent, height(10.0**exponent)) for exponent in range(low, high + 1))
    return TracePlot(drawn, decades, first, last) if drawn else None


def _loss(value: Any) -> float:
    """NaN for what a logarithmic axis cannot show; the catalogue keeps NaN and infinity as unknown."""
    usable = isinstance(value, int | float) and math.isfinite(value) and value > 0
    return float(value) if usable else math.nan


def _path(points: Sequence[tuple[float, float | None]]) -> str:
    """Joined where no loss is missing in between."""
    steps, joined = [], False
    for x, y in points:
        if y is not None:
            steps.append(f"{'L' if joined else 'M'}{x:g} {y:g}")
        joined = y is not None
    return "".join(steps)
