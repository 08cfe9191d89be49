"""Put right what an archive says of a print, or what the machine takes its tone for: a form for each field.

Both words are kept, and whoever corrects says one field alone: of two curators who correct at once, neither undoes
what the other said of another. What comes is untrusted here.
"""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, model_validator

from db.entries.corrections import Correctable
from db.entries.night import Tone
from db.errors import UnknownEntry
from db.record_words import understood
from db.review.access.auth import Judging, Visitor
from db.review.access.bodies import BoundedRoute
from db.review.access.state import ReviewState
from db.review.pages.entry import AskedFor
from db.review.pages.requests import back_to_entry
from db.review.view.filter_form import MOST_NUMBER

router = APIRouter(route_class=BoundedRoute)


class CorrectionForm(BaseModel):
    """What one field is to say from now on."""

    field: Correctable
    said: Annotated[str, Field(max_length=2000)] = ""
    take_back: bool = False
    """Let the archive's word, or the machine's, hold again."""

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        if not self.take_back:
            self.value()
        return self

    def value(self) -> list[Any]:
        """As the catalogue takes it."""
        return understood(self.said, self.field)


@router.post("/entries/{attempt_id}/pictures/{image_id}")
def put_right(
    request: Request,
    asked: AskedFor,
    who: Judging,
    image_id: Annotated[int, Path(ge=1, le=MOST_NUMBER)],
    form: Annotated[CorrectionForm, Form()],
) -> Response:
    """Keep the curator's word beside the other, and show the entry again.

    Raises:
        RequestValidationError: what was written is nothing that the field can say.
        UnknownEntry: there is no such attempt, or the picture is none of its prints.
    """
    attempt = asked.state.catalogue.attempt(asked.attempt_id)
    if image_id not in {each.image_id for each in (attempt.content, *attempt.styles)}:
        raise UnknownEntry(f"picture {image_id} is no print of entry {attempt.id}; its page lists them")
    changed = _toned if form.field is Correctable.TONE else _said
    word = "nothing-corrected"
    if changed(asked.state, who, image_id, form):
        word = "correction-taken-back" if form.take_back else "corrected"
    return back_to_entry(request, asked, word)


def _said(state: ReviewState, who: Visitor, image_id: int, form: CorrectionForm) -> bool:
    if form.take_back:
        return state.catalogue.take_correction_back(image_id, who.name, form.field)
    return state.catalogue.correct(image_id, who.name, form.field, form.value())


def _toned(state: ReviewState, who: Visitor, image_id: int, form: CorrectionForm) -> bool:
    if form.take_back:
        return state.catalogue.take_tone_back(image_id, who.name)
    state.catalogue.give_tone(image_id, who.name, Tone(form.value()[0]))
    return True
