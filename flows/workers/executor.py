"""The door to whatever carries out minibatches, and the list of what there is.

`flows.dispatch` asks for an executor and hands it messages; it never knows where they are worked on. Another executor
is a file with its class, its line here, and its name in the setting `executor`.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Final, Protocol, Self, cast

from flows.plan import Plan
from flows.workers.messages import Event, Minibatch

EXECUTORS: Final[Mapping[str, str]] = {
    "processes": "flows.workers.processes:Processes",
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

    @classmethod
    def open(cls, plan: Plan) -> Self:
        """Over the devices of a plan; nothing is started yet."""

    def place(self) -> AbstractContextManager[Place]:
        """The next free place, when there is one."""

    def close(self) -> None:
        """End all work; places start again when they are taken."""

    def __enter__(self) -> Self:
        """Itself."""

    def __exit__(self, *_: object) -> None:
        """As `close`."""


def executor_for(plan: Plan) -> Executor:
    """The executor that the settings name."""
    module, name = EXECUTORS[plan.settings.executor].split(":")
    return cast("type[Executor]", getattr(import_module(module), name)).open(plan)
