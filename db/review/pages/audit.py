"""What happened on the page and to the accounts, newest first. For admins."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from db.entries.review import AuditWord
from db.review.access.auth import Keeping
from db.review.access.state import State
from db.review.view.filter_form import MOST_NUMBER
from db.review.view.rendering import render

router = APIRouter()
SHOWN: Final = 100
"""Events on one page."""


@router.get("/audit")
def audit(
    request: Request,
    state: State,
    who: Keeping,
    curator: Annotated[str, Query(max_length=200)] = "",
    event: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[int | None, Query(ge=1, le=MOST_NUMBER)] = None,
) -> Response:
    """The page, of one curator or one kind of event where they are named."""
    found = state.catalogue.audit_events(curator=curator or None, event=event or None, before=before, limit=SHOWN + 1)
    context = {
        "events": found[:SHOWN],
        "older": found[SHOWN - 1].id if len(found) > SHOWN else None,
        "curators": [each.name for each in state.catalogue.curators()],
        "words": list(AuditWord),
        "curator": curator,
        "event": event,
        "kept_days": state.settings.audit_days,
    }
    return render(request, "audit.html.j2", who, context)
