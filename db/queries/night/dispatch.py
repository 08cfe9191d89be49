"""The dispatch's queries: batches are taken, joined, closed; attempts are taken by a lease and get outcomes.

What is durable when: `take_batch` commits the claim on every match, block by block, before any work; `take_attempts`
counts the try; `close_attempt` commits one outcome with its output's row. A crash leaves pending attempts whose lease
is silent: whoever joins the batch ends that lease and takes them (`leases.py`).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, fields, replace
from math import isfinite
from typing import Any

from sqlalchemy import Select, and_, delete, exists, insert, not_, or_, select, update
from sqlalchemy.orm import Session

from db.entries.claim import ENCODER, Inputs, MatcherKey, ModelKey, models_data, models_digest
from db.entries.night import AttemptResult, BatchEntry, ContentScope, PendingAttempt, RecipeEntry
from db.entries.review import RECIPE_OF_NIGHT
from db.errors import BatchUnfinished, UnknownEntry
from db.queries.base.review_rows import lock_contents, refresh
from db.queries.base.store import changed, chunks, image_entry, now, repeatable
from db.queries.base.tallies import MATCHED, Question, TallyQueries, sum_tallies
from db.queries.base.usable import usable
from db.queries.night import claims, leases, lost_results
from db.queries.night.batches import batch_entry, is_pending
from db.queries.night.claims import Bounds, Kind, Offers, approved, chosen_match, is_for_nights, next_candidate
from db.queries.night.requests import match_requests
from db.queries.night.scope import in_scope
from db.tables.night import Attempt, Batch, BatchLease, Image, Match, Record
from db.tables.review import Review

_RESULT = {each.name for each in fields(AttemptResult)} - {"output"}


class Taking(TallyQueries):
    """How a batch is taken, whatever is due: in blocks, so that nobody else waits long.

    A crash between two blocks leaves a batch with fewer attempts; whoever joins it carries on with these, and the
    rest is due as before.
    """

    def _take(
        self, recipe: RecipeEntry, models: Collection[ModelKey], bounds: Bounds, kinds: Iterable[Kind],
        asked: Callable[[Session], Offers] | None = None,
    ) -> BatchEntry | None:  # fmt: skip
        """A batch, held by this process, of what is offered; None, and no batch: nothing is.

        Args:
            asked: what comes first, and in one transaction with whatever this does: nobody takes it back meanwhile.
        """
        nothing: list[Question] = []
        with self._writing() as session:
            number = _new_batch(session, recipe, models)
            batch = batch_entry(session, number, leases.begin(session, number))
            taken = claims.claim(session, self._insert(Attempt), batch.id, asked(session), bounds) if asked else 0
        try:
            for kind in kinds:
                due = self._due(batch, kind)
                asked_of = due.where(kind.among.exists())  # never asked so: it tells this kind from others
                question = self._question(asked_of, MATCHED, bounds.max_tries)  # is any of this kind due?
                if bounds.left(taken) == 0 or question.known is not None:
                    continue
                if found := self._claimed(batch, kind.offers(due), replace(bounds, limit=bounds.left(taken))):
                    taken += found
                else:
                    nothing.append(question)
        except BaseException:
            self.release_batch(batch)
            raise
        with self._writing() as session:
            sum_tallies(session)
            if taken:
                return batch_entry(session, batch.id, batch.lease)
            for question in nothing:  # until something changes
                self._keep(session, question, [])
            if leases.end(session, batch):  # else whoever joined it meanwhile closes it
                session.execute(delete(BatchLease).where(BatchLease.batch_id == batch.id))
                session.execute(delete(Batch).where(Batch.id == batch.id))
        return None

    def _due(self, batch: BatchEntry, kind: Kind) -> Any:
        with self._reading() as session:
            return kind.due(session.get_one(Batch, batch.id))

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
                    leases.hold(session, batch)
                    held, block = session.get_one(Batch, batch.id), page[start : start + claims.BLOCK]
                    taken += claims.open_attempts(session, self._insert(Attempt), held, block, bounds.max_tries)

    @repeatable
    def release_batch(self, batch: BatchEntry) -> None:
        """Put the batch down and hand back what we took of it. Harmless when our lease was ended before."""
        with self._writing() as session:
            if leases.end(session, batch):
                ours = and_(Attempt.batch_id == batch.id, Attempt.lease == batch.lease, is_pending())
                session.execute(update(Attempt).where(ours).values(lease=None, tries=Attempt.tries - 1))


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
        asked = self._asked((RECIPE_OF_NIGHT, recipe.name), matcher)
        return self._take(recipe, models, Bounds(max_tries, limit), self._kinds(recipe, matcher, scope), asked)

    def take_comparison(
        self, recipe: RecipeEntry, models: Collection[ModelKey], matcher: MatcherKey, scope: ContentScope | None = None,
        *, limit: int | None, max_tries: int = 3,
    ) -> BatchEntry | None:  # fmt: skip
        """The same for a recipe beside the night's: requests that name none are the night's to answer."""
        asked = self._asked((recipe.name,), matcher)
        return self._take(recipe, models, Bounds(max_tries, limit), self._kinds(recipe, matcher, scope), asked)

    def _kinds(self, recipe: RecipeEntry, matcher: MatcherKey, scope: ContentScope | None) -> list[Kind]:
        """What is due though nobody asked for it."""
        kinds: list[Kind] = []
        if recipe.styles:
            chosen = (next_candidate(), chosen_match())
            due = and_(is_for_nights(), not_(approved(recipe.name)))
            kinds = [claims.matches(each, matcher, due) for each in chosen]
        elif scope is not None:
            with self._reading() as session:
                kinds = [claims.contents(in_scope(session, scope))]
        return kinds

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
        """Batches of which something is left that nobody works at; oldest first. They can be joined."""
        return self._open_batches(lambda session, batch, _silent, alive: not alive or _is_free(session, batch, alive))

    def batches_at_work(self) -> list[BatchEntry]:
        """Unfinished batches at which a living process works."""
        return self._open_batches(lambda _session, _batch, _silent, alive: bool(alive))

    def dead_batches(self) -> list[BatchEntry]:
        """Those that nobody put down and nobody works at: whoever did is gone."""
        return self._open_batches(lambda _session, _batch, silent, alive: bool(silent and not alive))

    def join(self, batch_id: int) -> BatchEntry | None:
        """Work at a batch from now on, beside whoever does; None: it is closed, or others are at all that is left.

        Free attempts whose pictures may no longer be used are dropped, which frees their claims.
        """
        with self._writing() as session:
            leases.end_silent(session, batch_id)
        with self._writing() as session:
            batch = session.get(Batch, batch_id, with_for_update={"key_share": True})
            _, alive = leases.silent_and_alive(session, batch_id)
            if batch is None or batch.closed_at is not None or (alive and not _is_free(session, batch_id, alive)):
                return None
            joined = batch_entry(session, batch_id, leases.begin(session, batch_id))
        for numbers in chunks(self._forbidden(batch_id)):
            with self._writing() as session:
                leases.hold(session, joined)
                _drop(session, batch_id, numbers)
        with self._reading() as session:
            return batch_entry(session, batch_id, joined.lease)

    def _forbidden(self, batch_id: int) -> list[int]:
        """Free attempts of which a picture may no longer be used."""
        with self._reading() as session:
            pending = session.execute(_left(batch_id)).all()
            allowed: set[str] = set()
            for some in chunks({sha256 for attempt in pending for sha256 in _taken(attempt)}):
                allowed |= set(session.scalars(select(Image.sha256).where(Image.sha256.in_(some), usable(Image.id))))
        return [attempt.id for attempt in pending if not allowed.issuperset(_taken(attempt))]

    @repeatable
    def pending_attempts(self, batch: BatchEntry) -> list[PendingAttempt]:
        """What is left to try and nobody has taken, in the order of the claim."""
        with self._writing() as session:
            leases.end_silent(session, batch.id, but=batch.lease)
        with self._reading() as session:
            attempts = session.execute(_left(batch.id)).all()
            files = _files(session, attempts)
            return [_pending_attempt(attempt, files) for attempt in attempts]

    @repeatable
    def take_attempts(self, batch: BatchEntry, attempt_ids: Collection[int]) -> dict[int, int]:
        """Take attempts to work at, those that nobody else has taken; how often each was tried, this time included.

        Raises:
            BatchLost: our lease was ended.
        """
        taken: dict[int, int] = {}
        with self._writing() as session:
            leases.hold(session, batch)
            for some in chunks(attempt_ids):
                ours = and_(Attempt.id.in_(some), leases.free(batch.id, batch.lease))
                in_order = select(Attempt.id).where(ours).order_by(Attempt.id).with_for_update(key_share=True)
                ready = session.scalars(in_order).all()
                tried = update(Attempt).where(Attempt.id.in_(ready)).values(lease=batch.lease, tries=Attempt.tries + 1)
                taken |= {row.id: row.tries for row in session.execute(tried.returning(Attempt.id, Attempt.tries))}
        return taken

    @repeatable
    def put_down(self, batch: BatchEntry, attempt_ids: Collection[int], *, blamed: bool = True) -> None:
        """Hand back attempts over which a worker died, for anybody to take.

        Args:
            blamed: else none of their tries has been one.

        Raises:
            BatchLost: our lease was ended.
        """
        values = {"lease": None} if blamed else {"lease": None, "tries": 0}
        with self._writing() as session:
            leases.hold(session, batch)
            for some in chunks(attempt_ids):
                ours = and_(Attempt.id.in_(some), leases.free(batch.id, batch.lease))
                session.execute(update(Attempt).where(ours).values(values))

    def left_in(self, batch: BatchEntry) -> int:
        """Attempts of the batch without an outcome, whoever is at them."""
        with self._reading() as session:
            return batch_entry(session, batch.id).left

    @repeatable
    def keep_alive(self, batch: BatchEntry) -> None:
        """Say that we are still at it, several times in `leases.SILENCE_S`.

        Raises:
            BatchLost: our lease was ended.
        """
        with self._writing() as session:
            leases.hold(session, batch)

    def make_again(self, sha256: str) -> bool:
        """Have a result whose file is lost made again, by whoever joins its batch; False: its batch is at work."""
        with self._writing() as session:
            return lost_results.begin_again(session, sha256)

    def forget_trust(self, sha256: str) -> bool:
        """Take the name of a lost map of trust out of its attempts, whose results stay; False: none has it."""
        named = update(Attempt).where(Attempt.trust_sha256 == sha256)
        with self._writing() as session:
            return bool(changed(session, named.values(trust_sha256=None)))

    @repeatable
    def close_attempt(self, batch: BatchEntry, attempt_id: int, result: AttemptResult) -> AttemptResult:
        """Write an attempt's outcome, its figures and its output's row in one transaction.

        The output's file is in the store by now. Figures that are no finite numbers are kept as unknown.

        Returns:
            What was written: of a result that was made again and came out otherwise than it was judged, its failure.

        Raises:
            BatchLost: our lease was ended; nothing was written.
            UnknownEntry: the attempt is not pending in this batch, unless we have closed it just so, or another process
                has taken it.
        """
        pending = update(Attempt).where(Attempt.id == attempt_id, leases.free(batch.id, batch.lease))
        with self._writing() as session:
            leases.hold(session, batch)
            lost = lost_results.picture_of(session, attempt_id)
            if lost is not None:
                result = lost_results.as_judged(session, attempt_id, lost, result)
            values = {key: _finite(value) for key, value in asdict(result).items() if key in _RESULT}
            output = self._add_image(session, result.output, None) if result.output else None
            closed = pending.values(**values, output_image_id=output, closed_at=now())
            if not changed(session, closed):
                if _is_closed_so(session, batch, attempt_id, result, output):
                    return result
                raise UnknownEntry(f"attempt {attempt_id} is not pending in batch {batch.id}; leave it as it is")
            if lost is not None and lost.id != output:
                lost_results.forget(session, attempt_id, lost)
            if output is not None:
                lock_contents(session, [attempt_id])
                refresh(session, self._insert(Review), [attempt_id])
        return result

    def close_batch(self, batch: BatchEntry) -> None:
        """The batch is done, and our lease ended; it is closed by the last that works at it.

        Raises:
            BatchLost: our lease was ended.
            BatchUnfinished: attempts are left; release it instead.
        """
        with self._writing() as session:
            closing = session.get_one(Batch, batch.id, with_for_update={"key_share": True})
            leases.hold(session, batch)
            left = batch_entry(session, batch.id).left
            if left:
                raise BatchUnfinished(f"batch {batch.id} has {left} attempts without an outcome; release it instead")
            leases.end(session, batch)
            leases.end_silent(session, batch.id)
            if leases.silent_and_alive(session, batch.id) == ([], []):
                closing.closed_at = now()

    def _open_batches(self, chosen: Callable[[Session, int, list[int], list[int]], bool]) -> list[BatchEntry]:
        with self._reading() as session:
            numbers = session.scalars(select(Batch.id).where(Batch.closed_at.is_(None)).order_by(Batch.id)).all()
            these = [each for each in numbers if chosen(session, each, *leases.silent_and_alive(session, each))]
            return [batch_entry(session, batch_id) for batch_id in these]


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
        "started_at": now(),
    }
    return session.execute(insert(Batch).values(row).returning(Batch.id)).scalar_one()


def _left(batch_id: int) -> Select[Any]:
    """What is free in a batch, without the recipe that every row holds."""
    columns: list[Any] = [Attempt.id, Attempt.number, Attempt.match_id, Attempt.content_sha256, Attempt.inputs]
    return (
        select(*columns, Attempt.tries, Attempt.opened_at, Attempt.output_image_id)
        .where(leases.free(batch_id))
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
        tries=attempt.tries,
        opened_at=attempt.opened_at,
    )


def _is_closed_so(
    session: Session, batch: BatchEntry, attempt_id: int, result: AttemptResult, output: int | None
) -> bool:
    """Whether our own lease has written this already, where the answer to its COMMIT was lost."""
    ours = (Attempt.id == attempt_id, Attempt.batch_id == batch.id, Attempt.lease == batch.lease)
    same = (Attempt.outcome == result.outcome, Attempt.output_image_id.is_not_distinct_from(output))
    return session.execute(select(Attempt.id).where(*ours, *same)).first() is not None


def _drop(session: Session, batch_id: int, attempt_ids: Collection[int]) -> None:
    """Delete free attempts; those that once made a picture have failed."""
    dropped = and_(Attempt.id.in_(attempt_ids), leases.free(batch_id))
    made = select(Attempt.id).where(dropped, Attempt.output_image_id.is_not(None))
    for attempt_id in session.scalars(made).all():
        lost_results.give_up(session, attempt_id)
    session.execute(delete(Attempt).where(dropped))


def _is_free(session: Session, batch_id: int, alive: Collection[int]) -> bool:
    """Is anything pending that none of the living has taken?"""
    others = or_(Attempt.lease.is_(None), Attempt.lease.not_in(alive))
    return session.scalar(select(exists().where(Attempt.batch_id == batch_id, is_pending(), others))) or False


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
