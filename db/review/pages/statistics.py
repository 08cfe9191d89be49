"""What results and verdicts come to, by recipe, night, archive or artist; tables as CSV, plots as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from db.entries.faults import FaultKind
from db.entries.night import EncoderKey
from db.entries.statistics import Paired, Statistics, Subject
from db.exports.statistics import group_row, pair_row
from db.exports.tables import write_csv
from db.review.access.auth import Looking
from db.review.access.state import ReviewState, State
from db.review.view.interval_plot import IntervalPlot, interval_plot
from db.review.view.rendering import render

router = APIRouter()
SHOWN: Final = 100
"""Lines of a table on the page; a file has all."""
Figure = Literal["approval", "trust", "total", "content", "style"]
Difference = Literal["total", "content", "style", "trust", "preferred"]
_PLOTS: Final[tuple[Figure, ...]] = ("approval", "trust", "content", "style")
_DIFFERENCES: Final[tuple[Difference, ...]] = ("content", "style", "trust", "preferred")
_WHOLE: Final = (0.0, 1.0)


@dataclass(frozen=True)
class Asked:
    """What is counted by, and the encoder that errors are taken with, by its checksum; empty: the one most used."""

    by: Annotated[Subject, Query()] = Subject.RECIPE
    encoder: Annotated[str, Query(max_length=100)] = ""

    def statistics(self, state: ReviewState) -> Statistics:
        """Counted.

        Raises:
            UnknownEntry: there is no such encoder.
        """
        found = state.catalogue.statistics(self.by)
        if not self.encoder:
            return found
        key = next((each for each in found.encoders if each.checksum == self.encoder), EncoderKey("", self.encoder))
        return state.catalogue.statistics(self.by, key)

    def paired(self, state: ReviewState) -> list[Paired]:
        """Recipes on the same contents, by that encoder."""
        encoder = self.statistics(state).encoder
        return [] if encoder is None else state.catalogue.paired(encoder)


AskedFor = Annotated[Asked, Depends()]


@router.get("/statistics")
def statistics_page(request: Request, state: State, who: Looking, asked: AskedFor) -> Response:
    """The table, its plots, and recipes against each other."""
    found = asked.statistics(state)
    paired = asked.paired(state) if asked.by is Subject.RECIPE else []
    context = {
        "found": found,
        "by": asked.by,
        "encoder": asked.encoder,
        "groups": found.groups[:SHOWN],
        "plots": [(figure, plot) for figure in _PLOTS if (plot := _plot(found, figure))],
        "paired": paired[:SHOWN],
        "differences": [(figure, plot) for figure in _DIFFERENCES if (plot := _difference_plot(paired, figure))],
        "held_out": state.catalogue.held_out() if asked.by is Subject.RECIPE else [],
        "faults": state.catalogue.fault_counts() if asked.by is Subject.RECIPE else {},
        "fault_kinds": [*FaultKind],
    }
    return render(request, "statistics.html.j2", who, context)


@router.get("/statistics/table.csv")
def table(state: State, _: Looking, asked: AskedFor) -> Response:
    """All groups."""
    found = asked.statistics(state)
    return as_csv(f"statistics-{asked.by}", [group_row(found, group) for group in found.groups])


@router.get("/statistics/pairs.csv")
def pairs(state: State, _: Looking, asked: AskedFor) -> Response:
    """All pairs of recipes."""
    return as_csv("recipes-compared", [pair_row(each) for each in asked.paired(state)])


@router.get("/statistics/faults.csv")
def faults(state: State, _: Looking) -> Response:
    """How many results of each recipe have faults of each kind."""
    counts = state.catalogue.fault_counts().items()
    return as_csv(
        "faults", [{"recipe": recipe, **{kind: each.get(kind, 0) for kind in FaultKind}} for recipe, each in counts]
    )


@router.get("/statistics/plot.svg")
def plot(request: Request, state: State, who: Looking, asked: AskedFor, figure: Figure = "approval") -> Response:
    """One plot as a file."""
    return as_svg(request, who, asked.by, figure, _plot(asked.statistics(state), figure))


@router.get("/statistics/pairs.svg")
def pairs_plot(
    request: Request, state: State, who: Looking, asked: AskedFor, figure: Difference = "content"
) -> Response:
    """The plot of the differences as a file."""
    return as_svg(request, who, asked.by, f"{figure} difference", _difference_plot(asked.paired(state), figure))


def _plot(found: Statistics, figure: Figure) -> IntervalPlot | None:
    if figure == "approval":
        return interval_plot([(each.name, each.approval) for each in found.groups], _WHOLE)
    if figure == "trust":
        return interval_plot([(each.name, each.trust) for each in found.groups], _WHOLE)
    return interval_plot([(each.name, each.errors[figure]) for each in found.groups])


def _difference_plot(paired: Sequence[Paired], figure: Difference) -> IntervalPlot | None:
    named = [(" − ".join(each.recipes), each) for each in paired]
    if figure == "preferred":
        return interval_plot([(name.replace(" − ", " > "), each.preferred) for name, each in named], _WHOLE)
    return interval_plot([(name, each.differences[figure]) for name, each in named])


def as_svg(request: Request, who: Looking, by: str, figure: str, drawn: IntervalPlot | None) -> Response:
    """A plot as a file that is saved."""
    page = render(request, "statistics_plot.svg.j2", who, {"plot": drawn, "figure": figure, "by": by})
    name = figure.replace(" ", "-")
    headers = {"Content-Disposition": f'attachment; filename="nishiki-{by}-{name}.svg"', **_UNKEPT}
    return Response(page.body, headers=headers, media_type="image/svg+xml")


_UNKEPT: Final = {"Cache-Control": "private, no-store"}


def as_csv(name: str, rows: Sequence[Mapping[str, Any]]) -> Response:
    """A table as a file that is saved, of which a spreadsheet computes nothing."""
    text = StringIO(newline="")
    write_csv(rows, text)
    headers = {"Content-Disposition": f'attachment; filename="nishiki-{name}.csv"', **_UNKEPT}
    return Response(text.getvalue().encode("utf-8-sig"), headers=headers, media_type="text/csv; charset=utf-8")
