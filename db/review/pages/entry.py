"""One entry: its pictures to be looked at together, what the machine and the curators said, the form for a verdict.

`db.review.pages.verdicts` takes what the form sends, and shows the page again where it could not.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from db.entries.faults import MOST_BOXES, Fault, FaultEntry, FaultKind
from db.entries.night import VerdictEntry
from db.entries.review import Lease, NextEntry, Place, Queue, QueueEntry, Reason, Role
from db.queries.review.verdicts import in_blind_share
from db.review.access.auth import Looking, Visitor
from db.review.access.state import ReviewState, State
from db.review.view.candidates import by_other_recipes, candidates_of, others_to_compare
from db.review.view.filter_form import MOST_NUMBER, FilterForm
from db.review.view.filters import View
from db.review.view.insight import insight
from db.review.view.rendering import render

router = APIRouter()
NOTE_LENGTH: Final = 2000
COMMENT_LENGTH: Final = 2000
Problem = Literal["no reason", "no verdict", "long note"]


@dataclass(frozen=True)
class Asked:
    """What every address below an entry names: whose page, which entry, seen from which view."""

    state: State
    view: View
    attempt_id: Annotated[int, Path(ge=1, le=MOST_NUMBER)]


AskedFor = Annotated[Asked, Depends()]
"""A route's parameter."""


@dataclass(frozen=True)
class Draft:
    """A verdict's form as it came, where it could not be taken: nothing that was written is lost."""

    note: str = ""
    problem: Problem | None = None


EMPTY: Final = Draft()


@dataclass(frozen=True)
class FaultsSeen:
    """The faults of a result, as this reader may know them."""

    mine: Sequence[Fault] = ()
    others: Sequence[FaultEntry] = ()

    @property
    def whole(self) -> set[FaultKind]:
        """What the reader finds wrong all over the picture."""
        return {each.kind for each in self.mine if each.box is None}

    @property
    def boxes(self) -> list[dict[str, Any]]:
        """The rest, as the page's form holds it."""
        return [{"kind": each.kind, "box": astuple(each.box)} for each in self.mine if each.box is not None]

    @property
    def others_boxes(self) -> list[dict[str, Any]]:
        """The same of the others."""
        return [
            {"kind": each.fault.kind, "box": astuple(each.fault.box), "curator": each.curator}
            for each in self.others
            if each.fault.box is not None
        ]

    @property
    def told(self) -> Mapping[str, Mapping[FaultKind, int]]:
        """The others' faults by curator and kind, with how many of each."""
        return {name: Counter(e.fault.kind for e in self.others if e.curator == name) for name in self._names()}

    def _names(self) -> list[str]:
        return list(dict.fromkeys(each.curator for each in self.others))


@dataclass(frozen=True)
class Voices:
    """What curators said of an entry, oldest first, with whether it stands."""

    said: Sequence[tuple[VerdictEntry, bool]]
    hidden: bool
    """A second curator's word is awaited, who must not know the first."""
    mine: bool
    """The reader has spoken, and it stands."""


@router.get("/entries/{attempt_id}")
def entry(request: Request, asked: AskedFor, who: Looking, anyway: bool = False) -> Response:
    """The page; a curator's look leases the entry to them."""
    return entry_page(request, asked, who, anyway=anyway)


def entry_page(
    request: Request, asked: Asked, who: Visitor, *, anyway: bool = False, draft: Draft = EMPTY
) -> Response:  # fmt: skip
    """The page, with what was wrong with a form that came (422).

    Args:
        request: whom to answer.
        asked: which entry.
        who: the reader.
        anyway: they judge although another curator has the entry open.
        draft: what they wrote before.

    Raises:
        UnknownEntry: there is no such attempt, or it made no picture.
    """
    state, view = asked.state, asked.view
    shown = state.catalogue.queue_entry(asked.attempt_id, view.order)
    attempt = state.catalogue.attempt(asked.attempt_id)
    lease = lease_for(state, who, asked.attempt_id) or shown.lease
    elsewhere = lease if lease and lease.curator != who.name else None
    voices = voices_on(state, shown, who)
    apart = _apart(state, shown, voices)
    alone = shown.withheld or state.catalogue.is_only_attempt(asked.attempt_id)
    made = [] if alone else candidates_of(state, asked.attempt_id)
    context = {
        "entry": shown,
        "attempt": attempt,
        "voices": voices,
        "elsewhere": elsewhere,
        "may_judge": who.may(Role.CURATOR)
        and not shown.withheld
        and not (voices.hidden and voices.mine)
        and (anyway or not elsewhere),
        "because": state.catalogue.withheld_because(asked.attempt_id) if shown.withheld else [],
        "beside": by_other_recipes(made, asked.attempt_id),
        "others": others_to_compare(made, asked.attempt_id),
        "draft": draft,
        "reasons": list(Reason),
        "faults": faults_seen(state, shown.attempt_id, who, apart=apart),
        "fault_kinds": list(FaultKind),
        "most_boxes": MOST_BOXES,
        "comments": [] if apart else state.catalogue.comments(shown.attempt_id),
        "comment_length": COMMENT_LENGTH,
        "note_length": NOTE_LENGTH,
        "next": next_entry(state, view, who, shown.place),
        "previous": state.catalogue.place_before(view.wanted(), shown.place, reader=who.name),
        "left": state.catalogue.queue_count(view.wanted(), reader=who.name),
        "view": view,
        "address": lambda number, part="", **further: entry_address(view, number, part, **further),
        "lease_s": round(state.settings.lease_minutes * 60),
        **insight(state, attempt, who),
    }
    return render(request, "entry.html.j2", who, context, status=422 if draft.problem else 200)


def lease_for(state: ReviewState, who: Visitor, attempt_id: int) -> Lease | None:
    """The entry held for a curator, or by another whom they find there; those who only look hold nothing."""
    if not who.may(Role.CURATOR):
        return None
    return state.catalogue.take_lease(attempt_id, who.name, minutes=state.settings.lease_minutes)


def voices_on(state: ReviewState, shown: QueueEntry, who: Visitor) -> Voices:
    """What was said, and whether this reader may know it."""
    said = state.catalogue.verdict_history(shown.attempt_id)
    standing = [word for word, stands in said if stands]
    hidden = shown.verdict is None and bool(standing)
    return Voices(said, hidden, any(word.curator == who.name for word in standing))


def faults_seen(state: ReviewState, attempt_id: int, who: Visitor, *, apart: bool) -> FaultsSeen:
    """The reader's own faults, and the others', who stay unheard where two are to judge without each other's word."""
    marked = state.catalogue.faults([attempt_id], secret=True).get(attempt_id, [])
    mine = [each.fault for each in marked if each.curator == who.name]
    return FaultsSeen(mine, [] if apart else [each for each in marked if each.curator != who.name])


def _apart(state: ReviewState, shown: QueueEntry, voices: Voices) -> bool:
    """Are two curators still to judge it without a word of each other?"""
    return voices.hidden or (not voices.said and in_blind_share(shown.attempt_id, state.blind_share()))


def next_entry(state: ReviewState, view: FilterForm, who: Visitor, place: Place) -> NextEntry | None:
    """The entry behind a place of the view that is open to them."""
    return state.catalogue.next_unleased(view.wanted(), who.name, after=place)


def first_entry(state: ReviewState, view: FilterForm, who: Visitor) -> NextEntry | None:
    """The first entry of the view that is open to them; of a view of all, the first that waits."""
    wanted = view.wanted()
    queue = Queue.WAITING if wanted.queue is Queue.ALL else wanted.queue
    return state.catalogue.next_unleased(replace(wanted, queue=queue), who.name)


def entry_address(view: FilterForm, attempt_id: int, part: str = "", **further: Any) -> str:
    """Where an entry, or a part such as `/verdict`, is seen from this view, behind the app's root."""
    query = view.query(**further)
    return f"/entries/{attempt_id}{part}" + (f"?{query}" if query else "")
