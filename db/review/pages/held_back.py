"""What is held back, by name and with its reason; an admin releases what the rights leave to a person. For curators.

Without the night's settings the page tells what no setting changes; `nishiki records` tells what is out of their scope.
"""

from dataclasses import asdict, dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from db.entries.night import HeldFilter
from db.entries.review import AuditWord
from db.pathless import archive_label
from db.review.access.auth import Judging, Keeping
from db.review.access.bodies import BoundedRoute
from db.review.access.events import keep_event
from db.review.access.state import State
from db.review.view.filter_form import MOST_NUMBER
from db.review.view.notices import notice_value
from db.review.view.rendering import render

router = APIRouter(route_class=BoundedRoute)
SHOWN: Final = 50
"""Records on one page."""
_Records = Annotated[
    list[Annotated[int, Field(ge=1, le=MOST_NUMBER)]], Form(default_factory=list, max_length=SHOWN, alias="record")
]


@dataclass(frozen=True)
class Part:
    """Which part of the list."""

    reason: Annotated[str, Query(max_length=100)] = ""
    archive: Annotated[str, Query(max_length=200)] = ""
    page: Annotated[int, Query(ge=1, le=10**6)] = 1
    released: bool = False


@router.get("/held-back")
def held_back(request: Request, state: State, who: Judging, part: Annotated[Part, Depends()]) -> Response:
    """The list, of one reason or one archive where they are named; or what people have released."""
    catalogue = state.catalogue
    names = {archive_label(name): name for name in catalogue.archive_addresses()}
    archive = names.get(part.archive, part.archive) or None
    wanted = HeldFilter(part.reason or None, archive)
    first = (part.page - 1) * SHOWN
    found = (
        catalogue.released_records(wanted)[first : first + SHOWN + 1]
        if part.released
        else catalogue.held_records(None, wanted, first=first, most=SHOWN + 1)
    )
    context = {
        "records": found[:SHOWN],
        "further": len(found) > SHOWN,
        "counts": catalogue.held_counts(None, HeldFilter(archive=archive)),
        "archives": sorted(names),
        **asdict(part),
    }
    return render(request, "held_back.html.j2", who, context)


@router.post("/held-back")
def decide(
    request: Request,
    state: State,
    who: Keeping,
    records: _Records,
    note: Annotated[str, Form(max_length=2000)] = "",
    take_back: Annotated[bool, Form()] = False,
) -> RedirectResponse:
    """Release the chosen records, or hold released ones back again."""
    if take_back:
        count = state.catalogue.take_back_release(records)
        keep_event(request, AuditWord.HELD_BACK_AGAIN, who.name, f"{count} records")
        return _back(request, notice_value("held-back-again", count), "&released=true")
    if not note.strip():
        return _back(request, notice_value("note-missing"))
    count = state.catalogue.release(records, who.name, note.strip())
    keep_event(request, AuditWord.RELEASED, who.name, f"{count} records: {note.strip()}")
    return _back(request, notice_value("released", count))


def _back(request: Request, notice: str, further: str = "") -> RedirectResponse:
    return RedirectResponse(f"{request.scope.get('root_path', '')}/held-back?notice={notice}{further}", 303)
