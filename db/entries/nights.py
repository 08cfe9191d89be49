"""A night as the catalogue remembers it; frozen, made by its queries for `flows` and the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

BEAT_S = 10.0
"""Between two signs of life."""


class NightEnding(StrEnum):
    """Why a night is over."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"
    """All that was due is done, but for what waits for a person."""
    STOPPED = "stopped"
    """By Ctrl-C or SIGTERM."""
    KILLED = "killed"
    """It ended without a word; the next night said so for it."""


@dataclass(frozen=True)
class NightEnd:
    """How a night ended."""

    ending: NightEnding
    exit_code: int | None
    """None: nobody saw it."""
    reason: str = ""
    """What stood in the way of a better ending, in sentences."""


@dataclass(frozen=True)
class NightEntry:
    """A night: who ran it, how it ended and what it came to; without an end it is at work."""

    id: int
    host: str
    pid: int
    began_at: datetime
    seen_at: datetime
    """The last sign of life."""
    ended_at: datetime | None
    end: NightEnd | None
    seconds: Mapping[str, float]
    """By stage, of those that were gone through."""
    counts: Mapping[str, Any]
    """`records` by what became of them, `listed` by archive (those alone that were read to their end), `pictures`,
    `archives` (of each its `records`, its `pictures`, and whether it was read `whole`), `matches`, `attempts` by
    outcome."""
    silent: bool = False
    """It has no end, and has given no sign of life for minutes or is known to be gone: it was killed, which the next
    night says of it, or its machine does not reach the catalogue."""

    @property
    def at_work(self) -> bool:
        """It has no end, and has given signs of life."""
        return self.end is None and not self.silent

    @property
    def who(self) -> str:
        """Who runs it, for a person."""
        return f"process {self.pid} on {self.host}, since {self.began_at:%Y-%m-%d %H:%M} UTC"
