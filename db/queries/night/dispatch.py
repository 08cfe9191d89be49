"""The dispatch's queries: batches are taken, held by heartbeat, taken over, closed; attempts get outcomes.

What is durable when: `take_batch` commits the claim on every match, block by block, before any work; `close_attempt`
commits one outcome with its output's row. A crash leaves pending attempts in a batch whose owner is gone; whoever
takes it over gets a higher token, and the old owner, should it still live, can write nothing more.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import timedelta
from math import isfinite
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, insert, not_, select, update
from sqlalchemy.orm import Session

from db.entries.claim import ENCODER, Inputs, MatcherKey, ModelKey, models_data, models_digest, models_from
from db.entries.night import AttemptResult, BatchEntry, ContentScope, EncoderKey, PendingAttempt, RecipeEntry
from db.entries.review import RECIPE_OF_NIGHT
from db.errors import BatchLost, BatchUnfinished, UnknownEntry
from db.queries.base.review_rows import lock_contents, refresh
from db.queries.base.store import Store, changed, chunks, image_entry, now
from db.queries.base.usable import usable
from db.queries.night import claims, lost_results
from db.queries.night.batch_owner import BatchOwner, is_gone, this_process
from db.queries.night.claims import Bounds, Offers, approved, chosen_match, is_for_nights, next_candidate
from db.queries.night.requests import match_requests
from db.queries.night.scope import in_scope
from db.tables.night import Attempt, Batch, Image, Match, Record
from db.tables.review import Review

SILENCE_S = 120
"""A owner that has not been heard of for so long is taken for dead."""
_RESULT = {each.name for each in fields(AttemptResult)} - {"output"}


class Taking(Store):
    """How a batch is taken, whatever is due: in blocks, so that nobody else waits long.

    A crash between two blocks leaves a batch with fewer attempts; whoever takes it over carries on with these, and the
    rest is due as before.
    """

    def _take(
        self, recipe: RecipeEntry, models: Collection[ModelKey], bounds: Bounds, kinds: Iterable[Offers],
        asked: Callable[[Session], Offers] | None = None,
    ) -> BatchEntry | None:  # fmt: skip
        """A batch, held by this process, of what is offered; None, and no batch: nothing is.

        Args:
            asked: what comes first, and in one transaction with whatever this does: nobody takes it back meanwhile.
        """
        with self._writing() as session:
            batch = batch_entry(session, _new_batch(session, recipe, models))
            taken = claims.claim(session, self._insert(Attempt), batch.id, asked(session), bounds) if asked else 0
        try:
            for offers in kinds:
                taken += self._claimed(batch, offers, replace(bounds, limit=bounds.left(taken)))
        except BaseException:
            self.release_batch(batch)
            raise
        with self._writing() as session:
            if taken:
                return batch_entry(session, batch.id)
            session.execute(delete(Batch).where(Batch.id == batch.id))
        return None

    def _claimed(self, batch: BatchEntry, offers: Offers, bounds: Bounds) -> int:
        """Offers are looked up beside the writers, and opened in blocks; how many were."""
        taken = place = 0
        while True:
            with self._reading() as session:  # anew each time: of what was written since, it knows
                held = session.get_one(Batch, batch.id)
                page = claims.next_page(session, held, offers, place, bounds.left(taken))
            if not page:
                return taken
            place = page[-1].place
            for start in range(0, len(page), claims.BLOCK):
                with self._writing() as session:
                    _hold(session, batch)
                    held, block = session.get_one(Batch, batch.id), page[start : start + claims.BLOCK]
                    taken += claims.open_attempts(session, self._insert(Attempt), held, block, bounds.max_tries)

    def release_batch(self, batch: BatchEntry) -> None:
        """Put the batch down as it is: anybody may take it over. Harmless when it is ours no longer."""
        with self._writing() as session:
            session.execute(_held(batch).values(_NOBODY))


class DispatchQueries(Taking):
    """What the dispatch says to the catalogue."""

    def take_batch(
        self, recipe: RecipeEntry, models: Collection[ModelKey], matcher: MatcherKey, scope: ContentScope | None = None,
        *, limit: int | None, max_tries: int = 3,
    ) -> BatchEntry | None:  # fmt: skip
        """Claim what is due, and hold it; None: nothing is due.

        What curators asked for comes first, then the next candidates of contents whose match they returned as
        wrong, then the chosen matches, oldest first. A recipe that needs no style takes contents as they are.

        Due is what no pending, succeeded or rejected attempt has by this recipe with these models and the same inputs,
        what has no permanent failure and fewer than `max_tries` others, and whose pictures may be used today. What a
        curator approved is not made anew because its recipe has other parameters now. Two processes at once never
        claim the same.

        Args:
            recipe: with the number of styles that it takes, at most; contents that have fewer candidates get those.
            models: all that decide the result; the one whose role is ENCODER takes the relative errors.
            matcher: whose matches are taken.
            scope: the contents for a recipe that needs no style; None: only those that curators asked for.
            limit: attempts, at most.
            max_tries: as above.
        """
        names = (RECIPE_OF_NIGHT, recipe.name)
        kinds: list[Offers] = []
        if recipe.styles:
            chosen = (next_candidate(), chosen_match())
            due = and_(is_for_nights(), not_(approved(recipe.name)))
            kinds = [claims.matches(and_(each, due), matcher) for each in chosen]
        elif scope is not None:
            with self._reading() as session:
                kinds = [claims.contents(in_scope(session, scope))]
        return self._take(recipe, models, Bounds(max_tries, limit), kinds, self._asked(names, matcher))

    def take_requests(
        self, recipe: RecipeEntry, models: Collection[ModelKey], matcher: MatcherKey, *, limit: int | None,
        max_tries: int = 3,
    ) -> BatchEntry | None:  # fmt: skip
        """Claim, as `take_batch`, only what curators asked for by the name of this recipe; nothing else is due."""
        return self._take(recipe, models, Bounds(max_tries, limit), (), self._asked((recipe.name,), matcher))

    def _asked(self, names: Collection[str], matcher: MatcherKey) -> Callable[[Session], Offers]:
        def asked(session: Session) -> Offers:
            match_requests(session, self._insert(Match), matcher, names)
            return claims.requests(names, matcher)

        return asked

    def unfinished_batches(self) -> list[BatchEntry]:
        """Batches that were put down or whose owner is gone; oldest first. They can be taken over."""
        return self._free_batches()

    def batches_at_work(self) -> list[BatchEntry]:
        """Unfinished batches that a living process holds."""
        with self._reading() as session:
            unfinished = session.scalars(select(Batch).where(Batch.closed_at.is_(None)).order_by(Batch.id)).all()
            return [batch_entry(session, batch.id) for batch in unfinished if not _is_free(batch)]

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
            batch_held = batch_entry(session, batch_id)
        for numbers in chunks(self._forbidden(batch_id)):
            with self._writing() as session:
                _hold(session, batch_held)
                _drop(session, numbers)
        with self._reading() as session:
            return batch_entry(session, batch_id)

    def _forbidden(self, batch_id: int) -> list[int]:
        """Pending attempts of which a picture may no longer be used."""
        with self._reading() as session:
            pending = session.execute(_left(batch_id)).all()
            allowed: set[str] = set()
            for some in chunks({sha256 for attempt in pending for sha256 in _taken(attempt)}):
                allowed |= set(session.scalars(select(Image.sha256).where(Image.sha256.in_(some), usable(Image.id))))
        return [attempt.id for attempt in pending if not allowed.issuperset(_taken(attempt))]

    def pending_attempts(self, batch: BatchEntry) -> list[PendingAttempt]:
        """What is left to try, in the order of the claim."""
        with self._reading() as session:
            attempts = session.execute(_left(batch.id)).all()
            files = _files(session, attempts)
            return [_pending_attempt(attempt, files) for attempt in attempts]

    def keep_alive(self, batch: BatchEntry) -> None:
        """Say that we are still at it, several times in SILENCE_S.

        Raises:
            BatchLost: another process has taken the batch over.
        """
        with self._writing() as session:
            _hold(session, batch)

    def make_again(self, sha256: str) -> bool:
        """Have a result whose file is lost made again, by whoever takes its batch over; False: its batch is at work."""
        with self._writing() as session:
            return lost_results.begin_again(session, sha256, _is_free)

    def forget_trust(self, sha256: str) -> bool:
        """Take the name of a lost map of trust out of its attempts, whose results stay; False: none has it."""
        named = update(Attempt).where(Attempt.trust_sha256 == sha256)
        with self._writing() as session:
            return bool(changed(session, named.values(trust_sha256=None)))

    def close_attempt(self, batch: BatchEntry, attempt_id: int, result: AttemptResult) -> AttemptResult:
        """Write an attempt's outcome, its figures and its output's row in one transaction.

        The output's file is in the store by now. Figures that are no finite numbers are kept as unknown.

        Returns:
            What was written: of a result that was made again and came out otherwise than it was judged, its failure.

        Raises:
            BatchLost: another process has taken the batch over; nothing was written.
            UnknownEntry: the attempt is not pending in this batch.
        """
        pending = update(Attempt).where(Attempt.id == attempt_id, Attempt.batch_id == batch.id, _pending())
        with self._writing() as session:
            _hold(session, batch)
            lost = lost_results.picture_of(session, attempt_id)
            if lost is not None:
                result = lost_results.as_judged(session, attempt_id, lost, result)
            values = {key: _finite(value) for key, value in asdict(result).items() if key in _RESULT}
            output = self._add_image(session, result.output, None) if result.output else None
            closed = pending.values(**values, output_image_id=output, closed_at=now())
            if not changed(session, closed):
                raise UnknownEntry(f"attempt {attempt_id} is not pending in batch {batch.id}; leave it as it is")
            if lost is not None and lost.id != output:
                lost_results.forget(session, attempt_id, lost)
            if output is not None:
                lock_contents(session, [attempt_id])
                refresh(session, self._insert(Review), [attempt_id])
        return result

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

    def _free_batches(self, *which: ColumnElement[bool]) -> list[BatchEntry]:
        with self._reading() as session:
            unfinished = select(Batch).where(Batch.closed_at.is_(None), *which).order_by(Batch.id)
            free = [batch.id for batch in session.scalars(unfinished) if _is_free(batch)]
            return [batch_entry(session, batch_id) for batch_id in free]


_NOBODY: Mapping[str, Any] = {"host": None, "pid": None, "process_start": None}


def batch_entry(session: Session, batch_id: int) -> BatchEntry:
    """The batch with its counts, as callers see it."""
    batch = session.get_one(Batch, batch_id, populate_existing=True)
    counts = select(func.count(), func.count(case((_pending(), 1)))).where(Attempt.batch_id == batch_id)
    taken, left = session.execute(counts.select_from(Attempt)).one()
    return BatchEntry(
        id=batch.id,
        token=batch.token,
        recipe=RecipeEntry(batch.recipe_name, batch.recipe_data, batch.recipe_digest, batch.styles),
        encoder=EncoderKey(batch.encoder_name, batch.encoder_checksum),
        models=models_from(batch.models),
        started_at=batch.started_at,
        taken=taken,
        left=left,
    )


def _new_batch(session: Session, recipe: RecipeEntry, models: Collection[ModelKey]) -> int:
    (encoder,) = (model for model in models if model.role == ENCODER)
    row = {
        "recipe_name": recipe.name,
        "recipe_data": dict(recipe.data),
        "recipe_digest": recipe.digest,
        "styles": recipe.styles,
        "encoder_name": encoder.name,
        "encoder_checksum": encoder.checksum,
        "models": models_data(models),
        "models_digest": models_digest(models),
        "token": 1,
        "started_at": now(),
        **_held_by(this_process()),
    }
    return session.execute(insert(Batch).values(row).returning(Batch.id)).scalar_one()


def _left(batch_id: int) -> Select[Any]:
    """What is pending in a batch, without the recipe that every row holds."""
    columns: list[Any] = [Attempt.id, Attempt.number, Attempt.match_id, Attempt.content_sha256, Attempt.inputs]
    return (
        select(*columns, Attempt.opened_at, Attempt.output_image_id)
        .where(Attempt.batch_id == batch_id, _pending())
        .order_by(Attempt.id)
    )


def _files(session: Session, attempts: Collection[Any]) -> dict[str, tuple[Image, str]]:
    """Each picture that these attempts take, by its sha256, with the identifier of the record that brought it."""
    files: dict[str, tuple[Image, str]] = {}
    for some in chunks({sha256 for attempt in attempts for sha256 in _taken(attempt)}):
        named = select(Image, Record.identifier).join(Record, Record.id == Image.record_id)
        files |= {image.sha256: (image, name) for image, name in session.execute(named.where(Image.sha256.in_(some)))}
    return files


def _taken(attempt: Any) -> list[str]:
    """The sha256 of its content and of its styles."""
    return [attempt.content_sha256, *(style.sha256 for style in Inputs.from_data(attempt.inputs).styles)]


def _pending_attempt(attempt: Any, files: Mapping[str, tuple[Image, str]]) -> PendingAttempt:
    (content, content_identifier), *styles = (files[sha256] for sha256 in _taken(attempt))
    return PendingAttempt(
        id=attempt.id,
        number=attempt.number,
        match_id=attempt.match_id,
        content=image_entry(content),
        styles=tuple(image_entry(style) for style, _ in styles),
        content_identifier=content_identifier,
        style_identifiers=tuple(identifier for _, identifier in styles),
        inputs=Inputs.from_data(attempt.inputs),
        opened_at=attempt.opened_at,
    )


def _drop(session: Session, attempt_ids: Collection[int]) -> None:
    """Delete pending attempts; those that once made a picture have failed."""
    made = select(Attempt.id).where(Attempt.id.in_(attempt_ids), Attempt.output_image_id.is_not(None))
    for attempt_id in session.scalars(made).all():
        lost_results.give_up(session, attempt_id)
    session.execute(delete(Attempt).where(Attempt.id.in_(attempt_ids), _pending()))


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
