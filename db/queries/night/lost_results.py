"""Results whose files are lost or altered are made again, in the place of what was.

The attempt is pending again, in its own batch, and keeps its claim, its number and its verdicts: on a CPU it ends in
the same bytes, and everything is as it was. Where it ends in others, nobody has judged those: an attempt with verdicts
has failed then, which frees its claim, and a later night makes another.
"""

from typing import Final

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from db.entries.night import AttemptResult, Outcome
from db.queries.base.review_rows import words_on
from db.queries.base.store import now
from db.queries.night import leases
from db.tables.night import Attempt, Batch, Image, Measurement
from db.tables.review import Review

LOST: Final = "ResultLost"
"""The error's name in an attempt that made a picture which is no more."""


def begin_again(session: Session, sha256: str) -> bool:
    """Have what made this picture pending again; False: nothing did, or its batch is at work."""
    made = select(Attempt, Batch).join(Image, Image.id == Attempt.output_image_id).join(Batch)
    found = session.execute(made.where(Image.sha256 == sha256, Attempt.outcome.is_not(None))).all()
    if not all(batch.closed_at is not None or not leases.silent_and_alive(session, batch.id)[1] for _, batch in found):
        return False
    for attempt, batch in found:
        session.execute(delete(Review).where(Review.attempt_id == attempt.id))
        attempt.outcome, attempt.closed_at, batch.closed_at, attempt.tries = None, None, None, 0
    return bool(found)


def picture_of(session: Session, attempt_id: int) -> Image | None:
    """The picture that a pending attempt once made; None where it never did."""
    made = select(Image).join(Attempt, Attempt.output_image_id == Image.id)
    return session.scalars(made.where(Attempt.id == attempt_id, Attempt.outcome.is_(None))).one_or_none()


def as_judged(session: Session, attempt_id: int, lost: Image, result: AttemptResult) -> AttemptResult:
    """The result, unless there are verdicts on a picture that it is not."""
    if result.output is None or result.output.sha256 == lost.sha256 or not words_on(session, [attempt_id]):
        return result
    why = "its result was lost, and another came of it than the one that was judged; it is tried anew"
    return AttemptResult(
        Outcome.FAILED, result.device, result.versions, error_class=LOST, error_message=why, transient=True
    )


def give_up(session: Session, attempt_id: int) -> None:
    """What is lost stays so: the attempt's pictures may no longer be used."""
    lost = picture_of(session, attempt_id)
    why = "its result was lost, and its pictures may no longer be used"
    failed = {"outcome": Outcome.FAILED, "transient": True, "error_class": LOST, "error_message": why}
    closed = {**failed, "output_image_id": None, "trust_sha256": None, "closed_at": now()}
    session.execute(update(Attempt).where(Attempt.id == attempt_id).values(closed))
    if lost is not None:
        forget(session, attempt_id, lost)


def forget(session: Session, attempt_id: int, lost: Image) -> None:
    """Take the lost picture's row away, where nothing else made the same, and what was measured of it."""
    other = aliased(Attempt)
    unnamed = ~exists().where(other.output_image_id == lost.id)
    session.execute(delete(Measurement).where(Measurement.attempt_id == attempt_id))
    session.execute(delete(Image).where(Image.id == lost.id, Image.record_id.is_(None), unnamed))
