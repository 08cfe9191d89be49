"""What workers come to, and what a night adds to their work: `python -m tests.benchmarks.operations_workers`.

Two workers beside one, a process with a core each, over drawn prints by the night's own recipe. Then a stand-in for a
GPU, which takes a known time for each picture of 512 px: what Prefect, the catalogue and their files add to it beside
the plainest program that does the same work (one process that reads pictures, has them coloured and writes files), and
how long a night takes from its first step to the first minibatch. What a worker takes to load torch and its models,
until its first picture, is part of no figure.
"""

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from colorize.colorizer import Colorizer
from colorize.jobs import Job
from colorize.results import Colorization, RelativeErrors
from colorize.running.progress import NO_CALLBACKS
from flows.settings import Settings
from flows.workers import processes
from flows.workers.messages import Event, Finished, Minibatch
from flows.workers.processes import DeviceProcess
from flows.workers.worker import Worker
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.one_batch import dispatched, matched
from tests.conftest import _narrow_weights
from tests.prefect_server import ended, served

COLOURED, STOOD_IN = 24, 40
"""Pictures that are coloured, and that the stand-in takes."""
PICTURE_S, SIZE_PX = 1.2, 512
"""What an NVIDIA H200 takes for a picture by neural style with VGG-19, 1,000 iterations (docs/gpu.md)."""
FASTER, OVERHEAD_PERCENT, START_S = 1.8, 3.0, 1.0


def main() -> None:
    """Publish how two workers scale, and what a night adds."""
    with tempfile.TemporaryDirectory(prefix="nishiki-workers-") as folder:
        publish("operations-workers", _figures(Path(folder)))


def _figures(folder: Path) -> Iterator[Figure]:
    _narrow_weights(folder / "weights")
    narrow = {"weights_dir": folder / "weights", "encoder": "random-seeded", "device": "cpu"}
    yield from _two_beside_one(Settings(home=folder / "printed"))
    style = {"recipe": "jadh2016/config1_1_1", "size": 256, "iterations": 150, "minibatch_size": 1}
    yield from _two_beside_one(Settings.model_validate({"home": folder / "styled", **narrow, **style}))
    stand_in = {"recipe": "jadh2016/config1_1_1", "size": SIZE_PX, "minibatch_size": 16, "cpu_processes": 1}
    yield from _added(Settings.model_validate({"home": folder / "stood in", **narrow, **stand_in}))


def _two_beside_one(settings: Settings) -> Iterator[Figure]:
    """The better of two rounds, which what else runs on the machine disturbs least."""
    matched(settings, COLOURED)
    rate = dict.fromkeys((1, 2), 0.0)
    for workers in (*rate, *rate):
        home = settings.home.with_name(f"by {workers}")
        shutil.copytree(settings.home, home)
        night = _timed(settings.model_copy(update={"home": home, "cpu_processes": workers}))
        rate[workers] = max(rate[workers], night.rate)
        shutil.rmtree(home)
    for workers, pictures in rate.items():
        yield Figure(f"{settings.recipe}, workers: {workers}", pictures, "pictures a s")
    faster = rate[2] / rate[1]
    yield Figure(f"{settings.recipe}, two workers beside one", faster, "times", f"≥ {FASTER}", faster >= FASTER)


def _added(settings: Settings) -> Iterator[Figure]:
    matched(settings, STOOD_IN)
    folder, told = settings.home.parent, {}
    with patch.object(processes, "_serve", _serve_standing_in):
        for name, night_of in (("without Prefect", _timed), ("with Prefect's server", _by_server)):
            home = folder / name
            shutil.copytree(settings.home, home)
            told[name] = night_of(settings.model_copy(update={"home": home}))
    plain_s = _plain(folder, told["without Prefect"].minibatches)
    yield Figure(f"a stand-in of {PICTURE_S} s a picture, the plainest program", plain_s, "s a picture")
    for name, night in told.items():
        added = 100 * (1 / night.rate / plain_s - 1)
        yield Figure(f"{name}", 1 / night.rate, "s a picture")
        yield Figure(f"{name}: added", added, "%", f"≤ {OVERHEAD_PERCENT:g}", added <= OVERHEAD_PERCENT)
        yield Figure(f"{name}: start", night.start_s, "s", f"≤ {START_S:g}", night.start_s <= START_S)
        yield Figure(f"{name}: end, after the last picture", night.end_s, "s")


@dataclass
class Night:
    """When a night did what."""

    began: float = field(default_factory=time.monotonic)
    minibatches: list[Minibatch] = field(default_factory=list)
    begun: list[float] = field(default_factory=list)
    """When each minibatch was handed to its worker."""
    finished: dict[DeviceProcess, list[float]] = field(default_factory=lambda: defaultdict(list))
    """When each picture came back, by its worker."""
    over: float = 0.0

    @property
    def start_s(self) -> float:
        """From its first step to the first minibatch."""
        return self.begun[0] - self.began

    @property
    def rate(self) -> float:
        """Pictures a second of all workers, but for the first of each, which waits for the models."""
        return sum(1 / _apart(moments) for moments in self.finished.values())

    @property
    def end_s(self) -> float:
        """From the last picture to its end."""
        return self.over - max(moments[-1] for moments in self.finished.values())


def _apart(moments: Sequence[float]) -> float:
    return (moments[-1] - moments[0]) / (len(moments) - 1)


def _by_server(settings: Settings) -> Night:
    """With a server that runs already, as beside a schedule."""
    folder = settings.home.parent
    try:
        with served(folder):
            _timed(settings.model_copy(update={"limit": 1}), alone=False)  # the server's first requests load much of it
            return _timed(settings, alone=False)
    finally:
        ended(folder)


def _timed(settings: Settings, *, alone: bool = True) -> Night:
    colorize = DeviceProcess.colorize

    def noted(process: DeviceProcess, minibatch: Minibatch) -> Iterator[Event]:
        night.minibatches.append(minibatch)
        night.begun.append(time.monotonic())
        for event in colorize(process, minibatch):
            if isinstance(event, Finished):
                night.finished[process].append(time.monotonic())
            yield event

    with patch.object(DeviceProcess, "colorize", noted):
        night = Night()
        outcomes = dispatched(settings, alone=alone)
        night.over = time.monotonic()
    assert set(outcomes) == {"succeeded"}, outcomes
    return night


def _plain(folder: Path, minibatches: Sequence[Minibatch]) -> float:
    """Seconds a picture of one process that knows of no catalogue."""
    finished = []

    def keep(event: Event) -> None:
        if isinstance(event, Finished):
            (folder / f"{event.key}{event.suffix}").write_bytes(event.picture)
            finished.append(time.monotonic())

    with _standing_in():
        worker = Worker("cpu", 1.0)
        for minibatch in minibatches:
            worker.colorize(minibatch, keep)
    return _apart(finished)


def _serve_standing_in(*given: Any) -> None:
    """A worker's process whose colorizer is the stand-in."""
    with _standing_in():
        processes._serve(*given)


def _standing_in() -> AbstractContextManager[object]:
    return patch.object(Colorizer, "colorize", staticmethod(_stood_in))


def _stood_in(jobs: Sequence[Job], _callbacks: object = NO_CALLBACKS) -> list[Colorization]:
    """Colours of the style in the place of the content's, after the time that it takes."""
    time.sleep(PICTURE_S * len(jobs))
    return [_colorization(job) for job in jobs]


def _colorization(job: Job) -> Colorization:
    height, width = job.content.shape[:2]
    scale = SIZE_PX / max(height, width)
    picture = Image.fromarray(job.style).resize((round(width * scale), round(height * scale)))
    figures = {"iterations": 1000, "seconds": PICTURE_S, "seed": 0, "device": "cpu", "precision": "float32"}
    errors = RelativeErrors(0.1, 0.1, 0.1, 0.1)
    return Colorization(job.key, np.asarray(picture), errors, measures={}, trace=(), **figures)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
