"""How a command, and the flow behind it, can end: the only list of exit codes and of the states that Prefect shows.

Tallies of the stages say how they ended; `flows.cli` exits with it, and `flows.under_prefect` tells Prefect the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Protocol, runtime_checkable


class Ending(IntEnum):
    """A command's exit code."""

    DONE = 0
    """Bad records and rejected pictures are reported, and no failure."""
    FAILED = 1
    """Something failed that a person must look at."""
    USAGE = 2
    """The command, or a setting, cannot be used."""
    BUSY = 3
    """Another process is at this work."""
    WAITING = 4
    """Something waits for a person and was left, such as a batch whose weights are gone."""
    ALARM = 5
    """Something is wrong with the nights, as `nishiki alarm` found."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C (SIGINT)."""
    TERMINATED = 143
    """Stopped by SIGTERM."""


@runtime_checkable
class Tally(Protocol):
    """What a stage came to."""

    @property
    def ending(self) -> Ending:
        """How it ended."""

    def told(self) -> Iterator[str]:
        """What stands in the way of a better ending, in sentences."""


_GRAVEST_FIRST = (Ending.FAILED, Ending.WAITING, Ending.BUSY)


def gravest(endings: Iterable[Ending]) -> Ending:
    """What the whole ended with, of its parts."""
    found = set(endings)
    return next((each for each in _GRAVEST_FIRST if each in found), Ending.DONE)


class Whole:
    """What several stages came to, as one."""

    @property
    def tallies(self) -> Sequence[Tally]:
        """Those of its parts."""
        raise NotImplementedError

    @property
    def ending(self) -> Ending:
        """The gravest of theirs."""
        return gravest(each.ending for each in self.tallies)

    def told(self) -> Iterator[str]:
        """What stands in the way of a better ending."""
        for each in self.tallies:
            yield from each.told()
