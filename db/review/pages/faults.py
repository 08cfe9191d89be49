"""What is wrong with a result, and where: a curator ticks faults of the whole picture and draws boxes around others.

`static/faults.js` draws, and sends after each change; without it the form has its ticks and a button. What comes is
untrusted here.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json

from db.entries.faults import MOST_BOXES, Box, Fault, FaultKind
from db.review.access.auth import Judging
from db.review.access.bodies import BoundedRoute
from db.review.pages.entry import AskedFor
from db.review.pages.requests import back_to_entry

router = APIRouter(route_class=BoundedRoute)


class Drawn(BaseModel):
    """A fault in a part of the picture: `box` is left, top, width and height, in shares of the picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    box: Annotated[tuple[float, float, float, float], AfterValidator(lambda sides: sides if Box(*sides) else None)]

    def fault(self) -> Fault:
        """As the catalogue takes it."""
        return Fault(self.kind, Box(*self.box))


class FaultsForm(BaseModel):
    """All faults that they see in the result now."""

    whole: Annotated[list[FaultKind], Field(default_factory=list, max_length=len(FaultKind))]
    boxes: Annotated[Json[list[Drawn]], Field(default_factory=list, max_length=MOST_BOXES)]
    drawing: bool = False
    """Sent by the page's script, which stays where it is."""


@router.post("/entries/{attempt_id}/faults")
def mark(request: Request, asked: AskedFor, who: Judging, form: Annotated[FaultsForm, Form()]) -> Response:
    """Keep them in place of those they marked before; 204 to the script, else the entry again.

    Raises:
        RequestValidationError: what was sent are no faults.
        UnknownEntry: there is no such attempt, or it made no picture.
    """
    faults = [*(Fault(kind) for kind in form.whole), *(each.fault() for each in form.boxes)]
    asked.state.catalogue.mark_faults(asked.attempt_id, who.name, faults)
    return Response(status_code=204) if form.drawing else back_to_entry(request, asked, "faults-kept")
