"""Means and shares with their intervals, as numbers for SVG."""

import pytest

from db.entries.statistics import Mean, Share
from db.review.view.interval_plot import LEFT, MOST_LINES, RIGHT, interval_plot


def test_dots_lie_on_their_intervals_and_the_axis_reaches_beyond_them() -> None:
    plot = interval_plot([("one", Mean(9, 0.31, 0.28, 0.34)), ("two", Mean(1, 0.47))])
    assert plot is not None
    one, two = plot.lines
    assert one.low is not None
    assert one.high is not None
    assert LEFT <= one.low < one.x < one.high < two.x <= RIGHT
    assert (two.low, plot.zero, plot.digits) == (None, None, 2)
    assert [round(tick.value, 2) for tick in plot.ticks] == [0.25, 0.3, 0.35, 0.4, 0.45, 0.5]


def test_a_difference_shows_where_nought_is() -> None:
    plot = interval_plot([("a − b", Mean(9, -0.1, -0.3, 0.1))])
    assert plot is not None
    assert plot.zero is not None
    assert LEFT < plot.zero < RIGHT


def test_nothing_known_is_no_plot_and_equal_figures_are_one() -> None:
    assert interval_plot([("none", Mean(0)), ("none", Share(0, 0))]) is None
    assert interval_plot([("zero", Mean(2, 0.0, 0.0, 0.0))]) is not None


def test_only_so_many_lines_are_drawn_and_long_names_are_cut() -> None:
    plot = interval_plot([("歌川" * 20, Share(1, 2, 0.5, 0.1, 0.9))] * 99, (0.0, 1.0))
    assert plot is not None
    assert len(plot.lines) == MOST_LINES
    assert plot.lines[0].name == "歌川" * 11 + "…"
    assert [tick.value for tick in plot.ticks] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
