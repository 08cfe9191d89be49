"""One process for each device, or for each core of a CPU, that colorizes what it is handed.

`flows.dispatch` owns them. A process keeps its encoder between stacks; it is given paths, decodes for itself and
sends every result as soon as it is there. It dies with its owner: a broken pipe ends it at the next message.
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError, PictureGone, WorkerDied
from colorize.images import Pixels, decode
from colorize.recipe import Colorization, Job, Recipe
from colorize.vgg.weights import WeightsFile


@dataclass(frozen=True)
class PictureJob:
    """A pair of stored pictures; None for a file that is missing."""

    key: str
    content: Path | None
    style: Path | None


@dataclass(frozen=True)
class Progress:
    """Iterations done since the last message, over the pictures in work."""

    iterations: float


@dataclass(frozen=True)
class Done:
    """A job's end."""

    key: str
    result: Colorization | ColorizeError


@dataclass(frozen=True)
class Workplace:
    """What a process needs to know once."""

    device: str
    recipe: Recipe
    weights: WeightsFile
    max_pixels: int


def workplaces(device_names: Sequence[str], cpu_processes: int | None) -> list[str]:
    """A device name for each process: GPUs one each, the CPU as often as it has cores."""
    if device_names == ["cpu"]:
        return ["cpu"] * (cpu_processes or len(os.sched_getaffinity(0)))
    return list(device_names)


class DeviceProcess:
    """A colorizing process; started on first use and again after it died."""

    def __init__(self, workplace: Workplace) -> None:
        self.device = workplace.device
        self._workplace = workplace
        self._process: Any = None
        self._pipe: Connection | None = None

    def colorize(self, jobs: Sequence[PictureJob]) -> Iterator[Progress | Done]:
        """Colorize jobs of equal working size.

        Raises:
            WorkerDied: the process ended before the last job.
            ColorizeError: the process cannot work at all (weights, device).
        """
        pipe = self._started()
        try:
            pipe.send(list(jobs))
            for _ in jobs:
                while isinstance(message := pipe.recv(), Progress):
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
    """The process: one stack after the other, until the owner hangs up."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's to answer
    try:
        _work(pipe, workplace)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _work(pipe: Connection, workplace: Workplace) -> None:
    from colorize.colorizer import colorizer_for, use_one_thread  # noqa: PLC0415  (loads torch, which the owner does not need)
    from colorize.vgg.loading import load_encoder  # noqa: PLC0415

    together = 1 if workplace.device == "cpu" else None
    try:
        if workplace.device == "cpu":
            use_one_thread()
        colorizer = colorizer_for(workplace.recipe, load_encoder(workplace.weights), workplace.device)
    except ColorizeError as error:
        pipe.recv()
        pipe.send(error)
        return
    while True:
        jobs: list[PictureJob] = pipe.recv()
        # A CPU gains nothing from a stack, and one picture at a time is recorded sooner.
        step = together or len(jobs)
        for start in range(0, len(jobs), step):
            _colorize(pipe, colorizer, jobs[start : start + step], workplace.max_pixels)


def _colorize(pipe: Connection, colorizer: Any, jobs: Sequence[PictureJob], max_pixels: int) -> None:
    readable: list[Job] = []
    for job in jobs:
        try:
            readable.append(_decoded(job, max_pixels))
        except ColorizeError as error:
            pipe.send(Done(job.key, error))
    seen = 0

    def report(done: int, _total: int) -> None:
        nonlocal seen
        pipe.send(Progress((done - seen) * len(readable)))
        seen = done

    for each, result in zip(readable, colorizer.colorize(readable, report), strict=True):
        pipe.send(Done(each.key, result))


def _decoded(job: PictureJob, max_pixels: int) -> Job:
    return Job(job.key, _pixels(job.content, max_pixels), _pixels(job.style, max_pixels))


def _pixels(path: Path | None, max_pixels: int) -> Pixels:
    if path is None:
        raise PictureGone("a stored picture is missing; run: nishiki doctor")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureGone(f"the stored picture {path.name} cannot be read: {error}; run: nishiki doctor") from error
    return decode(data, max_pixels=max_pixels).pixels
