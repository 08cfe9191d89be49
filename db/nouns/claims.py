"""Which matches are due, and the claim itself: INSERT ... ON CONFLICT DO NOTHING against the partial index.

The index `uq_attempts_claim` decides between processes, not the query before it: on PostgreSQL the slower of
two waits for the faster one's commit and then skips its rows; on SQLite writers take turns anyway.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, not_, or_, select
from sqlalchemy.orm import Session, aliased

from db.entries import Outcome
from db.models import Attempt, Batch, Image, Match
from db.nouns.conditions import usable
from db.nouns.store import changed, now

_CLAIMED = (Outcome.SUCCEEDED, Outcome.REJECTED)
NO_INPUTS = ""
"""Digest of further inputs (marks, a mask); the night has none."""


@dataclass(frozen=True)
class Due:
    """Which matches a batch takes on, of those that its recipe has not settled."""

    chosen: ColumnElement[bool]
    """A condition on `Match`."""
    max_tries: int
    limit: int | None = None


def claim(session: Session, insert: Any, batch_id: int, due: Due) -> int:
    """Open attempts in the batch for matches that are due; how many.

    Rows that another process claimed meanwhile are skipped, and others sought until there are none.
    """
    batch = session.get_one(Batch, batch_id)
    taken = 0
    while due.limit is None or taken < due.limit:
        open_ones = _open(batch, due).limit(None if due.limit is None else due.limit - taken)
        if session.execute(open_ones.limit(1)).first() is None:
            break
        rows = open_ones.order_by(Match.id)
        statement = insert.from_select([*_COLUMNS], rows).on_conflict_do_nothing()
        taken += changed(session, statement)
    return taken


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
    same_key = and_(
        earlier.content_sha256 == content.sha256,
        earlier.style_sha256 == style.sha256,
        earlier.recipe_digest == batch.recipe_digest,
        earlier.weights_checksum == batch.encoder_checksum,
        earlier.inputs_digest == NO_INPUTS,
    )
    settled = or_(earlier.outcome.is_(None), earlier.outcome.in_(_CLAIMED), not_(earlier.transient))
    tries = select(func.count()).select_from(earlier).where(same_key).scalar_subquery()
    return (
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
            literal(NO_INPUTS),
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
