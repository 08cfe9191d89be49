"""The queue's filter as the address holds it: a view is saved by keeping its address.

`FilterForm` reads a query string, `query()` writes it; what is left out is the default. The page, the API and commands
read it; importing loads no web framework.
"""

from math import isfinite
from typing import Annotated, Any, Final, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from db.entries.faults import FaultKind
from db.entries.night import Outcome, Verdict
from db.entries.review import Order, Place, Queue, QueueFilter
from db.queries.review.queue import PageOf

PAGE_SIZE = 48
MOST_NUMBER: Final = 2**31 - 1
"""Of an attempt, a request, an image: what both databases take."""
_Text = Annotated[Annotated[str, Field(max_length=500)] | None, BeforeValidator(lambda value: value or None)]


def _empty(value: Any) -> Any:
    """A form sends its empty fields, too."""
    return None if value == "" else value


# the bounds stand at the type itself: only there does the schema of the API tell them
_Number = Annotated[Annotated[int, Field(ge=0, le=MOST_NUMBER)] | None, BeforeValidator(_empty)]
_Year = Annotated[Annotated[int, Field(ge=-9999, le=9999)] | None, BeforeValidator(_empty)]
_Figure = Annotated[Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None, BeforeValidator(_empty)]
_Trust = Annotated[Annotated[float, Field(ge=0, le=1)] | None, BeforeValidator(_empty)]
_Cosine = Annotated[Annotated[float, Field(ge=-1, le=1)] | None, BeforeValidator(_empty)]


def place_of(text: str) -> Place:
    """The inverse of `place_text`.

    Raises:
        ValueError: it is no such text.
    """
    precedence, attempt_id = text.split(",")
    place = Place(float(precedence), min(int(attempt_id), MOST_NUMBER))  # behind the last is behind all
    if not isfinite(place.precedence) or place.attempt_id < 0:
        raise ValueError("a place out of range")
    return place


_Beside = Annotated[Place | None, BeforeValidator(place_of)]


class FilterForm(BaseModel):
    """Which entries; names and meanings are those of `QueueFilter`."""

    model_config = ConfigDict(frozen=True)

    queue: Queue = Queue.WAITING
    order: Annotated[Order, BeforeValidator(lambda value: value or Order.MATCH)] = Order.MATCH
    batch_id: _Number = None
    archive: _Text = None
    artist: _Text = None
    actor: _Text = None
    role: _Text = None
    year_from: _Year = None
    year_to: _Year = None
    recipe: _Text = None
    likeness_from: _Cosine = None
    likeness_to: _Cosine = None
    trust_from: _Trust = None
    trust_to: _Trust = None
    error_from: _Figure = None
    error_to: _Figure = None
    outcome: Annotated[Outcome | None, BeforeValidator(_empty)] = None
    verdict: Annotated[Verdict | None, BeforeValidator(_empty)] = None
    curator: _Text = None
    fault: Annotated[FaultKind | None, BeforeValidator(_empty)] = None
    words: Annotated[str, Field(max_length=200)] = ""

    @classmethod
    def kept(cls, query: str) -> Self | None:
        """A view that was kept by its address; None: it has a filter that the page does not know any more."""
        try:
            return cls.model_validate(dict(parse_qsl(query)))
        except ValidationError:
            return None

    def wanted(self) -> QueueFilter:
        """As the catalogue takes it."""
        return QueueFilter(**{name: getattr(self, name) for name in FilterForm.model_fields})

    def narrowing(self) -> dict[str, Any]:
        """What narrows the queue: field → value, without the queue itself and its order."""
        return {name: value for name, value in self._given().items() if name not in ("queue", "order")}

    def query(self, **further: Any) -> str:
        """As a query string, with further parameters behind; None leaves one out."""
        return urlencode({**self._given(), **{name: value for name, value in further.items() if value is not None}})

    def changed(self, **changes: Any) -> Self:
        """The same view with some fields set otherwise."""
        return self.model_copy(update=changes)

    def _given(self) -> dict[str, Any]:
        values = ((name, getattr(self, name), without) for name, without in _WITHOUT.items())
        return {name: value for name, value, without in values if value != without}


_WITHOUT = dict(FilterForm())
"""What each field is where the address does not name it."""


class PageForm(BaseModel):
    """Which part of the queue: behind a place, before one, or from a position on."""

    model_config = ConfigDict(frozen=True)

    after: _Beside = None
    before: _Beside = None
    position: Annotated[int, BeforeValidator(lambda value: value or 0), Field(ge=0, le=MOST_NUMBER)] = 0
    """Counted from 1, as people do; 0: none."""

    def page(self, limit: int = PAGE_SIZE) -> PageOf:
        """As the catalogue takes it."""
        return PageOf(self.after, self.before, max(self.position - 1, 0), limit)


def place_text(place: Place) -> str:
    """A place as the address holds it, exact to the last bit."""
    return f"{place.precedence!r},{place.attempt_id}"
