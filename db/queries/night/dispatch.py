"""The dispatch's queries: batches are taken, held by heartbeat, taken over, closed; attempts get outcomes.

What is durable when: `take_batch` commits the claim on every match before any work; `close_attempt` commits
one outcome with its output's row. A crash leaves pending attempts in a batch whose owner is gone; whoever
takes it over gets a higher token, and the old owner, should it still live, can write nothing more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import timedelta
from math import isfinite
from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from db.entries.night import AttemptResult, BatchEntry, EncoderKey, PendingAttempt, RecipeEntry
from db.entries.review import RECIPE_OF_NIGHT
from db.errors import BatchLost, BatchUnfinished, UnknownEntry
from db.queries.base.review_rows import lock_contents, refresh
from db.queries.base.store import Store, changed, image_entry, now
from db.queries.night.batch_owner import BatchOwner, is_gone, this_process
from db.queries.night.claims import NO_INPUTS, Due, chosen, claim, forbidden, next_candidate, requested
from db.queries.night.requests import match_requests
from db.tables.night import Attempt, Batch, Image, Match, Record
from db.tables.review import CuratorRequest, Review

SILENCE_S = 120
"""A owner that has not been heard of for so long is taken for dead."""
_RESULT = {each.name for each in fields(AttemptResult)} - {"output"}


class DispatchQueries(Store):
    """What the dispatch says to the catalogue."""

    def take_batch(
        self, recipe: RecipeEntry, encoder: EncoderKey, *, limit: int | None, max_tries: int = 3
    ) -> BatchEntry | None:
        """Claim the matches that are due, and hold them; None: nothing is due.

        What curators asked for comes first, then the next candidates of contents whose match they returned as
        wrong, then the chosen matches, oldest first.

        Due is a match of this encoder that no pending, succeeded or rejected attempt has by this recipe,
        that has no permanent failure and fewer than `max_tries` others, and whose two pictures may be used
        today. Two processes at once never claim the same match.
        """
        with self._writing() as session:
            names = (RECIPE_OF_NIGHT, recipe.name)
            match_requests(session, self._insert(Match), encoder, names)
            dues = [
                Due(requested(), max_tries, names),
                Due(next_candidate(), max_tries),
                Due(chosen(), max_tries),
            ]
            return open_batch(session, self._insert(Attempt), recipe, encoder, dues, limit)

    def take_requests(
        self, recipe: RecipeEntry, encoder: EncoderKey, *, limit: int | None, max_tries: int = 3
    ) -> BatchEntry | None:
        """Claim, as `take_batch`, only what curators asked for by the name of this recipe; nothing else is due."""
        with self._writing() as session:
            match_requests(session, self._insert(Match), encoder, (recipe.name,))
            dues = [Due(requested(), max_tries, (recipe.name,))]
            return open_batch(session, self._insert(Attempt), recipe, encoder, dues, limit)

    def unfinished_batches(self) -> list[BatchEntry]:
        """Batches that were put down or whose owner is gone; oldest first. They can be taken over."""
        return self._free_batches()

    def dead_batches(self) -> list[BatchEntry]:
        """Those of the unfinished batches that nobody put down: their owner is gone."""
        return self._free_batches(Batch.host.is_not(None))

    def take_over(self, batch_id: int) -> BatchEntry | None:
        """Hold a free batch from now on; None: somebody else has it, or it is closed.

        Pending attempts whose pictures may no longer be used are dropped, which frees their claims.
        """
        with self._writing() as session:
            batch = session.get(Batch, batch_id)
            if batch is None or batch.closed_at is not None or not _is_free(batch):
                return None
            swap = update(Batch).where(Batch.id == batch_id, Batch.token == batch.token)
            if not changed(session, swap.values(token=batch.token + 1, **_held_by(this_process()))):
                return None
            session.execute(delete(Attempt).where(Attempt.batch_id == batch_id, _pending(), forbidden()))
            return batch_entry(session, batch_id)

    def pending_attempts(self, batch: BatchEntry) -> list[PendingAttempt]:
        """What is left to try, in the order of the claim."""
        content, style = aliased(Image), aliased(Image)
        content_record, style_record = aliased(Record), aliased(Record)
        marks = select(func.max(CuratorRequest.marks_sha256)).where(
            CuratorRequest.inputs_digest == Attempt.inputs_digest, Attempt.inputs_digest != NO_INPUTS
        )
        pending = (
            select(
                Attempt.id,
                Attempt.number,
                Attempt.match_id,
                content,
                style,
                content_record.identifier,
                style_record.identifier,
                marks.scalar_subquery(),
            )
            .join(content, content.sha256 == Attempt.content_sha256)
            .join(style, style.sha256 == Attempt.style_sha256)
            .join(content_record, content_record.id == content.record_id)
            .join(style_record, style_record.id == style.record_id)
            .where(Attempt.batch_id == batch.id, _pending())
            .order_by(Attempt.id)
        )
        with self._reading() as session:
            return [
                PendingAttempt(attempt_id, number, match_id, image_entry(gray), image_entry(colour), *rest)
                for attempt_id, number, match_id, gray, colour, *rest in session.execute(pending)
            ]

    def keep_alive(self, batch: BatchEntry) -> None:
        """Say that we are still at it, several times in SILENCE_S.

        Raises:
            BatchLost: another process has taken the batch over.
        """
        with self._writing() as session:
            _hold(session, batch)

    def close_attempt(self, batch: BatchEntry, attempt_id: int, result: AttemptResult) -> None:
        """Write an attempt's outcome, its figures and its output's row in one transaction.

        The output's file is in the store by now. Figures that are no finite numbers are kept as unknown.

        Raises:
            BatchLost: another process has taken the batch over; nothing was written.
            UnknownEntry: the attempt is not pending in this batch.
        """
        values = {key: _finite(value) for key, value in asdict(result).items() if key in _RESULT}
        pending = update(Attempt).where(Attempt.id == attempt_id, Attempt.batch_id == batch.id, _pending())
        with self._writing() as session:
            _hold(session, batch)
            output = self._add_image(session, result.output, None) if result.output else None
            closed = pending.values(**values, output_image_id=output, closed_at=now())
            if not changed(session, closed):
                raise UnknownEntry(f"attempt {attempt_id} is not pending in batch {batch.id}; leave it as it is")
            if output is not None:
                lock_contents(session, [attempt_id])
                refresh(session, self._insert(Review), [attempt_id])

    def close_batch(self, batch: BatchEntry) -> None:
        """The batch is done.

        Raises:
            BatchLost: another process has taken the batch over.
            BatchUnfinished: attempts are left; release it instead.
        """
        with self._writing() as session:
            _hold(session, batch)
            left = batch_entry(session, batch.id).left
            if left:
                raise BatchUnfinished(f"batch {batch.id} has {left} attempts without an outcome; release it instead")
            closed = {"closed_at": now(), **_NOBODY}
            session.execute(update(Batch).where(Batch.id == batch.id).values(closed))

    def release_batch(self, batch: BatchEntry) -> None:
        """Put the batch down as it is: anybody may take it over. Harmless when it is ours no longer."""
        with self._writing() as session:
            session.execute(_held(batch).values(_NOBODY))

    def _free_batches(self, *which: ColumnElement[bool]) -> list[BatchEntry]:
        with self._reading() as session:
            unfinished = select(Batch).where(Batch.closed_at.is_(None), *which).order_by(Batch.id)
            free = [batch.id for batch in session.scalars(unfinished) if _is_free(batch)]
            return [batch_entry(session, batch_id) for batch_id in free]


_NOBODY: Mapping[str, Any] = {"host": None, "pid": None, "process_start": None}


def open_batch(
    session: Session, insert_attempts: Any, recipe: RecipeEntry, encoder: EncoderKey, dues: Iterable[Due],
    limit: int | None = None,
) -> BatchEntry | None:  # fmt: skip
    """A batch, held by this process, of what is due, `limit` at most; None, and no batch, where nothing is."""
    batch_id, taken = _new_batch(session, recipe, encoder), 0
    for due in dues:
        taken += claim(session, insert_attempts, batch_id, due, None if limit is None else limit - taken)
    if taken:
        return batch_entry(session, batch_id)
    session.execute(delete(Batch).where(Batch.id == batch_id))
    return None


def batch_entry(session: Session, batch_id: int) -> BatchEntry:
    """The batch with its counts, as callers see it."""
    batch = session.get_one(Batch, batch_id, populate_existing=True)
    counts = select(func.count(), func.count(case((_pending(), 1)))).where(Attempt.batch_id == batch_id)
    taken, left = session.execute(counts.select_from(Attempt)).one()
    return BatchEntry(
        id=batch.id,
        token=batch.token,
        recipe=RecipeEntry(batch.recipe_name, batch.recipe_data, batch.recipe_digest),
        encoder=EncoderKey(batch.encoder_name, batch.encoder_checksum),
        started_at=batch.started_at,
        taken=taken,
        left=left,
    )


def _new_batch(session: Session, recipe: RecipeEntry, encoder: EncoderKey) -> int:
    row = {
        "recipe_name": recipe.name,
        "recipe_data": dict(recipe.data),
        "recipe_digest": recipe.digest,
        "encoder_name": encoder.name,
        "encoder_checksum": encoder.checksum,
        "token": 1,
        "started_at": now(),
        **_held_by(this_process()),
    }
    return session.execute(insert(Batch).values(row).returning(Batch.id)).scalar_one()


def _held_by(owner: BatchOwner) -> dict[str, Any]:
    return {
        "host": owner.host,
        "pid": owner.pid,
        "process_start": owner.started,
        "heartbeat_at": now(),
    }


def _is_free(batch: Batch) -> bool:
    if batch.host is None or now() - batch.heartbeat_at > timedelta(seconds=SILENCE_S):
        return True
    return is_gone(BatchOwner(batch.host, batch.pid or 0, batch.process_start or ""))


def _held(batch: BatchEntry) -> Any:
    return update(Batch).where(Batch.id == batch.id, Batch.token == batch.token, Batch.closed_at.is_(None))


def _hold(session: Session, batch: BatchEntry) -> None:
    """Beat the heart, and lock the batch's row until the commit: nobody can take it over in between."""
    if not changed(session, _held(batch).values(heartbeat_at=now())):
        raise BatchLost(
            f"batch {batch.id} was taken over by another process (our token was {batch.token}); "
            "this one stops, the other goes on"
        )


def _pending() -> Any:
    return Attempt.outcome.is_(None)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
