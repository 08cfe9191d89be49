"""The figures of a sweep: bars of relative errors, curves of the loss. Bytes come out.

Drawn with matplotlib's objects, not its global state. Knows no catalogue; words of an archive never get here.
"""

import textwrap
from collections.abc import Callable, Sequence
from io import BytesIO
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from colorize.recipes.recipe import Recipe
from db.entries.night import AttemptEntry
from flows.sweep.tables import ConfigRow

BARS = {"content error": "#4477aa", "style error": "#cc6677"}
"""Colours that colour-blind eyes tell apart."""
CURVES = ("#4477aa", "#cc6677", "#228833", "#aa3377", "#66ccee", "#bbbbbb")
GAP, WIDE_GAP = 0.7, 1.6
"""Room between optimisations and between layer settings, in configurations."""
DPI = 150


def error_bars(rows: Sequence[ConfigRow], title: str) -> Figure:
    """Content and style error per configuration with their standard deviations, the total as a mark above."""
    figure = Figure(figsize=(max(8.0, 2.5 + 0.38 * len(rows)), 6.4), layout="constrained")
    axes = figure.subplots()
    places = _places([row.recipe for row in rows])
    _draw_bars(axes, rows, places)
    _mark_totals(axes, rows, places)
    _name_groups(axes, rows, places)
    axes.set_ymargin(0.3)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("relative error, mean over elements")
    axes.grid(axis="y", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", ncols=3, frameon=False)
    _entitle(axes, title, 130 if len(rows) > 12 else 85)
    return figure


def loss_curves(recipes: Sequence[Recipe], attempts: Sequence[AttemptEntry], title: str) -> Figure:
    """How the total loss falls from its start: each recipe's geometric mean over its attempts."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.subplots()
    for number, recipe in enumerate(recipes):
        curve = _mean_curve([each for each in attempts if each.recipe.digest == recipe.digest()])
        if curve:
            axes.plot(*_columns(sorted(curve.items())), color=CURVES[number % len(CURVES)], label=recipe.name)
    axes.set_yscale("log")
    axes.set_xlabel("iteration (evaluation of loss and gradient)")
    axes.set_ylabel("total loss, of its value at the start")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="#dddddd", lw=0.6)
    if axes.lines:
        axes.legend(frameon=False)
    _entitle(axes, title, 85)
    return figure


def png(figure: Figure) -> bytes:
    """The figure in pixels."""
    return _saved(figure, "png", dpi=DPI)


def svg(figure: Figure) -> bytes:
    """The figure in lines; without its date, so that the same figures make the same drawing."""
    return _saved(figure, "svg", metadata={"Date": None})


def _saved(figure: Figure, form: str, **options: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=form, **options)
    return buffer.getvalue()


def _layers(recipe: Recipe) -> str:
    return f"content {', '.join(recipe.content_layers)}\nstyle {', '.join(recipe.style_layers)}"


def _optimisation(recipe: Recipe) -> str:
    data = recipe.data()
    name = {"sgd": "SGD", "lbfgs": "L-BFGS"}.get(data.get("optimiser", ""), recipe.method)
    return name if data.get("schedule", "fixed") == "fixed" else f"{name},\nβ/α decreasing"


def _places(recipes: Sequence[Recipe]) -> list[float]:
    """Where each recipe stands: groups of one layer setting, in them groups of one optimisation."""
    place, places = 0.0, [0.0]
    for before, recipe in pairwise(recipes):
        same_layers = _layers(before) == _layers(recipe)
        same = same_layers and _optimisation(before) == _optimisation(recipe)
        place += 1 + (0 if same else GAP if same_layers else WIDE_GAP)
        places.append(place)
    return places


def _draw_bars(axes: Axes, rows: Sequence[ConfigRow], places: Sequence[float]) -> None:
    for offset, (name, colour) in zip((-0.2, 0.2), BARS.items(), strict=True):
        both = zip(places, rows, strict=True)
        spreads = [(place + offset, row.figures[name]) for place, row in both if name in row.figures]
        means = [spread.mean for _, spread in spreads]
        middles, deviations = [place for place, _ in spreads], [spread.deviation or 0.0 for _, spread in spreads]
        axes.bar(middles, means, 0.4, color=colour, label=name)
        axes.errorbar(middles, means, deviations, fmt="none", ecolor="#333333", lw=0.8)


def _mark_totals(axes: Axes, rows: Sequence[ConfigRow], places: Sequence[float]) -> None:
    """The total errors, and over them what was rejected: pictures that stayed gray look good in bars."""
    known = [(place, row) for place, row in zip(places, rows, strict=True) if "total error" in row.figures]
    totals = [(place, row.figures["total error"].mean) for place, row in known]
    axes.plot(*_columns(totals), "D", color="black", ms=4, label="total error")
    for at, (_, row) in zip(totals, known, strict=True):
        if rejected := row.counts["rejected"]:
            words = f"{rejected}/{row.attempts} rejected"
            away: Any = {"xytext": (0, 8), "textcoords": "offset points"}
            axes.annotate(words, at, **away, ha="center", va="bottom", rotation=90, fontsize=6)


def _name_groups(axes: Axes, rows: Sequence[ConfigRow], places: Sequence[float]) -> None:
    """Names under the bars, in three lines: the configuration, its optimisation, its layers."""
    names = [row.recipe.name.rsplit("/", 1)[-1].removeprefix("config") for row in rows]
    axes.set_xticks(places, names, rotation=90, fontsize=7, parse_math=False)
    axes.set_xlim(places[0] - 1, places[-1] + 1)
    below_pt = 14 + 4.6 * max(map(len, names))
    for down_pt, size, said in ((below_pt, 8, _optimisation), (below_pt + 26, 7, _layers)):
        for words, middle in _middles(rows, places, said):
            at: Any = {"xy": (middle, 0), "xycoords": axes.get_xaxis_transform(), "annotation_clip": False}
            away: Any = {"xytext": (0, -down_pt), "textcoords": "offset points"}
            axes.annotate(words, **at, **away, ha="center", va="top", fontsize=size)


def _middles(
    rows: Sequence[ConfigRow], places: Sequence[float], said: Callable[[Recipe], str]
) -> list[tuple[str, float]]:
    """What neighbours have in common, and the middle of where they stand."""
    pairs = [((_layers(row.recipe), said(row.recipe)), place) for row, place in zip(rows, places, strict=True)]
    groups = [(key[1], [place for _, place in group]) for key, group in groupby(pairs, key=lambda pair: pair[0])]
    return [(words, (where[0] + where[-1]) / 2) for words, where in groups]


def _mean_curve(attempts: Sequence[AttemptEntry]) -> dict[float, float]:
    """Iteration → geometric mean of total loss over its start; steps that are not finite are left out."""
    logs: dict[float, list[float]] = {}
    for attempt in attempts:
        trace = attempt.result.trace if attempt.result else ()
        start = trace[0]["total"] if trace else 0
        for step in trace:
            if start > 0 and step["total"] > 0 and np.isfinite(step["total"] / start):
                logs.setdefault(step["iteration"], []).append(float(np.log(step["total"] / start)))
    return {iteration: float(np.exp(np.mean(some))) for iteration, some in logs.items()}


def _entitle(axes: Axes, title: str, width: int) -> None:
    axes.set_title(textwrap.fill(plain(title), width), loc="left", fontsize=9, parse_math=False)


def plain(text: str) -> str:
    """Letters that matplotlib's own font has; an encoder's file may be named in any script."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
