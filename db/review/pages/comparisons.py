"""Blind comparisons: two results of one print side by side, the recipes hidden until the curator has chosen.

The pictures are served by the pair's word and their side alone, and a form says no more: neither tells an attempt. What
is not the pair that is offered now is refused, so that nothing is chosen twice.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from db.entries.comparisons import ChoiceMade, Offered, Preference, Side
from db.errors import PictureMissing, UnknownEntry
from db.exports.statistics import figures
from db.review.access.auth import Judging, Looking
from db.review.access.bodies import BoundedRoute
from db.review.access.state import State
from db.review.pages.statistics import as_csv, as_svg
from db.review.view.interval_plot import interval_plot
from db.review.view.notices import notice_value
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
_Digest = Annotated[str, Query(max_length=100)]
_WHOLE: Final = (0.0, 1.0)


@dataclass(frozen=True)
class Between:
    """The two recipes, by their digests."""

    one: _Digest = ""
    other: _Digest = ""

    @property
    def digests(self) -> tuple[str, str]:
        """Both."""
        return self.one, self.other

    @property
    def query(self) -> str:
        """As an address has them."""
        return f"one={self.one}&other={self.other}"


BetweenThese = Annotated[Between, Depends()]


@router.get("/comparisons")
def comparisons_page(request: Request, state: State, who: Looking) -> Response:
    """What can be compared, and what came of it."""
    told = state.catalogue.preferences()
    context = {
        "comparable": state.catalogue.comparable(),
        "told": told,
        "plot": interval_plot(told.strengths, _WHOLE),
    }
    return render(request, "comparisons.html.j2", who, context)


@router.get("/comparisons/pair")
def pair_page(request: Request, state: State, who: Judging, between: BetweenThese) -> Response:
    """The pair that this curator sees next.

    Raises:
        UnknownEntry: no print has results of both recipes.
    """
    found = [each for each in state.catalogue.comparable() if set(each.digests) == set(between.digests)]
    if not found:
        raise UnknownEntry("no print has been coloured by both of these recipes; the page Blind comparison lists those")
    offered = state.catalogue.next_comparison(who.name, between.digests)
    context = {
        "offered": offered,
        "pair": offered and _word(offered, who.name),
        "between": between,
        "recipes": sorted(found[0].recipes),
        "of": found[0].contents,
    }
    return render(request, "comparison.html.j2", who, context)


@router.post("/comparisons/pair")
def choose(
    request: Request,
    state: State,
    who: Judging,
    between: BetweenThese,
    pair: Annotated[str, Form(max_length=100)],
    choice: Annotated[Side, Form()],
) -> RedirectResponse:
    """Keep the choice, if it is of the pair that is offered, and go on to the next."""
    offered = state.catalogue.next_comparison(who.name, between.digests)
    kept = (
        offered is not None and _word(offered, who.name) == pair and state.catalogue.choose(who.name, offered, choice)
    )
    return _back(request, between, "choice-kept" if kept else "choice-kept-before")


@router.post("/comparisons/undo")
def undo(request: Request, state: State, who: Judging, between: BetweenThese) -> RedirectResponse:
    """Take the last choice between these recipes back."""
    undone = state.catalogue.undo_choice(who.name, between.digests)
    return _back(request, between, "choice-undone" if undone else "no-choice-to-undo")


@router.get("/comparisons/picture")
def picture(
    state: State, who: Judging, between: BetweenThese, pair: _Digest = "", side: Literal["left", "right"] = "left"
) -> Response:
    """One of the two results that are offered, and no other.

    Raises:
        PictureMissing: another pair is offered by now, or there are no tiles of it.
    """
    offered = state.catalogue.next_comparison(who.name, between.digests)
    if offered is None or _word(offered, who.name) != pair:
        raise PictureMissing("this pair is not offered any more; the page Blind comparison has the next one")
    path = state.tiles.path(offered.output_sha256[side == "right"], "preview.jpg")
    return Response(path.read_bytes(), headers={"Cache-Control": "private, no-store"}, media_type="image/jpeg")


@router.get("/comparisons/results.csv")
def results(state: State, _: Looking) -> Response:
    """Win rates by pairs of recipes."""
    return as_csv("blind-comparisons", [_result(each) for each in state.catalogue.preferences().pairs])


@router.get("/comparisons/strengths.csv")
def strengths_table(state: State, _: Looking) -> Response:
    """Strengths by recipe."""
    rows = [{"recipe": name, **figures("strength", each)} for name, each in state.catalogue.preferences().strengths]
    return as_csv("strengths", rows)


@router.get("/comparisons/choices.csv")
def choices(state: State, _: Judging) -> Response:
    """Every choice: who, when, what stood where."""
    return as_csv("choices", [_row(each) for each in state.catalogue.choices_made()])


@router.get("/comparisons/strengths.svg")
def strengths_plot(request: Request, state: State, who: Looking) -> Response:
    """The plot of the strengths as a file."""
    drawn = interval_plot(state.catalogue.preferences().strengths, _WHOLE)
    return as_svg(request, who, "recipe", "strength", drawn)


def _word(offered: Offered, curator: str) -> str:
    """Names the pair to this curator, and tells nothing of it."""
    return hashlib.sha256(f"{curator} {offered.attempts} {offered.output_sha256}".encode()).hexdigest()[:24]


def _back(request: Request, between: Between, notice: str) -> RedirectResponse:
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/comparisons/pair?{between.query}&notice={notice_value(notice)}", 303)


def _result(each: Preference) -> dict[str, Any]:
    counts = {"recipe_won": each.won, "other_won": each.lost, "neither": each.even}
    return {"recipe": each.recipes[0], "other_recipe": each.recipes[1], **counts, **figures("win_rate", each.rate)}


def _row(each: ChoiceMade) -> dict[str, Any]:
    return {
        "at": each.at.isoformat(),
        "curator": each.curator,
        "print_sha256": each.content_sha256,
        "left_attempt": each.left_attempt,
        "left_recipe": each.left_recipe,
        "right_attempt": each.right_attempt,
        "right_recipe": each.right_recipe,
        "chosen": str(each.chosen),
        "undone_at": each.undone_at.isoformat() if each.undone_at else None,
    }
