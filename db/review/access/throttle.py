"""Slows down whoever guesses passwords, and nobody else: after some wrong tries each further one waits longer.

A place is where a try comes from: an address, or a browser that is known (`db.review.access.known`). Counted are tries
of a place at one name, which then wait; tries of a place at any name, which wait later; and tries at a name from
anywhere, which are only answered more slowly: somebody elsewhere can keep no curator out. In memory only: a restarted
page has forgotten, which helps a guesser little.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from db.queries.review.accounts import spelt
from db.review.access.addresses import network

FREE_BY_NAME: Final = 5
"""Wrong tries of one place at one name before the first wait."""
FREE_BY_PLACE: Final = 20
"""The same at any names: a whole office may sit behind an address."""
FIRST_WAIT_S: Final = 15
LONGEST_WAIT_S: Final = 900
FREE_OF_PAUSE: Final = 10
"""Wrong tries at one name, from wherever, before it is answered more slowly."""
LONGEST_PAUSE_S: Final = 2.5
FORGOTTEN_S: Final = 3600
"""After so long without a wrong try, counting begins anew."""
MOST_KEPT: Final = 10_000
"""Names and places that are remembered; those longest without a try make room."""


@dataclass
class _Tries:
    wrong: int = 0
    last: float = 0.0
    until: float = 0.0
    """No try before."""


class Throttle:
    """Safe for any thread. `clock`: seconds that only grow; `longest_pause_s`: of a try at a name that many tried."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, longest_pause_s: float = LONGEST_PAUSE_S) -> None:
        self._clock, self._longest_pause_s = clock, longest_pause_s
        self._lock = Lock()
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def begin(self, name: str, place: str) -> int:
        """Before a password is looked at: whole seconds to wait, or 0, and then the try counts as a wrong one.

        Counting it beforehand leaves no gap for many tries at once; `succeeded` and `not_looked_at` take it back.
        """
        moment = self._clock()
        pair, by_place, by_name = _keys(name, place)
        with self._lock:
            wait_s = max(self._wait_s(pair, moment), self._wait_s(by_place, moment))
            if wait_s > 0:
                return math.ceil(wait_s)
            for key, free in ((pair, FREE_BY_NAME), (by_place, FREE_BY_PLACE), (by_name, None)):
                self._count(key, free, moment)
            return 0

    def wait_s(self, place: str) -> int:
        """Whole seconds for which a place has to wait, whatever name it would try."""
        with self._lock:
            return max(math.ceil(self._wait_s(_by_place(place), self._clock())), 0)

    def wrong_tries(self, place: str) -> int:
        """Of a place at any name, the one that is begun among them."""
        with self._lock:
            tries = self._tries.get(_by_place(place))
        return tries.wrong if tries else 0

    def pause_s(self, name: str) -> float:
        """Seconds after which a try at this name is looked at; it keeps nobody's place in the meantime."""
        with self._lock:
            tries = self._tries.get(_by_name(name))
        beyond = tries.wrong - FREE_OF_PAUSE if tries else 0
        return min(self._longest_pause_s, 0.25 * 2.0 ** min(beyond, 10)) if beyond > 0 else 0.0

    def succeeded(self, name: str, place: str) -> None:
        """The password was right: the place's tries at this name are forgiven, of the others only this one.

        Otherwise somebody with an account could guess at another between two sign-ins of their own.
        """
        pair, by_place, by_name = _keys(name, place)
        with self._lock:
            self._tries.pop(pair, None)
            self._take_back(by_place, FREE_BY_PLACE)
            self._take_back(by_name, None)

    def not_looked_at(self, name: str, place: str) -> None:
        """There was no time for this try."""
        pair, by_place, by_name = _keys(name, place)
        with self._lock:
            for key, free in ((pair, FREE_BY_NAME), (by_place, FREE_BY_PLACE), (by_name, None)):
                self._take_back(key, free)

    def __len__(self) -> int:
        """How many names and places are remembered."""
        return len(self._tries)

    def _wait_s(self, key: str, moment: float) -> float:
        tries = self._tries.get(key)
        return tries.until - moment if tries else 0.0

    def _count(self, key: str, free: int | None, moment: float) -> None:
        tries = self._tries.setdefault(key, _Tries())
        if moment - tries.last > FORGOTTEN_S:
            tries.wrong = 0
        tries.wrong += 1
        tries.last = moment
        if free is not None and tries.wrong >= free:
            tries.until = moment + min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries.wrong - free, 30))
        self._tries.move_to_end(key)
        while len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)

    def _take_back(self, key: str, free: int | None) -> None:
        if tries := self._tries.get(key):
            tries.wrong -= 1
            tries.until = 0.0 if free is not None and tries.wrong < free else tries.until


def _keys(name: str, place: str) -> tuple[str, str, str]:
    return f"{_by_name(name)} of {network(place)}", _by_place(place), _by_name(name)


def _by_place(place: str) -> str:
    return f"place {network(place)}"


def _by_name(name: str) -> str:
    return f"name {spelt(name)}"
