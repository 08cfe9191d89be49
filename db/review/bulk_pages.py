"""One verdict for many entries: she chooses them, looks at a sample of 20, and gives it; undo takes all of it back.

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

from db.entries import Verdict
from db.nouns.review_queue import PageOf
from db.review.auth import Judging
from db.review.filters import FilterForm, View
from db.review.notices import notice_value
from db.review.rendering import render
from db.review.state import State
from db.reviewed import Judgement, QueueEntry, Reason

router = APIRouter()
MOST: Final = 1000
"""Entries in one step."""
SAMPLE: Final = 20
_PAIR = "[0-9]{1,10}:[0-9]{0,10}"
_Chosen = Annotated[list[Annotated[str, Field(pattern=f"^{_PAIR}(,{_PAIR})*$", max_length=22 * MOST)]], Form()]


@dataclass(frozen=True)
class Selection:
    """What was chosen: entries to be judged, and how many are left out and why."""

    entries: list[QueueEntry]
    leased: int = 0
    judged: int = 0

    def pairs(self) -> str:
        """As the form holds it."""
        return ",".join(f"{each.attempt_id}:{each.seen or ''}" for each in self.entries)

    def sample(self) -> list[QueueEntry]:
        """Some of them, drawn by their numbers: loading the page again shows the same ones."""
        drawn = random.Random(self.pairs())  # noqa: S311  # a sample, no secret
        numbers = drawn.sample(range(len(self.entries)), min(SAMPLE, len(self.entries)))
        return [self.entries[number] for number in sorted(numbers)]


@router.post("/bulk")
def look(
    request: Request,
    state: State,
    who: Judging,
    view: View,
    chosen: _Chosen = [],  # noqa: B006  # FastAPI copies it
    whole_view: Annotated[bool, Form()] = False,
) -> Response:
    """The sample of what was chosen, or of all of the view, and the verdicts to choose from."""
    further = False
    if whole_view:
        page = state.catalogue.queue(view.wanted(), PageOf(limit=MOST), reader=who.name)
        entries, further = page.entries, page.later
        selection = _selection(entries, {each.attempt_id: each.seen for each in entries}, who.name)
    else:
        selection = _chosen(state, who.name, chosen)
    if not (selection.entries or selection.leased or selection.judged):
        return _to_queue(request, view, notice_value("nothing-chosen"))
    context = {"view": view, "selection": selection, "further": further, "most": MOST, "reasons": tuple(Reason)}
    return render(request, "bulk.html.j2", who, context)


@router.post("/bulk/give")
def give(
    request: Request,
    state: State,
    who: Judging,
    view: View,
    chosen: _Chosen,
    verdict: Annotated[Verdict, Form()],
    reason: Annotated[Reason | None, Form()] = None,
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say the same of all of them, in one step."""
    selection = _chosen(state, who.name, chosen)
    judgement = _judgement(verdict, reason, note)
    seen = {each.attempt_id: each.seen for each in selection.entries}
    if seen:
        state.catalogue.give_verdicts(seen, who.name, judgement, blind_share=state.blind_share())
    left_out = selection.leased + selection.judged
    return _to_queue(request, view, notice_value("bulk", len(seen), left_out))


def _judgement(verdict: Verdict, reason: Reason | None, note: str) -> Judgement:
    """The button is her word; a reason chosen above it, which no browser lets her unchoose, belongs to a return."""
    if verdict is Verdict.RETURNED and reason is None:
        raise HTTPException(422, "no reason")
    return Judgement(verdict, reason if verdict is Verdict.RETURNED else None, note.strip())


def _chosen(state: State, reader: str, chosen: Sequence[str]) -> Selection:
    pairs = [pair.split(":") for some in chosen for pair in some.split(",")]
    seen = {int(attempt_id): int(number) if number else None for attempt_id, number in pairs}
    if len(seen) > MOST:
        raise HTTPException(422, "too many")
    return _selection(state.catalogue.queue_entries(seen, reader), seen, reader)


def _selection(entries: Sequence[QueueEntry], seen: Mapping[int, int | None], reader: str) -> Selection:
    free = [each for each in entries if each.lease is None or each.lease.curator == reader]
    as_seen = [each for each in free if each.seen == seen[each.attempt_id]]
    leased = len(entries) - len(free)
    return Selection(as_seen, leased, len(seen) - leased - len(as_seen))


def _to_queue(request: Request, view: FilterForm, notice: str) -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/?{view.query(notice=notice)}", 303)
