"""Passwords, hashed with argon2id at the library's recommended cost. Nothing of a password is ever kept or logged."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()


def hashed(password: str) -> str:
    """What the catalogue keeps."""
    return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Is it the password of this hash? None, for a name without an account, takes as long and is False."""
    try:
        _HASHER.verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobody() -> str:
    return _HASHER.hash("a password that nobody has")
