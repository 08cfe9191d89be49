"""What a request did, kept where an administrator finds it."""

from fastapi import Request

from db.entries.review import AuditWord
from db.queries.review.audit import logged
from db.review.access.state import state_of


def keep_event(request: Request, event: AuditWord, curator: str | None, detail: str = "") -> None:
    """In the catalogue and the log; in the log alone where nothing may be written."""
    state, address = state_of(request), request.client.host if request.client else "somewhere"
    if state.settings.review_read_only:
        logged(event, curator, address, detail)
    else:
        state.catalogue.add_audit_event(event, curator=curator, address=address, detail=detail)
