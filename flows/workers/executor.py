"""The door to whatever carries out the work, and the list of what there is.

`flows.dispatch` asks for an executor and hands it messages; it never knows where they are worked on. One without places
hands nothing out: it has others join the batch, which take attempts from the catalogue by themselves. Another executor
is a file with its class, its line here, and its name in the setting `executor`.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Final, Protocol, Self, cast

from db.entries.night import BatchEntry
from flows.plan import Plan
from flows.settings import Settings
from flows.workers.messages import Event, Minibatch

EXECUTORS: Final[Mapping[str, str]] = {
    "processes": "flows.workers.processes:Processes",
    "ray": "flows.workers.ray_nodes:RayNodes",
    "work-pool": "flows.workers.work_pool:WorkPool",
}


class Place(Protocol):
    """Where one minibatch at a time is worked on, such as a process with a GPU."""

    device: str

    def colorize(self, minibatch: Minibatch) -> Iterator[Event]:
        """Work on a minibatch; its jobs end in any order, each in a Finished or a Failed.

        Raises:
            WorkerDied: the worker ended before the last job.
            ColorizeError: it cannot work at all (weights, device).
        """

    def close(self) -> None:
        """End what is being worked on; whoever waits for it gets WorkerDied."""


class Executor(Protocol):
    """All the places that there are."""

    places: int
    """0: all work is done by those that it calls."""

    @classmethod
    def look(cls, settings: Settings) -> object:
        """See whether there is one, before a night begins that needs it.

        Raises:
            Misused, Misconfigured: there is none.
        """

    @classmethod
    def open(cls, plan: Plan) -> Self:
        """Over the devices of a plan; nothing is started yet."""

    def place(self) -> AbstractContextManager[Place]:
        """The next free place, when there is one."""

    def call(self, batch: BatchEntry) -> None:
        """Have others join a batch; asked again and again until the batch is over."""

    def close(self) -> None:
        """End all work; places start again when they are taken."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(self, *_: object) -> None:
        """As `close`."""


def executor_for(plan: Plan) -> Executor:
    """The executor that the settings name."""
    return _named(plan.settings).open(plan)


def look_for_executor(settings: Settings) -> None:
    """As its `look`."""
    _named(settings).look(settings)


def _named(settings: Settings) -> type[Executor]:
    module, name = EXECUTORS[settings.executor].split(":")
    return cast("type[Executor]", getattr(import_module(module), name))
