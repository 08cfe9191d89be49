"""A plot of means or shares with their intervals, one line each, as numbers for SVG. Knows no catalogue and no words.

In user units of a drawing `WIDTH` wide, y downwards. The page shows it and saves it as a file.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from unicodedata import east_asian_width

from db.entries.statistics import Mean, Share

WIDTH: Final = 850
LEFT: Final = 340
RIGHT: Final = 740
"""Where the axis begins and ends."""
LINE: Final = 22
TOP: Final = 34
MOST_LINES: Final = 30
_NAME: Final = 46
"""Letters of a name, wide ones counted twice."""
_STEPS: Final = 5


@dataclass(frozen=True)
class Line:
    """One figure: its dot, and the interval where there is one."""

    name: str
    y: float
    x: float
    low: float | None
    high: float | None
    value: float
    of: int


@dataclass(frozen=True)
class Tick:
    """A value of the axis."""

    value: float
    x: float


@dataclass(frozen=True)
class IntervalPlot:
    """The drawing."""

    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    digits: int
    """Of the ticks, behind the point."""
    bottom: float
    zero: float | None
    """x of nought, where the axis reaches to both sides of it."""

    @property
    def height(self) -> float:
        """With the axis's numbers."""
        return self.bottom + 22


def interval_plot(
    figures: Sequence[tuple[str, Mean | Share]], ends: tuple[float, float] | None = None
) -> IntervalPlot | None:
    """The first lines with a figure; None where nothing has one.

    Args:
        ends: of the axis; left out, as far as the figures reach.
    """
    known = [(name, each, each.value) for name, each in figures if each.value is not None][:MOST_LINES]
    if not known:
        return None
    reached = [bound for _, each, value in known for bound in (value, each.low, each.high) if bound is not None]
    low, high = ends or (min(reached), max(reached))
    step = _step(high - low)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    low, high = first * step, max(last, first + 1) * step

    def x_of(value: float) -> float:
        return round(LEFT + (value - low) / (high - low) * (RIGHT - LEFT), 1)

    def bound(value: float | None) -> float | None:
        return None if value is None else x_of(value)

    lines = tuple(
        Line(_short(name), TOP + LINE * (place + 0.5), x_of(value), bound(each.low), bound(each.high), value, each.of)
        for place, (name, each, value) in enumerate(known)
    )
    ticks = tuple(Tick(number * step, x_of(number * step)) for number in range(first, max(last, first + 1) + 1))
    zero = x_of(0.0) if low < 0 < high else None
    return IntervalPlot(lines, ticks, max(0, -math.floor(math.log10(step))), TOP + LINE * len(lines), zero)


def _step(span: float) -> float:
    """1, 2 or 5 times a power of ten, so that a few of them make the span."""
    rough = (span or 1.0) / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= rough * 0.999)


def _short(name: str) -> str:
    room = _NAME
    for place, letter in enumerate(name):
        room -= 2 if east_asian_width(letter) in "WF" else 1
        if room < 0:
            return f"{name[: place - 1]}…"
    return name
