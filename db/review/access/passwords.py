"""Passwords, hashed with argon2id at the library's recommended cost. Nothing of a password is ever kept or logged."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Final
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_LETTERS: Final = 10
MOST_LETTERS: Final = 1000
_HASHER = PasswordHasher()
_AT_WORK = BoundedSemaphore(2)
"""Each verification takes 64 MiB."""
_AT_THE_DOOR = BoundedSemaphore(10)
"""Those at work and those that wait for them; more would keep the page's threads from everybody else."""


class TooBusy(Exception):
    """So many passwords are being verified that this one has to come again."""


def hashed(password: str) -> str:
    """What the catalogue keeps."""
    return _HASHER.hash(_spelt(password))


def matches(password: str, kept: str | None) -> bool:
    """Is it the password of this hash? None, for a name without an account, takes as long and is False.

    Raises:
        TooBusy: nothing was verified.
    """
    with _turn():
        nobody = _nobody()  # made with the first password of all, whoever's: later ones all take one verification
        try:
            _HASHER.verify(kept or nobody, _spelt(password))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_THE_DOOR.acquire(blocking=False):
        raise TooBusy
    try:
        with _AT_WORK:
            yield
    finally:
        _AT_THE_DOOR.release()


def _spelt(password: str) -> str:
    # keyboards and systems differ in how they compose a letter and how wide it is
    return normalize("NFKC", password)


@cache
def _nobody() -> str:
    return _HASHER.hash("a password that nobody has")
