"""Slows down whoever guesses passwords: after some wrong ones each further try waits twice as long as the last.

Counted by the account's name, whether there is one or not, and by the address asked from. In memory only: a
restarted page has forgotten, which helps a guesser little and a locked-out curator much.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final

from db.queries.review.accounts import spelt
from db.review.access.addresses import network

FREE_BY_NAME: Final = 5
"""Wrong tries before the first wait."""
FREE_BY_ADDRESS: Final = 20
"""The same for an address, behind which a whole office may sit."""
FIRST_WAIT_S: Final = 15
LONGEST_WAIT_S: Final = 900
FORGOTTEN_S: Final = 3600
"""After so long without a wrong try, counting begins anew."""
MOST_KEPT: Final = 10_000
"""Names and addresses that are remembered; those longest without a try make room."""


@dataclass
class _Tries:
    wrong: int = 0
    last: float = 0.0
    until: float = 0.0
    """No try before."""


class Throttle:
    """Safe for any thread. `clock`: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def begin(self, name: str, address: str) -> int:
        """Before a password is looked at: whole seconds to wait, or 0, and then the try counts as a wrong one.

        Counting it beforehand leaves no gap for many tries at once; `succeeded` takes it back.
        """
        moment = self._clock()
        with self._lock:
            wait_s = max((self._wait_s(key, moment) for key, _ in _keys(name, address)), default=0.0)
            if wait_s > 0:
                return math.ceil(wait_s)
            for key, free in _keys(name, address):
                self._count(key, free, moment)
            return 0

    def wait_s(self, address: str) -> int:
        """Whole seconds for which an address has to wait, whatever name it would try."""
        with self._lock:
            return math.ceil(max(self._wait_s(f"address {network(address)}", self._clock()), 0.0))

    def succeeded(self, name: str, address: str) -> None:
        """The password was right: the name is forgiven, of the address only this try.

        Otherwise somebody with an account could guess at another between two sign-ins of his own.
        """
        (by_name, _), (by_address, free) = _keys(name, address)
        with self._lock:
            self._tries.pop(by_name, None)
            if tries := self._tries.get(by_address):
                tries.wrong -= 1
                tries.until = 0.0 if tries.wrong < free else tries.until

    def __len__(self) -> int:
        """How many names and addresses are remembered."""
        return len(self._tries)

    def _wait_s(self, key: str, moment: float) -> float:
        tries = self._tries.get(key)
        return tries.until - moment if tries else 0.0

    def _count(self, key: str, free: int, moment: float) -> None:
        tries = self._tries.setdefault(key, _Tries())
        if moment - tries.last > FORGOTTEN_S:
            tries.wrong = 0
        tries.wrong += 1
        tries.last = moment
        if tries.wrong >= free:
            tries.until = moment + min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries.wrong - free, 30))
        self._tries.move_to_end(key)
        while len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)


def _keys(name: str, address: str) -> Iterator[tuple[str, int]]:
    yield f"name {spelt(name)}", FREE_BY_NAME
    yield f"address {network(address)}", FREE_BY_ADDRESS
