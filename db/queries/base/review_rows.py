"""Keeps `reviews` up to date: every query that changes what a row follows from calls `refresh` before it commits.

What stands: of the verdicts that nobody took back the last one. Two curators are in conflict when the last word
contradicts another's that its giver was not shown; whoever judges with both in view settles it. A first blind word
waits, hidden, for a second one; `settle_blind` ends that, and what does not wait any more stays so.

Withheld is a result of which a picture, content or style, may not be used any more: it stays, and nobody is shown it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal_column, not_, null, select, update
from sqlalchemy.orm import Session, aliased

from db.entries.claim import Inputs
from db.entries.night import Outcome, Verdict
from db.queries.base.describe import speaking_records
from db.queries.base.store import chunks
from db.queries.base.usable import may_be_shown
from db.tables.night import Attempt, Batch, Image, Match, Record, VerdictGiven
from db.tables.review import Review, UndoneVerdict

_this, _earlier, _review = aliased(Attempt), aliased(Attempt), aliased(Review)
_SHOWN_IDS, _SHOWN_NAMES = (select(each).where(may_be_shown(Image.id)) for each in (Image.id, Image.sha256))
"""Made once: it takes a while."""
_UNSCORED = 2.0
_REJECTED = 3.0
"""Scores are cosines, so that what succeeded lies in [0, 2]."""


@dataclass(frozen=True)
class Upshot:
    """What an attempt's verdicts come to."""

    last: VerdictGiven | None
    waiting: bool
    conflict_since: datetime | None


def standing(voices: Sequence[VerdictGiven]) -> Upshot:
    """Of the verdicts not taken back, oldest first."""
    if not voices:
        return Upshot(None, waiting=True, conflict_since=None)
    last = voices[-1]
    unseen = [each for each in voices[:-1] if each.curator != last.curator and each.id > (last.answered or 0)]
    contradicted = any(each.verdict is not last.verdict for each in unseen)
    second_missing = last.blind and len({each.curator for each in voices}) < 2
    return Upshot(last, waiting=second_missing, conflict_since=last.given_at if contradicted else None)


def hidden() -> ColumnElement[bool]:
    """A first blind word is here, and nobody is told of it yet: nothing else waits with a word on it."""
    return and_(Review.waiting_since.is_not(None), Review.verdict.is_not(None))


def not_undone() -> ColumnElement[bool]:
    """The verdict was not taken back."""
    return not_(exists().where(UndoneVerdict.verdict_id == VerdictGiven.id))


def words_on(session: Session, attempt_ids: Collection[int]) -> dict[int, list[VerdictGiven]]:
    """The verdicts that stand on each attempt, oldest first."""
    voices: dict[int, list[VerdictGiven]] = defaultdict(list)
    for some in chunks(attempt_ids):
        given = select(VerdictGiven).where(VerdictGiven.attempt_id.in_(some), not_undone())
        for row in session.scalars(given.order_by(VerdictGiven.id)):
            voices[row.attempt_id].append(row)
    return voices


def refresh(session: Session, insert_review: Any, attempt_ids: Collection[int]) -> None:
    """Write the rows of these attempts anew; those without a picture have none."""
    for some in chunks(attempt_ids):
        rows = _rows(session, some)
        if not rows:
            continue
        again = {key: insert_review.excluded[key] for key in rows[0] if key != "attempt_id"}
        settled = and_(Review.waiting_since.is_(None), Review.verdict_id == again["verdict_id"])
        again["waiting_since"] = case((settled, null()), else_=again["waiting_since"])
        session.execute(insert_review.on_conflict_do_update(index_elements=["attempt_id"], set_=again), rows)
        session.execute(_returned_earlier(some), execution_options={"synchronize_session": False})


@contextmanager
def following(session: Session, insert_review: Any, image_ids: Collection[int]) -> Iterator[None]:
    """Write anew the rows of attempts for whose pictures another record speaks, or other rights hold, from then on."""
    before, shown = records_behind(session, image_ids), _shown(session, image_ids)
    yield
    after, changed = records_behind(session, image_ids), _shown(session, image_ids) ^ shown
    moved = {each for each in after if after[each] != before.get(each)}
    made = {*_made_of(session, moved | changed), *_made_with(session, changed)}
    refresh(session, insert_review, lock_contents(session, made))  # locked at once: in one order


def refresh_images(session: Session, insert_review: Any, image_ids: Collection[int]) -> None:
    """As `refresh`, of all attempts at these contents, or that took one of them as a style."""
    refresh(session, insert_review, lock_contents(session, made_from(session, image_ids)))


def made_from(session: Session, image_ids: Collection[int]) -> set[int]:
    """The attempts that made a picture of these images, as content or as style."""
    return {*_made_of(session, image_ids), *_made_with(session, image_ids)}


def _made_of(session: Session, image_ids: Collection[int]) -> Iterator[int]:
    """The attempts at these contents that made a picture."""
    for some in chunks(image_ids):
        of_these = select(Attempt.id).join(Image, Image.sha256 == Attempt.content_sha256).where(Image.id.in_(some))
        yield from session.scalars(of_these.where(Attempt.output_image_id.is_not(None)))


def _made_with(session: Session, image_ids: Collection[int]) -> Iterator[int]:
    """Those that took one of these images as a style."""
    made = select(Attempt.id).where(Attempt.output_image_id.is_not(None))
    for some in chunks(image_ids):
        names = set(session.scalars(select(Image.sha256).where(Image.id.in_(some))))
        yield from session.scalars(made.where(Attempt.style_sha256.in_(names)))
        several = made.add_columns(Attempt.inputs).join(Batch, Batch.id == Attempt.batch_id).where(Batch.styles > 1)
        yield from (attempt for attempt, inputs in session.execute(several) if names & set(style_names(inputs)))


def style_names(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The sha256 of each style, in the order of the inputs."""
    return tuple(style.sha256 for style in Inputs.from_data(inputs).styles)


def settle_blind(session: Session, insert_review: Any) -> None:
    """First blind words wait for no second one any more: each stands, and is shown."""
    waiting = session.scalars(select(Review.attempt_id).where(hidden())).all()
    touched = lock_contents(session, waiting)
    for some in chunks(waiting):
        alone = update(Review).where(Review.attempt_id.in_(some), hidden())
        session.execute(alone.values(waiting_since=None), execution_options={"synchronize_session": False})
    refresh(session, insert_review, touched)


def lock_contents(session: Session, attempt_ids: Collection[int]) -> list[int]:
    """All attempts of the same contents, theirs and the others'; nobody else changes their rows until the commit.

    Locked in one order, so that two who judge many at once wait and never block each other, and read again after
    the wait. On SQLite writers take turns anyway.
    """
    found: set[int] = set()
    for some in chunks(sorted(attempt_ids)):
        contents = select(Attempt.content_sha256).where(Attempt.id.in_(some))
        same = select(Attempt.id).where(Attempt.content_sha256.in_(contents), Attempt.output_image_id.is_not(None))
        rows = select(Review.attempt_id).where(Review.attempt_id.in_(same)).order_by(Review.attempt_id)
        session.execute(rows.with_for_update()).all()
        found |= set(session.scalars(same))
    return sorted(found)


def _rows(session: Session, attempt_ids: Collection[int]) -> list[dict[str, Any]]:
    made = (
        select(Attempt.id, Attempt.batch_id, Attempt.recipe_name, Attempt.outcome, Attempt.total_error_mean)
        .add_columns(Attempt.closed_at, Attempt.measures, Match.score, Image.id.label("content_id"))
        .add_columns(Attempt.content_sha256, Attempt.inputs)
        .join(Image, Image.sha256 == Attempt.content_sha256)
        .outerjoin(Match, Match.id == Attempt.match_id)
        .where(Attempt.id.in_(attempt_ids), Attempt.output_image_id.is_not(None), Attempt.outcome.is_not(None))
    )
    found = session.execute(made).all()
    records = records_behind(session, {each.content_id for each in found})
    voices = words_on(session, attempt_ids)
    taken = {each.id: {each.content_sha256, *style_names(each.inputs)} for each in found}
    shown = _shown_names(session, {name for names in taken.values() for name in names})
    return [
        _row(each, records[each.content_id], standing(voices[each.id]), withheld=not taken[each.id] <= shown)
        for each in found
    ]


def _shown(session: Session, image_ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    for some in chunks(image_ids):
        found |= set(session.scalars(_SHOWN_IDS.where(Image.id.in_(some))))
    return found


def _shown_names(session: Session, names: Collection[str]) -> set[str]:
    found: set[str] = set()
    for some in chunks(names):
        found |= set(session.scalars(_SHOWN_NAMES.where(Image.sha256.in_(some))))
    return found


def records_behind(session: Session, image_ids: Collection[int]) -> dict[int, Any]:
    """What a row takes from the record that speaks for each harvested image, or else first brought it."""
    found: dict[int, Any] = {}
    for some in chunks(image_ids):
        images = select(Image.id, Image.record_id).where(Image.id.in_(some), Image.record_id.is_not(None))
        behind = {image_id: record_id or 0 for image_id, record_id in session.execute(images)}
        behind |= speaking_records(session, some)
        records = _records(session, behind.values())
        found |= {image_id: records[record_id] for image_id, record_id in behind.items()}
    return found


def _row(attempt: Any, record: Any, stands: Upshot, *, withheld: bool = False) -> dict[str, Any]:
    last = stands.last
    return {
        "attempt_id": attempt.id,
        "precedence": _precedence(attempt.outcome, attempt.score),
        "batch_id": attempt.batch_id,
        "record_id": record.id,
        "archive_id": record.archive_id,
        "recipe_name": attempt.recipe_name,
        "outcome": attempt.outcome,
        "error": attempt.total_error_mean,
        "likeness": attempt.score,
        "trust": (attempt.measures or {}).get("trust"),
        "year_from": record.year_from,
        "year_to": record.year_to,
        "waiting_since": attempt.closed_at if stands.waiting else None,
        "conflict_since": stands.conflict_since,
        "verdict_id": last and last.id,
        "verdict": last and last.verdict,
        "reason": (last and last.reason) or None,
        "curator": last and last.curator,
        "blind": last is not None and last.blind,
        "withheld": withheld,
    }


def _precedence(outcome: Outcome, score: float | None) -> float:
    return (_UNSCORED if score is None else 1 - score) + (_REJECTED if outcome is Outcome.REJECTED else 0.0)


def _records(session: Session, record_ids: Collection[int]) -> dict[int, Any]:
    columns = select(Record.id, Record.archive_id, Record.year_from, Record.year_to)
    return {row.id: row for row in session.execute(columns.where(Record.id.in_(set(record_ids))))}


def _returned_earlier(attempt_ids: Collection[int]) -> Any:
    """Say on each attempt who had returned one of the same content when it was begun; no hidden word is told."""
    before = (
        select(_review.curator)
        .join(_earlier, _earlier.id == _review.attempt_id)
        .join(_this, _this.content_sha256 == _earlier.content_sha256)
        .join(VerdictGiven, VerdictGiven.id == _review.verdict_id)
        .where(_this.id == Review.attempt_id, _this.opened_at > VerdictGiven.given_at, _review.waiting_since.is_(None))
        # by way of the content's few attempts: told plainly, SQLite would go through all that was ever returned
        .where(func.coalesce(_review.verdict, literal_column("''")) == Verdict.RETURNED)
        .order_by(_review.attempt_id.desc())
        .limit(1)
        .correlate(Review)
        .scalar_subquery()
    )
    return update(Review).where(Review.attempt_id.in_(attempt_ids)).values(returned_by=before)
