"""A batch on its way through an executor: questions out, answers in; only the flow that holds it writes the catalogue.

Prefect's tasks are given messages. Each finds its batch by number among those that run in this process, has its
minibatch worked on, and puts what it hears into a queue, which the flow empties: picture file, row, tiles.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from colorize.encoders.weights import WeightsFile
from colorize.errors import WorkerDied
from colorize.images.resize import working_size
from colorize.recipes.recipe import Recipe
from colorize.running.checkpoint import remove_checkpoint
from db.entries.night import BatchEntry, Outcome, PendingAttempt
from db.entries.review import ShownPictures
from db.errors import PictureMissing
from db.files.home import checkpoint_path
from flows.logs import about
from flows.plan import Plan
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
from flows.workers.results import close, provenance_of
from flows.workers.tiles import Tiler


@dataclass(frozen=True)
class Ended:
    """A minibatch's task is over; with an error, so is the batch."""

    error: BaseException | None = None


_RUNNING: Final[dict[int, "BatchRun"]] = {}


def running(batch: int) -> "BatchRun | None":
    """The run of a batch in this process, by its number; None where it has ended."""
    return _RUNNING.get(batch)


def minibatches_of(
    pending: Sequence[PendingAttempt], recipe: Recipe, *, most: int, places: int
) -> list[list[PendingAttempt]]:
    """Attempts of equal working size together, no minibatch so large that a device would stay idle."""
    by_size: defaultdict[tuple[int, int], list[PendingAttempt]] = defaultdict(list)
    for attempt in pending:
        content = attempt.content
        by_size[working_size(content.width, content.height, recipe.long_edge_px)].append(attempt)
    share = min(most, max(1, -(-len(pending) // max(1, places))))
    return [group[at : at + share] for group in by_size.values() for at in range(0, len(group), share)]


class BatchRun:
    """One batch; `work` is for the tasks' threads, all else for the flow's."""

    def __init__(
        self, plan: Plan, executor: Executor, batch: BatchEntry, weights: WeightsFile | None, tiler: Tiler
    ) -> None:
        self._plan, self._executor, self.batch, self._weights, self._tiler = plan, executor, batch, weights, tiler
        self._pending: dict[str, PendingAttempt] = {}
        self._events: SimpleQueue[Event | Ended] = SimpleQueue()
        self._stopped = False
        """It has ended early: a worker that dies now was ended by us, and no minibatch begins."""
        self.progressed: Advance = lambda _: None
        """Moves the bar by parts of pictures."""
        self.closed = 0
        self.outcomes: Counter[str] = Counter()
        self.problems: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []

    @contextmanager
    def found_by_tasks(self) -> Iterator[None]:
        """Inside it, `running` finds the run."""
        _RUNNING[self.batch.id] = self
        try:
            yield
        finally:
            del _RUNNING[self.batch.id]

    def minibatches(self) -> list[Minibatch]:
        """What is pending in the batch, as messages."""
        pending = self._plan.catalogue.pending_attempts(self.batch)
        self._pending = {str(attempt.id): attempt for attempt in pending}
        most, places = self._plan.settings.minibatch_size, self._executor.places
        groups = minibatches_of(pending, Recipe.from_data(self.batch.recipe.data), most=most, places=places)
        return [self._minibatch(group) for group in groups]

    def work(self, minibatch: Minibatch) -> None:
        """Have a minibatch worked on at the next free place, and pass on what is told of it.

        A worker that dies is started again, and what is left goes through it one by one: only an attempt that kills
        it alone has failed.

        Raises:
            ColorizeError: nothing can be worked on there.
        """
        try:
            with self._executor.place() as place:
                left, _ = self._tried(place, minibatch)
                for job in left:
                    _, died = self._tried(place, replace(minibatch, jobs=(job,)))
                    if died is not None and not self._stopped:
                        self._events.put(Failed.of(job.key, place.device, died))
        except BaseException as error:
            self._stopped = True
            self._events.put(Ended(error))
            raise
        self._events.put(Ended())

    def _tried(self, place: Place, minibatch: Minibatch) -> tuple[list[PictureJob], WorkerDied | None]:
        """The jobs that are left, and why, where the worker died."""
        if self._stopped:
            return [], None
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
            return list(left.values()), error
        return [], None

    def hear(self, within_s: float) -> bool:
        """Wait for one event and do what it asks for.

        Returns:
            Whether a task is over.

        Raises:
            TimeoutError: there was none.
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
                self._close(self._pending.pop(event.key), event)
            case Ended(error):
                if error is not None:
                    raise error
                return True
        return False

    def stop(self) -> None:
        """End the batch early: its attempts stay pending, and whatever its workers still say belongs to nobody."""
        self._stopped = True
        try:
            self._plan.catalogue.release_batch(self.batch)
        finally:
            self._executor.close()

    def keep_alive(self) -> None:
        """Tell the catalogue that the batch is being worked on."""
        self._plan.catalogue.keep_alive(self.batch)

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
        if closed.outcome is Outcome.FAILED:
            self.problems.append((attempt.content_identifier, closed.error_message or ""))
        if closed.output:
            styles = tuple(style.sha256 for style in attempt.styles)
            made = (closed.output.sha256, closed.trust_sha256)
            self._tiler.add(ShownPictures(attempt.id, attempt.content.sha256, styles, *made))
        if closed.outcome is Outcome.REJECTED:
            self.problems.append((attempt.content_identifier, f"rejected: {closed.error_message}"))
        remove_checkpoint(self._checkpoint(attempt))
        self.closed += 1
        self.outcomes[closed.outcome] += 1

    def _minibatch(self, attempts: Sequence[PendingAttempt]) -> Minibatch:
        settings, weights = self._plan.settings, self._weights
        models = () if weights is None else (ModelFile("encoder", weights.name, weights.checksum, str(weights.path)),)
        limits = Limits(settings.max_pixels, settings.exact_precision, settings.checkpoint_s)
        jobs = tuple(self._job(attempt) for attempt in attempts)
        return Minibatch(self.batch.id, self.batch.recipe.data, models, limits, jobs)

    def _job(self, attempt: PendingAttempt) -> PictureJob:
        """An attempt's pictures where they lie, its checkpoint, and what its picture will say of itself."""
        marks = attempt.inputs.marks_sha256
        images = [attempt.content.id, *(style.id for style in attempt.styles)]
        styles = (StylePath(self._path(style.sha256), style.registration) for style in attempt.inputs.styles)
        provenance = provenance_of(self.batch, attempt, self._plan.catalogue.describe(images))
        return PictureJob(
            str(attempt.id),
            self._path(attempt.content.sha256),
            tuple(styles),
            None if marks is None else self._path(marks),
            str(self._checkpoint(attempt)),
            provenance.to_json(),
        )

    def _checkpoint(self, attempt: PendingAttempt) -> Path:
        return checkpoint_path(self._plan.settings.home, f"attempt-{attempt.id}")

    def _path(self, sha256: str) -> str:
        """Where the file lies; of one that is missing a path with nothing at it, so that the attempt fails alone."""
        pictures = self._plan.catalogue.pictures
        try:
            return str(pictures.path(sha256))
        except PictureMissing:
            return str(pictures.root / sha256)
