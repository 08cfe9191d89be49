"""A batch on its way through an executor: questions out, answers in; only the flow that holds it writes the catalogue.

Prefect's tasks are given messages. Each finds its batch by number among those that run in this process, has its
minibatch worked on, and puts what it hears into a queue, which the flow empties: picture file, row, tiles.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Final

from colorize.encoders.weights import WeightsFile
from colorize.errors import SetAside, WorkerDied
from colorize.output.whole_file import remove_whole
from colorize.recipes.recipe import Recipe
from db.entries.claim import ENCODER, ModelKey
from db.entries.night import AttemptEntry, AttemptResult, BatchEntry, Outcome, PendingAttempt
from db.entries.review import ShownPictures
from db.errors import PictureMissing
from db.files.checkpoints import Checkpoints
from flows.logs import about
from flows.plan import Plan, model_path
from flows.progress import Advance
from flows.workers.executor import Executor, Place
from flows.workers.messages import (
    Event,
    Failed,
    Finished,
    Limits,
    Minibatch,
    ModelFile,
    Note,
    PictureJob,
    Progress,
    StylePath,
)
from flows.workers.order import Order
from flows.workers.results import close, provenance_of
from flows.workers.tiles import Tiler

CPU_ROUNDS: Final = 4
"""Minibatches for each process: a CPU gains nothing from large ones, and small ones are shared with other machines."""
HOPELESS: Final = 10
"""Workers that die before any picture is done, after which no picture is to blame."""


@dataclass(frozen=True)
class Died:
    """A worker died, and these jobs are left."""

    keys: tuple[str, ...]
    device: str
    error: WorkerDied


@dataclass(frozen=True)
class Ended:
    """A minibatch's task is over; with an error, so is the batch."""

    error: BaseException | None = None


_RUNNING: Final[dict[int, "BatchRun"]] = {}


def running(batch: int) -> "BatchRun | None":
    """The run of a batch in this process, by its number; None where it has ended."""
    return _RUNNING.get(batch)


class BatchRun:
    """One batch; `work` is for the tasks' threads, all else for the flow's."""

    def __init__(
        self, plan: Plan, executor: Executor, batch: BatchEntry, weights: WeightsFile | None, tiler: Tiler
    ) -> None:
        self._plan, self._executor, self.batch, self._weights, self._tiler = plan, executor, batch, weights, tiler
        settings, places = plan.settings, executor.places * (CPU_ROUNDS if list(plan.devices) == ["cpu"] else 1)
        recipe, tries = Recipe.from_data(batch.recipe.data), settings.max_tries
        self._order = Order(recipe, most=settings.minibatch_size, places=places, max_tries=tries)
        self._pending: dict[str, PendingAttempt] = {}
        """What is in work, by its job's key."""
        self._died: dict[int, Died] = {}
        """How a worker died over an attempt the last time."""
        self._deaths, self._answered = 0, False
        self._events: SimpleQueue[Event | Died | Ended] = SimpleQueue()
        self._stopped = False
        """It has ended early: a worker that dies now was ended by us, and no minibatch begins."""
        self._checkpoints = Checkpoints(settings.home, plan.catalogue.pictures.bucket)
        self.progressed: Advance = lambda _: None
        """Moves the bar by parts of pictures."""
        self.closed = 0
        """By us; where others do all the work, by them."""
        self.outcomes: Counter[str] = Counter()
        self.problems: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []
        self._before = set() if executor.places else {each.id for each in self._ended()}
        """What had an outcome when we came, where others do all the work."""

    @contextmanager
    def found_by_tasks(self) -> Iterator[None]:
        """Inside it, `running` finds the run."""
        _RUNNING[self.batch.id] = self
        try:
            yield
        finally:
            del _RUNNING[self.batch.id]
            self._checkpoints.close()

    @property
    def in_work(self) -> int:
        """Minibatches that were begun and are not over."""
        return self._order.in_work

    @property
    def over(self) -> bool:
        """Nothing is in work, and nothing left, not with others either."""
        return not (self.in_work or self._order or self._plan.catalogue.left_in(self.batch))

    def minibatches(self) -> Iterator[Minibatch]:
        """What may begin now, taken by our lease, as messages: one for each place, and one that is ready behind them.

        Raises:
            BatchLost: our lease was ended.
        """
        if not self._executor.places:
            return
        if not self._order:
            self._order.add(self._plan.catalogue.pending_attempts(self.batch))
        while self.in_work <= self._executor.places and (group := self._order.next()):
            if ready := self._taken(group):
                self._order.in_work += 1
                yield self._minibatch(ready)

    def call_others(self) -> None:
        """Have the executor call others, and look how far they have come where they do all the work.

        Raises:
            Misused, ColorizeError: nobody can be had.
        """
        self._executor.call(self.batch)
        if not self._executor.places:
            closed = self.batch.left - self._plan.catalogue.left_in(self.batch)
            self.progressed(closed - self.closed)
            self.closed = closed

    def count_others(self) -> None:
        """What others made, where they did all the work; tiles that one of them died over are made here."""
        if self._executor.places:
            return
        for attempt in self._ended():
            if attempt.id not in self._before and attempt.result is not None:
                self._count(attempt.content.identifier, attempt.result)
        for shown in self._plan.catalogue.pictures_shown(self.batch.id):
            self._tiler.add(shown)

    def _ended(self) -> list[AttemptEntry]:
        return [each for each in self._plan.catalogue.batch_attempts(self.batch.id) if each.outcome]

    def _count(self, identifier: str, result: AttemptResult) -> None:
        self.outcomes[result.outcome] += 1
        if result.outcome is Outcome.FAILED:
            self.problems.append((identifier, result.error_message or ""))
        if result.outcome is Outcome.REJECTED:
            self.problems.append((identifier, f"rejected: {result.error_message}"))

    def _taken(self, group: Sequence[PendingAttempt]) -> list[PendingAttempt]:
        """Those of a group that nobody else has taken; whatever was tried too often is set aside."""
        tries = self._plan.catalogue.take_attempts(self.batch, [attempt.id for attempt in group])
        ready = [replace(attempt, tries=tries[attempt.id]) for attempt in group if attempt.id in tries]
        for attempt in filter(self._was_tried_enough, list(ready)):
            ready.remove(attempt)
            self._set_aside(attempt)
        self._pending |= {str(attempt.id): attempt for attempt in ready}
        return ready

    def _was_tried_enough(self, attempt: PendingAttempt) -> bool:
        """Where the whole command died with it, twice as often: that has other causes, too."""
        most = self._plan.settings.max_tries
        return attempt.tries > (most if attempt.id in self._died else 2 * most)

    def _set_aside(self, attempt: PendingAttempt) -> None:
        died = self._died.get(attempt.id)
        self.progressed(1)
        last = died.error if died else "and with it the whole command"
        why = (
            f"{attempt.tries - 1} workers died over it, the last: {last}; it is set aside, and no night tries it again"
        )
        self._close(attempt, Failed.of(str(attempt.id), died.device if died else "unknown", SetAside(why)))

    def work(self, minibatch: Minibatch) -> None:
        """Have a minibatch worked on at the next free place, and pass on what is told of it.

        Raises:
            ColorizeError: nothing can be worked on there.
        """
        try:
            with self._executor.place() as place:
                self._tried(place, minibatch)
        except BaseException as error:
            self._stopped = True
            self._events.put(Ended(error))
            raise
        self._events.put(Ended())

    def _tried(self, place: Place, minibatch: Minibatch) -> None:
        if self._stopped:
            return
        left, told = {job.key: job for job in minibatch.jobs}, 0.0
        try:
            for event in place.colorize(minibatch):
                self._events.put(event)
                if isinstance(event, Progress):
                    told += event.pictures
                elif isinstance(event, (Finished, Failed)):
                    del left[event.key]
                    self._events.put(Progress(max(0.0, 1 - told)))  # what failed early was not told of
                    told = max(0.0, told - 1)
        except WorkerDied as error:
            self._events.put(Progress(-told))
            self._events.put(Died(tuple(left), place.device, error))

    def hear(self, within_s: float) -> bool:
        """Wait for one event and do what it asks for.

        Returns:
            Whether a task is over.

        Raises:
            TimeoutError: there was none.
            WorkerDied: one after the other died, and none has done a picture.
            ColorizeError, CatalogueError: a fault that ends the batch.
        """
        try:
            event = self._events.get(timeout=within_s)
        except Empty:
            raise TimeoutError from None
        match event:
            case Progress(pictures):
                self.progressed(pictures)
            case Note(key, sentence):
                attempt = self._pending[key]
                self.notes.append((attempt.content_identifier, sentence))
                about(__name__, batch=self.batch.id, attempt=attempt.id).info("%s", sentence)
            case Finished() | Failed():
                self._answered = True
                self._close(self._pending.pop(event.key), event)
            case Died():
                self._mourn(event)
            case Ended(error):
                if error is not None:
                    raise error
                self._order.in_work -= 1
                return True
        return False

    def _mourn(self, died: Died) -> None:
        """What is left of the worker's minibatch is tried again, one by one."""
        self._deaths += 1
        left = [self._pending.pop(key) for key in died.keys]
        self._died |= {attempt.id: died for attempt in left}
        if self._deaths >= HOPELESS and not self._answered:
            self._plan.catalogue.put_down(self.batch, self._died, blamed=False)
            raise WorkerDied(f"{self._deaths} workers died and none has done a picture; the last: {died.error}")
        self._plan.catalogue.put_down(self.batch, [attempt.id for attempt in left])
        self._order.add(left)

    def stop(self) -> None:
        """End the batch early: its attempts stay pending, and whatever its workers still say belongs to nobody."""
        self._stopped = True
        try:
            self._plan.catalogue.release_batch(self.batch)
        finally:
            self._executor.close()

    def keep_alive(self) -> None:
        """Tell the catalogue that the batch is being worked on, and others how far its pictures have come."""
        self._plan.catalogue.keep_alive(self.batch)
        self._checkpoints.copy([attempt.id for attempt in self._pending.values()])

    def _close(self, attempt: PendingAttempt, answer: Finished | Failed) -> None:
        """Write an attempt's end into the catalogue; its checkpoint has done its service."""
        closed = close(self._plan.catalogue, self.batch, attempt, answer)
        log = about(__name__, batch=self.batch.id, attempt=attempt.id, record=attempt.content_identifier)
        level = logging.INFO if closed.outcome is Outcome.SUCCEEDED else logging.WARNING
        log.log(
            level,
            "%s on %s%s",
            closed.outcome,
            answer.device,
            f": {closed.error_message}" if closed.error_message else "",
        )
        self._count(attempt.content_identifier, closed)
        if closed.output:
            styles = tuple(style.sha256 for style in attempt.styles)
            made = (closed.output.sha256, closed.trust_sha256)
            self._tiler.add(ShownPictures(attempt.id, attempt.content.sha256, styles, *made))
        remove_whole(self._checkpoints.path(attempt.id))
        self._checkpoints.forget(attempt.id)
        self.closed += 1

    def _minibatch(self, attempts: Sequence[PendingAttempt]) -> Minibatch:
        settings, weights = self._plan.settings, self._weights
        encoder = () if weights is None else (ModelFile("encoder", weights.name, weights.checksum, str(weights.path)),)
        models = (*encoder, *(self._model(key) for key in self.batch.models if key.role != ENCODER))
        limits = Limits(settings.max_pixels, settings.exact_precision, settings.checkpoint_s)
        jobs = tuple(self._job(attempt) for attempt in attempts)
        return Minibatch(self.batch.id, self.batch.recipe.data, models, limits, jobs)

    def _model(self, key: ModelKey) -> ModelFile:
        """A trained model's file; of one that is missing a path with nothing at it, and the worker says so."""
        return ModelFile(key.role, key.name, key.checksum, str(model_path(self._plan.settings, key)))

    def _job(self, attempt: PendingAttempt) -> PictureJob:
        """An attempt's pictures where they lie, its checkpoint, and what its picture will say of itself."""
        marks, mask = attempt.inputs.marks_sha256, attempt.inputs.mask_sha256
        images = [attempt.content.id, *(style.id for style in attempt.styles)]
        styles = (StylePath(self._path(style.sha256), style.registration) for style in attempt.inputs.styles)
        provenance = provenance_of(self.batch, attempt, self._plan.catalogue.describe(images))
        return PictureJob(
            str(attempt.id),
            self._path(attempt.content.sha256),
            tuple(styles),
            None if marks is None else self._path(marks),
            str(self._checkpoints.fetched(attempt.id)),
            provenance.to_json(),
            None if mask is None else self._path(mask),
        )

    def _path(self, sha256: str) -> str:
        """Where the file lies; of one that is missing a path with nothing at it, so that the attempt fails alone."""
        pictures = self._plan.catalogue.pictures
        try:
            return str(pictures.path(sha256))
        except PictureMissing:
            return str(pictures.root / sha256)
