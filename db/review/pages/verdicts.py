"""A curator's word on one entry: taken, told, and on to the next one; and the lease while they look.

A form that comes twice (a double click, a key held down, a page loaded again) counts once.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from db.entries.night import Verdict
from db.entries.review import GivenVerdict, Judgement, Reason
from db.review.access.auth import Judging, Visitor
from db.review.access.bodies import BoundedRoute
from db.review.pages.entry import (
    NOTE_LENGTH,
    Asked,
    AskedFor,
    Draft,
    Problem,
    entry_address,
    entry_page,
    first_entry,
    lease_for,
    next_entry,
)
from db.review.view.notices import both, notice_value

router = APIRouter(route_class=BoundedRoute)


def _empty(value: object) -> object:
    return None if value == "" else value


def _lines(value: object) -> object:
    """Browsers send line ends as two characters and count them as one."""
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value


class VerdictForm(BaseModel):
    """What the form sends. A reason alone says that the entry is returned: one button, one key."""

    model_config = ConfigDict(frozen=True)

    verdict: str = ""
    reason: str = ""
    note: Annotated[str, BeforeValidator(_lines)] = ""
    seen: Annotated[int | None, BeforeValidator(_empty)] = None
    looked_s: Annotated[float | None, BeforeValidator(_empty), Field(ge=0, le=1e6, allow_inf_nan=False)] = None

    def problem(self) -> Problem | None:
        """Why it is no verdict."""
        if len(self.note) > NOTE_LENGTH:
            return "long note"
        word = self._word()
        if word not in set(Verdict) or (self.reason and word != Verdict.RETURNED):
            return "no verdict"
        return "no reason" if word == Verdict.RETURNED and self.reason not in set(Reason) else None

    def judgement(self) -> Judgement:
        """As the catalogue takes it; only where there is no problem."""
        reason = Reason(self.reason) if self.reason else None
        return Judgement(Verdict(self._word()), reason, self.note, self.looked_s)

    def _word(self) -> str:
        return self.verdict or (Verdict.RETURNED if self.reason else "")


@router.post("/entries/{attempt_id}/verdict")
def verdict(request: Request, asked: AskedFor, who: Judging, form: Annotated[VerdictForm, Form()]) -> Response:
    """Keep their word and go on to the next entry of their view; 422 with the page again where it is none."""
    if problem := form.problem():
        return entry_page(request, asked, who, anyway=True, draft=Draft(form.note, problem))
    share = asked.state.blind_share()
    given = asked.state.catalogue.give_verdict(
        asked.attempt_id, who.name, form.judgement(), seen=form.seen, blind_share=share
    )
    onward = _onward(asked, who, _told(given, form.judgement()))
    return RedirectResponse(request.scope.get("root_path", "") + onward, 303)


@router.post("/entries/{attempt_id}/lease")
def keep(asked: AskedFor, who: Judging) -> dict[str, bool]:
    """Hold the entry for as long as they look; `yours` is false when another curator has it by now."""
    lease = lease_for(asked.state, who, asked.attempt_id)
    return {"yours": lease is not None and lease.curator == who.name}


@router.post("/entries/{attempt_id}/leave")
def leave(asked: AskedFor, who: Judging) -> Response:
    """Leave the entry to others."""
    asked.state.catalogue.release_lease(asked.attempt_id, who.name)
    return Response(status_code=204)


def _told(given: GivenVerdict, said: Judgement) -> str:
    if given.already:
        return "already-given"
    if given.conflict:
        return "conflict"
    if given.between:
        return "spoken-between"
    return "wrong-match" if said.reason is Reason.WRONG_MATCH else str(said.verdict)


def _onward(asked: Asked, who: Visitor, notice: str) -> str:
    """The next entry; behind the last one the first that waits in the view; the queue where nothing is left."""
    place = asked.state.catalogue.place_of(asked.attempt_id, asked.view.order)
    told = notice_value(notice, asked.attempt_id)
    following = next_entry(asked.state, asked.view, who, place) or first_entry(asked.state, asked.view, who)
    if following and following.attempt_id != asked.attempt_id:
        return entry_address(asked.view, following.attempt_id, notice=told)
    return "/?" + asked.view.query(notice=both(told, notice_value("queue-done")))
