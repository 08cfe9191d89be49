"""One verdict for many entries: chosen, looked at in a sample of 20, and given; undo takes all of it back.

What another curator has open, or has judged since it was shown, is left out and told. A selection travels in the form
as `id:seen` pairs, `seen` being the number of the verdict that was shown as standing.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from db.entries.review import Choice, Reason
from db.review.access.auth import Judging
from db.review.access.bodies import BoundedRoute
from db.review.access.state import State
from db.review.pages.verdicts import VerdictForm
from db.review.view.filter_form import FilterForm
from db.review.view.filters import View
from db.review.view.notices import notice_value
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
MOST: Final = 1000
"""Entries in one step."""
SAMPLE: Final = 20
_PAIR = "[0-9]{1,10}:[0-9]{0,10}"
_Pairs = list[Annotated[str, Field(pattern=f"^{_PAIR}(,{_PAIR})*$", max_length=22 * MOST)]]


class BulkForm(VerdictForm):
    """A verdict, what it is on, and what of the sample it is not on after all."""

    chosen: _Pairs
    left_out: Annotated[list[int], Field(default_factory=list, max_length=SAMPLE)]


@dataclass(frozen=True)
class Selection:
    """What was chosen: entries to be judged, and how many are left out and why."""

    entries: list[Choice]
    leased: int = 0
    judged: int = 0

    def pairs(self) -> str:
        """As the form holds it."""
        return ",".join(f"{each.attempt_id}:{each.seen or ''}" for each in self.entries)

    def sample(self) -> list[int]:
        """Some of them, drawn by their numbers: loading the page again shows the same ones."""
        drawn = random.Random(self.pairs())  # noqa: S311  # a sample, no secret
        return [each.attempt_id for each in drawn.sample(self.entries, min(SAMPLE, len(self.entries)))]


@router.post("/bulk")
def look(
    request: Request,
    state: State,
    who: Judging,
    view: View,
    chosen: Annotated[_Pairs, Form(default_factory=list)],
    whole_view: Annotated[bool, Form()] = False,
) -> Response:
    """The sample of what was chosen, or of all of the view, and the verdicts to choose from."""
    catalogue, further = state.catalogue, False
    if whole_view:
        numbers = catalogue.queue_numbers(view.wanted(), MOST + 1, reader=who.name)
        further = len(numbers) > MOST
        entries = catalogue.choices(numbers[:MOST], who.name)
        selection = _selection(entries, {each.attempt_id: each.seen for each in entries}, who.name)
    else:
        seen = _seen(chosen)
        selection = _selection(catalogue.choices(seen, who.name), seen, who.name)
    if selection == Selection([]):
        return _to_queue(request, view, notice_value("nothing-chosen"))
    context = {
        "view": view,
        "selection": selection,
        "sample": catalogue.queue_entries(selection.sample()),
        "most": MOST if further else None,
        "reasons": tuple(Reason),
    }
    return render(request, "bulk.html.j2", who, context)


@router.post("/bulk/give")
def give(request: Request, state: State, who: Judging, view: View, form: Annotated[BulkForm, Form()]) -> Response:
    """Say the same of all of them, in one step."""
    if problem := form.problem():
        raise HTTPException(422, problem)
    seen = {each: number for each, number in _seen(form.chosen).items() if each not in form.left_out}
    if not seen:
        return _to_queue(request, view, notice_value("nothing-chosen"))
    share = state.blind_share()
    step = state.catalogue.give_verdicts(seen, who.name, form.judgement(), blind_share=share)
    told = (len(step.given), step.left_out, *([step.conflicts] if step.conflicts else []))
    return _to_queue(request, view, notice_value("bulk", *told))


def _seen(chosen: Sequence[str]) -> dict[int, int | None]:
    """Attempt → what was shown as standing, as the form tells it."""
    pairs = [pair.split(":") for some in chosen for pair in some.split(",")]
    seen = {int(attempt_id): int(number) if number else None for attempt_id, number in pairs}
    if len(seen) > MOST:
        raise HTTPException(422, "too many")
    return seen


def _selection(entries: Sequence[Choice], seen: Mapping[int, int | None], reader: str) -> Selection:
    free = [each for each in entries if each.leased_to in (None, reader)]
    as_seen = [each for each in free if each.seen == seen[each.attempt_id]]
    leased = len(entries) - len(free)
    return Selection(as_seen, leased, len(seen) - leased - len(as_seen))


def _to_queue(request: Request, view: FilterForm, notice: str) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/?{view.query(notice=notice)}", 303)
