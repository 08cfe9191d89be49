"""When a host is left alone for the night: by how much of what it was asked failed, wherever in the list that was.

`flows.harvest` asks for its pictures by it. Nothing here asks a host.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
LAST = 10
"""Answers that the rate is of."""
LEAST = 5
"""Answers before there is a rate."""
SHARE = 0.8
"""Of failures, from which on a host is on trial."""
PROBES = 4
"""Pictures from all over the list that decide it: one that is delivered, and the host is asked on."""


@dataclass
class Breaker(Generic[Asked]):
    """What a host is to be asked, in turn; `told` after each whether that failed."""

    waiting: deque[Asked]
    _last: deque[bool] = field(default_factory=lambda: deque(maxlen=LAST))
    _probes: int | None = None

    @property
    def gave_up(self) -> bool:
        """Did most of the last fail, and so did what came from all over the list?"""
        return self._probes == 0

    def turns(self) -> Iterator[Asked]:
        """One after the other, until there is none left or the host is given up; those not asked stay in `waiting`."""
        while self.waiting and not self.gave_up:
            yield self.waiting.popleft()

    def told(self, *, failed: bool) -> None:
        """What became of the last one."""
        if self._probes is None:
            self._last.append(failed)
            if len(self._last) >= LEAST and sum(self._last) >= SHARE * len(self._last):
                self._probes = PROBES
                self._spread()
        elif failed:
            self._probes -= 1
        else:
            self._probes = None
            self._last.clear()

    def _spread(self) -> None:
        """Bring a few from all over the list to its beginning: what fails may lie side by side."""
        rest = list(self.waiting)
        chosen = sorted({(2 * number + 1) * len(rest) // (2 * PROBES) for number in range(PROBES)} if rest else ())
        probes = [rest[place] for place in chosen]
        self.waiting = deque([*probes, *(each for place, each in enumerate(rest) if place not in chosen)])
