"""The small plots: where a figure stands among its like, and how losses become lines."""

import math

import pytest

from db.review.view.plots import FEWEST, HEIGHT, TRACE_HEIGHT, TRACE_WIDTH, WIDTH, histogram, trace_plot


def test_a_figure_is_told_by_how_many_are_lower_and_how_many_are_higher() -> None:
    plot = histogram(3.0, [1.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    assert plot is not None
    assert (plot.below, plot.above, plot.of) == (20, 50, 10)


def test_the_marker_stands_where_the_figure_lies_between_the_ends() -> None:
    plot = histogram(25.0, [float(n) for n in range(101)])
    assert plot is not None
    assert (plot.low, plot.high) == (1.0, 99.0)  # the outermost hundredth does not stretch the plot
    assert plot.marker == pytest.approx(24 / 98 * WIDTH, abs=0.05)


def test_a_figure_beyond_all_others_is_within_the_drawing() -> None:
    plot = histogram(500.0, [float(n) for n in range(100)])
    assert plot is not None
    assert (plot.marker, plot.high, plot.below, plot.above) == (WIDTH, 500.0, 100, 0)


def test_bars_stand_on_the_lower_edge_and_the_tallest_leaves_room_for_the_marker() -> None:
    plot = histogram(0.5, [0.1] * 30 + [0.9] * 10)
    assert plot is not None
    assert len(plot.bars) == 2
    assert all(bar.y + bar.height == HEIGHT and bar.x + bar.width <= WIDTH for bar in plot.bars)
    assert plot.bars[0].height == pytest.approx(3 * plot.bars[1].height)


def test_equal_figures_have_one_bar() -> None:
    plot = histogram(0.3, [0.3] * 20)
    assert plot is not None
    assert (len(plot.bars), plot.below, plot.above) == (1, 0, 0)


def test_few_figures_are_not_compared() -> None:
    assert histogram(1.0, [1.0] * (FEWEST - 1)) is None


def test_losses_are_drawn_on_a_logarithmic_axis() -> None:
    plot = trace_plot(
        [{"iteration": 0, "total": 100.0}, {"iteration": 50, "total": 10.0}, {"iteration": 100, "total": 1.0}]
    )
    assert plot is not None
    (total,) = plot.curves
    middle = f"L{TRACE_WIDTH / 2:g} {TRACE_HEIGHT / 2:g}"
    assert total.path == f"M0 0{middle}L{TRACE_WIDTH} {TRACE_HEIGHT}"
    assert [decade.value for decade in plot.decades] == pytest.approx([1.0, 10.0, 100.0])
    assert (plot.first, plot.last, total.first, total.last) == (0, 100, 100.0, 1.0)


def test_a_loss_that_is_no_number_leaves_a_gap() -> None:
    losses = [8.0, 4.0, None, math.nan, 2.0, 1.0]
    plot = trace_plot([{"iteration": n, "total": loss} for n, loss in enumerate(losses)])
    assert plot is not None
    assert plot.curves[0].path.count("M") == 2


def test_terms_that_are_nothing_are_left_out() -> None:
    plot = trace_plot([{"iteration": n, "total": 1.0, "content": 0.0, "style": 1e-12, "tv": 0.5} for n in range(3)])
    assert plot is not None
    assert [curve.term for curve in plot.curves] == ["total", "tv"]


@pytest.mark.parametrize(
    "trace",
    [(), [{"iteration": 0, "total": 1.0}], [{"loss": 2.0}, {"loss": 1.0}], [{"iteration": n} for n in range(3)]],
)
def test_where_there_is_no_line_nothing_is_drawn(trace: list[dict[str, float]]) -> None:
    assert trace_plot(trace) is None
