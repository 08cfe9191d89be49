"""Which matches are due, and the claim itself: INSERT ... ON CONFLICT DO NOTHING against the partial index.

The index `uq_attempts_claim` decides between processes, not the query before it: on PostgreSQL the slower of
two waits for the faster one's commit and then skips its rows; on SQLite writers take turns anyway.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, literal_column, not_, or_, select
from sqlalchemy.orm import Session, aliased

from db.entries.night import MatchOutcome, Outcome, Verdict
from db.queries.base.review_rows import hidden
from db.queries.base.store import changed, now
from db.queries.base.usable import usable
from db.queries.night.open_requests import pending
from db.tables.night import Attempt, Batch, Image, Match
from db.tables.review import CuratorRequest, Review

_CLAIMED = (Outcome.SUCCEEDED, Outcome.REJECTED)
NO_INPUTS = ""
"""Digest of further inputs (marks, a mask); only requests have some."""


@dataclass(frozen=True)
class Due:
    """Which matches a batch takes on, of those that its recipe has not settled."""

    chosen: ColumnElement[bool]
    """A condition on `Match`."""
    max_tries: int
    requests: tuple[str, ...] = ()
    """Recipes as curators' requests name them: what they asked for, with the inputs of the requests; empty: whatever is
    chosen, with none."""


def claim(session: Session, insert: Any, batch_id: int, due: Due, limit: int | None = None) -> int:
    """Open attempts in the batch for matches that are due, `limit` at most; how many.

    Rows that another process claimed meanwhile are skipped, and others sought until there are none.
    """
    batch = session.get_one(Batch, batch_id)
    taken = 0
    while limit is None or taken < limit:
        open_ones = _open(batch, due).limit(None if limit is None else limit - taken)
        if session.execute(open_ones.limit(1)).first() is None:
            break
        rows = open_ones.order_by(Match.id)
        statement = insert.from_select([*_COLUMNS], rows).on_conflict_do_nothing()
        taken += changed(session, statement)
    return taken


def chosen() -> ColumnElement[bool]:
    """The matching's first choice, unless a curator has said that it is wrong."""
    return and_(Match.outcome == MatchOutcome.MATCHED, Match.id.not_in(_wrong()))


def requested() -> ColumnElement[bool]:
    """Matches of contents for which curators requested something: few, so that a database begins with them."""
    return Match.content_id.in_(select(CuratorRequest.content_id).where(CuratorRequest.withdrawn_at.is_(None)))


def next_candidate() -> ColumnElement[bool]:
    """The best-ranked candidate of a content whose better ones are all wrong, by a curator's word, or unusable."""
    better, first = aliased(Match), aliased(Match)
    same = [getattr(better, key) == getattr(Match, key) for key in ("content_id", "encoder_name", "encoder_checksum")]
    open_one = exists().where(*same, better.rank < Match.rank, better.id.not_in(_wrong()), usable(better.style_id))
    contents = select(first.content_id).where(first.id.in_(_wrong()))
    return and_(
        Match.content_id.in_(contents),
        Match.outcome == MatchOutcome.CANDIDATE,
        Match.rank.is_not(None),
        Match.id.not_in(_wrong()),
        not_(open_one),
    )


def _wrong() -> Any:
    """Matches of two pictures that a standing verdict says are a wrong match, whichever encoder found them."""
    tried, judged, same = aliased(Attempt), aliased(Match), aliased(Match)
    returned = and_(Review.reason == literal_column("'wrong match'"), Review.verdict == Verdict.RETURNED)
    return (
        select(same.id)
        .join(judged, and_(judged.content_id == same.content_id, judged.style_id == same.style_id))
        .join(tried, tried.match_id == judged.id)
        .join(Review, Review.attempt_id == tried.id)
        .where(returned, not_(hidden()))
    )


def forbidden() -> ColumnElement[bool]:
    """One of the attempt's two pictures may no longer be used."""
    content, style = aliased(Image), aliased(Image)
    match = aliased(Match)
    return not_(
        exists().where(
            match.id == Attempt.match_id,
            content.id == match.content_id,
            style.id == match.style_id,
            usable(content.id),
            usable(style.id),
        )
    )


_COLUMNS = (
    "batch_id",
    "match_id",
    "content_sha256",
    "style_sha256",
    "recipe_name",
    "recipe_data",
    "recipe_digest",
    "encoder_name",
    "weights_checksum",
    "inputs_digest",
    "number",
    "transient",
    "opened_at",
)


def _open(batch: Batch, due: Due) -> Any:
    """Chosen matches that are due for the batch's recipe and encoder, as rows for `_COLUMNS`."""
    content, style, earlier = aliased(Image), aliased(Image), aliased(Attempt)
    inputs: Any = CuratorRequest.inputs_digest if due.requests else literal(NO_INPUTS)
    same_key = and_(
        earlier.content_sha256 == content.sha256,
        earlier.style_sha256 == style.sha256,
        earlier.recipe_digest == batch.recipe_digest,
        earlier.weights_checksum == batch.encoder_checksum,
        earlier.inputs_digest == inputs,
    )
    settled = or_(earlier.outcome.is_(None), earlier.outcome.in_(_CLAIMED), not_(earlier.transient))
    tries = select(func.count()).select_from(earlier).where(same_key).scalar_subquery()
    found = (
        select(
            literal(batch.id),
            Match.id,
            content.sha256,
            style.sha256,
            literal(batch.recipe_name),
            literal(batch.recipe_data, Batch.recipe_data.type),
            literal(batch.recipe_digest),
            literal(batch.encoder_name),
            literal(batch.encoder_checksum),
            inputs,
            tries + 1,
            literal(value=False),
            literal(now(), Batch.started_at.type),
        )
        .join(content, content.id == Match.content_id)
        .join(style, style.id == Match.style_id)
        .where(due.chosen)
        .where(Match.encoder_name == batch.encoder_name, Match.encoder_checksum == batch.encoder_checksum)
        .where(not_(exists().where(same_key, settled)), tries < due.max_tries)
        .where(usable(content.id), usable(style.id))
    )
    return found.join(CuratorRequest, _request(due.requests)) if due.requests else found


def _request(recipes: Collection[str]) -> ColumnElement[bool]:
    """The request is for this match, and names one of these recipes."""
    return and_(
        CuratorRequest.content_id == Match.content_id,
        CuratorRequest.style_id == Match.style_id,
        CuratorRequest.recipe_name.in_(recipes),
        pending(),
    )
