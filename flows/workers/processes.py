"""The first executor: a process on this machine for each device, or for each core of a CPU.

A process is given paths, decodes for itself, and keeps its models between minibatches and batches. It is started on
first use, again after it died, and dies with its owner: a broken pipe ends it at the next message.
"""

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock
from typing import Any, Final, Self

from colorize.errors import ColorizeError, WorkerDied
from db.entries.night import BatchEntry
from flows.logs import Form, Level, form, set_up
from flows.plan import Plan
from flows.settings import Settings
from flows.workers.messages import Event, Failed, Finished, Minibatch, Unable
from flows.workers.worker import Worker

log = logging.getLogger(__name__)
_OWNERS: Final = (signal.SIGINT, signal.SIGTERM)
"""Terminals and systemd send them to all processes of a command; the owner answers, and ends the others."""


def workplaces(device_names: Sequence[str], cpu_processes: int | None) -> list[str]:
    """A device name for each process: GPUs one each, the CPU as often as it has cores."""
    if list(device_names) == ["cpu"]:
        return ["cpu"] * (cpu_processes or len(os.sched_getaffinity(0)))
    return list(device_names)


class Processes:
    """The processes of all devices; safe from any thread."""

    def __init__(self, devices: Sequence[str], log_level: Level, hung_after_s: float) -> None:
        self._processes = [
            DeviceProcess(device, 1 / devices.count(device), log_level, hung_after_s) for device in devices
        ]
        self.places = len(devices)
        self._free: SimpleQueue[DeviceProcess] = SimpleQueue()
        for process in self._processes:
            self._free.put(process)

    @classmethod
    def look(cls, _settings: Settings) -> None:
        """Devices are looked for with the rest of a plan."""

    @classmethod
    def open(cls, plan: Plan) -> Self:
        """Over a plan's devices."""
        settings = plan.settings
        return cls(workplaces(plan.devices, settings.cpu_processes), settings.log_level, settings.hung_after_s)

    @contextmanager
    def place(self) -> Iterator["DeviceProcess"]:
        """The next free process; one over which an error passes is ended, for whatever it still says is nobody's."""
        process = self._free.get()
        try:
            yield process
        except BaseException:
            process.close()
            raise
        finally:
            self._free.put(process)

    def call(self, batch: BatchEntry) -> None:
        """All that there are are here."""

    def close(self) -> None:
        """End all processes, whatever they do; they are started again when they are needed."""
        for process in self._processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DeviceProcess:
    """A colorizing process; started on first use and again after it died."""

    def __init__(self, device: str, memory_share: float, log_level: Level, hung_after_s: float) -> None:
        self.device, self._hung_after_s = device, hung_after_s
        self._memory_share, self._log_level = memory_share, log_level
        self._process: Any = None
        self._pipe: Connection | None = None
        self._starting = Lock()
        """Held while it starts: one half started can be neither ended nor left to run."""

    def colorize(self, minibatch: Minibatch) -> Iterator[Event]:
        """Have a minibatch colorized; its jobs end in any order.

        Raises:
            WorkerDied: the process ended before the last job, or said nothing for so long that it was ended.
            ColorizeError: the process cannot work at all (weights, device).
        """
        pipe = self._started()
        try:
            pipe.send(minibatch)
            ended = 0
            while ended < len(minibatch.jobs):
                if not pipe.poll(self._hung_after_s):
                    raise self._hung()
                message: Event | Unable = pipe.recv()
                if isinstance(message, Unable):
                    raise message.cause
                ended += isinstance(message, (Finished, Failed))
                yield message
        except (EOFError, OSError) as error:
            code = self._ended()
            killed = code is None or code < 0
            why = f"was killed (signal {-(code or 0)}); is memory short?" if killed else f"failed (exit code {code})"
            log.warning("the process on %s %s", self.device, why)
            raise WorkerDied(f"the process on {self.device} {why}") from error

    def close(self) -> None:
        """End the process, whatever it does; a thread that waits for it gets WorkerDied."""
        with self._starting:
            process = self._process
        if process is not None:
            process.kill()
            process.join(timeout=10)

    def _started(self) -> Connection:
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            given = theirs, self.device, self._memory_share, self._log_level, form()
            with self._starting, _signals_held_back():
                self._process = context.Process(target=_serve, args=given, daemon=True)
                self._process.start()
            log.info("a process for %s was started, its number is %d", self.device, self._process.pid)
            theirs.close()
        return self._pipe

    def _hung(self) -> WorkerDied:
        self.close()
        self._ended()
        why = f"the process on {self.device} said nothing for {self._hung_after_s:,.0f} s and was ended"
        log.warning("%s", why)
        return WorkerDied(why)

    def _ended(self) -> int | None:
        self._process.join(timeout=10)
        code: int | None = self._process.exitcode
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None
        return code


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """A process that is started inside it hears none of the owner's signals, from its first moment on."""
    resource_tracker.ensure_running()  # its first start gives the signals free again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OWNERS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection, device: str, memory_share: float, log_level: Level, written: Form) -> None:
    """The process: one minibatch after the other, until the owner hangs up."""
    for number in _OWNERS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _OWNERS)
    set_up(log_level, written)
    worker = Worker(device, memory_share)
    try:
        while True:
            minibatch: Minibatch = pipe.recv()
            try:
                worker.colorize(minibatch, pipe.send)
            except ColorizeError as error:
                pipe.send(Unable.of(error))
                return
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
