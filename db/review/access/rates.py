"""How often somebody may ask the API: so many requests a minute, and as many at once. In memory, of one process."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

MOST_KEPT: Final = 10_000
"""Askers that are remembered; those longest without a request make room."""


class Rates:
    """Safe for any thread. `clock`: seconds that only grow."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._each_s, self._most = 60 / per_minute, per_minute
        self._clock, self._lock = clock, Lock()
        self._free_at: OrderedDict[str, float] = OrderedDict()
        """When an asker could ask as many at once again."""

    def take(self, asker: str) -> int:
        """Whole seconds to wait, or 0, and then the request counts."""
        moment = self._clock()
        with self._lock:
            free_at = max(self._free_at.get(asker, moment), moment) + self._each_s
            wait_s = free_at - moment - self._most * self._each_s
            if wait_s > self._each_s / 1e6:
                return math.ceil(wait_s)
            self._free_at[asker] = free_at
            self._free_at.move_to_end(asker)
            while len(self._free_at) > MOST_KEPT:
                self._free_at.popitem(last=False)
            return 0
