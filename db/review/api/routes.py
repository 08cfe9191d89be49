"""The routes of the API: entries read, figures read, verdicts given; each as on the page, by the same queries."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Path, Query

from db.entries.review import Place, QueueFilter
from db.entries.statistics import Statistics, Subject
from db.exports.attempts import rows_of
from db.exports.lines import finite, line
from db.queries.review.queue import PageOf
from db.review.access.state import State
from db.review.api.callers import ApiRoute, Judging, Reading
from db.review.api.messages import (
    CountTold,
    Entries,
    EntriesAsked,
    EntryTold,
    Problem,
    Said,
    StatisticsTold,
    VerdictAsked,
    VerdictKept,
)
from db.review.pages.statistics import Asked
from db.review.view.filter_form import MOST_NUMBER, place_of, place_text

WORDS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "What was sent is no JSON."},
    401: {"model": Problem, "description": "No token, or one that is revoked, expired, or of a closed account."},
    403: {"model": Problem, "description": "The token, its account or the page (read-only) may not."},
    404: {"model": Problem, "description": "There is no such entry."},
    409: {"model": Problem, "description": "The entry is withheld: its pictures may not be used any more."},
    413: {"model": Problem, "description": "Too long."},
    422: {"model": Problem, "description": "A value cannot be used."},
    429: {"model": Problem, "description": "Too many requests; `Retry-After` says for how many seconds to wait."},
    503: {"model": Problem, "description": "The database does not answer, or there is no room; try again."},
}
"""What a route may answer beside what it is asked for."""


def _may(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: WORDS[status] for status in (*statuses, 401, 422, 429, 503)}


router = APIRouter(route_class=ApiRoute, prefix="/v1")
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]


@router.get("/entries", responses=_may())
def list_entries(state: State, who: Reading, asked: Annotated[EntriesAsked, Query()]) -> Entries:
    """Entries that a filter leaves; left out, the queue of what waits for a verdict."""
    page = state.catalogue.queue(asked.wanted(), PageOf(_after(asked.after), limit=asked.limit), reader=who.name)
    behind = place_text(page.entries[-1].place) if page.later else None
    return Entries(tuple(line(each) for each in page.entries), behind)


@router.get("/entries/{entry}", responses=_may(404))
def read_entry(state: State, who: Reading, entry: Number) -> EntryTold:  # noqa: ARG001  # who: it asks for a token
    """One entry, in whatever queue."""
    catalogue = state.catalogue
    told = line(catalogue.queue_entry(entry))
    (row,) = rows_of(catalogue, [catalogue.attempt(entry)])
    del row["trace"]
    return EntryTold(told, finite(row))


@router.post("/entries/{entry}/verdict", responses=_may(400, 403, 404, 409, 413))
def give_verdict(state: State, who: Judging, entry: Number, asked: VerdictAsked) -> VerdictKept:
    """Give a curator's word on an entry, by the name of the token's account; sent twice, it counts once."""
    if state.catalogue.queue_entry(entry).withheld:
        raise HTTPException(409, f"entry {entry} is withheld: a picture that it is made of may not be used any more")
    share = state.blind_share()
    given = state.catalogue.give_verdict(entry, who.name, asked.judgement(), seen=asked.seen, blind_share=share)
    between = tuple(Said(each.curator, each.verdict, each.reason, each.note, each.given_at) for each in given.between)
    return VerdictKept(given.id, entry, given.already, given.conflict, between)


@router.get("/statistics", responses=_may())
def read_statistics(state: State, who: Reading) -> StatisticsTold:
    """The catalogue in numbers."""
    told = state.catalogue.status()
    counts = state.catalogue.queue_counts(QueueFilter(), reader=who.name)
    queues = {queue: CountTold(count.number, count.more) for queue, count in counts.items()}
    parts = {name: told[name] for name in ("records", "images", "matches", "attempts", "verdicts")}
    return StatisticsTold(**parts, queues=queues)


@router.get("/statistics/{by}", responses=_may(404))
def read_results(
    state: State,
    who: Reading,  # noqa: ARG001  # it asks for a token
    by: Subject,
    encoder: Annotated[str, Query(max_length=100, description="Its checksum; left out, the one most used.")] = "",
) -> Statistics:
    """Results and verdicts counted by recipe, night, archive or artist, as on the page of statistics."""
    return Asked(by, encoder).statistics(state)


def _after(text: str | None) -> Place | None:
    if text is None:
        return None
    try:
        return place_of(text)
    except ValueError:
        raise HTTPException(422, "after: give the `next` of an answer, as it was") from None
