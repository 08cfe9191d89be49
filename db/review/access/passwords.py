"""Passwords, hashed with argon2id at the library's recommended cost. Nothing of a password is ever kept or logged."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from threading import BoundedSemaphore, get_native_id
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
_AT_THE_DOOR = BoundedSemaphore(100)
"""Those at work and those that wait for them, some seconds at most; they keep no thread of the page's."""


class TooBusy(Exception):
    """So many passwords are being verified that this one has to come again."""


def hashed(password: str) -> str:
    """What the catalogue keeps."""
    return _HASHER.hash(_spelt(password))


async def matches(password: str, kept: str | None) -> bool:
    """Is it the password of this hash? None, for a name without an account, takes as long and is False.

    Raises:
        TooBusy: nothing was verified.
    """
    if not _AT_THE_DOOR.acquire(blocking=False):
        raise TooBusy
    try:
        return await asyncio.get_running_loop().run_in_executor(_workers(), _verified, password, kept)
    finally:
        _AT_THE_DOOR.release()


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
