"""Passwords, hashed with argon2id at the library's recommended cost. Nothing of a password is ever kept or logged."""

import asyncio
import os
from bisect import insort
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from itertools import count
from threading import Lock, get_native_id
from typing import Final
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LETTERS: Final = 10
MOST_LETTERS: Final = 1000
AT_ONCE: Final = 1
"""Each verification takes 64 MiB and four cores, where there are so many."""
STEP_BACK: Final = 3
"""Of the system's priority; a night that colours on every core must not keep people from signing in."""
_HASHER = PasswordHasher()
_MOST_WAITING: Final = 100
"""Some seconds' work; whoever failed most makes room."""


class TooBusy(Exception):
    """So many passwords are being verified that this one has to come again."""


def hashed(password: str) -> str:
    """What the catalogue keeps."""
    return _HASHER.hash(_spelt(password))


class Line:
    """Those who wait for their password to be verified, of one page: who failed least goes first.

    A curator does not wait behind those who guess. Nobody who waits keeps a thread. Safe for any thread and loop.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._working = 0
        self._waiting: list[tuple[int, int, Future[None]]] = []
        self._came = count()

    async def matches(self, password: str, kept: str | None, failed: int) -> bool:
        """Is it the password of this hash? None, for a name without an account, takes as long and is False.

        Args:
            password: as it was typed.
            kept: the hash.
            failed: wrong tries of the place that it comes from.

        Raises:
            TooBusy: nothing was verified.
        """
        await self._turn(failed)
        try:
            return await asyncio.get_running_loop().run_in_executor(_workers(), _verified, password, kept)
        finally:
            self._next()

    async def _turn(self, failed: int) -> None:
        turn: Future[None] = Future()
        with self._lock:
            if self._working < AT_ONCE:
                self._working += 1
                return
            insort(self._waiting, (failed, next(self._came), turn))
            last = self._waiting.pop()[2] if len(self._waiting) > _MOST_WAITING else None
        if last and last.set_running_or_notify_cancel():
            last.set_exception(TooBusy())
        try:
            await asyncio.wrap_future(turn)
        except asyncio.CancelledError:
            if not turn.cancelled():  # it came just now
                self._next()
            raise

    def _next(self) -> None:
        """Whoever went away meanwhile is passed over."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._working -= 1
                    return
                turn = self._waiting.pop(0)[2]
            if turn.set_running_or_notify_cancel():
                turn.set_result(None)
                return


def _verified(password: str, kept: str | None) -> bool:
    nobody = _nobody()  # made with the first password of all, whoever's: later ones all take one verification
    try:
        _HASHER.verify(kept or nobody, _spelt(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, "passwords", initializer=_step_back)


def _step_back() -> None:
    """Pages go before passwords: on Linux a thread may be less urgent than its process."""
    with suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + STEP_BACK)


def _spelt(password: str) -> str:
    # keyboards and systems differ in how they compose a letter and how wide it is
    return normalize("NFKC", password)


@cache
def _nobody() -> str:
    return _HASHER.hash("a password that nobody has")
