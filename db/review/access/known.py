"""A browser in which somebody has signed in before is known again, so that others' wrong tries never keep it waiting.

Its cookie names the account and carries a mark that follows from the kept hash of the password: it cannot be made up,
and passes with the password. It opens nothing by itself.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import Response

from db.review.access.cookies import SESSION, cookie, keep_cookie
from db.review.access.state import state_of

KNOWN: Final = "nishiki_known"
_YEAR_S: Final = 365 * 86_400


def keep_known(request: Request, answer: Response, name: str) -> None:
    """Let the browser in which this person has just signed in be known again."""
    password_hash = state_of(request).catalogue.password_hash(name) or ""
    nonce = secrets.token_hex(16)
    value = ".".join((quote(name, safe="").replace(".", "%2E"), nonce, _mark(name, nonce, password_hash)))
    keep_cookie(request, answer, KNOWN, value, for_s=_YEAR_S)


def place_of(request: Request) -> str:
    """Where a try to sign in is counted: by the known browser or its open session, or else by its address."""
    known = _nonce(request, (cookie(request, KNOWN) or "").split("."))
    if known is None:
        known = _open_session(request)
    return f"known {known}" if known else request.client.host if request.client else ""


def _open_session(request: Request) -> str | None:
    token = cookie(request, SESSION)
    if not token or state_of(request).sessions.account(token) is None:
        return None
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _nonce(request: Request, parts: Sequence[str]) -> str | None:
    """Which known browser it is; None: none, or one of a password that has changed since."""
    if len(parts) != 3:
        return None
    name, nonce, mark = unquote(parts[0]), *parts[1:]
    password_hash = state_of(request).catalogue.password_hash(name)
    if password_hash is None or not hmac.compare_digest(mark, _mark(name, nonce, password_hash)):
        return None
    return nonce


def _mark(name: str, nonce: str, password_hash: str) -> str:
    return hmac.new(password_hash.encode(), f"known {nonce} {name}".encode(), hashlib.sha256).hexdigest()
