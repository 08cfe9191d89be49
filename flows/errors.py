"""What can go wrong before a night begins, and how all of it comes to be told at once.

Misconfigured                several things stand in the way; one alone is raised as the error that it is
Misused                      the command, or a setting, cannot be used
└── Away                     what batches are sent to does not answer
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from colorize.errors import BadRecipe, ColorizeError, DeviceMissing, UnknownEncoder, UnknownRecipe
from db.errors import CatalogueError, NightRunning
from flows.archives.errors import ArchiveError
from flows.endings import Ending

Found = TypeVar("Found")


class Misconfigured(Exception):
    """Everything that is wrong with what was asked for, in one message; nothing was asked or written."""

    def __init__(self, faults: Sequence[Exception]) -> None:
        self.faults = tuple(faults)
        lines = [f"{len(faults)} things have to be set right first", *(f"- {_sentence(fault)}" for fault in faults)]
        super().__init__("\n".join(lines))


class Misused(Exception):
    """A setting or an argument that no command can work with."""


class Away(Misused):
    """What a night needs for its batches does not answer now, and may again when they are sent."""


_USAGE = (Misused, UnknownRecipe, BadRecipe, UnknownEncoder, DeviceMissing)


def ending_of(error: BaseException) -> Ending:
    """What a command ends with that is ended by this error."""
    faults = error.faults if isinstance(error, Misconfigured) else (error,)
    if any(isinstance(fault, NightRunning) for fault in faults):
        return Ending.BUSY
    return Ending.USAGE if any(isinstance(fault, _USAGE) for fault in faults) else Ending.FAILED


class Faults:
    """Everything that is wrong, gathered before any of it is told."""

    def __init__(self, known: Iterable[Exception] = ()) -> None:
        self.found = list(known)

    def of(self, look: Callable[[], Found]) -> Found | None:
        """What was looked for; None where it is wrong, which `tell` raises."""
        try:
            return look()
        except Misconfigured as error:
            self.found += error.faults
        except (Misused, ColorizeError, CatalogueError, ArchiveError, OSError) as error:
            self.found.append(error)
        return None

    def __bool__(self) -> bool:
        return bool(self.found)

    def tell(self) -> None:
        """Raise what was found."""
        if len(self.found) > 1:
            raise Misconfigured(self.found)
        if self.found:
            raise self.found[0]


def _sentence(fault: Exception) -> str:
    if isinstance(fault, OSError) and fault.filename:
        return f"{fault.filename}: {fault.strerror}"
    return str(fault)
