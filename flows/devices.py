"""One process for each device, or for each core of a CPU, that colorizes what it is handed.

`flows.dispatch` owns them. A process keeps its encoder between stacks and recipes; it is given paths, decodes for
itself, keeps checkpoints of what it works on, and sends every result as soon as it is there. It dies with its owner: a
broken pipe ends it at the next message.
"""

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from colorize.errors import ColorizeError, PictureGone, WorkerDied
from colorize.jobs import JobFiles, decoded_job
from colorize.recipe import Colorization, Job, Precision, Recipe
from colorize.vgg.weights import WeightsFile
from flows.settings import Settings

if TYPE_CHECKING:  # loaded in the process that needs it
    from colorize.colorizer import Colorizer


@dataclass(frozen=True)
class PictureJob:
    """A pair of stored pictures, and a curator's marks if she drew some."""

    key: str
    content: Path
    style: Path
    marks: Path | None = None
    checkpoint: Path | None = None
    """Where its state is kept while it is worked on."""


@dataclass(frozen=True)
class Stack:
    """What a process is handed at once: pictures of equal working size under one recipe."""

    recipe: Recipe
    jobs: tuple[PictureJob, ...]


@dataclass(frozen=True)
class Progress:
    """Pictures done since the last message, in parts of pictures."""

    pictures: float


@dataclass(frozen=True)
class Note:
    """What a person should know of a job beside its result."""

    key: str
    sentence: str


@dataclass(frozen=True)
class Done:
    """A job's end."""

    key: str
    result: Colorization | ColorizeError


@dataclass(frozen=True)
class Workplace:
    """What a process needs to know once."""

    device: str
    weights: WeightsFile
    max_pixels: int
    precision: Precision | None
    checkpoint_s: float
    memory_share: float


class DeviceProcess:
    """A colorizing process; started on first use and again after it died."""

    def __init__(self, workplace: Workplace) -> None:
        self.device = workplace.device
        self._workplace = workplace
        self._process: Any = None
        self._pipe: Connection | None = None

    def colorize(self, stack: Stack) -> Iterator[Progress | Note | Done]:
        """Colorize a stack; its jobs end in any order.

        Raises:
            WorkerDied: the process ended before the last job.
            ColorizeError: the process cannot work at all (weights, device).
        """
        pipe = self._started()
        try:
            pipe.send(stack)
            for _ in stack.jobs:
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


def workplaces(device_names: Sequence[str], cpu_processes: int | None) -> list[str]:
    """A device name for each process: GPUs one each, the CPU as often as it has cores."""
    if list(device_names) == ["cpu"]:
        return ["cpu"] * (cpu_processes or len(os.sched_getaffinity(0)))
    return list(device_names)


class Crew:
    """The processes of all devices, for one encoder at a time."""

    def __init__(self, settings: Settings, device_names: Sequence[str]) -> None:
        self._settings, self.devices = settings, workplaces(device_names, settings.cpu_processes)
        self._weights: WeightsFile | None = None
        self._processes: list[DeviceProcess] = []

    def with_weights(self, weights: WeightsFile) -> list[DeviceProcess]:
        """The processes with this encoder; those that have another are ended first."""
        if weights != self._weights:
            self.close()
            self._weights = weights
            self._processes = [DeviceProcess(self._workplace(device, weights)) for device in self.devices]
        return self._processes

    def close(self) -> None:
        """End all processes, whatever they do; they are started again when they are needed."""
        for process in self._processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _workplace(self, device: str, weights: WeightsFile) -> Workplace:
        settings = self._settings
        share = 1 / self.devices.count(device)
        return Workplace(device, weights, settings.max_pixels, settings.exact_precision, settings.checkpoint_s, share)


def _serve(pipe: Connection, workplace: Workplace) -> None:
    """The process: one stack after the other, until the owner hangs up."""
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the owner's to answer
    try:
        _work(pipe, workplace)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _work(pipe: Connection, workplace: Workplace) -> None:
    # A CPU gains nothing from a stack, and one picture at a time is recorded sooner.
    together = 1 if workplace.device == "cpu" else None
    colorizer: Colorizer | None = None
    while True:
        stack: Stack = pipe.recv()
        try:
            colorizer = replace(colorizer, recipe=stack.recipe) if colorizer else _colorizer(workplace, stack.recipe)
        except ColorizeError as error:
            pipe.send(error)
            return
        step = together or len(stack.jobs)
        for start in range(0, len(stack.jobs), step):
            _colorize(pipe, colorizer, stack.jobs[start : start + step], workplace.max_pixels)


def _colorizer(workplace: Workplace, recipe: Recipe) -> "Colorizer":
    """The process's own, with one thread on a CPU.

    Raises:
        ColorizeError: the weights or the device cannot be used.
    """
    from colorize.colorizer import Conditions, colorizer_for  # noqa: PLC0415
    from colorize.device import use_one_thread  # noqa: PLC0415
    from colorize.vgg.loading import load_encoder  # noqa: PLC0415

    if workplace.device == "cpu":
        use_one_thread()
    conditions = Conditions(workplace.precision, workplace.checkpoint_s, workplace.memory_share)
    return colorizer_for(recipe, load_encoder(workplace.weights), workplace.device, conditions)


def _colorize(pipe: Connection, colorizer: "Colorizer", jobs: Sequence[PictureJob], max_pixels: int) -> None:
    from colorize.watch import Listener  # noqa: PLC0415  (loads torch, as above)

    readable: list[Job] = []
    for job in jobs:
        try:
            readable.append(_decoded(job, max_pixels))
        except ColorizeError as error:
            pipe.send(Done(job.key, error))

    listener = Listener(
        lambda pictures: pipe.send(Progress(pictures)), lambda key, sentence: pipe.send(Note(key, sentence))
    )
    for each, result in zip(readable, colorizer.colorize(readable, listener), strict=True):
        pipe.send(Done(each.key, result))


def _decoded(job: PictureJob, max_pixels: int) -> Job:
    files = JobFiles(_bytes(job.content), _bytes(job.style), None if job.marks is None else _bytes(job.marks))
    return decoded_job(job.key, files, max_pixels=max_pixels, checkpoint=job.checkpoint)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise PictureGone(f"the stored file {path.stem} {why}; run: nishiki doctor") from error
