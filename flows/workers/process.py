"""A process that colorizes what it is handed, on one device."""

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize.errors import ColorizeError, PictureGone, WorkerDied
from colorize.jobs import Job, JobFiles, decoded_job
from colorize.recipes.recipe import Recipe
from flows.workers.messages import Done, Minibatch, Note, PictureJob, Progress, Workplace

if TYPE_CHECKING:  # loaded in the process that needs it
    from colorize.colorizer import Colorizer


class DeviceProcess:
    """A colorizing process; started on first use and again after it died."""

    def __init__(self, workplace: Workplace) -> None:
        self.device = workplace.device
        self._workplace = workplace
        self._process: Any = None
        self._pipe: Connection | None = None

    def colorize(self, minibatch: Minibatch) -> Iterator[Progress | Note | Done]:
        """Colorize a minibatch; its jobs end in any order.

        Raises:
            WorkerDied: the process ended before the last job.
            ColorizeError: the process cannot work at all (weights, device).
        """
        pipe = self._started()
        try:
            pipe.send(minibatch)
            for _ in minibatch.jobs:
                while isinstance(message := pipe.recv(), (Progress, Note)):
                    yield message
                if isinstance(message, ColorizeError):
                    raise message
                yield message
        except (EOFError, OSError) as error:
            code = self._ended()
            killed = code is None or code < 0
            why = f"was killed (signal {-(code or 0)}); is memory short?" if killed else f"failed (exit code {code})"
            raise WorkerDied(f"the process on {self.device} {why}") from error

    def close(self) -> None:
        """End the process, whatever it does; a thread that waits for it gets WorkerDied."""
        if (process := self._process) is not None:
            process.kill()
            process.join(timeout=10)

    def _started(self) -> Connection:
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._workplace), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _ended(self) -> int | None:
        self._process.join(timeout=10)
        code: int | None = self._process.exitcode
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
        return code


def _serve(pipe: Connection, workplace: Workplace) -> None:
    """The process: one minibatch after the other, until the owner hangs up."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's to answer
    try:
        _work(pipe, workplace)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _work(pipe: Connection, workplace: Workplace) -> None:
    # A CPU gains nothing from a minibatch, and one picture at a time is recorded sooner.
    together = 1 if workplace.device == "cpu" else None
    colorizer: Colorizer | None = None
    while True:
        minibatch: Minibatch = pipe.recv()
        try:
            colorizer = (
                replace(colorizer, recipe=minibatch.recipe) if colorizer else _colorizer(workplace, minibatch.recipe)
            )
        except ColorizeError as error:
            pipe.send(error)
            return
        step = together or len(minibatch.jobs)
        for start in range(0, len(minibatch.jobs), step):
            _colorize(pipe, colorizer, minibatch.jobs[start : start + step], workplace.max_pixels)


def _colorizer(workplace: Workplace, recipe: Recipe) -> "Colorizer":
    """The process's own, with one thread on a CPU.

    Raises:
        ColorizeError: the weights or the device cannot be used.
    """
    from colorize.colorizer import Conditions, colorizer_for  # noqa: PLC0415
    from colorize.device import use_one_thread  # noqa: PLC0415
    from colorize.encoders.loading import load_encoder  # noqa: PLC0415

    if workplace.device == "cpu":
        use_one_thread()
    conditions = Conditions(workplace.precision, workplace.checkpoint_s, workplace.memory_share)
    return colorizer_for(recipe, load_encoder(workplace.weights), workplace.device, conditions)


def _colorize(pipe: Connection, colorizer: "Colorizer", jobs: Sequence[PictureJob], max_pixels: int) -> None:
    from colorize.running.progress import ProgressCallbacks  # noqa: PLC0415  (loads torch, as above)

    readable: list[Job] = []
    for job in jobs:
        try:
            readable.append(_decoded(job, max_pixels))
        except ColorizeError as error:
            pipe.send(Done(job.key, error))

    callbacks = ProgressCallbacks(
        lambda pictures: pipe.send(Progress(pictures)), lambda key, sentence: pipe.send(Note(key, sentence))
    )
    for each, result in zip(readable, colorizer.colorize(readable, callbacks), strict=True):
        pipe.send(Done(each.key, result))


def _decoded(job: PictureJob, max_pixels: int) -> Job:
    files = JobFiles(_bytes(job.content), _given(job.style), _given(job.marks))
    return decoded_job(job.key, files, max_pixels=max_pixels, checkpoint=job.checkpoint)


def _given(path: Path | None) -> bytes | None:
    return None if path is None else _bytes(path)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise PictureGone(f"the stored file {path.stem} {why}; run: nishiki doctor") from error
