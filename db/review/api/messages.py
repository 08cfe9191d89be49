"""What programs send and are answered, as data; the OpenAPI document is made of these."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from db.entries.night import Verdict
from db.entries.review import Judgement, Queue, Reason
from db.exports.lines import Line
from db.review.pages.entry import NOTE_LENGTH
from db.review.view.filter_form import MOST_NUMBER, FilterForm

MOST_ENTRIES = 200
_PLACE: Final = r"^-?\d{1,20}(\.\d{1,20})?(e\+?\d{1,2}|e-\d{1,3})?,\d{1,10}$"
_RETURNED: Final[dict[str, Any]] = {
    "if": {"properties": {"verdict": {"const": "returned"}}},
    "then": {"properties": {"reason": {"type": "string"}}, "required": ["reason"]},
    "else": {"properties": {"reason": {"type": "null"}}},
}
"""A return has a reason, nothing else has: as the schema says it."""


class EntriesAsked(FilterForm):
    """The filter of the queue's address, and which part of what it leaves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Annotated[Annotated[str, Field(pattern=_PLACE)] | None, Field(description="`next` of the part before.")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=MOST_ENTRIES)] = 50


class VerdictAsked(BaseModel):
    """A curator's word."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_RETURNED)

    verdict: Verdict
    reason: Annotated[Reason | None, Field(description="Of a return, and of nothing else.")] = None
    note: Annotated[str, Field(max_length=NOTE_LENGTH)] = ""
    seen: Annotated[
        Annotated[int, Field(ge=1, le=MOST_NUMBER)] | None,
        Field(description="`seen` of the entry as it was read: a word given meanwhile is told, not passed over."),
    ]

    @model_validator(mode="after")
    def _is_a_judgement(self) -> Self:
        if (self.verdict is Verdict.RETURNED) is not (self.reason is not None):
            raise ValueError("a return has a reason, and nothing else has")
        return self

    def judgement(self) -> Judgement:
        """As the catalogue takes it."""
        return Judgement(self.verdict, self.reason, self.note)


@dataclass(frozen=True)
class Entries:
    """A part of what a filter leaves, in the queue's order."""

    entries: tuple[Line, ...]
    next: str | None
    """`after` of the next part; null: there is none."""


@dataclass(frozen=True)
class EntryTold:
    """One entry with all that `nishiki export --format json` says of it, but for the trace."""

    line: Line
    attempt: dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A word of another curator."""

    curator: str
    verdict: Verdict
    reason: str
    note: str
    given_at: datetime


@dataclass(frozen=True)
class VerdictKept:
    """What became of a verdict."""

    verdict_id: int
    entry: int
    already: bool
    """Nothing was added: this word of theirs stands, and the program had not seen it."""
    conflict: bool
    between: tuple[Said, ...]
    """What others said since the entry was read."""


@dataclass(frozen=True)
class CountTold:
    """How many; with `more`, so many at least."""

    number: int
    more: bool


@dataclass(frozen=True)
class StatisticsTold:
    """The catalogue in numbers."""

    records: int
    images: dict[str, int]
    matches: dict[str, int]
    attempts: dict[str, int]
    verdicts: dict[str, int]
    queues: dict[Queue, CountTold]
    """Entries of each queue, as this reader sees it."""


@dataclass(frozen=True)
class Problem:
    """Why there is no other answer."""

    detail: str
