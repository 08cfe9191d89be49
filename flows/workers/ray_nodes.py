"""The executor of a Ray cluster: each minibatch a task on whichever node has room, its results back as bytes.

The nodes need nishiki and a way to the cluster, and neither database nor home: one that does not see the picture store
is sent the bytes of what it works on. What is lost with a node is tried again on another, as where a process dies.
"""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Semaphore, Thread
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from colorize.errors import ColorizeError, WorkerDied
from db.entries.night import BatchEntry
from flows.errors import Misused
from flows.logs import first_line
from flows.plan import Plan
from flows.settings import Settings
from flows.workers.messages import Event, Minibatch, Unable
from flows.workers.worker import Worker

log = logging.getLogger(__name__)
ANSWER_S: Final = 5.0
"""Within which a cluster takes a connection."""
CLIENT_PORT: Final = 10_001
"""Of `ray://` addresses that name none."""
Files = dict[str, bytes]
"""What lies where this process, and no other, sees it."""


@dataclass(frozen=True)
class Unseen:
    """A node does not see the files that its minibatch names."""


class RayNodes:
    """All GPUs of the cluster, one a task, or all its cores where it has none; safe from any thread."""

    def __init__(self, ray: Any, device: str, places: int, hung_after_s: float) -> None:
        self.ray, self.places = ray, places
        self._device, self._hung_after_s = device, hung_after_s
        self._free = Semaphore(places)
        self._working: set[RayPlace] = set()
        self.sends_files = False
        """A node was met that does not see the store."""

    @classmethod
    def look(cls, _settings: Settings) -> None:
        """See whether a cluster answers at its address: Ray itself would wait for it for minutes, deaf to signals.

        Raises:
            Misused: none does, or Ray is not installed.
        """
        address = _address()
        if (port := _port_of(address)) is None:
            return
        try:
            socket.create_connection(port, ANSWER_S).close()
        except OSError as error:
            raise _none_answers(f" at {address} ({error.strerror or error})") from error

    @classmethod
    def open(cls, plan: Plan) -> Self:
        """Over the cluster that this machine is part of, or that RAY_ADDRESS names.

        Raises:
            Misused: there is none.
        """
        settings = plan.settings
        cls.look(settings)
        ray = _ray()
        try:
            ray.init(address="auto", ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR)
        except ConnectionError as error:
            raise _none_answers() from error
        there = ray.cluster_resources()
        gpus = 0 if settings.device == "cpu" else int(there.get("GPU", 0))
        cores = settings.cpu_processes or int(there.get("CPU", 1))
        return cls(ray, "cuda" if gpus else "cpu", gpus or cores, settings.hung_after_s)

    @contextmanager
    def place(self) -> Iterator["RayPlace"]:
        """Room for one task, when there is some."""
        with self._free:
            place = RayPlace(self._device, self._hung_after_s, self)
            self._working.add(place)
            try:
                yield place
            finally:
                self._working.discard(place)

    def call(self, batch: BatchEntry) -> None:
        """All that there are are in the cluster."""

    def close(self) -> None:
        """End all tasks."""
        for place in list(self._working):
            place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.ray.shutdown()


class RayPlace:
    """One task."""

    def __init__(self, device: str, hung_after_s: float, nodes: RayNodes) -> None:
        self.device, self._hung_after_s, self._nodes = device, hung_after_s, nodes
        self._ray, self._task = nodes.ray, cast("Any", None)

    def colorize(self, minibatch: Minibatch) -> Iterator[Event]:
        """Have a minibatch colorized; its jobs end in any order.

        Raises:
            WorkerDied: the node or its process is gone, or said nothing for so long that it was ended.
            ColorizeError: the node cannot work at all (weights, device).
        """
        try:
            for message in self._told(minibatch):
                if isinstance(message, Unable):
                    raise message.cause
                yield message
        except self._ray.exceptions.RayError as error:
            said = first_line(error).partition(". ")[0]
            why = f"a worker of Ray on {self.device} was lost ({said})"
            log.warning("%s", why)
            raise WorkerDied(why) from error

    def close(self) -> None:
        """End the task, whatever it does."""
        if self._task is not None:
            self._ray.cancel(self._task, force=True)

    def _told(self, minibatch: Minibatch) -> Iterator[Event | Unable]:
        for message in self._answers(minibatch):
            if not isinstance(message, Unseen):
                yield message
                continue
            self._nodes.sends_files = True
            for again in self._answers(minibatch):
                assert not isinstance(again, Unseen)
                yield again

    def _answers(self, minibatch: Minibatch) -> Iterator[Event | Unable | Unseen]:
        files = self._ray.put(files_of(minibatch)) if self._nodes.sends_files else None
        needs = {"num_gpus": 1} if self.device == "cuda" else {"num_cpus": 1}
        # Kept alive with its models, and never begun again by Ray itself: the catalogue counts tries.
        how = {"num_returns": "streaming", "max_retries": 0, "max_calls": 0, **needs}
        self._task = self._ray.remote(**how)(answers_on_node).remote(minibatch, self.device, [files])
        patience_s = None  # until a node has room
        while True:
            ready, _ = self._ray.wait([self._task], timeout=patience_s, fetch_local=False)
            if not ready:
                self.close()
                raise WorkerDied(
                    f"a worker of Ray on {self.device} said nothing for {self._hung_after_s:,.0f} s and was ended"
                )
            try:
                yield self._ray.get(next(self._task))
            except StopIteration:
                return
            patience_s = self._hung_after_s


def _address() -> str:
    """Where Ray would look for the cluster: as RAY_ADDRESS says, else that of the last `ray start` on this machine.

    Raises:
        Misused: nowhere, or Ray is not installed.
    """
    _ray()
    if (named := os.environ.get("RAY_ADDRESS", "auto")) not in ("", "auto"):
        return named
    from ray._private.services import get_ray_address_from_environment  # noqa: PLC0415  (no public one tells it)

    try:
        return str(get_ray_address_from_environment("auto", None))
    except ConnectionError as error:
        raise _none_answers() from error


def _port_of(address: str) -> tuple[str, int] | None:
    """What is connected to; None where that is Ray's to know: a node that it starts itself, or another provider's.

    Raises:
        Misused: it is no address.
    """
    scheme, _, rest = address.rpartition("://")
    if address == "local" or scheme not in ("", "ray"):
        return None
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port or (CLIENT_PORT if scheme else None)
    except ValueError:
        host = port = None
    if not host or port is None:
        raise Misused(f"RAY_ADDRESS is {address!r}, and a cluster's address is HOST:PORT, or ray://HOST:PORT")
    return host, port


def _none_answers(where: str = "") -> Misused:
    return Misused(f"no Ray cluster answers{where}; run: ray start --head, or set executor to processes")


def _ray() -> Any:
    """Ray, where it is installed.

    Raises:
        Misused: it is not.
    """
    try:
        import ray  # noqa: PLC0415  (a part of its own)
    except ModuleNotFoundError as error:
        raise Misused("Ray is not installed, and executor is ray; run: pip install '.[ray]'") from error
    return ray


def answers_on_node(minibatch: Minibatch, device: str, held: list[Any]) -> Iterator[Event | Unable | Unseen]:
    """The task: what is told of a minibatch, as it is told.

    Args:
        held: where its files can be had; None: in the store, which this node is hoped to see.
    """
    (files,) = held
    if files is None:
        if _sees(minibatch):
            yield from _told_by(worker_here(device), minibatch)
        else:
            yield Unseen()
        return
    with laid_down(minibatch, _ray().get(files), Path(folder_here().name)) as here:
        yield from _told_by(worker_here(device), here)


@cache
def worker_here(device: str) -> Worker:
    """This process's, which keeps its models from task to task."""
    return Worker(device, 1.0 if device == "cuda" else 1 / len(os.sched_getaffinity(0)))


@cache
def folder_here() -> "TemporaryDirectory[str]":
    """For files that are sent; it goes with this process."""
    return TemporaryDirectory(prefix="nishiki-")


def _told_by(worker: Worker, minibatch: Minibatch) -> Iterator[Event | Unable]:
    """What a worker tells in a thread, as it tells it."""
    told: SimpleQueue[Event | Unable | BaseException | None] = SimpleQueue()

    def work() -> None:
        try:
            worker.colorize(minibatch, told.put)
            told.put(None)
        except ColorizeError as error:
            told.put(Unable.of(error))
            told.put(None)
        except BaseException as error:  # a fault of ours; raised where Ray sees it
            told.put(error)
            raise

    Thread(target=work, daemon=True).start()
    while (message := told.get()) is not None:
        if isinstance(message, BaseException):
            raise message
        yield message


def files_of(minibatch: Minibatch) -> Files:
    """The bytes of all that a minibatch names; what is missing here is left out, and fails there alone."""
    models = (model.path for model in minibatch.models)
    return {path: Path(path).read_bytes() for path in (*_pictures(minibatch), *models) if Path(path).is_file()}


def _sees(minibatch: Minibatch) -> bool:
    """Are the models here, and the store? Of its pictures one may be gone, which fails its attempt alone."""
    return all(Path(model.path).exists() for model in minibatch.models) and any(
        map(os.path.exists, _pictures(minibatch))
    )


def _pictures(minibatch: Minibatch) -> set[str]:
    named = {
        path for job in minibatch.jobs for path in (job.content, job.marks, job.mask, *(s.path for s in job.styles))
    }
    return {path for path in named if path}


@contextmanager
def laid_down(minibatch: Minibatch, files: Files, folder: Path) -> Iterator[Minibatch]:
    """Inside it, the same minibatch over files of this node, by the names that tell their sha256; models stay."""

    def here(path: str) -> str:
        return str(folder / Path(path).name)

    for path, data in files.items():
        if not Path(here(path)).exists():
            Path(here(path)).write_bytes(data)
    jobs = (
        replace(
            job,
            content=here(job.content),
            styles=tuple(replace(style, path=here(style.path)) for style in job.styles),
            marks=job.marks and here(job.marks),
            mask=job.mask and here(job.mask),
            checkpoint=None,
        )
        for job in minibatch.jobs
    )
    models = tuple(replace(model, path=here(model.path)) for model in minibatch.models)
    try:
        yield replace(minibatch, jobs=tuple(jobs), models=models)
    finally:
        for path in files.keys() - {model.path for model in minibatch.models}:
            Path(here(path)).unlink(missing_ok=True)
