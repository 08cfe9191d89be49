"""A batch on its way through the devices."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

from colorize.errors import ColorizeError
from colorize.images.resize import working_size
from colorize.recipes.recipe import Recipe
from colorize.results import Colorization
from colorize.running.checkpoint import remove_checkpoint
from db.catalogue import Catalogue
from db.entries.night import BatchEntry, Outcome, PendingAttempt
from db.entries.review import ShownPictures
from db.errors import PictureMissing
from db.files.home import checkpoint_path
from flows.progress import Advance
from flows.settings import Settings
from flows.workers.messages import Minibatch, PictureJob
from flows.workers.process import DeviceProcess
from flows.workers.results import close_with_error, close_with_result
from flows.workers.tiles import Tiler


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
    """What the tasks of one batch share; each call is safe from any of their threads."""

    def __init__(
        self, catalogue: Catalogue, settings: Settings, batch: BatchEntry, processes: Sequence[DeviceProcess],
        tiler: Tiler,
    ) -> None:  # fmt: skip
        self._catalogue, self._settings, self.batch, self._tiler = catalogue, settings, batch, tiler
        self._recipe = Recipe.from_data(batch.recipe.data)
        self.free: SimpleQueue[DeviceProcess] = SimpleQueue()
        for process in processes:
            self.free.put(process)
        self.stopped = False
        """The batch has ended early: a process that dies now was killed by us, and no minibatch begins."""
        self.progressed: Advance = lambda _: None
        """Moves the bar by parts of pictures."""
        self.closed = 0
        self.outcomes: Counter[str] = Counter()
        self.problems: list[tuple[str, str]] = []
        self.notes: list[tuple[str, str]] = []

    def minibatch(self, attempts: Sequence[PendingAttempt]) -> Minibatch:
        """What a process is handed: the attempts' pictures where they lie, and where their checkpoints do."""
        jobs = (
            PictureJob(
                str(attempt.id),
                self._path(attempt.content.sha256),
                self._path(attempt.styles[0].sha256) if attempt.styles else None,
                None if attempt.inputs.marks_sha256 is None else self._path(attempt.inputs.marks_sha256),
                self._checkpoint(attempt),
            )
            for attempt in attempts
        )
        return Minibatch(self._recipe, tuple(jobs))

    def _checkpoint(self, attempt: PendingAttempt) -> Path:
        return checkpoint_path(self._settings.home, f"attempt-{attempt.id}")

    def _path(self, sha256: str) -> Path:
        """Where the file lies; of one that is missing a path with nothing at it, so that the attempt fails alone."""
        try:
            return self._catalogue.pictures.path(sha256)
        except PictureMissing:
            return self._catalogue.pictures.root / sha256

    def note(self, attempt: PendingAttempt, sentence: str) -> None:
        """Keep what a person should know."""
        self.notes.append((attempt.content_identifier, sentence))

    def close(self, attempt: PendingAttempt, device: str, result: Colorization | ColorizeError) -> None:
        """Write an attempt's end into the catalogue; its checkpoint has done its service."""
        if isinstance(result, ColorizeError):
            closed = close_with_error(self._catalogue, self.batch, attempt, device, result)
            self.problems.append((attempt.content_identifier, str(result)))
        else:
            closed = close_with_result(self._catalogue, self.batch, attempt, result)
        if closed.output:
            styles = tuple(style.sha256 for style in attempt.styles)
            self._tiler.add(ShownPictures(attempt.id, attempt.content.sha256, styles, closed.output.sha256))
        if closed.outcome is Outcome.REJECTED:
            self.problems.append((attempt.content_identifier, f"rejected: {closed.error_message}"))
        remove_checkpoint(self._checkpoint(attempt))
        self.closed += 1
        self.outcomes[closed.outcome] += 1

    def keep_alive(self) -> None:
        """Tell the catalogue that the batch is being worked on."""
        self._catalogue.keep_alive(self.batch)
